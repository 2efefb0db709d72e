"""A reading: one ledger, the log that was read for it, and what every part of the agenda asks of the two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_usertesting.ledger.agenda_items import Act, Item, Line
from tap_usertesting.ledger.change_types import UPDATED
from tap_usertesting.ledger.ledger import Ledger, Mark
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_usertesting.ledger.change_log import Listed, Log
    from tap_usertesting.ledger.stream_policy import Policy


@dataclass(frozen=True)
class Reading:
    """One ledger before one log; `now` in the fixed UTC form."""

    ledger: Ledger
    log: Log
    policy: Policy
    now: str

    @property
    def listed(self) -> Mapping[str, Listed]:
        """The sessions of the list by id; none where the list was not read."""
        return {} if self.log.sessions is None else self.log.sessions.by_id

    @cached_property
    def by_time(self) -> list[Listed]:
        """The listed sessions, oldest first."""
        return sorted(self.listed.values(), key=attrgetter("cursor"))

    @property
    def end_of_feed(self) -> Mark:
        """The place at the end of the feed's log."""
        log = self.log
        return Mark(log.newest or "", log.changes[-1].changed_at if log.changes else None)

    @property
    def ripe_until(self) -> str:
        """The time up to which a session is old enough that a miss says something about its test."""
        return earlier(self.now, hours=self.policy.ripe_hours)

    @cached_property
    def _start_date(self) -> str | None:
        return self.ledger.effective_start_date(self.policy.start_date)

    def is_left_out(self, time: str) -> bool:
        """Tell whether the start_date leaves a session of this time out."""
        return self._start_date is not None and time < self._start_date

    def was_read(self, time: str) -> bool:
        """Tell whether a session of this time was read before the ledger opened for earlier ones."""
        return self.ledger.reopened_until is not None and time >= self.ledger.reopened_until

    def item_of(self, one: Listed, line: Line, *, top: Mark | None = None) -> Item:
        """Return the item of a listed session; a late one has no place, because the bookmark is past it."""
        act: Act = "pass" if self.is_left_out(one.time) else "fetch"
        cursor = None if line == "late" else one.cursor
        return Item(one.session_id, act, line, UPDATED, one.time, one.time, cursor, top, reread=self.ledger.reread)


def mark_of(one: Listed) -> Mark:
    """Return the place of a listed session."""
    return Mark(one.cursor, one.time)
