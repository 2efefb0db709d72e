"""`result_changes`: every event of the change feed, unchanged, oldest first. Source: `testResultChanges`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.api.feed_ids import session_of
from tap_usertesting.singer.per_test_stream import PerTestStream
from tap_usertesting.sync.feed_events import EventOfTest, FeedEvents
from tap_usertesting.values.conform import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.api.feed import Ask


class ResultChangesStream(PerTestStream):
    """One row per event of the change feed; no rows without `feed_url`."""

    name = "result_changes"
    calls = "none"
    primary_keys = ("test_id", "cursor")
    replication_key = bookmark_key = "cursor"

    @cached_property
    def _feed_events(self) -> FeedEvents:
        return FeedEvents(self.sync_context, self.name, self.partition)

    @override
    def test_ids(self) -> list[str]:
        configured = self._feed_events.configured_tests
        return super().test_ids() if configured is None else configured

    @override
    def sync_tests(self, tests: list[str]) -> Iterator[Record]:
        if self.sync_context.feed is None:
            self.logger.info("result_changes: feed_url is not set, so there are no rows")
            return
        yield from map(self._row, self._feed_events.rounds(tests))

    @override
    def asks(self, test_id: str) -> Iterable[Ask]:
        return (self._feed_events.ask(test_id),)

    @override
    def forecast_records(self, test_id: str) -> int:
        return self._feed_events.count(test_id)

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        yield from map(self._row, self._feed_events.newest(test_id))

    def _row(self, of: EventOfTest) -> dict[str, Any]:
        event, number = of.event, of.event.test_result_id
        if type(number) is not int:
            number = self.columns({"testResultId": number})["test_result_id"]
        return {
            "test_id": of.test_id,
            "test_uuid": of.test_uuid,
            "cursor": event.cursor,
            "response_uuid": None if event.response_uuid is None else clean(event.response_uuid),
            "session_id": session_of(event.response_uuid),
            "test_result_id": number,
            "change_type": None if event.change_type is None else clean(event.change_type),
            "changed_at": of.changed_at,
        }
