"""Tries the legacy API: which header it takes, how it pages, and which tests there are to ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import ApiError, BadRequestError, CredentialsRejectedError, NotFoundError
from tap_usertesting.api.results import V1_PAGE
from tap_usertesting.api.safe_ids import is_id
from tap_usertesting.doctor.probes import MOST_TESTS, KnownTest
from tap_usertesting.doctor.witness import FORBIDDEN, LEGACY, OK, UNAUTHORIZED
from tap_usertesting.sync.discovery import READABLE_TYPE, last_cursor
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.doctor.probes import Examination

    Read = Callable[..., list[dict[str, Any]]]

MOST_WORKSPACES = 3  # whose tests are asked for, two pages of each
KNOWN_TYPES = frozenset({READABLE_TYPE, "WEB", "APP", "LIVE", "PROTOTYPE", "EXTERNAL_UPLOAD", "STUDY_VIDEO_UPLOAD"})


def probe_legacy(examination: Examination) -> None:
    """Read a few pages. What the legacy API refuses is evidence, and ends nothing."""
    settings, client = examination.settings, examination.clients.results
    try:
        workspaces = _pages(examination, client.workspaces)
        ids = settings.workspace_ids or [str(item["uuid"]) for item in workspaces if is_id(item.get("uuid"))]
        studies: list[dict[str, Any]] = []
        for workspace in ids[:MOST_WORKSPACES]:
            studies += _pages(examination, _reader(examination, workspace))
    except CredentialsRejectedError:
        if not examination.witness.of(*LEGACY):
            raise  # it is the token endpoint that refuses them
        studies = []
        examination.numbers["legacy_api_is_served"]["lists_failed"] += 1
    _note_headers(examination)
    _note_types(examination, studies)
    examination.tests = _tests(examination, studies)[:MOST_TESTS]


def _reader(examination: Examination, workspace: str) -> Read:
    return lambda *, after: examination.clients.results.studies(workspace, after=after)


def _pages(examination: Examination, read: Read) -> list[dict[str, Any]]:
    """Read the first page of a list, and the one after it."""
    served, paged, sized = (
        examination.numbers[name] for name in ("legacy_api_is_served", "legacy_pages_by_after", "legacy_pages_hold_50")
    )
    first = examination.attempt(lambda: read(after=None))
    if first is None or isinstance(first, ApiError):
        served["lists_failed"] += 1
        return []
    served["lists_read"] += 1
    sized["pages_over_50" if len(first) > V1_PAGE else "pages"] += bool(first)
    sized["longest_page"] = max(sized["longest_page"], len(first))
    cursor = last_cursor(first)
    if cursor is None:
        paged["full_pages_without_cursor"] += len(first) >= V1_PAGE
        return first
    following = examination.attempt(lambda: read(after=cursor))
    if isinstance(following, ApiError):
        # After a short page this may be the server's way to say that nothing follows.
        is_refused = len(first) >= V1_PAGE and isinstance(following, (BadRequestError, NotFoundError))
        paged["next_pages_refused"] += is_refused
        return first
    if following is None:
        return first
    known = {str(item.get("uuid")) for item in first}
    repeated = bool(following) and {str(item.get("uuid")) for item in following} <= known
    paged["next_pages_repeated" if repeated else "next_pages"] += 1
    paged["next_pages_with_more"] += bool(following) and not repeated
    return first if repeated else first + following


def _note_headers(examination: Examination) -> None:
    numbers = examination.numbers["legacy_takes_bearer"]
    for seen in examination.witness.of(*LEGACY):
        header = "token_header" if seen.bare else "bearer"
        if seen.status in {UNAUTHORIZED, FORBIDDEN}:
            numbers[f"{header}_refused"] += 1
        elif seen.status == OK:
            numbers[f"{header}_accepted"] += 1


def _note_types(examination: Examination, studies: list[dict[str, Any]]) -> None:
    numbers = examination.numbers["legacy_types_are_known"]
    for item in studies:
        word = item.get("type")
        is_known = isinstance(word, str) and word.upper() in KNOWN_TYPES
        numbers["tests_of_known_types" if is_known else "tests_of_other_types"] += 1
        numbers["in_lower_case"] += is_known and word == str(word).lower()


def _tests(examination: Examination, studies: list[dict[str, Any]]) -> list[KnownTest]:
    """Return the tests to ask about: the configured ones, or else those that were found."""
    found: dict[str, KnownTest] = {}
    for item in studies:
        if is_id(item.get("uuid")) and str(item.get("type") or "").upper() == READABLE_TYPE:
            test_id = str(item["uuid"]).lower()
            kind = str(item.get("productType") or "").upper()
            found.setdefault(test_id, KnownTest(test_id, kind, utc(item.get("orderedAt")) or ""))
    configured = examination.settings.test_ids
    if configured is None:
        return list(found.values())
    return [found.get(test_id, KnownTest(test_id)) for test_id in configured]
