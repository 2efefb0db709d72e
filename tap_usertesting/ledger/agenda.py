"""What is to be done in a test, in order: what waits, what came late, the news, then down to what was handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.ledger.agenda_by_feed import from_feed
from tap_usertesting.ledger.agenda_by_list import from_list
from tap_usertesting.ledger.agenda_items import WHOLE_TEST, Item, Line, Parts
from tap_usertesting.ledger.change_log import FEED, LISTING, Log
from tap_usertesting.ledger.change_types import UPDATED
from tap_usertesting.ledger.reading import Reading, mark_of
from tap_usertesting.ledger.tests_without_rows import asleep, sample

if TYPE_CHECKING:
    from tap_usertesting.ledger.ledger import Ledger, Mark
    from tap_usertesting.ledger.stream_policy import Policy


def agenda(ledger: Ledger, log: Log, policy: Policy, *, now: str) -> list[Item]:
    """Return what is to be done, in order. `now` in the fixed UTC form."""
    reading = Reading(ledger, log, policy, now)
    parts = from_feed(reading) if log.source == FEED else from_list(reading)
    if policy.per_test:
        return _one_for_all(reading, parts)
    waiting = _waiting(reading, parts)
    sample(reading, parts)
    if ledger.asleep:
        parts, waiting = asleep(reading, parts, waiting)
    late = [item for item in parts.late if item.session_id not in ledger.waiting]
    return [*waiting, *late, *parts.news, *parts.down, *parts.older]


def _waiting(reading: Reading, parts: Parts) -> list[Item]:
    """Return what was missing before, longest unasked first; what the log brings anyway is not among it."""
    brought = {item.session_id for part in (parts.news, parts.down, parts.older) for item in part}
    waiting = [(one, at) for one, at in reading.ledger.waiting.items() if one not in brought]
    return [_waiting_item(reading, one, at or reading.now) for one, at in waiting[: reading.policy.waiting_a_sync]]


def _waiting_item(reading: Reading, session_id: str, at: str) -> Item:
    listed = reading.listed.get(session_id)
    time = at if listed is None else listed.time
    return Item(session_id, "fetch", "waiting", UPDATED, at, time, reread=reading.log.source == FEED)


def _one_for_all(reading: Reading, parts: Parts) -> list[Item]:
    """Return the agenda of a stream that has no row per session: one item if anything is new in the test."""
    ledger, log = reading.ledger, reading.log
    changed = any(part for part in parts)
    total = 0 if log.sessions is None else log.sessions.total
    if log.source == LISTING:
        changed = (changed or total != ledger.total_count) and total > 0
    elif ledger.first:
        changed = changed or total > 0
    if not changed or ledger.has_none:
        return []
    top, kind = _newest(reading)
    at = (top.at if top is not None else None) or reading.now
    line: Line = "down" if ledger.bookmark is None else "news"
    return [Item(WHOLE_TEST, "fetch", line, kind, at, at, None, top)]


def _newest(reading: Reading) -> tuple[Mark | None, str]:
    """Return the newest place of the log, or the bookmark if nothing is newer, and what happened there."""
    ledger, log = reading.ledger, reading.log
    if log.source == FEED:
        return (reading.end_of_feed, log.changes[-1].change_type) if log.changes else (ledger.bookmark, UPDATED)
    newest = reading.by_time[-1] if reading.by_time else None
    if newest is None or (ledger.bookmark is not None and newest.cursor <= ledger.bookmark.cursor):
        return ledger.bookmark, UPDATED
    return mark_of(newest), UPDATED
