"""The streams as a sync sees them. Only the rooms above know what Singer makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.changes.session_list import SessionList
    from tap_usertesting.ledger.agenda_items import Item
    from tap_usertesting.sync.partition import PartitionState

Record: TypeAlias = "dict[str, Any]"


class SyncedStream(Protocol):
    """A selected stream."""

    name: str

    @property
    def rows_written(self) -> Mapping[str, int]:
        """The rows that were written, by the name they were written under, tombstones apart."""

    @property
    def tombstones_written(self) -> Mapping[str, int]:
        """The tombstones that were written, by name."""

    @property
    def written(self) -> int:
        """How many rows and tombstones were written."""

    @property
    def aliases(self) -> list[str]:
        """The names under which it is written."""

    @property
    def complete_from(self) -> Mapping[str, str | None]:
        """From when on the table is complete, by the name of the stream; None: from the beginning."""

    @property
    def job(self) -> str:
        """The job that reads it: streams of one job run in one thread, and an error of one concerns all of them."""

    @property
    def waiting(self) -> int:
        """How many sessions later syncs will ask for again."""

    def unfinished(self, since: str | None = None) -> int:
        """Return how many tests have something left to read; `since` (fixed UTC form): nothing older counts."""


class StreamOfTests(SyncedStream, Protocol):
    """A stream with a bookmark per test."""

    def test_ids(self) -> list[str]:
        """Return the tests of this sync."""

    def applies(self, test_id: str) -> bool:
        """Tell whether a test of this product type can have such rows."""

    def partition(self, test_id: str) -> PartitionState:
        """Return the stream's partition for a test."""

    def calls_left(self, test_id: str) -> int | None:
        """Return how many calls the rows that are missing take; None if that is not known."""

    def asks(self, test_id: str) -> Iterable[Ask]:
        """Return what the stream will ask the feed for a test."""

    def list_need(self, test_id: str) -> Callable[[SessionList], bool] | None:
        """Return when the stream has read enough of a test's list; None if it needs no list or cannot tell yet."""

    def forecast_records(self, test_id: str) -> int:
        """Return how many records a sync would write for a test."""

    @property
    def is_sample(self) -> bool:
        """Whether the stream emits a single record, for `--test`."""


class StreamOfSessions(StreamOfTests, Protocol):
    """A stream that follows the log of each test with a ledger."""

    def stored_partitions(self) -> list[dict[str, Any]]:
        """Return the state's own partitions: a change to the list changes the state."""

    def rows_of(self, test_id: str, item: Item, answer: Any | None) -> list[Record]:  # noqa: ANN401 - as the API answers
        """Return the rows of an answer, and tombstones for former rows that it lacks; `answer` None: for all."""

    def follow_lead(self) -> None:
        """Leave the rows to the lead: the stream of the same resource that runs now."""

    def write_for_lead(self, row: Record) -> None:
        """Write a row while the lead runs."""


class Streams(NamedTuple):
    """The selected streams in order: all, those with a bookmark per test, and of these those with a ledger."""

    all: Sequence[SyncedStream] = ()
    of_tests: Sequence[StreamOfTests] = ()
    of_sessions: Sequence[StreamOfSessions] = ()

    def followers(self, lead: StreamOfSessions) -> Iterator[StreamOfSessions]:
        """Yield the streams after the lead that are made from the same answers."""
        after_lead = False
        for stream in self.of_sessions:
            if after_lead and stream.job == lead.job:
                yield stream
            after_lead = after_lead or stream is lead
