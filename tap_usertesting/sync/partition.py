"""The state of one stream in one test: its ledger, and the dict in which the Singer state keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_usertesting.ledger.ledger import Ledger
from tap_usertesting.ledger.state_keys import BESIDE, decode, encode, is_of_another_form

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT, REPLICATION_KEY, ROWS = "context", "replication_key", "rows"


class PartitionState:
    """Reads a ledger from a partition of the state, and saves it there before STATE is written."""

    def __init__(
        self,
        state: dict[str, Any],
        *,
        replication_key: str,
        on_change: Callable[[PartitionState], None] = lambda _: None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`state`: the dict that the SDK writes, changed by `save` only. `on_change` learns that `save` is needed."""
        self._state = state
        self._replication_key = replication_key
        self._on_change = on_change
        rows = state.get(ROWS)
        self._rows = rows if type(rows) is int else 0
        self._ledger = decode(state)
        if is_of_another_form(state):
            self._ledger = Ledger()
            warn("state: the format is not that of this version, so the sync reads these tests from the start, once")

    @property
    def ledger(self) -> Ledger:
        """Which part of the test's log is handled. Set it only after the rows that make it true are written."""
        return self._ledger

    @ledger.setter
    def ledger(self, ledger: Ledger) -> None:
        if ledger is not self._ledger:
            self._ledger = ledger
            self._on_change(self)

    @property
    def rows(self) -> int:
        """The most rows that any session of this test has had, in a stream that numbers the rows of a session."""
        return self._rows

    @rows.setter
    def rows(self, most: int) -> None:
        self._rows = most
        self._on_change(self)

    def save(self) -> None:
        """Write the ledger into the state."""
        for key in [key for key in self._state if key not in BESIDE or key == ROWS]:
            del self._state[key]
        self._state[REPLICATION_KEY] = self._replication_key
        self._state |= encode(self._ledger)
        if self._rows:
            self._state[ROWS] = self._rows
