"""How complete the rows of one stream and test are: the ledger in the words of `sync_status`.

rows that are alive = source_count - unread - waiting - given_up - left_out
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tap_usertesting.ledger.change_log import FEED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_usertesting.ledger.ledger import Ledger

# `complete`: everything is read. `reading`: something is still to be read. `waiting`: something is not there yet, and
# is asked for again. `asleep`: the test counts as one without rows. `failed`: the last sync could not read the test.
Status: TypeAlias = Literal["complete", "reading", "waiting", "asleep", "failed"]
NOTHING_YET = "-"  # sorts before every time: no part of the test is complete


class Counts(NamedTuple):
    """What a source names, and why some of it has no row.

    source_count: sessions that the list or the feed names and has not removed.
    unread: of these, those that are still to be read.
    waiting: those without a row that later syncs ask for again.
    given_up: those that were never found and that later syncs do not request.
    left_out: those that are not asked for: before `start_date`, without a usable id, in a test that is asleep.
    removed: sessions whose row is a tombstone; `source_count` does not have them.
    unlisted: sessions of `source_count` that the list no longer names; their rows stay.
    """

    source_count: int
    unread: int
    waiting: int
    given_up: int
    left_out: int
    removed: int
    unlisted: int


class Completeness(NamedTuple):
    """How complete the rows are.

    complete_from: the time from which on nothing is missing; None: from the beginning; NOTHING_YET.
    newest_change_at: when the newest change happened that the stream has handled.
    counts: None where the source does not name the rows, or the numbers are not known.
    """

    status: Status
    complete_from: str | None
    newest_change_at: str | None
    counts: Counts | None
    counted_at: str | None


def completeness(ledger: Ledger, *, failed: bool = False) -> Completeness:
    """Return how complete the rows of a ledger are; `failed`: the last sync could not read the test."""
    counts = counts_of(ledger)
    return Completeness(
        "failed" if failed else _status(ledger, counts),
        complete_from(ledger),
        ledger.bookmark.at if ledger.bookmark is not None else None,
        counts,
        ledger.tally.counted_at if counts is not None else None,
    )


def complete_from(ledger: Ledger) -> str | None:
    """Return the time from which on nothing is missing: None from the beginning, NOTHING_YET if nothing was read."""
    if ledger.has_none:
        return None
    if ledger.history is not None:
        return ledger.history.at or ledger.reopened_until or NOTHING_YET
    counts = counts_of(ledger)
    if ledger.bookmark is None or (counts is not None and counts.unread):  # which ones the list keeps back is not known
        return NOTHING_YET
    return ledger.start_date


def table_complete_from(ledgers: Iterable[Ledger], *, now: str) -> str | None:
    """Return the time from which on nothing is missing in any of these tests; None: from the beginning.

    A test of which nothing was read is complete from its newest session on, or from now if that is not known.
    """
    found = {at if at != NOTHING_YET else ledger.newest or now for ledger in ledgers if (at := complete_from(ledger))}
    return max(found, default=None)


def counts_of(ledger: Ledger) -> Counts | None:
    """Return the counts of a ledger, None where they are not known."""
    tally = ledger.tally
    if tally.is_lost or tally.counted_at is None or (tally.fates is None and ledger.source == FEED):
        return None
    waiting = sum(_has_no_fate(ledger, session_id, at) for session_id, at in ledger.waiting.items())
    unread, left_out = tally.pending, tally.left_out
    known = tally.live + tally.given_up + left_out + waiting + unread
    source_count = known if tally.counted is None else tally.counted
    unknown = max(0, source_count - known)  # the list names them, but no page that was read has them
    not_asked = unknown if ledger.asleep else min(unknown, tally.without_id)
    return Counts(
        source_count=max(source_count, known),
        unread=unread + unknown - not_asked,
        waiting=waiting,
        given_up=tally.given_up,
        left_out=left_out + not_asked,
        removed=tally.removed,
        unlisted=max(0, known - source_count),
    )


def _has_no_fate(ledger: Ledger, session_id: str, at: str) -> bool:
    """Tell whether a session that waits has no row; of one that a user asks for again in a long test, take it has."""
    return ledger.tally.fate(session_id) is None and (ledger.tally.fates is not None or bool(at))


def _status(ledger: Ledger, counts: Counts | None) -> Status:
    if ledger.has_none:
        return "complete"
    if ledger.asleep:
        return "asleep"
    if ledger.bookmark is None or ledger.open or (counts is not None and counts.unread):
        return "reading"
    return "waiting" if ledger.waiting else "complete"
