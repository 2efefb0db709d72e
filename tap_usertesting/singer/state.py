"""The Singer state of a stream, and when STATE is written.

The state has one partition for each test, whose keys are those of a ledger (docs/state.md). The SDK's own way (the
replication key of the last record becomes the bookmark) cannot tell a row of the log from one that came late.
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

STATE_EVERY = 1.0  # seconds; what a kill may repeat


class LedgerStateManager(StreamStateManager):
    """The partitions of a stream, by test. Only ledgers move them, so what the SDK would write there is left out."""

    def __init__(self, *, stream_name: str, tap_name: str, tap_state: TapState, is_kept: Callable[[], bool]) -> None:
        """`is_kept`: whether the stream goes on from its state and leaves one; else it has an empty one for itself."""
        super().__init__(stream_name=stream_name, tap_name=tap_name, tap_state=tap_state)
        self._is_kept = is_kept
        self._by_test: dict[str, dict[str, Any]] | None = None

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """Return what the state holds of this stream, without making an entry."""
        held: dict[str, Any] = self.tap_state.get("bookmarks", {}).get(self.stream_name, {}) if self._is_kept() else {}
        return held

    @override
    def get_context_state(self, context: Context | None) -> dict[str, Any]:
        """Return a test's partition. An index keeps a thousand tests from a quadratic search."""
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
        """Return the partitions that the state has."""
        return self.stream_state.get("partitions")

    @override
    def write_starting_replication_value(self, *_: Any, **__: Any) -> None:
        """Do nothing: the SDK would make `start_date` the starting value of an opaque cursor."""

    @override
    def increment_state(self, latest_record: Record, *, context: Context | None = None, replication_key: str) -> None:
        """Do nothing: what a row makes true is done after the `yield` that emitted it."""

    @override
    def finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """There are no progress markers to finalize; have STATE written at the end of the stream."""
        self.is_flushed = False


class LedgerStateWriter:
    """Writes STATE if anything moved. The SDK writes through it as well, at the end of a stream."""

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
        self._moved: dict[PartitionState, None] = {}  # since the last STATE
        self._written = b""
        self.is_silent = False  # for a plan

    @property
    def has_written(self) -> bool:
        """Whether there is a state from which the next sync goes on."""
        return bool(self._written)

    def moved(self, partition: PartitionState) -> None:
        """Note that a partition has to be saved before the next STATE."""
        self._moved[partition] = None

    def write_state(self, _: TapState | None = None) -> None:
        """Save what moved and write STATE, unless it is as the last one. The SDK passes the state that is known here.

        The order of `waiting` counts, which the SDK's own comparison does not see.
        """
        if self.is_silent:
            return
        for partition in self._moved:
            partition.save()
        self._moved.clear()
        content = self._state()
        encoded = msgspec.json.encode(content)
        if content and encoded != self._written:
            self._written = encoded
            self._write(StateMessage(value=content))
        self._due = self._monotonic() + self._every

    def write_if_due(self) -> None:
        """Write STATE if it is time."""
        if self._monotonic() >= self._due:
            self.write_state()
