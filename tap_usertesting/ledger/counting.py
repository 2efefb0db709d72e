"""Counts what became of the sessions of a test: after its log was read, and after each item of its agenda."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_usertesting.ledger.change_log import FEED, LISTING
from tap_usertesting.ledger.tally import LOST, Fate, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_usertesting.ledger.agenda_items import Item
    from tap_usertesting.ledger.change_log import Log
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.ledger.stream_policy import Policy


def count(ledger: Ledger, log: Log, items: Iterable[Item], policy: Policy, *, now: str) -> Ledger:
    """Return the ledger with its tally, once its log was read and its agenda made; `now` in the fixed UTC form."""
    tally, sessions = ledger.tally, log.sessions
    if policy.per_test or tally.is_lost:
        return ledger
    was_begun = ledger.bookmark is not None or ledger.reread
    if was_begun and tally.counted_at is None:  # a state from which somebody has taken the tally
        return replace(ledger, tally=LOST)
    if tally.fates is None and (log.source == FEED or ledger.bookmark is None):
        return replace(ledger, tally=LOST)
    pending = {
        item.session_id
        for item in items
        if item.act in {"fetch", "absent"} and item.session_id not in ledger.waiting and not tally.fate(item.session_id)
    }
    now_counted = replace(tally, pending=len(pending))
    if log.source == LISTING and sessions is not None:
        without_id = sessions.without_id if sessions.complete else max(tally.without_id, sessions.without_id)
        now_counted = replace(now_counted, counted=sessions.total + sessions.missing, without_id=without_id)
    elif log.source == FEED:
        now_counted = replace(now_counted, counted=None, without_id=0)
    if tally.counted_at is not None and now_counted == tally:
        return ledger  # an idle sync moves nothing
    return replace(ledger, tally=replace(now_counted, counted_at=now))


def settled(ledger: Ledger, item: Item, after: Fate | None) -> Tally:
    """Return the tally after an item. `after`: its session's new fate, None if it waits or has none.

    A row that the session had before is still there, unless its tombstone is out (see `tombstoned`).
    """
    tally = ledger.tally
    if tally.is_lost:
        return tally
    before = tally.fate(item.session_id) if tally.fates is not None else _fate_by_listing(ledger, item)
    was_pending = before is None and item.session_id not in ledger.waiting and item.act in {"fetch", "absent"}
    if was_pending and tally.pending:
        tally = replace(tally, pending=tally.pending - 1)
    if tally.fates is None and item.is_sample and item.line == "probe":
        return tally  # it is counted at its own place
    if before == "live" and after not in {"live", "removed"}:
        return tally
    return tally.moved(item.session_id, before, after)


def tombstoned(ledger: Ledger, session_id: str) -> Ledger:
    """Return the ledger once a tombstone is out; what else it means may be held until the test has answered."""
    if ledger.tally.fate(session_id) != "live":
        return ledger
    return replace(ledger, tally=ledger.tally.moved(session_id, "live", "removed"))


def _fate_by_listing(ledger: Ledger, item: Item) -> Fate | None:
    """Return the fate that a session of a long list has: each comes once, unless a user asks for it again."""
    if item.line == "waiting":
        return None if ledger.waiting.get(item.session_id) else "live"
    return "left_out" if ledger.reopened_until is not None and item.line == "down" else None
