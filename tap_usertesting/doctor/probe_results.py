"""Tries the Results API: lists, details, transcripts, scores and reels, each call once."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from types import NoneType
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import ApiError, NotFoundError, ServerFaultError
from tap_usertesting.api.results import LAST_OFFSET, MOST_SESSIONS, PAGE
from tap_usertesting.api.valid_answers import DETAILS, LISTS_OF_DETAILS
from tap_usertesting.doctor.probes import MADE_UP_ID, KnownTest, Listed
from tap_usertesting.doctor.witness import ERROR_FROM, NOT_FOUND, OK, TOO_MANY
from tap_usertesting.sync.discovery import INTERACTION, SURVEY, TRANSCRIBED
from tap_usertesting.values import vtt
from tap_usertesting.values.times import earlier, utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_usertesting.doctor.probes import Examination

KINDS = (TRANSCRIBED, frozenset({INTERACTION}), frozenset({SURVEY}))  # a test of each is asked about
REACH = LAST_OFFSET + PAGE  # sessions of a test that the list can reach
SERVER_ERROR_FROM = 500
YOUNG_DAYS = 7  # a test that was launched later may have no sessions yet


def probe_results(examination: Examination, *, now: str, counts: dict[str, int]) -> None:
    """Make all calls. `now`: in the fixed UTC form. `counts`: of results in the feed, by test id, as far as known."""
    for group in _chosen(examination.tests, now=now, counts=counts):
        for test in group[:2]:  # the second only if the first has no session
            listed = _list(examination, test)
            if listed is not None and listed.session_ids:
                break
    _missing_test(examination)
    # What tells most comes first, as a call that is tried again leaves one less for the others.
    for listed in _with_sessions(examination)[:1]:
        _details(examination, listed.session_ids[0])
        _next_page(examination, listed)
    _transcripts(examination)
    _scores(examination)
    for listed in _with_sessions(examination)[:1]:
        _reels(examination, listed.test)


def _chosen(tests: list[KnownTest], *, now: str, counts: dict[str, int]) -> Iterable[list[KnownTest]]:
    """Return the tests to list, by kind, those first that are likely to have sessions."""
    recent = earlier(now, days=YOUNG_DAYS)

    def likely(test: KnownTest) -> tuple[bool, bool]:
        return not counts.get(test.test_id, 0), test.ordered_at >= recent

    ranked = sorted(tests, key=likely)
    groups = [[test for test in ranked if test.product_type in kind] for kind in KINDS]
    others = [test for test in ranked if not any(test.product_type in kind for kind in KINDS)]
    # Tests of an unknown kind stand in for the kinds that are missing.
    return [group or others[place : place + 1] for place, group in enumerate(groups)]


def _with_sessions(examination: Examination) -> list[Listed]:
    return [listed for listed in examination.lists if listed.session_ids]


def _list(examination: Examination, test: KnownTest) -> Listed | None:
    client = examination.clients.results
    page = examination.attempt(lambda: client.session_page(test.test_id, offset=0))
    if page is None or isinstance(page, ApiError):
        return None
    seen = examination.last()
    body = seen.body if seen is not None and isinstance(seen.body, dict) else {}
    items = sorted(page.sessions, key=lambda item: _time(item) or "")
    listed = Listed(test, [str(item["sessionId"]) for item in items], page.received)
    examination.lists.append(listed)
    _note_sizes(examination, body, page.received)
    _note_order(examination, page.sessions)
    return listed


def _time(item: dict[str, Any]) -> str | None:
    return utc(item.get("finishTime")) or utc(item.get("startTime"))


def _note_sizes(examination: Examination, body: dict[str, Any], received: int) -> None:
    numbers = examination.numbers
    named = _pagination(body)
    count, limit = _count(named.get("totalCount")), _count(named.get("limit"))
    if count is None:
        numbers["list_counts_the_test"]["counts_absent"] += 1
    else:
        numbers["list_counts_the_test"]["counts_of_less" if count < received else "counts_of_the_test"] += 1
        numbers["tests_fit_the_list"]["tests_that_do_not" if count > REACH else "tests_that_fit"] += 1
        numbers["tests_fit_the_list"]["most_sessions"] = max(numbers["tests_fit_the_list"]["most_sessions"], count)
    pages = numbers["list_pages_hold_500"]
    is_less = (limit is not None and limit < PAGE) or received < min(PAGE, count or 0)
    pages["pages_of_fewer"] += is_less
    pages["pages_of_500"] += not is_less and (received >= PAGE or limit is not None)
    pages["longest_page"] = max(pages["longest_page"], received)


def _pagination(body: object) -> dict[str, Any]:
    meta = body.get("meta") if isinstance(body, dict) else None
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    return pagination if isinstance(pagination, dict) else {}


def _count(value: object) -> int | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < MOST_SESSIONS else None  # type: ignore[operator, call-overload]


def _note_order(examination: Examination, sessions: list[dict[str, Any]]) -> None:
    order, timed = examination.numbers["list_is_newest_first"], examination.numbers["sessions_have_a_time"]
    for item in sessions:
        timed["sessions_with_a_time" if _time(item) is not None else "sessions_without"] += 1
        timed["sessions_without_finish_time"] += utc(item.get("finishTime")) is None
    for key, times in (
        ("finish", [_time(item) for item in sessions]),
        ("start", [utc(item.get("startTime")) for item in sessions]),
    ):
        known = [time for time in times if time is not None]
        for this, following in pairwise(known):
            order[f"falling_by_{key}"] += following < this
            order[f"rising_by_{key}"] += following > this


def _next_page(examination: Examination, listed: Listed) -> None:
    client = examination.clients.results
    page = examination.attempt(lambda: client.session_page(listed.test.test_id, offset=listed.received))
    if page is None or isinstance(page, ApiError):
        return
    ids = {str(item["sessionId"]) for item in page.sessions}
    repeated = bool(ids) and ids <= set(listed.session_ids)
    examination.numbers["offset_is_obeyed"]["next_pages_repeated" if repeated else "next_pages"] += 1
    seen = examination.last()
    total = _count(_pagination(seen.body if seen is not None else None).get("totalCount"))
    if total is not None and not repeated:
        counts_less = total < listed.received + page.received
        examination.numbers["list_counts_the_test"]["counts_of_less"] += counts_less


def _missing_test(examination: Examination) -> None:
    client = examination.clients.results
    found = examination.attempt(lambda: client.session_page(MADE_UP_ID, offset=0, limit=1))
    if found is not None:
        is_404, seen = isinstance(found, NotFoundError), examination.last()
        examination.numbers["missing_test_is_404"]["status"] = 0 if seen is None else seen.status
        examination.numbers["missing_test_is_404"]["answered_404" if is_404 else "answered_otherwise"] += 1


def _details(examination: Examination, session_id: str) -> None:
    client = examination.clients.results
    for version in ("v3", "v2"):
        before = len(examination.witness.seen)
        examination.attempt(partial(client.details, session_id, version=version))
        seen = examination.last(before)
        if seen is None:
            continue
        body = seen.body if isinstance(seen.body, dict) else {}
        answered = seen.status == OK and _are_details(body)
        for judged in ("details_v3_is_served", "details_v2_is_served"):  # each needs to know of both
            numbers = examination.numbers[judged]
            numbers[f"{version}_answered"] += answered
            numbers[f"{version}_missing"] += seen.status == NOT_FOUND
            numbers[f"{version}_other"] += not answered and seen.status != NOT_FOUND
        if answered:
            _note_payloads(examination, body)


def _are_details(body: dict[str, Any]) -> bool:
    """Tell whether a body is that of details, be it of this session or of another."""
    lists = all(isinstance(body.get(key), (list, NoneType)) for key in LISTS_OF_DETAILS)
    return lists and any(key in body for key in DETAILS)


def _note_payloads(examination: Examination, body: dict[str, Any]) -> None:
    numbers = examination.numbers["payloads_are_objects"]
    for task in _objects(body.get("tasks")):
        response = task.get("response")
        answer = response.get("answer") if isinstance(response, dict) else None
        _count_objects(numbers, answer)
    for task in _objects(body.get("sessionTaskResults")):
        _count_objects(numbers, task.get("taskResponse"))


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _count_objects(numbers: Any, answer: object) -> None:  # noqa: ANN401 - a Counter
    """Count what stands inside an answer: one object for each kind of task, all but one of them null."""
    if isinstance(answer, dict):
        for inner in answer.values():
            numbers["objects"] += isinstance(inner, dict)
            numbers["others"] += inner is not None and not isinstance(inner, dict)
    elif answer is not None:
        numbers["others"] += 1


def _transcripts(examination: Examination) -> None:
    """Ask for the oldest and the newest session of a test with speech, and the oldest of each other one."""
    for place, listed in enumerate(_with_sessions(examination)):
        ids = listed.session_ids
        for session_id in dict.fromkeys([ids[0], ids[-1]] if place == 0 else ids[:1]):
            found = _transcript(examination, session_id)
            silent = examination.numbers["only_speech_has_transcripts"]
            if listed.test.product_type in {SURVEY, INTERACTION} and found is not None:
                kind = "surveys" if listed.test.product_type == SURVEY else "interactions"
                silent[f"{kind}_with" if found else "asked_without"] += 1


def _transcript(examination: Examination, session_id: str) -> bool | None:
    """Return whether the session has a transcript; None if the answer does not tell."""
    client, numbers = examination.clients.results, examination.numbers["missing_transcript_is_404"]
    before = len(examination.witness.seen)
    found = examination.attempt(lambda: client.transcript(session_id))
    seen = examination.last(before)
    if found is None or seen is None:
        return None
    if isinstance(found, NotFoundError):
        numbers["missing_404"] += 1
        return False
    if isinstance(found, ApiError):
        is_unclear = seen.status >= SERVER_ERROR_FROM or (isinstance(found, ServerFaultError) and seen.status == OK)
        numbers["missing_otherwise"] += not is_unclear
        numbers["status"] = 0 if is_unclear else seen.status
        return None if is_unclear else False
    is_empty = vtt.parse(found.text) == []
    numbers["missing_otherwise" if is_empty else "found"] += 1
    numbers["status"] = seen.status if is_empty else numbers["status"]
    return not is_empty


def _scores(examination: Examination) -> None:
    """Ask for the scores of an interaction test and of another one."""
    client, numbers = examination.clients.results, examination.numbers["scores_only_for_interaction"]
    asked = {INTERACTION: False, "": False}
    for listed in _with_sessions(examination):
        kind = listed.test.product_type
        role = INTERACTION if kind == INTERACTION else ""
        if not kind or asked[role]:
            continue
        asked[role] = True
        found = examination.attempt(partial(client.qx_scores, listed.test.test_id))
        if found is None or (isinstance(found, ApiError) and not isinstance(found, NotFoundError)):
            continue
        has = not isinstance(found, ApiError) and bool(found["qxScores"])
        numbers[f"{'interactions' if role else 'others'}_{'with' if has else 'without'}"] += 1


def _reels(examination: Examination, test: KnownTest) -> None:
    client, numbers = examination.clients.results, examination.numbers["reels_tell_of_clips"]
    found = examination.attempt(lambda: client.highlight_reels(test.test_id))
    if found is not None and not isinstance(found, ApiError):
        tells = isinstance(found.get("studyWithClips"), bool)
        numbers["answers_that_tell" if tells else "answers_that_do_not"] += 1


def note_errors(examination: Examination) -> None:
    """Tell from all answers whether the message of an error can be read."""
    numbers = examination.numbers["errors_are_json"]
    for seen in examination.witness.results:
        if seen.status >= ERROR_FROM and seen.status != TOO_MANY:
            numbers["with_message" if seen.explained else "without"] += 1
