"""A session list that changes while its pages are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tap_usertesting.api.results import PAGE, ResultsClient, SessionPage
from tap_usertesting.changes.session_list import SessionList, as_listed

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = "2026-01-10T00:00:00.000000Z"
FAR = "9999-01-01T00:00:00.000000Z"


def item(n: int) -> dict[str, Any]:
    """Return session number n as the vendor lists it. There is one session a minute."""
    return {"sessionId": f"s{n:05}", "finishTime": f"2026-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:00Z"}


def cursor(n: int) -> str:
    """Return the listing cursor of session number n."""
    return as_listed(item(n), now=FAR).cursor


class Pages:
    """A stand-in for the Results API with one list of sessions, newest first."""

    def __init__(
        self,
        count: int,
        *,
        most: int = PAGE,
        counts: str = "all",
        before: dict[str, Callable[[Pages], None]] | None = None,
        **changes: Callable[[Pages], None],
    ) -> None:
        """Serve the sessions 0 to count - 1.

        most: items of a page.
        counts: the total that a page states: `all` sessions, those of the `page`, those `so far`, or `none`.
        before, changes: a change of the list before the call of a number: `call2=add(7)`.
        """
        self.items = [item(n) for n in reversed(range(count))]
        self.most = most
        self.counts = counts
        self.repeats = False
        self.total: int | None = None
        self.offsets: list[int] = []
        self._before = {**(before or {}), **changes}

    def session_page(self, test_id: str, *, offset: int, limit: int = PAGE) -> SessionPage:
        """Answer one page."""
        assert test_id == "test"
        self.offsets.append(offset)
        if change := self._before.get(f"call{len(self.offsets)}"):
            change(self)
        total = len(self.items) if self.total is None else self.total
        start = 0 if self.repeats else offset
        found = self.items[start : start + min(limit, self.most)]
        if self.counts == "none" or (self.counts == "page" and len(found) == self.most < limit):
            return SessionPage(found, None, len(found))
        if self.counts == "so far":
            return SessionPage(found, offset + len(found) if offset else None, len(found))
        return SessionPage(found, total if self.counts == "all" else len(found), len(found))

    def list(self, now: str = FAR) -> SessionList:
        """Return an unread list of these sessions."""
        return SessionList(client=cast("ResultsClient", self), test_id="test", now=now)


def add(*numbers: int) -> Callable[[Pages], None]:
    """Return a change that adds sessions at the top."""

    def change(pages: Pages) -> None:
        pages.items[:0] = [item(n) for n in sorted(numbers, reverse=True)]

    return change


def drop(*numbers: int) -> Callable[[Pages], None]:
    """Return a change that removes sessions."""

    def change(pages: Pages) -> None:
        gone = {f"s{n:05}" for n in numbers}
        pages.items = [one for one in pages.items if one["sessionId"] not in gone]

    return change
