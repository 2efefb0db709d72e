"""The ledger: how far a stream has come in one test, from its newest session down.

A closed ledger has handled everything up to `bookmark`. An open one has handled everything up to `floor` and everything
from `history` to `bookmark`; what lies between `floor` and `history` is still to be read, from its new end to its old
one. What happens meanwhile stands above the bookmark and is done first. So the newest rows are always there first, and
a sync that is cut short leaves one gap at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.ledger.log import FEED, LISTING, TOP, Source
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_usertesting.ledger.log import Log
    from tap_usertesting.ledger.policy import Policy

MOST_IDS = 500  # of `recent` and of `gone`


class Mark(NamedTuple):
    """A place in a log and when the change there happened; the cursor "" is before everything."""

    cursor: str
    at: str | None = None


class History(NamedTuple):
    """The old end of what an open ledger has handled: in the feed's log, or in the list."""

    source: Source
    cursor: str
    at: str | None = None


@dataclass(frozen=True)
class Ledger:
    """Which part of a test's log one stream has handled.

    `bookmark`: None before the first reading; its cursor is "" where the test was read to its end and empty.
    `floor`: while open: None where nothing below was ever handled, what is older than the feed included. `waiting`:
    session and since when, longest unasked first. `gone`: removed as of the floor (open) or the bookmark (closed).
    `recent`: listing cursors handled inside the lookback window, in order; those up to `recent_from` count as handled
    too; `deep`: those of them that are on a later page than their time says. `total_count`: how many listed sessions
    were handled. `asked_at`: when the list was asked for last (closed: and all that it showed was handled), `newest`:
    its newest session, while nothing of the test was read. `in_vain`: sessions asked for a row while none was ever
    `found`; `asleep`: so many that the test counts as one without. `since`: the `start_date` that left sessions out;
    `until`: open again for those before it. `again`: rows of an earlier reading may be there. `short`: the list has
    kept sessions back. `none`: the test has no row in this stream. `verdict`: the feed was proven to describe something
    else.
    """

    source: Source | None = None
    bookmark: Mark | None = None
    history: History | None = None
    floor: Mark | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    recent_from: str | None = None
    deep: tuple[str, ...] = ()
    total_count: int | None = None
    asked_at: str | None = None
    newest: str | None = None
    in_vain: tuple[str, ...] = ()
    found: bool = False
    asleep: bool = False
    since: str | None = None
    until: str | None = None
    again: bool = False
    none: bool = False
    short: bool = False
    verdict: bool = False

    @property
    def open(self) -> bool:
        """Whether something is left unread below what was handled."""
        return self.history is not None

    @property
    def first(self) -> bool:
        """Whether this is a first reading, which also looks for what is older than the feed."""
        return self.bookmark is None or (self.open and self.floor is None)

    @property
    def reads_from(self) -> Mark | None:
        """The place after which the log is wanted; None: from its begin."""
        mark = self.floor if self.open else self.bookmark
        return mark if mark is not None and mark.cursor else None

    def stands_with(self, other: Ledger) -> bool:
        """Tell whether both have handled the same part of the log; how many were listed says nothing of the feed's."""
        if self.source == other.source == FEED:
            return replace(self, total_count=None) == replace(other, total_count=None)
        return self == other

    def starts_at(self, start_date: str | None) -> str | None:
        """Return the start_date that holds for this reading: an open one is first ended as it was begun."""
        if self.open and self.since is not None and (start_date is None or start_date < self.since):
            return self.since
        return start_date


def begin(ledger: Ledger, source: Source, policy: Policy, *, now: str) -> Ledger:
    """Return the ledger with which a reading of this log begins.

    A bookmark of another log means nothing in it, and one beyond the present hides what comes: the test is read once
    more. Where an earlier start_date left sessions out that the present one takes in, the ledger opens for these.
    """
    if ledger.source != source:
        return restart(ledger, source)
    if source == LISTING and ledger.bookmark is not None and ledger.bookmark.cursor.partition("/")[0] > now:
        return restart(ledger, source)
    return _reopened(ledger, policy.start_date)


def take(ledger: Ledger, log: Log, *, now: str) -> Ledger:
    """Return the ledger once its log was read.

    Where a first reading found that the list kept sessions back, what is older than the feed is read again from the
    list's new end once that is whole.
    """
    if log.source == LISTING:
        newest = None
        if ledger.bookmark is None and log.sessions is not None:  # so that a later sync knows what it is worth
            newest = max((one.time for one in log.sessions.by_id.values()), default=None)
        unread = log.sessions is not None and (ledger.open or ledger.bookmark is None)
        # A closed one is asked again early until what the list has shown is handled: see `close`.
        return replace(ledger, asked_at=now if unread else ledger.asked_at, newest=newest)
    ledger = replace(ledger, asked_at=None)
    if not ledger.first or log.sessions is None:
        return ledger
    if log.sessions.missing:
        return replace(ledger, short=True)
    if ledger.short and ledger.history is not None and ledger.history.source == LISTING:
        return replace(ledger, short=False, history=History(LISTING, TOP), again=True)
    return replace(ledger, short=False)


def restart(ledger: Ledger, source: Source) -> Ledger:
    """Return the ledger of a test that is read from its end once more."""
    waiting = ledger.waiting if ledger.source is None else {}  # else they come again by the log
    again = ledger.again or ledger.bookmark is not None
    return Ledger(
        source=source,
        waiting=waiting,
        asked_at=ledger.asked_at,
        again=again,
        none=ledger.none,
        verdict=ledger.verdict,
    )


def _reopened(ledger: Ledger, start_date: str | None) -> Ledger:
    since = ledger.since
    if ledger.open or since is None or (start_date is not None and start_date >= since):
        return ledger
    if ledger.bookmark is None:  # nothing was read yet
        return replace(ledger, since=None)
    if ledger.asleep:  # nothing was ever found, so nothing is read twice
        return Ledger(source=ledger.source, waiting=ledger.waiting, asked_at=ledger.asked_at)
    history = History(FEED if ledger.source == FEED else LISTING, TOP)
    return replace(ledger, history=history, floor=None, until=since, since=None, in_vain=())


def window_start(cursor: str, lookback_hours: float) -> str:
    """Return the time from which sessions that appear late are looked for below a listing cursor."""
    return earlier(cursor.partition("/")[0], hours=lookback_hours) if cursor else ""


def session_in(cursor: str) -> str:
    """Return the session of a listing cursor."""
    return cursor.partition("/")[2]
