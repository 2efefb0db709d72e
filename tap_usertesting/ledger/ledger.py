"""The ledger: how far a stream has come in one test, from its newest session down.

A closed ledger has handled everything up to `bookmark`. An open one has handled everything up to `floor`, and
everything from `history` to `bookmark`. The gap between `floor` and `history` is still to be read, newest first. What
happens meanwhile stands above the bookmark and is done before the gap. So the newest rows are always there first, and a
sync that is cut short leaves one gap at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.ledger.change_log import FEED, LISTING, TOP, Source
from tap_usertesting.ledger.tally import Tally
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_usertesting.ledger.change_log import Log
    from tap_usertesting.ledger.stream_policy import Policy

MOST_IDS = 500  # of `recent` and of `tombstoned`


class Mark(NamedTuple):
    """A place in a log and when the change there happened; the cursor "" is before everything."""

    cursor: str
    at: str | None = None


class History(NamedTuple):
    """The old end of what an open ledger has handled: a place in the feed's log, or in the list."""

    source: Source
    cursor: str
    at: str | None = None


@dataclass(frozen=True)
class Ledger:
    """Which part of a test's log one stream has handled.

    source: the log that `bookmark` is a place of; None before the first reading.
    bookmark: the newest place handled; None before the first reading, "" if the test was read to its end and was empty.
    history: the old end of what was handled below the bookmark; None once the ledger is closed.
    floor: while open, the place up to which earlier readings handled everything; None if nothing below was handled, not
        even the sessions that are older than the feed.
    waiting: sessions to ask for again, each with the time of its change, the longest unasked first.
    tombstoned: sessions that were removed as of `floor` (open) or `bookmark` (closed), the last one removed at the end.
    recent: by listing, the cursors of the handled sessions inside the lookback window, in order.
    recent_from: by listing, the cursor up to which sessions count as handled although `recent` has no room for them.
    out_of_order: by listing, the ids of those of `recent` that the list has on a later page than their time says.
    total_count: how many sessions of the list were handled.
    asked_at: by listing, when the list was asked for last. A closed ledger has handled what that list showed.
    newest: by listing, the time of the newest session, while nothing of the test was read.
    misses: sessions that were asked for and had no row, while no session of the test had any.
    found: a session of the test had a row, so the test never falls asleep.
    asleep: the misses are so many that the test counts as one without rows.
    start_date: the start_date that left sessions out; when it is moved back, the ledger opens for them.
    reopened_until: the former start_date, while the sessions before it are read; the later ones were read before.
    reread: the test is read once more, so rows of an earlier reading may be there.
    has_none: the test itself has no row in this stream, and is not asked.
    list_was_short: the list named more sessions than it gave.
    verdict: the feed was proven to describe other sessions than this test's.
    tally: how many sessions have a row, and what became of the others.
    """

    source: Source | None = None
    bookmark: Mark | None = None
    history: History | None = None
    floor: Mark | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)
    tombstoned: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    recent_from: str | None = None
    out_of_order: tuple[str, ...] = ()
    total_count: int | None = None
    asked_at: str | None = None
    newest: str | None = None
    misses: tuple[str, ...] = ()
    found: bool = False
    asleep: bool = False
    start_date: str | None = None
    reopened_until: str | None = None
    reread: bool = False
    has_none: bool = False
    list_was_short: bool = False
    verdict: bool = False
    tally: Tally = field(default_factory=Tally)

    @property
    def open(self) -> bool:
        """Whether a gap is left to read below what was handled."""
        return self.history is not None

    @property
    def first(self) -> bool:
        """Whether this is a first reading, which also looks for what is older than the feed."""
        return self.bookmark is None or (self.open and self.floor is None)

    @property
    def reads_from(self) -> Mark | None:
        """The place after which the log has to be read, None for the whole log."""
        mark = self.floor if self.open else self.bookmark
        return mark if mark is not None and mark.cursor else None

    def same_position(self, other: Ledger) -> bool:
        """Tell whether both have handled the same part of the log; by feed, the list's count says nothing of that."""
        if self.source == other.source == FEED:
            return replace(self, total_count=None) == replace(other, total_count=None)
        return self == other

    def effective_start_date(self, configured: str | None) -> str | None:
        """Return the start_date of this reading; one that was moved back takes effect once the ledger is closed."""
        if self.open and self.start_date is not None and (configured is None or configured < self.start_date):
            return self.start_date
        return configured


