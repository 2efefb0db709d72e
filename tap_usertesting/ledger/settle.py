"""What an answer makes true, and what the end of a test makes true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tap_usertesting.ledger.change_log import FEED, LISTING, TOP, Log, Sessions, lowest
from tap_usertesting.ledger.counting import fallen_asleep, has_left, settled
from tap_usertesting.ledger.ledger import MOST_IDS, History, Ledger, Mark, session_in, window_start
from tap_usertesting.ledger.net_changes import net_changes
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.ledger.agenda_items import Item
    from tap_usertesting.ledger.stream_policy import Policy
    from tap_usertesting.ledger.tally import Tally

# `empty`: there is an answer, but no row in it yet.
Outcome: TypeAlias = Literal["found", "empty", "missing", "failed", "removed", "passed"]


def settle(ledger: Ledger, item: Item, outcome: Outcome, policy: Policy, *, now: str) -> Ledger:
    """Return the ledger after an item, in the agenda's order. `now` in the fixed UTC form."""
    if policy.per_test:  # one item stands for all that is new: `close` moves the bookmark
        return replace(ledger, has_none=True) if outcome == "missing" and policy.miss_is_final else ledger
    waiting = _waiting(ledger, item, outcome, policy, now)
    if outcome == "found" and ledger.asleep:  # it wakes: no row was ever found, so the test is read from its end again
        tally = settled(ledger, item, "live").reconsidered().with_again(item.session_id, "live")
        return Ledger(source=ledger.source, waiting=waiting, found=True, asked_at=ledger.asked_at, tally=tally)
    start_date = ledger.effective_start_date(policy.start_date)
    is_left_out = item.act == "pass" and start_date is not None and item.time < start_date
    moved: dict[str, Any] = {"waiting": waiting}
    if is_left_out:
        moved["start_date"] = max(start_date or "", ledger.start_date or "")
    if policy.sleeps_after is not None:
        moved |= _misses(ledger, item, outcome, policy, now)
    if moved.get("asleep"):
        ripe_until = earlier(now, hours=policy.ripe_hours)
        moved["waiting"] = _waiting_asleep(ledger, waiting, moved["misses"], ripe_until)
    is_kept = item.session_id in moved["waiting"]
    moved["tally"] = _tally(ledger, item, outcome, is_left_out=is_left_out or ledger.asleep, waits=is_kept)
    no_longer = waiting.keys() - moved["waiting"].keys() - {item.session_id}
    moved["tally"] = fallen_asleep(ledger, moved["tally"], sorted(no_longer))
    if item.cursor is not None:
        moved |= _placed(ledger, item)
    if ledger.source == LISTING and item.line in {"down", "late", "news"}:
        moved |= _listed(ledger, item, moved.get("bookmark", ledger.bookmark), policy)
    return replace(ledger, **moved)


def close(ledger: Ledger, log: Log, policy: Policy) -> Ledger:
    """Return the ledger at the end of the test, when everything in the log is handled.

    The bookmark moves to the newest change, even to one that asks for nothing. If the list was short, the ledger stays
    open at the list's end.
    """
    sessions = log.sessions
    moved: dict[str, Any] = {} if sessions is None else {"total_count": sessions.total}
    if log.source == LISTING and log.listed_at is not None:
        moved["asked_at"] = log.listed_at
    if log.source == FEED and not log.certain and log.newest is None:
        return replace(ledger, **moved)
    end = History(LISTING, "") if ledger.list_was_short else None
    moved |= {"history": end, "floor": None, "reopened_until": None, "reread": False, "newest": None}
    if not ledger.asleep:
        moved["misses"] = ()
    moved |= _end_of_feed(ledger, log, policy) if log.source == FEED else _end_of_list(ledger, log, policy)
    return replace(ledger, **moved)


def gives_up(item: Item, outcome: Outcome, policy: Policy, *, now: str) -> bool:
    """Tell whether a session is not asked for again after this outcome."""
    return outcome in {"missing", "empty"} and not _is_young(item, policy, now)


