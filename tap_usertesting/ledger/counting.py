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
    if tally.fates is None and (log.source == FEED or ledger.bookmark is None or ledger.reread):
        return replace(ledger, tally=LOST)
    pending = {
        item.session_id
        for item in items
        if item.act in {"fetch", "absent"} and item.session_id not in ledger.waiting and not _fate(ledger, item)
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
    if tally.is_lost or (tally.fates is None and _may_come_unseen(ledger, item)):
        return LOST
    before = _fate(ledger, item)
    was_pending = before is None and item.session_id not in ledger.waiting and item.act in {"fetch", "absent"}
    if was_pending and tally.pending:
        tally = replace(tally, pending=tally.pending - 1)
    if before == "live" and after not in {"live", "removed"}:
        after = "live"
    moved = tally.moved(item.session_id, before, after)
    if moved.fates is None and ledger.reread:  # which of the sessions that follow have a row is no longer known
        return LOST
    is_before_its_turn = item.line == "probe" and (
        item.is_sample or not place_is_handled(ledger, item.session_id, item.time)
    )
    is_kept = is_before_its_turn or (moved.fates is None and item.session_id in ledger.waiting)
    return moved.with_again(item.session_id, after if is_kept else None)


def has_left(ledger: Ledger, cursors: Iterable[str], *, start_date: str | None, young_from: str) -> Tally:
    """Return the tally once sessions have left the list, which may show them again.

    `young_from`: the time from which on no session has been given up.
    """
    tally = ledger.tally
    for cursor in cursors:
        time, _, session_id = cursor.partition("/")
        if tally.is_lost or tally.fates is not None or session_id in ledger.waiting or tally.fate(session_id):
            continue
        if tally.given_up and time < young_from:
            return LOST
        tally = tally.with_again(session_id, "left_out" if start_date is not None and time < start_date else "live")
    return tally


def fallen_asleep(ledger: Ledger, tally: Tally, session_ids: Iterable[str]) -> Tally:
    """Return the tally once these sessions no longer wait, because the test has fallen asleep."""
    for session_id in session_ids:
        if tally.fate(session_id) is None:
            tally = tally.moved(session_id, None, "left_out")
            if not place_is_handled(ledger, session_id, ledger.waiting.get(session_id, "")):
                tally = tally.with_again(session_id, "left_out")
    return tally


def tombstoned(ledger: Ledger, session_id: str) -> Ledger:
    """Return the ledger once a tombstone is out; what else it means may be held until the test has answered."""
    if ledger.tally.fate(session_id) != "live":
        return ledger
    return replace(ledger, tally=ledger.tally.moved(session_id, "live", "removed"))


def _may_come_unseen(ledger: Ledger, item: Item) -> bool:
    """Tell whether a session of a long list may have come before, although nothing kept what became of it."""
    tally = ledger.tally
    if item.line == "late":
        return f"{item.time}/{item.session_id}" <= (ledger.recent_from or "")
    is_asked_by_user = item.line == "waiting" and not ledger.waiting.get(item.session_id)
    return (
        is_asked_by_user
        and tally.fate(item.session_id) is None
        and bool(tally.pending or tally.given_up or tally.left_out)
    )


def place_is_handled(ledger: Ledger, session_id: str, time: str) -> bool:
    """Tell whether the place of a listed session was handled, in a test of which no history is left to read."""
    return ledger.bookmark is not None and not ledger.open and f"{time}/{session_id}" <= ledger.bookmark.cursor


def _fate(ledger: Ledger, item: Item) -> Fate | None:
    """Return the fate that a session had; in a long list each comes once, unless something keeps that it did."""
    tally = ledger.tally
    if (kept := tally.fate(item.session_id)) is not None or tally.fates is not None:
        return kept
    if item.line == "probe" and not item.is_sample:  # the test is asleep
        return "left_out" if place_is_handled(ledger, item.session_id, item.time) else None
    is_asked_by_user = item.line == "waiting" and not ledger.waiting.get(item.session_id)
    return "live" if is_asked_by_user else None
