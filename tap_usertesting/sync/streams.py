"""The streams as a sync sees them. What Singer makes of them is known above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.changes.session_list import SessionList
    from tap_usertesting.ledger.items import Item
    from tap_usertesting.sync.partition import PartitionState

Record: TypeAlias = "dict[str, Any]"


class SyncedStream(Protocol):
    """A selected stream."""

    name: str
    emitted: int  # rows of this sync
    tombstoned: int

    @property
    def group(self) -> str:
        """What it is read with: streams of one group run in one thread, and an error of one concerns all."""

    @property
    def waiting(self) -> int:
        """How many sessions the next syncs ask for again."""

    def unfinished(self, since: str | None = None) -> int:
        """Return of how many tests something is left to read (that is not older than a time)."""


class StreamOfTests(SyncedStream, Protocol):
    """A stream with a bookmark per test."""

    def test_ids(self) -> list[str]:
        """Return the tests of this sync."""

    def asks(self, test_id: str) -> Iterable[Ask]:
        """Return what the stream will ask of the feed for a test."""

    def list_need(self, test_id: str) -> Callable[[SessionList], bool] | None:
        """Return how deep the stream will need a test's list; None when it will not, or can not tell yet."""

    def foresee(self, test_id: str) -> int:
        """Return how many records a sync would write, for a plan."""

    @property
    def is_sample(self) -> bool:
        """Whether one record of one test is all that is wanted (`--test`)."""


class StreamOfSessions(StreamOfTests, Protocol):
    """A stream that follows the log of each test by a ledger."""

    def applies(self, test_id: str) -> bool:
        """Tell whether tests of this product type have such rows at all."""

    def partition(self, test_id: str) -> PartitionState:
        """Return what is known of a test in this stream."""

    def stored_partitions(self) -> list[dict[str, Any]]:
        """Return the partitions as they stand in the state, to be changed in place."""

    def rows_of(self, test_id: str, item: Item, answer: Any | None) -> list[Record]:  # noqa: ANN401 - as the API answers
        """Return the rows of an answer, and tombstones of those that were there beyond them; None: of all."""

    def board(self) -> None:
        """Leave the rows to a stream of the same resource, which runs now."""

    def ride(self, row: Record) -> None:
        """Write a row while another stream of the same resource runs."""


class Streams(NamedTuple):
    """The selected streams in their order: all of them, those of tests, and of these those that follow a ledger."""

    all: Sequence[SyncedStream] = ()
    of_tests: Sequence[StreamOfTests] = ()
    of_sessions: Sequence[StreamOfSessions] = ()

    def riders(self, lead: StreamOfSessions) -> Iterator[StreamOfSessions]:
        """Yield the streams after this one that are made from the same answers."""
        behind = False
        for stream in self.of_sessions:
            if behind and stream.group == lead.group:
                yield stream
            behind = behind or stream is lead
