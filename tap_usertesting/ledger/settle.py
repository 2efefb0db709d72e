"""What an answer makes true, and what the end of a test makes true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tap_usertesting.ledger.ledger import MOST_IDS, History, Ledger, Mark, session_in, window_start
from tap_usertesting.ledger.log import FEED, LISTING, TOP, Log, Sessions, lowest
from tap_usertesting.ledger.wanted import wanted
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.ledger.items import Item
    from tap_usertesting.ledger.policy import Policy

# `empty`: there is an answer, and no row in it yet
Outcome: TypeAlias = Literal["found", "empty", "missing", "failed", "removed", "passed"]


def settle(ledger: Ledger, item: Item, outcome: Outcome, policy: Policy, *, now: str) -> Ledger:
    """Return the ledger after an item, in the agenda's order. `now` in the fixed UTC form."""
    if policy.per_test:
        # One item for all: the end of the test tells how far it is.
        return replace(ledger, none=True) if outcome == "missing" and policy.miss_is_final else ledger
    waiting = _waiting(ledger, item, outcome, policy, now)
    if outcome == "found" and ledger.asleep:  # it has woken: nothing was ever found, so it is read from its end again
        return Ledger(source=ledger.source, waiting=waiting, found=True, asked_at=ledger.asked_at)
    start = ledger.starts_at(policy.start_date)
    moved: dict[str, Any] = {"waiting": waiting}
    if item.act == "pass" and start is not None and item.time < start:  # it is left out
        moved["since"] = max(start, ledger.since or "")
    if policy.sleeps_after is not None:
        moved |= _slept(ledger, item, outcome, policy, now)
    if moved.get("asleep"):
        moved["waiting"] = _newest_alone(ledger, waiting, moved["in_vain"], earlier(now, hours=policy.ripe_hours))
    if item.cursor is not None:
        moved |= _placed(ledger, item)
    if ledger.source == LISTING and item.line in {"down", "late", "news"}:
        moved |= _listed(ledger, item, moved.get("bookmark", ledger.bookmark), policy)
    return replace(ledger, **moved)


def close(ledger: Ledger, log: Log, policy: Policy) -> Ledger:
    """Return the ledger at the end of the test: all that was known is handled.

    So the bookmark stands at the newest change, needed or not. A list that kept sessions back leaves the ledger open at
    its end.
    """
    sessions = log.sessions
    moved: dict[str, Any] = {} if sessions is None else {"total_count": sessions.total}
    if log.source == LISTING and log.listed_at is not None:
        moved["asked_at"] = log.listed_at
    if log.source == FEED and not log.certain and log.newest is None:
        return replace(ledger, **moved)
    end = History(LISTING, "") if ledger.short else None
    moved |= {"history": end, "floor": None, "until": None, "again": False, "newest": None}
    if not ledger.asleep:
        moved["in_vain"] = ()
    moved |= _end_of_feed(ledger, log, policy) if log.source == FEED else _end_of_list(ledger, log, policy)
    return replace(ledger, **moved)


def gives_up(item: Item, outcome: Outcome, policy: Policy, *, now: str) -> bool:
    """Tell whether a session is not looked for any more after this."""
    return outcome in {"missing", "empty"} and not _is_young(item, policy, now)


def _is_young(item: Item, policy: Policy, now: str) -> bool:
    return item.at >= earlier(now, days=policy.patience_days)


def _waiting(ledger: Ledger, item: Item, outcome: Outcome, policy: Policy, now: str) -> dict[str, str]:
    waiting = dict(ledger.waiting)
    if item.act != "pass":
        waiting.pop(item.session_id, None)
    if outcome == "failed" or (outcome in {"missing", "empty"} and _is_young(item, policy, now)):
        waiting[item.session_id] = item.at
    return waiting


def _slept(ledger: Ledger, item: Item, outcome: Outcome, policy: Policy, now: str) -> dict[str, Any]:
    """Return what a missing row says of a test that may have none at all.

    By list a session that is a day old counts, sounded or not. By feed only a sounded one: the others were announced.
    """
    if outcome == "found":
        return {"in_vain": (), "found": True}
    if outcome != "missing" or ledger.found:
        return {}
    sounded = item.sounds or item.line == "probe"
    if not sounded and (ledger.source == FEED or item.time > earlier(now, hours=policy.ripe_hours)):
        return {}
    others = [session_id for session_id in ledger.in_vain if session_id != item.session_id]
    in_vain = (*others, item.session_id)[-(policy.sleeps_after or 1) :]
    enough = item.last if sounded else len(in_vain) == policy.sleeps_after
    return {"in_vain": in_vain, "asleep": ledger.asleep or enough}


