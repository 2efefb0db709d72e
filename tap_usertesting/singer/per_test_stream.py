"""A stream with one partition and one bookmark per test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_usertesting.singer.stream import FULL_TABLE, INCREMENTAL, LOG_BASED, UserTestingStream
from tap_usertesting.sync.partition import PartitionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.changes.session_list import SessionList


class PerTestStream(UserTestingStream):
    """A stream that reads all tests in an order of its own; for `--test`, one partition after another."""

    is_sorted = True
    check_sorted = False
    bookmark_key: ClassVar[str]  # the replication key, even if a catalog removes it

    def __init__(self, tap: Tap) -> None:
        """Make no call, and read no partition."""
        super().__init__(tap)
        self._states: dict[str, PartitionState] = {}
        self._is_sampled = False

    # To be declared by each kind of stream

    def sync_tests(self, tests: list[str]) -> Iterator[Record]:
        """Emit what these tests have to read."""
        raise NotImplementedError

    def sample(self, test_id: str) -> Iterator[Record]:
        """Emit at most one record with at most two calls, and leave the state alone."""
        raise NotImplementedError

    def applies(self, test_id: str) -> bool:  # noqa: ARG002 - some streams use it
        """Tell whether a test of this product type can have such rows."""
        return True

    def calls_left(self, test_id: str) -> int | None:  # noqa: ARG002 - streams with calls of their own use it
        """Return how many calls the rows that are missing take; None if that is not known."""
        return 0

    def asks(self, test_id: str) -> Iterable[Ask]:
        """Return what this stream will ask the feed for a test."""
        raise NotImplementedError

    def list_need(self, test_id: str) -> Callable[[SessionList], bool] | None:  # noqa: ARG002
        """Return when the stream has read enough of a test's list; None if it needs no list or cannot tell yet."""
        return None

    def forecast_records(self, test_id: str) -> int:  # noqa: ARG002 - result_changes uses it
        """Return how many records a sync would write for a test."""
        return 0

    # Tests

    def test_ids(self) -> list[str]:
        """Return the ids of this sync's tests. Ends the run with one line if they cannot be discovered."""
        tests: list[str] = []
        with self.sync_context.discovering():
            tests += self.sync_context.directory.product_types
        return tests

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        """Return None, because a sync does not read one test after another; for `--test`, return every test."""
        return [{"test_id": test_id} for test_id in self.test_ids()] if self.is_sample else None

    @override
    def records(self, context: Context | None) -> Iterator[Record]:
        if self.is_sample:
            yield from self._sample_once(None if context is None else str(context["test_id"]))
            return
        tests = self.test_ids()
        self.found = bool(tests)
        self.sync_context.activity.begin(self.name)
        yield from self.sync_tests(tests)

    def _sample_once(self, test_id: str | None) -> Iterator[Record]:
        """Emit a sample of the first test that can have such rows."""
        if test_id is None or self._is_sampled or self.sync_context.spent:
            return
        self.found = True
        self.sync_context.activity.begin(self.name, test_id)
        with self.sync_context.guarded(test_id):
            self._is_sampled = self.applies(test_id)
            yield from self.sample(test_id) if self._is_sampled else ()

    # State

    def partition(self, test_id: str) -> PartitionState:
        """Return the stream's partition for a test; under FULL_TABLE it starts empty and is never written."""
        if test_id not in self._states:
            self._states[test_id] = PartitionState(
                self.get_context_state({"test_id": test_id}),
                replication_key=self.bookmark_key,
                on_change=self.host.state_writer.mark_changed if self.keeps_state else lambda _: None,
                warn=self.sync_context.warn_once,
            )
        return self._states[test_id]

    def stored_partitions(self) -> list[dict[str, Any]]:
        """Return the state's own partitions: a change to the list changes the state."""
        return self.state_manager.get_state_partitions() or []

    @property
    @override
    def keeps_state(self) -> bool:
        return self.replication_method == INCREMENTAL and not self.is_sample

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Treat LOG_BASED, which a catalog names without a replication key, as INCREMENTAL."""
        super().apply_catalog(catalog)
        if self.forced_replication_method == LOG_BASED:
            self.forced_replication_method, self.replication_key = INCREMENTAL, self.bookmark_key

    @property
    @override
    def replication_method(self) -> str:
        """The catalog's method, but FULL_TABLE if it names INCREMENTAL without a replication key."""
        return super().replication_method if self.replication_key else FULL_TABLE


def without_bookmarks(streams: Iterable[UserTestingStream]) -> list[str]:
    """Return the names of the streams that read tests but keep no bookmarks."""
    of_tests = [stream for stream in streams if isinstance(stream, PerTestStream)]
    return [stream.name for stream in of_tests if stream.replication_method == FULL_TABLE]
