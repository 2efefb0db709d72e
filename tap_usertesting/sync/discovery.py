"""Finds the tests of a sync: those of `test_ids`, or all studies in the workspaces of the legacy API.

Source: the vendor's page "How to obtain a test id": keep the studies of type STUDYV2. Each list is read once per sync.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import BadRequestError, NotFoundError
from tap_usertesting.api.results import V1_PAGE, ResultsClient
from tap_usertesting.api.safe_ids import is_cursor, is_id
from tap_usertesting.report.wording import number_of, printable
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.config.settings import Settings

logger = logging.getLogger("tap-usertesting.discovery")

READABLE_TYPE = "STUDYV2"
INTERACTION = "NON_THINK_OUT_LOUD"
SURVEY = "SURVEY"
MOST_PAGES = 2_000  # of one list, in case a server's list never ends
TRANSCRIBED = frozenset({"THINK_OUT_LOUD", "LIVE_CONVERSATION"})
FILMED = frozenset({*TRANSCRIBED, INTERACTION})


class Directory:
    """The tests of a sync, and what discovery knows about them. Properties raise what the client raises."""

    def __init__(self, *, client: ResultsClient, settings: Settings, most_pages: int = MOST_PAGES) -> None:
        """Make no call: each property reads what it needs when it is first used. `most_pages`: of one list."""
        self._most_pages = most_pages
        self._client = client
        self._settings = settings

    @property
    def discovers(self) -> bool:
        """Whether tests are discovered, because `test_ids` is not set."""
        return self._settings.test_ids is None

    @cached_property
    def workspaces(self) -> list[dict[str, Any]]:
        """The workspaces as the vendor sends them; only those of `workspace_ids` if that is set."""
        found = self._read_pages(self._client.workspaces, "the workspaces")
        wanted = self._settings.workspace_ids
        return [item for item in found if wanted is None or str(item["uuid"]).lower() in wanted]

    @cached_property
    def studies(self) -> list[dict[str, Any]]:
        """Every study of these workspaces once, as the vendor sends it, with its `workspaceUuid`."""
        ids = self._settings.workspace_ids or [str(item["uuid"]) for item in self.workspaces]
        found: dict[str, dict[str, Any]] = {}
        for workspace in ids:
            read = self._reader(workspace)
            for item in self._read_pages(read, f"the tests of workspace {workspace}"):
                found.setdefault(str(item["uuid"]).lower(), {**item, "workspaceUuid": workspace})
        return list(found.values())

    @cached_property
    def product_types(self) -> dict[str, str | None]:
        """The product type of every readable test in upper case, by test id; None where it is not known."""
        if self._settings.test_ids is not None:
            for name in ("workspace_ids", "product_types"):
                if getattr(self._settings, name) is not None:
                    logger.info("%s is ignored, because test_ids is set", name)
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
                logger.warning("product_types: no test has any of these types; your tests have %s", kinds)
            types = {test_id: kind for test_id, kind in types.items() if kind in wanted}
        logger.info(
            "discovered %d tests; the Results API can read %d of them",
            len(self.studies),
            len(types),
        )
        return types

    @property
    def is_read(self) -> bool:
        """Whether the tests are known without a further call."""
        return not self.discovers or "product_types" in self.__dict__

    @property
    def knows_all(self) -> bool:
        """Whether a test that it does not have does not exist, or can no longer be seen."""
        return self.discovers and self._settings.workspace_ids is None and self.is_read

    def launched(self, test_id: str) -> str | None:
        """Return when a test was launched, in the fixed UTC form; None if discovery does not tell."""
        return self._launches.get(test_id)

    def title(self, test_id: str) -> str | None:
        """Return the title of a test; None if discovery does not tell."""
        return self._titles.get(test_id)

    @cached_property
    def _titles(self) -> dict[str, str]:
        titles = {str(item["uuid"]).lower(): item.get("title") for item in (self.studies if self.discovers else ())}
        return {test_id: text for test_id, title in titles.items() if (text := printable(str(title or "")))}

    @cached_property
    def _launches(self) -> dict[str, str]:
        if not self.discovers:
            return {}
        times = {str(item["uuid"]).lower(): utc(item.get("orderedAt")) for item in self.studies}
        return {test_id: time for test_id, time in times.items() if time is not None}

    def _reader(self, workspace: str) -> Callable[..., list[dict[str, Any]]]:
        return lambda *, after: self._client.studies(workspace, after=after)

    def _read_pages(self, read: Callable[..., list[dict[str, Any]]], what: str) -> list[dict[str, Any]]:
        """Read pages until one is empty, brings nothing new or names no cursor for the next.

        A short page need not be the last, because the vendor only documents the most items of a page. But if the server
        refuses to go on after a short page, the list is taken to end there.
        """
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        length = 0
        for _ in range(self._most_pages):
            try:
                received = read(after=after)
            except (BadRequestError, NotFoundError) as error:
                if after is None or length >= V1_PAGE:
                    raise
                level = logging.INFO if isinstance(error, NotFoundError) else logging.WARNING
                logger.log(
                    level, "%s: %s; the tap takes the %d items read so far for the whole list", what, error, len(found)
                )
                return list(found.values())
            length = len(received)
            page = [item for item in received if is_id(item.get("uuid"))]
            if len(page) < len(received):
                self._client.left_out["tests and workspaces without an id"] += len(received) - len(page)
                odd = number_of(len(received) - len(page), "item")
                logger.warning("%s: left out %s without a usable uuid", what, odd)
            new = {str(item["uuid"]).lower(): item for item in page}
            repeated = bool(page) and new.keys() <= found.keys()
            found |= new
            cursor = last_cursor(received)
            if cursor is None and length >= V1_PAGE:
                logger.warning(
                    "%s: a full page of %d items names no cursor, so the tap cannot read more", what, V1_PAGE
                )
            if cursor is None or repeated or cursor == after:
                return list(found.values())
            after = cursor
        logger.warning("%s: there are more than %d pages; the tap does not read the rest", what, self._most_pages)
        return list(found.values())


def last_cursor(items: list[dict[str, Any]]) -> str | None:
    """Return the cursor of the last item that names one."""
    named = (str(item["cursor"]) for item in reversed(items) if isinstance(item.get("cursor"), (str, int)))
    return next((cursor for cursor in named if is_cursor(cursor)), None)