def begin(ledger: Ledger, source: Source, policy: Policy, *, now: str) -> Ledger:
    """Return the ledger with which a reading of this log begins.

    The test is read once more if the bookmark is of another log, where it means nothing, or beyond the present, where
    it would hide what comes. If the start_date was moved back, the ledger opens for the sessions that it left out.
    """
    if ledger.source != source:
        return restart(ledger, source)
    if source == LISTING and ledger.bookmark is not None and ledger.bookmark.cursor.partition("/")[0] > now:
        return restart(ledger, source)
    return _reopened(ledger, policy.start_date)


def take(ledger: Ledger, log: Log, *, now: str) -> Ledger:
    """Return the ledger once its log was read.

    If the list of a first reading was short, what is older than the feed is read again once the list is whole, from the
    list's new end.
    """
    if log.source == LISTING:
        newest = None
        if ledger.bookmark is None and log.sessions is not None:  # so that a later sync knows what the test is worth
            newest = max((one.time for one in log.sessions.by_id.values()), default=None)
        unread = log.sessions is not None and (ledger.open or ledger.bookmark is None)
        # A closed ledger keeps its `asked_at` until what the list shows is handled (see `close`): if this sync is cut
        # short, the next one asks again early.
        return replace(ledger, asked_at=now if unread else ledger.asked_at, newest=newest)
    ledger = replace(ledger, asked_at=None)
    if not ledger.first or log.sessions is None:
        return ledger
    if log.sessions.missing:
        return replace(ledger, list_was_short=True)
    if ledger.list_was_short and ledger.history is not None and ledger.history.source == LISTING:
        return replace(ledger, list_was_short=False, history=History(LISTING, TOP), reread=True)
    return replace(ledger, list_was_short=False)


def restart(ledger: Ledger, source: Source) -> Ledger:
    """Return the ledger of a test that is read once more, from its newest session down."""
    return Ledger(
        source=source,
        waiting=ledger.waiting if ledger.source is None else {},  # what waited by another log, this one brings again
        asked_at=ledger.asked_at,
        reread=ledger.reread or ledger.bookmark is not None or bool(ledger.tally.live),
        has_none=ledger.has_none,
        verdict=ledger.verdict,
        tally=ledger.tally.reconsidered(),
    )


def _reopened(ledger: Ledger, configured: str | None) -> Ledger:
    """Return the ledger, opened for the sessions that its start_date left out if the configured one is earlier."""
    left_out_before = ledger.start_date
    if ledger.open or left_out_before is None or (configured is not None and configured >= left_out_before):
        return ledger
    if ledger.bookmark is None:  # nothing was read yet
        return replace(ledger, start_date=None)
    tally = ledger.tally.reconsidered()
    if ledger.asleep:  # no row was ever found, so none is read twice
        return Ledger(source=ledger.source, waiting=ledger.waiting, asked_at=ledger.asked_at, tally=tally)
    return replace(
        ledger,
        history=History(FEED if ledger.source == FEED else LISTING, TOP),
        floor=None,
        reopened_until=left_out_before,
        start_date=None,
        misses=(),
        tally=tally,
    )


def window_start(cursor: str, lookback_hours: float) -> str:
    """Return the time at which the lookback window below a listing cursor begins."""
    return earlier(cursor.partition("/")[0], hours=lookback_hours) if cursor else ""


def session_in(cursor: str) -> str:
    """Return the session id of a listing cursor."""
    return cursor.partition("/")[2]
