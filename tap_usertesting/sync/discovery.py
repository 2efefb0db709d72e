"""Which tests there are: the setting `test_ids`, or a walk through the legacy API's workspaces and studies.

Source: the vendor's page "How to obtain a test id": keep the studies of type STUDYV2. Each list is read once per run.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import BadRequestError, NotFoundError
from tap_usertesting.api.results import V1_PAGE, ResultsClient
from tap_usertesting.api.safe_ids import is_cursor, is_id
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.config.settings import Settings

logger = logging.getLogger("tap-usertesting.discovery")

READABLE_TYPE = "STUDYV2"
INTERACTION = "NON_THINK_OUT_LOUD"
SURVEY = "SURVEY"
MOST_PAGES = 2_000  # of one list; a server whose list never ends is not followed further
TRANSCRIBED = frozenset({"THINK_OUT_LOUD", "LIVE_CONVERSATION"})
FILMED = frozenset({*TRANSCRIBED, INTERACTION})


class Directory:
    """The tests of this run, with what discovery knows of them."""

    def __init__(self, *, client: ResultsClient, settings: Settings) -> None:
        """Nothing is read before it is asked for."""
        self._client = client
        self._settings = settings

    @property
    def discovers(self) -> bool:
        """Whether tests are discovered, not configured."""
        return self._settings.test_ids is None

    @cached_property
    def workspaces(self) -> list[dict[str, Any]]:
        """The workspaces as the vendor sends them, those of `workspace_ids` if set."""
        found = self._walk(self._client.workspaces, "the workspaces")
        wanted = self._settings.workspace_ids
        return [item for item in found if wanted is None or str(item["uuid"]).lower() in wanted]

    @cached_property
    def studies(self) -> list[dict[str, Any]]:
        """Every study of those workspaces as the vendor sends it, with its `workspaceUuid`; each once."""
        ids = self._settings.workspace_ids or [str(item["uuid"]) for item in self.workspaces]
        found: dict[str, dict[str, Any]] = {}
        for workspace in ids:
            read = self._reader(workspace)
            for item in self._walk(read, f"the tests of workspace {workspace}"):
                found.setdefault(str(item["uuid"]).lower(), {**item, "workspaceUuid": workspace})
        return list(found.values())

    @cached_property
    def product_types(self) -> dict[str, str | None]:
        """Every readable test with its product type in upper case; None where it is not known."""
        if self._settings.test_ids is not None:
            for name in ("workspace_ids", "product_types"):
                if getattr(self._settings, name) is not None:
                    logger.info("%s has no effect: it narrows discovery, and test_ids says which tests to read", name)
            return dict.fromkeys(self._settings.test_ids)
        types = {
            str(item["uuid"]).lower(): str(item["productType"]).upper() if item.get("productType") else None
            for item in self.studies
            if str(item.get("type") or "").upper() == READABLE_TYPE
        }
        wanted = self._settings.product_types
        if wanted is not None:
            kinds = ", ".join(sorted({str(kind) for kind in types.values()}))
            if kinds and not wanted.intersection(types.values()):
                logger.warning("product_types: no test is of any of them; those that there are are of %s", kinds)
            types = {test_id: kind for test_id, kind in types.items() if kind in wanted}
        logger.info(
            "%d tests discovered, %d of them of a type that the Results API reads",
            len(self.studies),
            len(types),
        )
        return types

    def launched(self, test_id: str) -> str | None:
        """Return when a test was launched, in the fixed UTC form; None where discovery does not know it."""
        return self._launches.get(test_id)

    @cached_property
    def _launches(self) -> dict[str, str]:
        if not self.discovers:
            return {}
        times = {str(item["uuid"]).lower(): utc(item.get("orderedAt")) for item in self.studies}
        return {test_id: time for test_id, time in times.items() if time is not None}

    def _reader(self, workspace: str) -> Callable[..., list[dict[str, Any]]]:
        return lambda *, after: self._client.studies(workspace, after=after)

    def _walk(self, read: Callable[..., list[dict[str, Any]]], what: str) -> list[dict[str, Any]]:
        """Read page after page, until one is empty, brings nothing new or names no cursor behind which to go on.

        A short page does not end a list: the vendor only says how many items a page has at most. As it may well be the
        last one, a server that refuses to go on behind it has ended its list.
        """
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        length = 0
        for _ in range(MOST_PAGES):
            try:
                received = read(after=after)
            except (BadRequestError, NotFoundError) as error:
                if after is None or length >= V1_PAGE:
                    raise
                level = logging.INFO if isinstance(error, NotFoundError) else logging.WARNING
                logger.log(level, "%s: %s; the %d read so far are taken for all there are", what, error, len(found))
                return list(found.values())
            length = len(received)
            page = [item for item in received if is_id(item.get("uuid"))]
            if len(page) < len(received):
                self._client.left_out["tests and workspaces without an id"] += len(received) - len(page)
                logger.warning("%s: %d without a usable uuid are left out", what, len(received) - len(page))
            new = {str(item["uuid"]).lower(): item for item in page}
            repeated = bool(page) and new.keys() <= found.keys()
            found |= new
            cursor = _last_cursor(received)
            if cursor is None and length >= V1_PAGE:
                logger.warning("%s fill a page of %d and name no cursor: more can not be read", what, V1_PAGE)
            if cursor is None or repeated or cursor == after:
                return list(found.values())
            after = cursor
        logger.warning("%s go on after %d pages: further ones are not read", what, MOST_PAGES)
        return list(found.values())


def _last_cursor(items: list[dict[str, Any]]) -> str | None:
    """Return the cursor of the last item that names one."""
    named = (str(item["cursor"]) for item in reversed(items) if isinstance(item.get("cursor"), (str, int)))
    return next((cursor for cursor in named if is_cursor(cursor)), None)