def _newest_alone(ledger: Ledger, waiting: dict[str, str], in_vain: tuple[str, ...], ripe: str) -> dict[str, str]:
    """Return what still waits in a test that sleeps: the newest stands for all that were asked in vain.

    By list that is every session that is a day old, except those that a user has put into `waiting`.
    """
    vain = {
        one: since
        for one, since in waiting.items()
        if one in in_vain or (ledger.source == LISTING and "" < since <= ripe)
    }
    newest = max(vain.values(), default=None)
    return {one: since for one, since in waiting.items() if one not in vain or since == newest}


def _listed(ledger: Ledger, item: Item, bookmark: Mark | None, policy: Policy) -> dict[str, Any]:
    """Return how many listed sessions are handled, and which of the lookback window."""
    moved: dict[str, Any] = {}
    if ledger.until is None:  # else it was counted when it was left out
        moved["total_count"] = (ledger.total_count or 0) + 1
    is_kept = item.act == "fetch" or item.line == "late"
    if is_kept and bookmark is not None and item.time >= window_start(bookmark.cursor, policy.lookback_hours):
        moved |= _kept([*ledger.recent, f"{item.time}/{item.session_id}"], ledger.recent_from)
    return moved


def _placed(ledger: Ledger, item: Item) -> dict[str, Any]:
    """Return what moves along the log."""
    cursor = item.cursor or ""
    if item.line == "news":
        moved: dict[str, Any] = {"bookmark": Mark(cursor, item.at)}
        if ledger.history is not None and ledger.history.cursor == TOP and ledger.history.source == ledger.source:
            moved["history"] = History(ledger.history.source, cursor, item.at)  # that far all is handled
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
    before, changes = ledger.bookmark, log.changes
    cursor = log.newest or (before.cursor if before is not None else "")
    at = changes[-1].changed_at if changes else before.at if before is not None else None
    moved: dict[str, Any] = {"bookmark": Mark(cursor, at)}
    if policy.announced_by is not None:
        begin = () if log.whole or log.replayed else ledger.gone
        moved["gone"] = wanted(changes, begin, policy)[1][-MOST_IDS:]
    return moved


def _end_of_list(ledger: Ledger, log: Log, policy: Policy) -> dict[str, Any]:
    """Return bookmark and `recent`: every listed session of the lookback window was handled, wherever it stands now.

    Of those that are not listed it keeps what lies below the pages that were read, or is known to be on later ones.
    The others have left, and would be taken for some that leave again. Where the list kept sessions back, they may be
    these.
    """
    sessions = log.sessions or Sessions()
    listed = sessions.by_id
    newest = max(listed.values(), key=lambda one: one.cursor, default=None)
    bookmark = ledger.bookmark or Mark("")
    if newest is not None and newest.cursor > bookmark.cursor:
        bookmark = Mark(newest.cursor, newest.time)
    since = window_start(bookmark.cursor, policy.lookback_hours)
    kept = {session_in(cursor): cursor for cursor in _unlisted(ledger, sessions)}
    kept |= {session_id: one.cursor for session_id, one in listed.items()}
    moved = _kept([cursor for cursor in kept.values() if cursor >= since], ledger.recent_from)
    if moved["recent_from"] is not None and moved["recent_from"] < since:
        moved["recent_from"] = None
    return {"bookmark": bookmark, **moved, "deep": _deep(ledger, sessions, moved["recent"])}


def _unlisted(ledger: Ledger, sessions: Sessions) -> Iterator[str]:
    """Yield those of `recent` that may still be there although the pages that were read do not have them."""
    end, deep = lowest(sessions.by_id.values()), frozenset(ledger.deep)
    for cursor in ledger.recent:
        if sessions.missing or (not sessions.complete and (cursor < end or session_in(cursor) in deep)):
            yield cursor


def _deep(ledger: Ledger, sessions: Sessions, recent: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of `recent` the first page would have if the list were in the order of time."""
    end = lowest(sessions.by_id[session_id] for session_id in sessions.first_page)
    above = (one.session_id for one in sessions.by_id.values() if one.cursor > end)
    deep = {*ledger.deep, *above} - sessions.first_page
    return tuple(session_id for session_id in map(session_in, recent) if session_id in deep)


def _kept(recent: list[str], recent_from: str | None) -> dict[str, Any]:
    """Return the newest of these listing cursors, and up to where the others count as handled."""
    recent = sorted(set(recent))
    if len(recent) > MOST_IDS:
        recent_from = max(recent_from or "", recent[-MOST_IDS - 1])
    return {"recent": tuple(recent[-MOST_IDS:]), "recent_from": recent_from}
