"""The session list as a change log: each completed session is one change of type UPDATED.

Its cursor is `<finish time, else start time>/<session id>`. The vendor names no sort key for the list, and it may
shift while it is paged, so it is read into a set and ordered here.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.results import LAST_OFFSET, ResultsClient, SessionPage
from tap_usertesting.ledger.log import Listed, Sessions
from tap_usertesting.values.times import earlier, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger("tap-usertesting.changes")

MOST_READINGS = 4  # of a list that shrinks each time while it is paged


def placed(item: dict[str, Any], *, now: str) -> Listed:
    """Place a session; a time later than `now`, or none at all, counts as now, so that nothing sorts behind it."""
    time = utc(item.get("finishTime")) or utc(item.get("startTime")) or now
    is_fresh = time > now >= earlier(time, days=1)  # beyond that it is no time
    return Listed.at(min(time, now), item["sessionId"], item, is_fresh=is_fresh)


class SessionList(Sessions):
    """The sessions of one test, as far as they have been read; shared by every stream of a run."""

    def __init__(self, *, client: ResultsClient, test_id: str, now: str) -> None:
        """Nothing is read yet. `now`: the start of the run in the fixed UTC form."""
        super().__init__()
        self._client = client
        self._test_id = test_id
        self.now = now
        self._wrong = False
        self._readings = 0
        self.only_first = False  # page is read; further ones are `planned` where it names their number
        self.planned = 0
        self._begin()

    def _begin(self) -> None:
        self._readings += 1
        self._offset = self._odd = 0
        self._left = 0  # sessions, since the first page
        self._least: int | None = None  # that any page of this reading named
        self._seen: set[str] = set()  # in this reading
        self._barren = False  # the page before brought no new id

    def read(self, enough: Callable[[SessionList], bool]) -> SessionList:
        """Read pages until `enough` is content or the list ends. Raises what the client raises."""
        while not self.complete and not (self._offset and enough(self)):
            if self.only_first and self._offset and self.counted:
                self.planned = max(self.planned, math.ceil(self.total / len(self._seen)))
                break
            self._read_page()
            self.planned += 1
        return self

    def _read_page(self) -> None:
        """Read the next page and go on behind what it brought, however many sessions were asked for."""
        page = self._client.session_page(self._test_id, offset=self._offset)
        behind = self._offset + page.received
        known = len(self._seen)
        for item in page.sessions:
            one = placed(item, now=self.now)
            self.by_id[one.session_id] = one
            self._seen.add(one.session_id)
        if not self._offset:
            self.first_page = frozenset(self._seen)
        barren = len(self._seen) == known
        if barren and (page.sessions or self._barren):  # the same again, or nothing that is a session
            self._end(behind)
            return
        self._odd += page.received - len(page.sessions)
        left = self._count(page, behind)
        self._left += left
        if left and self._readings < MOST_READINGS:  # whatever is to be read: a session may have moved up past us
            self._begin()
        elif (self.counted and behind >= self.total) or not page.received:
            self._end(behind)
        elif self._offset >= LAST_OFFSET:
            self._end(behind, cut=True)
        else:
            self._offset, self._barren = min(behind, LAST_OFFSET), barren

    def _count(self, page: SessionPage, behind: int) -> int:
        """Take what a page says of the count; return by how many the list has shrunk since the page before.

        A count that is smaller than what came is not that of the whole list. One that is just what came, after pages
        that named none, may be what came so far: the next page tells.
        """
        named = page.total_count
        if named == behind and self._offset and not self.counted:
            named = None
        self._wrong = self._wrong or (named is not None and page.received > 0 and named < behind)
        shrunk = 0
        if self._wrong:
            self.counted, self._least = False, None
        elif named is not None and (self.counted or page.received or not self._offset):
            shrunk = max(0, self.total - named) if self.counted and self._offset else 0
            self.counted, self.total = True, named
            self.greatest = max(self.greatest, named)
            self._least = named if self._least is None else min(self._least, named)
        if not self.counted:
            self.total = self.greatest = len(self.by_id) + self._odd
        return shrunk

    def _end(self, behind: int, *, cut: bool = False) -> None:
        """Accept the list, or read it once more: a session that left while it was paged has moved others up.

        `cut`: it ends at the last offset. What did not come is not counted, so that it is looked for in the next sync.
        """
        reachable = behind if cut else self.greatest

        def lacking(count: int, found: int) -> int:
            return max(0, min(count, reachable) - found - self._odd)

        if self._readings == 1 and lacking(self.greatest, len(self.by_id)):
            self._begin()
            return
        self.complete = True
        # What was seen before others left may be one of them. Where the last reading is sound, those of all count: a
        # list whose order is not stable may lack one in each.
        here = len(self._seen) - self._left if self._left else len(self.by_id)
        # Not by the greatest count: sessions that came meanwhile are at the top.
        self.missing = lacking(self._least or 0, here)
        self.total -= lacking(self.total, here)
        self.greatest -= lacking(self.greatest, len(self.by_id))
        if self._odd:
            self._client.left_out["sessions without an id"] += self._odd
            logger.warning("test %s: %d sessions without a usable id are left out", self._test_id, self._odd)
        if cut and (self.total > behind or not self.counted):
            logger.warning(
                "test %s: %s sessions lie beyond offset %d, where the Results API's list ends, and can not be read",
                self._test_id,
                self.total - behind if self.counted else "an unknown number of",
                LAST_OFFSET,
            )


def holds(ids: Iterable[str]) -> Callable[[SessionList], bool]:
    """Return an `enough` that is content once all these sessions were seen."""
    wanted = frozenset(ids)
    return lambda sessions: wanted <= sessions.by_id.keys()


def everything(sessions: SessionList) -> bool:
    """Be content with no less than the whole list."""
    return sessions.complete
