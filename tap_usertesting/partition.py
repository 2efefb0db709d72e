"""The state of one (stream, test): a readable, bounded contract with the orchestrator. Pure.

    {"context": {"test_id": "..."}, "replication_key": "change_cursor", "replication_key_value": "ut_801c...",
     "source": "feed", "changed_at": "...", "pending": {"session id": "changed_at"}, "recent": ["session id"],
     "gone": ["session id"], "total_count": 214}

and, where they apply, `backfill`, `backfill_but`, `unasked_from`, `recent_from`, `none`, `handled_count`, `in_vain`,
`again` and `most_rows`. `source` is `feed` for a bookmark of the feed and `listing` for the verdict that the feed does
not describe this test.
"""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_IDS = 500  # of `recent` and of `gone`
FEED, LISTING = "feed", "listing"
CONTRACT = ("context", "replication_key")
OF_ROWS = ("most_rows",)  # what a stream says of its own rows, and not of the test's log

LISTING_CURSOR = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+Z/.+")


class Partition:
    """One partition's state dict, read and moved by meaning. Call the moves only after the record is out."""

    def __init__(self, state: dict[str, Any], *, replication_key: str) -> None:
        """Wrap the dict that the SDK writes out; it is changed in place."""
        self._state = state
        self._replication_key = replication_key

    @property
    def bookmark(self) -> str | None:
        """The cursor up to which everything was emitted."""
        value = self._state.get("replication_key_value")
        return value if isinstance(value, str) and value else None

    @property
    def changed_at(self) -> str | None:
        """When the change at the bookmark happened."""
        return self._text("changed_at")

    @property
    def source(self) -> str | None:
        """`feed`, the verdict `listing`, or None."""
        return self._text("source")

    @property
    def log(self) -> str | None:
        """The log that the bookmark belongs to: `feed`, `listing`, or None before the first sync."""
        if self.source == FEED or self.bookmark is None:
            return FEED if self.source == FEED else None
        return LISTING if LISTING_CURSOR.fullmatch(self.bookmark) else FEED

    @property
    def backfill(self) -> str | None:
        """The listing cursor up to which the backfill is done, "" at its start; None when there is none to do."""
        return self._text("backfill")

    @property
    def backfill_but(self) -> str | None:
        """The session that a backfill leaves out: the probe whose answer opened it."""
        return self._text("backfill_but")

    @property
    def unasked_from(self) -> str | None:
        """The listing cursor after which no transcript was asked for, as the test seems to have none."""
        return self._text("unasked_from")

    @property
    def recent_from(self) -> str | None:
        """The listing cursor up to which handled sessions of the lookback window are not in `recent`."""
        return self._text("recent_from")

    @property
    def total_count(self) -> int | None:
        """How many sessions the list named at the end of the last sync of this test."""
        value = self._state.get("total_count")
        return value if isinstance(value, int) else None

    @property
    def handled_count(self) -> int:
        """How many listed sessions were handled since `total_count` was set: after an interruption the two add up."""
        value = self._state.get("handled_count")
        return value if isinstance(value, int) else 0

    @property
    def in_vain(self) -> int | None:
        """How many sessions were asked for a transcript while none was ever found; None once one was."""
        value = self._state.get("in_vain")
        return value if isinstance(value, int) else None

    @property
    def most_rows(self) -> int:
        """The most rows that one session of this test ever had in a stream that numbers them."""
        value = self._state.get("most_rows")
        return value if isinstance(value, int) else 0

    @property
    def again(self) -> bool:
        """Whether the test is being read from its start although rows of a former reading are there."""
        return self._state.get("again") is True

    @property
    def none(self) -> bool:
        """Whether this test is known to have no row in this stream."""
        return self._state.get("none") is True

    @property
    def pending(self) -> dict[str, str]:
        """Sessions to ask for again, with their `changed_at`, longest unasked first."""
        value = self._state.get("pending")
        return value if isinstance(value, dict) else {}

    @property
    def recent(self) -> list[str]:
        """Sessions handled inside the lookback window below a listing bookmark."""
        return self._ids("recent")

    @property
    def gone(self) -> list[str]:
        """Sessions whose transcript was tombstoned."""
        return self._ids("gone")

    def set(self, key: str, value: str | int | bool | list[str] | None) -> None:  # noqa: FBT001 - a JSON value
        """Set one of the extra keys; None removes it."""
        if value is None:
            self._state.pop(key, None)
        else:
            self._state[key] = value

    def move(self, cursor: str | None, changed_at: str | None) -> None:
        """Move the bookmark to a cursor of the log; None (an empty log) leaves it."""
        self._state["replication_key"] = self._replication_key
        if cursor is not None:
            self._state["replication_key_value"] = cursor
        if changed_at is not None:
            self._state["changed_at"] = changed_at

    def postpone(self, session_id: str, changed_at: str) -> None:
        """Put a session last on `pending`."""
        pending = cast("dict[str, str]", self._state.setdefault("pending", {}))
        pending.pop(session_id, None)
        pending[session_id] = changed_at

    def settle(self, session_id: str) -> None:
        """Take a session off `pending`."""
        self.pending.pop(session_id, None)
        if not self.pending:
            self._state.pop("pending", None)

    def bury(self, session_id: str) -> None:
        """Add a session to `gone`."""
        self._state["gone"] = [*(kept for kept in self.gone if kept != session_id), session_id][-MOST_IDS:]

    def revive(self, session_id: str) -> None:
        """Take a session out of `gone`."""
        if session_id in self.gone:
            self.set("gone", [kept for kept in self.gone if kept != session_id] or None)

    def handled(self, session_id: str, cursor_of: Callable[[str], str | None]) -> None:
        """Add a session to `recent`; the oldest one too many leaves it and moves `recent_from` instead."""
        self.set("handled_count", self.handled_count + 1)
        recent = [*self.recent, session_id]
        if len(recent) > MOST_IDS:
            # The list may not have been read down to the one that leaves; the next one that was read covers it.
            place = next((cursor for kept in recent if (cursor := cursor_of(kept)) is not None), "")
            recent = recent[-MOST_IDS:]
            self.set("recent_from", max(place, self.recent_from or "") or None)
        self.set("recent", recent)

    def prune(self, *, since: str, cursor_of: Callable[[str], str | None]) -> None:
        """Forget what stands below the lookback window, which begins at the time `since`."""
        self.set("recent", [kept for kept in self.recent if (cursor_of(kept) or since) >= since] or None)
        if self.recent_from is not None and self.recent_from < since:
            self.set("recent_from", None)

    def finish(self, total_count: int) -> None:
        """Close the count of a list that was handled to its end."""
        self.set("total_count", total_count)
        self.set("handled_count", None)

    def restart(self) -> None:
        """Forget everything but what the partition is: its log is read from the start."""
        for key in [key for key in self._state if key not in (*CONTRACT, *OF_ROWS)]:
            del self._state[key]

    def stands_with(self, other: Partition) -> bool:
        """Tell whether both have handled exactly the same part of the test."""
        return self._place() == other._place()

    def follow(self, other: Partition) -> None:
        """Stand where the other stands; what is said of this stream's own rows stays."""
        own = {key: self._state[key] for key in (*CONTRACT, *OF_ROWS) if key in self._state}
        self._state.clear()
        self._state.update({key: copy(value) for key, value in other._state.items() if key not in OF_ROWS} | own)

    def _place(self) -> dict[str, Any]:
        """Return the state without what is only its own, lists as the sets that they stand for."""
        return {
            key: frozenset(value) if isinstance(value, list) else value
            for key, value in self._state.items()
            if key not in CONTRACT and key not in OF_ROWS
        }

    def _text(self, key: str) -> str | None:
        value = self._state.get(key)
        return value if isinstance(value, str) else None

    def _ids(self, key: str) -> list[str]:
        value = self._state.get(key)
        return value if isinstance(value, list) else []
