"""The SDK's metrics of a stream, which count what was written and name no test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.metrics import Counter, Metric, Tag, Timer
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.helpers.types import Context


class WrittenRows(Counter):
    """Counts the rows that were written. The SDK's own counter counts them before stream maps and filters."""

    def __init__(self, stream: str, written: Callable[[], int], *, log_interval: float) -> None:
        """`written` returns how many rows the stream has written so far."""
        super().__init__(Metric.RECORD_COUNT, {Tag.STREAM: stream}, log_interval=log_interval)
        self._written = written
        self._counted = 0

    @override
    def with_context(self, value: Context | None) -> None:
        """Do nothing: the rows are of all tests, and the last one is not the one that had them."""

    @override
    def increment(self, value: int = 1) -> None:
        self._catch_up()
        super().increment(0)

    @override
    def exit(self) -> None:
        self._catch_up()
        super().exit()

    def _catch_up(self) -> None:
        written = self._written()
        self.value += written - self._counted
        self._counted = written


class StreamTimer(Timer):
    """Measures the sync of a stream, over all its tests."""

    @override
    def with_context(self, value: Context | None) -> None:
        """Do nothing, as above."""
