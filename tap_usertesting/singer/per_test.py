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
    """Goes through all tests in an order of its own; for `--test`, through one partition after another."""

    is_sorted = True
    check_sorted = False
    bookmark_key: ClassVar[str]  # the replication key, also where a catalog takes that away

    def __init__(self, tap: Tap) -> None:
        """Start without any partition looked up."""
        super().__init__(tap)
        self._states: dict[str, PartitionState] = {}
        self._is_sampled = False

    # To be declared by each kind of stream

    def walk(self, tests: list[str]) -> Iterator[Record]:
        """Emit what is new in these tests."""
        raise NotImplementedError

    def sample(self, test_id: str) -> Iterator[Record]:
        """Emit at most one record with at most two calls, without touching the state."""
        raise NotImplementedError

    def applies(self, test_id: str) -> bool:  # noqa: ARG002 - some streams look at it
        """Tell whether tests of this product type have such rows at all."""
        return True

    def asks(self, test_id: str) -> Iterable[Ask]:
        """Return what this stream will ask of the feed for a test."""
        raise NotImplementedError

    def list_need(self, test_id: str) -> Callable[[SessionList], bool] | None:  # noqa: ARG002
        """Return how deep the stream will need a test's list; None when it will not, or can not tell yet."""
        return None

    def foresee(self, test_id: str) -> int:  # noqa: ARG002 - result_changes looks there
        """Return how many records a sync would write, for a plan."""
        return 0

    # Tests

    def test_ids(self) -> list[str]:
        """Return the tests of this sync; ends it with one line when they can not be read."""
        tests: list[str] = []
        with self.sync_context.discovering():
            tests += self.sync_context.directory.product_types
        return tests

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        """Return none, as tests do not come one after another; for `--test`, every test."""
        return [{"test_id": test_id} for test_id in self.test_ids()] if self.is_sample else None

    @override
    def records(self, context: Context | None) -> Iterator[Record]:
        if self.is_sample:
            yield from self._sample_once(None if context is None else str(context["test_id"]))
            return
        tests = self.test_ids()
        self.found = bool(tests)
        self.sync_context.activity.begin(self.name, tests=len(tests))
        self.sync_context.activity.place = 0
        yield from self.walk(tests)

    def _sample_once(self, test_id: str | None) -> Iterator[Record]:
        """Emit a sample of the first test that has such rows."""
        if test_id is None or self._is_sampled or self.sync_context.spent:
            return
        self.found = True
        self.sync_context.activity.begin(self.name, test_id)
        with self.sync_context.guarded(test_id):
            self._is_sampled = self.applies(test_id)
            yield from self.sample(test_id) if self._is_sampled else ()

    # State

    def partition(self, test_id: str) -> PartitionState:
        """Return what is known of a test in this stream; under FULL_TABLE nothing, and it is never written."""
        if test_id not in self._states:
            self._states[test_id] = PartitionState(
                self.get_context_state({"test_id": test_id}),
                replication_key=self.bookmark_key,
                moved=self.host.state_writer.moved if self.keeps_state else lambda _: None,
                warn=self.sync_context.warn_once,
            )
        return self._states[test_id]

    def stored_partitions(self) -> list[dict[str, Any]]:
        """Return the partitions as they stand in the state, to be changed in place."""
        return self.state_manager.get_state_partitions() or []

    @property
    @override
    def keeps_state(self) -> bool:
        return self.replication_method == INCREMENTAL and not self.is_sample

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take LOG_BASED, which a catalog names without a replication key, for what this tap calls INCREMENTAL."""
        super().apply_catalog(catalog)
        if self.forced_replication_method == LOG_BASED:
            self.forced_replication_method, self.replication_key = INCREMENTAL, self.bookmark_key

    @property
    @override
    def replication_method(self) -> str:
        """FULL_TABLE also where a catalog names INCREMENTAL but no replication key."""
        return super().replication_method if self.replication_key else FULL_TABLE
