"""The session list of one test, read page by page and used as a change log.

Each completed session is one change of type UPDATED. Its cursor is `<finish time, else start time>/<session id>`. The
vendor names no sort key, and sessions may come and leave between two pages, so the pages fill a set, and the cursors
give the order. Source: GET /api/v2/sessionResults.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_usertesting.api.results import LAST_OFFSET, ResultsClient, SessionPage
from tap_usertesting.ledger.change_log import Listed, Sessions
from tap_usertesting.values.times import earlier, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger("tap-usertesting.changes")

MOST_READINGS = 4  # of a list that shrinks between its pages each time

StopWhen: TypeAlias = "Callable[[SessionList], bool]"


def as_listed(item: dict[str, Any], *, now: str) -> Listed:
    """Return an item of the list with its cursor; `now` and the time of the result are in the fixed UTC form.

    A time after `now`, or no time, counts as `now`: a bookmark further ahead would hide the sessions that follow.
    """
    time = utc(item.get("finishTime")) or utc(item.get("startTime")) or now
    is_fresh = time > now >= earlier(time, days=1)  # a time further ahead is wrong
    return Listed.at(min(time, now), item["sessionId"], item, is_fresh=is_fresh)


def contains(session_ids: Iterable[str]) -> StopWhen:
    """Return a `stop_when` that is true once all these sessions were read."""
    wanted = frozenset(session_ids)
    return lambda sessions: wanted <= sessions.by_id.keys()


def whole(sessions: SessionList) -> bool:
    """Tell whether the whole list was read: the `stop_when` of a caller that needs all of it."""
    return sessions.complete


class SessionList(Sessions):
    """The sessions of one test, as far as they were read; the streams of a sync share it."""

    def __init__(self, *, client: ResultsClient, test_id: str, now: str, is_forecast: bool = False) -> None:
        """Make no call.

        `now`: when the look for news began, in the fixed UTC form. `is_forecast`: read one page only where that page
        names the total, and count the others.
        """
        super().__init__()
        self._client = client
        self._test_id = test_id
        self.now = now
        self._is_forecast = is_forecast
        self.forecast_pages = 0  # read, or counted by a forecast
        self._is_total_wrong = False
        self._readings = 0
        self._begin_reading()

    def _begin_reading(self) -> None:
        self._readings += 1
        self._offset = 0
        self.without_id = 0  # items of this reading
        self._departed = 0  # sessions, since the first page of this reading
        self._least_total: int | None = None  # of those that the pages of this reading named
        self._seen: set[str] = set()  # session ids of this reading
        self._brought_nothing = False  # the page before: no new session

    def read(self, stop_when: StopWhen) -> SessionList:
        """Read at least one page, then more until `stop_when` is true or the list ends.

        The next call goes on where this one stopped, also after an error. Raises what the client raises.
        """
        while not self.complete and not (self._offset and stop_when(self)):
            if self._is_forecast and self._offset and self.counted:
                self.forecast_pages = max(self.forecast_pages, math.ceil(self.total / self._offset))
                break
            self._read_page()
            self.forecast_pages += 1
        return self

    def _read_page(self) -> None:
        """Read the next page; the one after it begins behind what came, as a server may send less than was asked."""
        page = self._client.session_page(self._test_id, offset=self._offset)
        next_offset = self._offset + page.received
        seen_before = len(self._seen)
        for item in page.sessions:
            session = as_listed(item, now=self.now)
            self.by_id[session.session_id] = session
            self._seen.add(session.session_id)
        if not self._offset:
            self.first_page = frozenset(self._seen)
        brings_nothing = len(self._seen) == seen_before
        if brings_nothing and (page.sessions or self._brought_nothing):
            # The server repeats itself, or two pages in a row have no session: it would never end.
            self._end_reading(next_offset)
            return
        self.without_id += page.received - len(page.sessions)
        departed = self._take_total(page, next_offset)
        self._departed += departed
        if departed and self._readings < MOST_READINGS:
            self._begin_reading()  # at once: a session may have moved up to a page that was read before
        elif (self.counted and next_offset >= self.total) or not page.received:
            self._end_reading(next_offset)
        elif self._offset >= LAST_OFFSET:
            self._end_reading(next_offset, is_cut=True)
        else:
            self._offset, self._brought_nothing = min(next_offset, LAST_OFFSET), brings_nothing

    def _take_total(self, page: SessionPage, next_offset: int) -> int:
        """Take the total that a page names; return how many sessions left the list since the page before.

        A total that is less than what came is not that of the whole list. A total that equals what came, after pages
        without one, may be that of the pages so far: the next page will tell.
        """
        named = page.total_count
        if named == next_offset and self._offset and not self.counted:
            named = None
        self._is_total_wrong = self._is_total_wrong or (named is not None and page.received > 0 and named < next_offset)
        departed = 0
        if self._is_total_wrong:
            self.counted, self._least_total = False, None
        elif named is not None and (self.counted or page.received or not self._offset):
            departed = max(0, self.total - named) if self.counted and self._offset else 0
            self.counted, self.total = True, named
            self.greatest = max(self.greatest, named)
            self._least_total = named if self._least_total is None else min(self._least_total, named)
        if not self.counted:
            self.total = self.greatest = len(self.by_id) + self.without_id
        return departed

    def _end_reading(self, end: int, *, is_cut: bool = False) -> None:
        """Accept the list, or read it once more where sessions are missing, as others may have left meanwhile.

        `end`: the offset behind the last item. `is_cut`: the list goes on beyond the last offset that the vendor
        allows. Missing sessions are taken off the total, so that the next sync looks for them.
        """
        reachable = end if is_cut else self.greatest

        def lacking(total: int, found: int) -> int:
            return max(0, min(total, reachable) - found - self.without_id)

        if self._readings == 1 and lacking(self.greatest, len(self.by_id)):
            self._begin_reading()
            return
        self.complete = True
        # Sessions that left during this reading may be among those seen in it, or in earlier ones. Where none left, the
        # sessions of all readings count: a list in an unstable order may lack another session each time.
        found = len(self._seen) - self._departed if self._departed else len(self.by_id)
        # The least total, as sessions that came meanwhile are at the top, above the pages that were still to be read.
        self.missing = lacking(self._least_total or 0, found)
        self.total -= lacking(self.total, found)
        self.greatest -= lacking(self.greatest, len(self.by_id))
        if self.without_id:
            self._client.left_out["sessions without an id"] += self.without_id
            logger.warning("test %s: left out %d sessions without a usable id", self._test_id, self.without_id)
        if is_cut and (self.total > end or not self.counted):
            logger.warning(
                "test %s: cannot read %s sessions beyond offset %d, where the Results API's list ends",
                self._test_id,
                self.total - end if self.counted else "an unknown number of",
                LAST_OFFSET,
            )
