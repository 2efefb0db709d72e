"""The Singer state of a stream, and when STATE is written.

The state has one partition per test, whose keys are those of a ledger (docs/state.md). The SDK would make the
replication key of the last record the bookmark, which is wrong for a row that came late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib import StateMessage
from singer_sdk.streams._state import StreamStateManager
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.helpers.types import Context, Record, TapState

    from tap_usertesting.sync.partition import PartitionState

STATE_EVERY = 1.0  # seconds of work that a kill may repeat


class LedgerStateManager(StreamStateManager):
    """The partitions of a stream, by test. Only ledgers change them, so the SDK's own writes are disabled."""

    def __init__(self, *, stream_name: str, tap_name: str, tap_state: TapState, is_kept: Callable[[], bool]) -> None:
        """`is_kept`: whether the stream continues from the state and is kept in it; otherwise its state is empty."""
        super().__init__(stream_name=stream_name, tap_name=tap_name, tap_state=tap_state)
        self._is_kept = is_kept
        self._by_test: dict[str, dict[str, Any]] | None = None

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """Return what the state holds of this stream, without adding an entry."""
        held: dict[str, Any] = self.tap_state.get("bookmarks", {}).get(self.stream_name, {}) if self._is_kept() else {}
        return held

    @override
    def get_context_state(self, context: Context | None) -> dict[str, Any]:
        """Return a test's partition. An index avoids a quadratic search among a thousand tests."""
        if context is None:
            return {}
        if self._by_test is None:
            self._by_test = {
                str(state.get("context", {}).get("test_id", "")): state
                for state in self.stream_state.get("partitions", [])
            }
        test_id = str(context["test_id"])
        if test_id not in self._by_test:
            self._by_test[test_id] = {"context": {"test_id": test_id}}
            if self._is_kept():
                super().stream_state.setdefault("partitions", []).append(self._by_test[test_id])
        return self._by_test[test_id]

    @override
    def get_state_partitions(self) -> list[dict[str, Any]] | None:
        """Return the partitions in the state; None if it has none."""
        return self.stream_state.get("partitions")

    @override
    def write_starting_replication_value(self, *_: Any, **__: Any) -> None:
        """Do nothing: the SDK would take `start_date` for a value of the opaque cursor."""

    @override
    def increment_state(self, latest_record: Record, *, context: Context | None = None, replication_key: str) -> None:
        """Do nothing: the ledger moves after the `yield` that emitted the row."""

    @override
    def finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """Have STATE written at the end of the stream; there are no progress markers to finalize."""
        self.is_flushed = False


class LedgerStateWriter:
    """Writes STATE if it has changed. The SDK writes through it as well, at the end of a stream."""

    def __init__(
        self,
        *,
        write: Callable[[StateMessage], None],
        state: Callable[[], TapState],
        monotonic: Callable[[], float],
        every: float = STATE_EVERY,
    ) -> None:
        """`every`: seconds from one STATE to the next while rows are written."""
        self._write = write
        self._state = state
        self._monotonic = monotonic
        self._every = every
        self._due = 0.0
        self._changed: dict[PartitionState, None] = {}  # since the last STATE, in that order
        self._written = b""
        self.is_silent = False  # for a forecast, which writes no message

    @property
    def has_written(self) -> bool:
        """Whether a STATE was written, from which the next sync can continue."""
        return bool(self._written)

    def mark_changed(self, partition: PartitionState) -> None:
        """Note that a partition must be saved before the next STATE."""
        self._changed[partition] = None

    def write_state(self, _: TapState | None = None) -> None:
        """Save the changed partitions and write STATE, unless it equals the last one.

        The encoded states are compared, because a comparison of dicts would ignore the order of `waiting`. The
        state that the SDK passes is not needed.
        """
        if self.is_silent:
            return
        for partition in self._changed:
            partition.save()
        self._changed.clear()
        content = self._state()
        encoded = msgspec.json.encode(content)
        if content and encoded != self._written:
            self._written = encoded
            self._write(StateMessage(value=content))
        self._due = self._monotonic() + self._every

    def write_if_due(self) -> None:
        """Write STATE if the last one is old enough."""
        if self._monotonic() >= self._due:
            self.write_state()