def _is_young(item: Item, policy: Policy, now: str) -> bool:
    return item.at >= earlier(now, days=policy.patience_days)


def _waiting(ledger: Ledger, item: Item, outcome: Outcome, policy: Policy, now: str) -> dict[str, str]:
    waiting = dict(ledger.waiting)
    if item.act != "pass":
        waiting.pop(item.session_id, None)  # if it waits on, it moves to the end: the longest unasked come first
    if outcome == "failed" or (outcome in {"missing", "empty"} and _is_young(item, policy, now)):
        waiting[item.session_id] = item.at
    return waiting


def _tally(ledger: Ledger, item: Item, outcome: Outcome, *, is_left_out: bool, waits: bool) -> Tally:
    """Return the tally after an outcome; `is_left_out`: if the item was passed, its session is not asked for."""
    if outcome == "found":
        return settled(ledger, item, "live")
    if outcome == "removed":
        return settled(ledger, item, "removed")
    if outcome == "passed":
        return settled(ledger, item, "left_out") if is_left_out else ledger.tally
    return settled(ledger, item, None if waits else "given_up")


def _misses(ledger: Ledger, item: Item, outcome: Outcome, policy: Policy, now: str) -> dict[str, Any]:
    """Return what an outcome says of a test that may have no row at all.

    By list a miss counts if the session was a probe or is ripe. By feed only the miss of a probe counts, because the
    feed announced the other sessions.
    """
    if outcome == "found":
        return {"misses": (), "found": True}
    if outcome != "missing" or ledger.found:
        return {}
    was_probe = item.is_sample or item.line == "probe"
    if not was_probe and (ledger.source == FEED or item.time > earlier(now, hours=policy.ripe_hours)):
        return {}
    others = [session_id for session_id in ledger.misses if session_id != item.session_id]
    misses = (*others, item.session_id)[-(policy.sleeps_after or 1) :]
    falls_asleep = item.is_last_sample if was_probe else len(misses) == policy.sleeps_after
    return {"misses": misses, "asleep": ledger.asleep or falls_asleep}


def _waiting_asleep(
    ledger: Ledger, waiting: dict[str, str], misses: tuple[str, ...], ripe_until: str
) -> dict[str, str]:
    """Return what still waits in a test that is asleep: of the sessions that had no row the newest stands for all.

    By list these are all ripe sessions, except those that a user has put into `waiting`.
    """
    rowless = {
        session_id: at
        for session_id, at in waiting.items()
        if session_id in misses or (ledger.source == LISTING and "" < at <= ripe_until)
    }
    newest = max(rowless.values(), default=None)
    return {session_id: at for session_id, at in waiting.items() if session_id not in rowless or at == newest}


def _listed(ledger: Ledger, item: Item, bookmark: Mark | None, policy: Policy) -> dict[str, Any]:
    """Return how many listed sessions are handled, and which of the lookback window."""
    moved: dict[str, Any] = {}
    if ledger.reopened_until is None:  # else the session was counted when it was left out
        moved["total_count"] = (ledger.total_count or 0) + 1
    is_kept = item.act == "fetch" or item.line == "late"
    if is_kept and bookmark is not None and item.time >= window_start(bookmark.cursor, policy.lookback_hours):
        moved |= _bounded([*ledger.recent, f"{item.time}/{item.session_id}"], ledger.recent_from)
    return moved


def _placed(ledger: Ledger, item: Item) -> dict[str, Any]:
    """Return what moves along the log."""
    cursor = item.cursor or ""
    if item.line == "news":
        moved: dict[str, Any] = {"bookmark": Mark(cursor, item.at)}
        if ledger.history is not None and ledger.history.cursor == TOP and ledger.history.source == ledger.source:
            moved["history"] = History(ledger.history.source, cursor, item.at)  # from here on all is handled
        return moved
    if item.line not in {"down", "older"}:
        return {}
    source = LISTING if item.line == "older" or ledger.source == LISTING else FEED
    moved = {"history": History(source, cursor, item.at)}
    if not ledger.open:
        floor = ledger.bookmark if item.line == "down" else None
        moved |= {"floor": floor, "bookmark": item.top, "newest": None}
    return moved


