"""Writes event logs: cursors, numbers and times.

Until a log is served, its events are sorted by time. Afterwards it is append-only, as a real log is: a session that
finished before the newest event is then announced with a later time.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.model import Event, Session, Test

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


class Journal:
    """Writes events. ``now`` advances by a minute with each change, or follows the real time."""

    def __init__(
        self, rng: Random, *, now: datetime, real_time: bool, format_cursor: Callable[[str, int], str]
    ) -> None:
        """Start at ``now`` (aware). ``format_cursor`` makes each cursor of a text drawn from ``rng`` and a number."""
        self.now = now
        self._format_cursor = format_cursor
        self._drawn = 0
        self._rng = rng
        self._real_time = real_time
        self._numbers: dict[str, int] = {}

    def advance(self) -> datetime:
        """Advance the time, and return it."""
        if self._real_time:
            self.now = max(datetime.now(timezone.utc), self.now + timedelta(milliseconds=1))
        else:
            self.now += timedelta(minutes=1)
        return self.now

    def advance_past(self, test: Test) -> datetime:
        """Advance the time, and return one that is later than the newest event of the test."""
        moment = self.advance()
        return max(moment, test.events[-1].changed_at + timedelta(seconds=1)) if test.events else moment

    def number(self, response_uuid: str) -> int:
        """Return the feed's integer id of a response."""
        return self._numbers.setdefault(response_uuid, 833_001 + len(self._numbers))

    def make_event(self, response_uuid: str, change_type: str, at: datetime, *, cursor: str | None = None) -> Event:
        """Return a new event, which is in no log yet."""
        if cursor is None:
            self._drawn += 1
            cursor = self._format_cursor(f"ut_{self._rng.getrandbits(128):032x}", self._drawn)
        at = at.astimezone(timezone.utc)
        return Event(cursor, response_uuid, self.number(response_uuid), change_type, at)

    def record(self, session: Session, change_type: str, at: datetime | None) -> None:
        """Log an event of a session: at the end of a served log, else in order of time."""
        test = session.test
        at = at or self.advance_past(test)
        newest = test.events[-1].changed_at if test.events else at
        if at >= newest or test.log_served:
            test.add_event(self.make_event(session.response_uuid, change_type, max(at, newest)))
            return
        place = bisect_right([event.changed_at for event in test.events], at)
        test.events.insert(place, self.make_event(session.response_uuid, change_type, at))
        test.mark_changed()
