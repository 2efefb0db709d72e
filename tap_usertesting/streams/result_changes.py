"""`result_changes`: every event of the change feed, verbatim, oldest first. Source: `testResultChanges`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.api.errors import ApiError, UnknownCursorError, UnknownTestError
from tap_usertesting.api.feed import Ask, FeedEvent
from tap_usertesting.api.feed_ids import TEST_PREFIX, session_of, test_of
from tap_usertesting.changes.feed_log import FeedLog
from tap_usertesting.ledger.change_log import FEED
from tap_usertesting.ledger.ledger import Ledger, Mark
from tap_usertesting.singer.per_test_stream import PerTestStream
from tap_usertesting.values.conform import clean
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.sync.partition import PartitionState


class ResultChangesStream(PerTestStream):
    """One row per event of the feed; none without `feed_url`."""

    name = "result_changes"
    calls = "none"
    primary_keys = ("test_id", "cursor")
    replication_key = bookmark_key = "cursor"

    @override
    def test_ids(self) -> list[str]:
        """Return the tests of `feed_test_ids` if set, otherwise those of the sync; none without a feed."""
        settings = self.sync_context.settings
        if settings.feed_url is None:
            return []
        configured = settings.feed_test_ids
        return super().test_ids() if configured is None else [test_of(test_uuid) for test_uuid in configured]

    @override
    def sync_tests(self, tests: list[str]) -> Iterator[Record]:
        """Emit the news of all tests, once per round."""
        context = self.sync_context
        if context.feed is None:
            self.logger.info("result_changes: no feed_url is set, so there are no rows")
            return
        while not context.spent:
            number, context.activity.place = context.schedule.round_number, 0
            for test_id in tests:
                context.activity.begin(self.name, test_id, tests=len(tests))
                with context.guarded(test_id):
                    yield from self._news(test_id)
            context.activity.idle = True
            if not context.schedule.wait_for_round_after(number, context.turns.wait_until):
                return
            context.activity.idle = False

    @override
    def asks(self, test_id: str) -> Iterable[Ask]:
        return (Ask(self._test_uuid(test_id), self._bookmark(test_id)),)

    def _news(self, test_id: str) -> Iterator[Record]:
        test_uuid, bookmark, partition = self._test_uuid(test_id), self._bookmark(test_id), self.partition(test_id)
        log = self._log(test_id, bookmark)
        last = next((n for n, event in enumerate(log.events) if event.cursor == bookmark), -1) if log.certain else -1
        start = self.sync_context.settings.start_date
        for n in range(last + 1, len(log.events)):
            event = log.events[n]
            changed_at = utc(event.changed_at)
            if start is not None and changed_at is not None and changed_at < start:
                continue
            yield self._row(test_id, test_uuid, event, changed_at)
            if log.certain and event.cursor is not None:
                _move(partition, event.cursor, changed_at)
            self.sync_context.after_row()
        if log.newest is not None:
            at = utc(log.events[-1].changed_at) if log.events else None
            _move(partition, log.newest, at or (before.at if (before := partition.ledger.bookmark) else None))

    def forecast_records(self, test_id: str) -> int:
        """Return how many events a sync would write; an error of the API is logged, and the run fails."""
        try:
            return len(self._log(test_id, self._bookmark(test_id)).events) if self.sync_context.feed is not None else 0
        except ApiError as error:
            self.sync_context.fail(error, test_id=test_id)
            return 0

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        test_uuid = self._test_uuid(test_id)
        for event in self._log(test_id, None).events[-1:]:
            yield self._row(test_id, test_uuid, event, utc(event.changed_at))

    def _log(self, test_id: str, bookmark: str | None) -> FeedLog:
        """Return the events after the bookmark: all if it has expired, none while the feed does not know the test."""
        test_uuid = self._test_uuid(test_id)
        try:
            return self.sync_context.feed_logs.read(Ask(test_uuid, bookmark))
        except UnknownCursorError as error:
            log = self.sync_context.feed_logs.read(
                Ask(test_uuid, None)
            )  # if this fails as well, the cursor was not the cause
            self.sync_context.warn_once(
                f"result_changes, test {test_id}: its bookmark is refused ({error}); all its events are read once more"
            )
            return log
        except UnknownTestError:
            if self.sync_context.settings.feed_test_ids is not None or bookmark is not None:
                raise
            return FeedLog([], certain=True, newest=None)  # their number is logged once

    def _bookmark(self, test_id: str) -> str | None:
        mark = self.partition(test_id).ledger.bookmark
        return mark.cursor or None if mark is not None else None

    def _test_uuid(self, test_id: str) -> str:
        """Return the feed's id of a test, as `feed_test_ids` spells it."""
        configured = self.sync_context.settings.feed_test_ids or ()
        return next((uuid for uuid in configured if test_of(uuid) == test_id), TEST_PREFIX + test_id)

    def _row(self, test_id: str, test_uuid: str, event: FeedEvent, changed_at: str | None) -> dict[str, Any]:
        number = event.test_result_id
        return {
            "test_id": test_id,
            "test_uuid": test_uuid,
            "cursor": event.cursor,
            "response_uuid": None if event.response_uuid is None else clean(event.response_uuid),
            "session_id": session_of(event.response_uuid),
            "test_result_id": number
            if type(number) is int
            else self.columns({"testResultId": number})["test_result_id"],
            "change_type": None if event.change_type is None else clean(event.change_type),
            "changed_at": changed_at,
        }


def _move(partition: PartitionState, cursor: str, at: str | None) -> None:
    mark = Mark(cursor, at)
    if mark != partition.ledger.bookmark:
        partition.ledger = Ledger(source=FEED, bookmark=mark)
