"""A ledger on disk: the state of one stream and test, a readable and bounded contract with the orchestrator.

    {"context": {"test_id": "..."}, "replication_key": "change_cursor", "replication_key_value": "ut_801c...",
     "changed_at": "2026-03-01T10:00:00.000000Z", "source": "feed", "waiting": {"session id": "changed_at"}}

`replication_key_value` and `changed_at` are the bookmark. Everything else is there only where it applies; `Ledger` says
what it means. To have a session read again, put its id into `waiting`, with "" as its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_usertesting.ledger import tally as tallies
from tap_usertesting.ledger.change_log import FEED, LISTING, TOP
from tap_usertesting.ledger.ledger import History, Ledger, Mark
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUE = "replication_key_value"
# What the SDK and the tap may write beside the ledger.
BESIDE = frozenset(
    {
        "context",
        "replication_key",
        "replication_key_signpost",
        "starting_replication_value",
        "progress_markers",
        "rows",
    }
)
_TIMES = ("asked_at", "newest", "start_date", "reopened_until")
_TEXTS = ("recent_from", *_TIMES)
_IDS = ("tombstoned", "recent", "out_of_order", "misses")
_FLAGS = ("found", "asleep", "reread", "list_was_short", "has_none", "verdict")
KEYS = frozenset(
    {VALUE, "changed_at", "source", "history", "floor", "waiting", "total_count", "tally", *_TEXTS, *_IDS, *_FLAGS}
)


def encode(ledger: Ledger) -> dict[str, Any]:
    """Return the ledger's part of a partition's state; context and replication key stand beside it."""
    state: dict[str, Any] = {}
    if ledger.bookmark is not None:
        state[VALUE] = ledger.bookmark.cursor
        if ledger.bookmark.at is not None:
            state["changed_at"] = ledger.bookmark.at
    if ledger.source is not None:
        state["source"] = ledger.source
    if ledger.history is not None:
        state["history"] = _some(source=ledger.history.source, cursor=ledger.history.cursor, at=ledger.history.at)
    if ledger.floor is not None:
        state["floor"] = _some(cursor=ledger.floor.cursor, at=ledger.floor.at)
    if ledger.waiting:
        state["waiting"] = dict(ledger.waiting)
    if ledger.total_count is not None:
        state["total_count"] = ledger.total_count
    if tally := tallies.encode(ledger.tally):
        state["tally"] = tally
    state |= {name: value for name in _TEXTS if (value := getattr(ledger, name)) is not None}
    state |= {name: list(value) for name in _IDS if (value := getattr(ledger, name))}
    return state | {name: True for name in _FLAGS if getattr(ledger, name)}


def decode(state: Mapping[str, Any]) -> Ledger:
    """Return the ledger in a partition's state; a value that is not of its form counts as absent."""
    source = state.get("source")
    value, total = state.get(VALUE), state.get("total_count")
    read: dict[str, Any] = {name: _text(state.get(name)) for name in _TEXTS}
    read |= {name: _ids(state.get(name)) for name in _IDS}
    read |= {name: state.get(name) is True for name in _FLAGS}
    if source not in (FEED, LISTING):
        return Ledger(waiting=_waiting(state.get("waiting")), asked_at=read["asked_at"], has_none=read["has_none"])
    return Ledger(
        source=source,
        bookmark=Mark(value, _text(state.get("changed_at"))) if isinstance(value, str) else None,
        history=_history(state.get("history")),
        floor=_mark(state.get("floor")),
        waiting=_waiting(state.get("waiting")),
        total_count=total if type(total) is int else None,
        tally=tallies.decode(state.get("tally")),
        **read,
    )


def is_of_another_form(state: Mapping[str, Any]) -> bool:
    """Tell whether a state has a key that no ledger of this form has."""
    return bool(state.keys() - KEYS - BESIDE) or (bool(state.get(VALUE)) and "source" not in state)


def is_sound(state: Mapping[str, Any]) -> bool:
    """Tell whether all times are times and all ids are text; a key whose value is of another type counts as absent."""
    ledger = decode(state)
    marks = [mark for mark in (ledger.bookmark, ledger.floor, ledger.history) if mark is not None]
    times = [mark.at for mark in marks] + [getattr(ledger, name) for name in _TIMES]
    times += [time for time in ledger.waiting.values() if time]
    if ledger.source == LISTING:
        cursors = [mark.cursor for mark in marks] + [*ledger.recent, ledger.recent_from or ""]
        times += [cursor.partition("/")[0] for cursor in cursors if cursor not in {"", TOP}]
    ids = [one for name in _IDS if isinstance(state.get(name), list) for one in state[name]]
    return all(time is None or utc(time) == time for time in times) and all(isinstance(one, str) for one in ids)


def _some(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _mark(value: object) -> Mark | None:
    if not isinstance(value, dict) or not isinstance(value.get("cursor"), str):
        return None
    return Mark(value["cursor"], _text(value.get("at")))


def _history(value: object) -> History | None:
    mark = _mark(value)
    if mark is None or not isinstance(value, dict) or value.get("source") not in (FEED, LISTING):
        return None
    return History(value["source"], *mark)


def _waiting(value: object) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(session_id): at if isinstance(at, str) else "" for session_id, at in value.items()}
    return {session_id: "" for session_id in value if isinstance(session_id, str)} if isinstance(value, list) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _ids(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
