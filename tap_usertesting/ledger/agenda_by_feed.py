"""What the feed brings to an agenda, and what the list adds that is older than the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.ledger.agenda_items import Act, Item, Parts
from tap_usertesting.ledger.change_log import LISTING, TOP, Change
from tap_usertesting.ledger.change_types import UPDATED, is_removal
from tap_usertesting.ledger.ledger import Mark
from tap_usertesting.ledger.net_changes import NetChange, net_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_usertesting.ledger.ledger import History
    from tap_usertesting.ledger.reading import Reading


def from_feed(reading: Reading) -> Parts:
    """Return what the feed's changes ask for and, in a first reading, the sessions that are older than the feed."""
    ledger, log = reading.ledger, reading.log
    changes = log.changes
    events = _events_by_session(changes)
    from_begin = log.whole or log.replayed
    net, _ = net_changes(changes, () if from_begin else ledger.tombstoned, reading.policy)
    handled = _index_of(changes, ledger.reads_from) if from_begin and log.certain else -1
    top = _index_of(changes, ledger.bookmark) if ledger.open and log.certain else -1
    unread_end = _unread_end(changes, ledger.history, top) if log.certain else len(changes)
    parts = Parts([], [], [], [])
    for one in sorted(net.values()):
        is_above = one.place > top
        item = _item(reading, one, events, is_news=ledger.open and is_above)
        if one.place <= handled:
            if one.removal and log.replayed:  # written once more: a tombstone costs no call
                parts.late.append(item._replace(line="late", cursor=None))
        elif ledger.reopened_until is not None and (one.removal or reading.was_read(item.time)) and not is_above:
            continue
        elif ledger.open and log.certain and is_above:
            parts.news.append(item._replace(line="news"))
        elif one.place < unread_end:
            parts.down.append(item._replace(top=reading.end_of_feed) if log.certain else item)
    parts.down.reverse()
    if ledger.first and log.sessions is not None:
        parts.older.extend(_older(reading, events))
    return parts


def _events_by_session(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Return the changes of each session, oldest first."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        if change.session_id is not None:
            found.setdefault(change.session_id, []).append(change)
    return found


def _item(reading: Reading, net: NetChange, events: Mapping[str, list[Change]], *, is_news: bool) -> Item:
    change, ledger, log = net.change, reading.ledger, reading.log
    session_id, at = change.session_id or "", change.changed_at or reading.now
    own = events.get(session_id, [])
    listed = reading.listed.get(session_id)
    first_at = own[0].changed_at if own else None
    time = listed.time if listed is not None else first_at or at
    is_listed_whole = log.sessions is not None and not log.sessions.missing
    act: Act = "fetch"
    if net.removal:
        act = "remove"
    elif reading.is_left_out(time):
        act = "pass"
    elif ledger.first and listed is None and is_listed_whole and at <= (log.listed_at or at):
        act = "absent"
    elif log.whole and _has_no_row(reading, change, own):
        act = "pass"
    cursor = change.cursor if log.certain else None
    here = Mark(change.cursor, change.changed_at)
    reread = not ledger.first or ledger.reread or not log.certain or is_news
    return Item(session_id, act, "down", change.change_type, at, time, cursor, here, net.was_removed, reread)


def _has_no_row(reading: Reading, change: Change, events: Sequence[Change]) -> bool:
    """Tell whether the session came back, and the feed never announced a row of it.

    Only a log that knows the session from its start can tell: the feed begins a session with UPDATED.
    """
    policy, kinds = reading.policy, [event.change_type for event in events]
    if policy.announced_by is None or change.change_type != UPDATED or kinds[:1] != [UPDATED]:
        return False
    return all(kind == UPDATED or kind in policy.ignores or is_removal(kind) for kind in kinds)


def _older(reading: Reading, events: Mapping[str, list[Change]]) -> Iterable[Item]:
    """Yield the listed sessions that are older than the feed's log, and of which no change in it makes a row.

    The feed begins a session with UPDATED when it comes in. A session whose first event is about its video or its
    transcript was there before. Of a fresh session the feed has yet to tell.
    """
    history, concerns = reading.ledger.history, reading.policy.concerns
    bound = history.cursor if history is not None and history.source == LISTING else TOP
    for one in reversed(reading.by_time):
        kinds = [event.change_type for event in events.get(one.session_id, [])]
        is_known = kinds[:1] == [UPDATED] or any(
            is_removal(kind) or concerns(kind, was_removed=False) for kind in kinds
        )
        if not is_known and not one.is_fresh and one.cursor < bound and not reading.was_read(one.time):
            yield reading.item_of(one, "older", top=reading.end_of_feed)


def _index_of(changes: Sequence[Change], mark: Mark | None) -> int:
    """Return the index of the last change that the mark covers, -1 for none.

    If the feed has forgotten the mark's cursor, that is the last change before the mark's time.
    """
    if mark is None or not mark.cursor:
        return -1
    for index in range(len(changes) - 1, -1, -1):
        if changes[index].cursor == mark.cursor:
            return index
    return _last_where(changes, lambda at: mark.at is not None and at < mark.at)


def _unread_end(changes: Sequence[Change], history: History | None, top: int) -> int:
    """Return the index below which changes are still to be read."""
    if history is None:
        return len(changes)
    if history.source == LISTING:
        return -1
    if history.cursor == TOP:
        return top + 1
    for index, change in enumerate(changes):
        if change.cursor == history.cursor:
            return index
    at = history.at
    return top + 1 if at is None else _last_where(changes, lambda moment: moment <= at) + 1


def _last_where(changes: Sequence[Change], matches: Callable[[str], bool]) -> int:
    """Return the index of the last change whose time matches, -1 for none."""
    for index in range(len(changes) - 1, -1, -1):
        at = changes[index].changed_at
        if at is not None and matches(at):
            return index
    return -1