def _end_of_feed(ledger: Ledger, log: Log, policy: Policy) -> dict[str, Any]:
    """Return the bookmark at the end of the feed's log, and who is removed there."""
    before, changes = ledger.bookmark, log.changes
    cursor = log.newest or (before.cursor if before is not None else "")
    at = changes[-1].changed_at if changes else before.at if before is not None else None
    moved: dict[str, Any] = {"bookmark": Mark(cursor, at)}
    if policy.announced_by is not None:
        tombstoned = () if log.whole or log.replayed else ledger.tombstoned
        moved["tombstoned"] = net_changes(changes, tombstoned, policy)[1][-MOST_IDS:]
    return moved


def _end_of_list(ledger: Ledger, log: Log, policy: Policy) -> dict[str, Any]:
    """Return the bookmark and `recent`, which gets every listed session of the lookback window, wherever it stands now.

    Of the sessions that are not listed, `recent` keeps those that may still be there. The others have left: if they
    were kept, they would be taken for sessions that leave once more.
    """
    sessions = log.sessions or Sessions()
    listed = sessions.by_id
    newest = max(listed.values(), key=lambda one: one.cursor, default=None)
    bookmark = ledger.bookmark or Mark("")
    if newest is not None and newest.cursor > bookmark.cursor:
        bookmark = Mark(newest.cursor, newest.time)
    window = window_start(bookmark.cursor, policy.lookback_hours)
    kept = {session_in(cursor): cursor for cursor in _unlisted(ledger, sessions)}
    kept |= {session_id: one.cursor for session_id, one in listed.items()}
    moved = _bounded([cursor for cursor in kept.values() if cursor >= window], ledger.recent_from)
    if moved["recent_from"] is not None and moved["recent_from"] < window:
        moved["recent_from"] = None
    left = [cursor for cursor in ledger.recent if cursor >= window and session_in(cursor) not in kept]
    moved["tally"] = has_left(
        ledger,
        left,
        start_date=ledger.effective_start_date(policy.start_date),
        young_from=TOP if log.listed_at is None else earlier(log.listed_at, days=policy.patience_days),
    )
    return {"bookmark": bookmark, **moved, "out_of_order": _out_of_order(ledger, sessions, moved["recent"])}


def _unlisted(ledger: Ledger, sessions: Sessions) -> Iterator[str]:
    """Yield those of `recent` that may still be there although the pages that were read do not have them.

    They are below these pages, or known to be on later ones; if the list kept sessions back, they may be any.
    """
    end, out_of_order = lowest(sessions.by_id.values()), frozenset(ledger.out_of_order)
    for cursor in ledger.recent:
        if sessions.missing or (not sessions.complete and (cursor < end or session_in(cursor) in out_of_order)):
            yield cursor


def _out_of_order(ledger: Ledger, sessions: Sessions, recent: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of `recent` would be on the first page if the list were in the order of time, and are not."""
    end = lowest(sessions.by_id[session_id] for session_id in sessions.first_page)
    above = (one.session_id for one in sessions.by_id.values() if one.cursor > end)
    out_of_order = {*ledger.out_of_order, *above} - sessions.first_page
    return tuple(session_id for session_id in map(session_in, recent) if session_id in out_of_order)


def _bounded(recent: list[str], recent_from: str | None) -> dict[str, Any]:
    """Return the newest of these listing cursors, and the cursor up to which the others count as handled."""
    recent = sorted(set(recent))
    if len(recent) > MOST_IDS:
        recent_from = max(recent_from or "", recent[-MOST_IDS - 1])
    return {"recent": tuple(recent[-MOST_IDS:]), "recent_from": recent_from}
