"""`result_changes`: every event of the change feed, verbatim, oldest first. Source: `testResultChanges`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.api.errors import ApiError, UnknownCursorError, UnknownTestError
from tap_usertesting.api.feed import Ask, FeedEvent
from tap_usertesting.changes.feed_log import FeedLog
from tap_usertesting.changes.reader import TEST_PREFIX, session_of
from tap_usertesting.ledger.ledger import Ledger, Mark
from tap_usertesting.ledger.log import FEED
from tap_usertesting.singer.base import PerTestStream
from tap_usertesting.values.conform import clean
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record

    from tap_usertesting.sync.partition import Partition


class ResultChangesStream(PerTestStream):
    """One row per event; needs `feed_url`."""

    name = source = "result_changes"
    primary_keys = ("test_id", "cursor")
    replication_key = bookmark_key = "cursor"

    @override
    def test_ids(self) -> list[str]:
        """Return the tests of `feed_test_ids`, else those of the run; none without a feed."""
        if self.run.feed is None:
            return []
        configured = self.settings.feed_test_ids
        return super().test_ids() if configured is None else [_test_id(test_uuid) for test_uuid in configured]

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        """Return none: each look for news goes through all tests. For `--test`, every test."""
        return super().partitions if self.sampling else None

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        if self.run.feed is None:
            self.logger.info("result_changes: no feed_url is set, so there are no rows")
        elif self.sampling:
            yield from super().get_records(context)
        else:
            yield from self._looks()

    def _looks(self) -> Iterator[Record]:
        """Emit the news of all tests, at each look of the run."""
        tests, activity = self.test_ids(), self.run.activity
        self.found = bool(tests)
        while not self._tap.spent:
            look, activity.place = self._tap.schedule.number, 0
            for test_id in tests:
                activity.begin(self.name, test_id, tests=len(tests))
                with self._tap.guarded(test_id):
                    yield from self.sync_test(test_id)
            activity.idle = True
            if not self._tap.schedule.follow(look, self.run.turns.linger):
                return
            activity.idle = False

    @override
    def asks(self, test_id: str) -> Iterable[Ask]:
        return (Ask(self._test_uuid(test_id), self._bookmark(test_id)),)

    @override
    def sync_test(self, test_id: str) -> Iterator[Record]:
        test_uuid, bookmark, partition = self._test_uuid(test_id), self._bookmark(test_id), self.partition(test_id)
        log = self._log(test_id, bookmark)
        place = next((n for n, event in enumerate(log.events) if event.cursor == bookmark), -1) if log.certain else -1
        start = self.settings.start_date
        for n in range(place + 1, len(log.events)):
            event = log.events[n]
            changed_at = utc(event.changed_at)
            if start is not None and changed_at is not None and changed_at < start:
                continue
            if log.certain:
                self._commit = lambda at=changed_at, cursor=event.cursor: _move(partition, cursor, at)
            yield self._row(test_id, test_uuid, event, changed_at)
        if log.newest is not None:
            at = utc(log.events[-1].changed_at) if log.events else None
            _move(partition, log.newest, at or (before.at if (before := partition.ledger.bookmark) else None))

    def foresee(self, test_id: str) -> int:
        """Return how many events there are to write; what can not be read is an error of the run."""
        try:
            return len(self._log(test_id, self._bookmark(test_id)).events) if self.run.feed is not None else 0
        except ApiError as error:
            self.run.fail(error, test_id=test_id)
            return 0

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        test_uuid = self._test_uuid(test_id)
        for event in self._log(test_id, None).events[-1:]:
            yield self._row(test_id, test_uuid, event, utc(event.changed_at))

    def _log(self, test_id: str, bookmark: str | None) -> FeedLog:
        """Return the events after the bookmark: all of them when it has expired, none while the test is unknown."""
        test_uuid = self._test_uuid(test_id)
        try:
            return self.changes.log(Ask(test_uuid, bookmark))
        except UnknownCursorError as error:
            log = self.changes.log(Ask(test_uuid, None))  # if that fails too, it was not the cursor
            self._tap.warn_once(
                f"result_changes, test {test_id}: its bookmark is refused ({error}); all its events are read once more"
            )
            return log
        except UnknownTestError:
            if self.settings.feed_test_ids is not None or bookmark is not None:
                raise
            return FeedLog([], certain=True, newest=None)  # how many these are is said once

    def _bookmark(self, test_id: str) -> str | None:
        mark = self.partition(test_id).ledger.bookmark
        return mark.cursor or None if mark is not None else None

    def _test_uuid(self, test_id: str) -> str:
        """Return the feed's own id of a test, as `feed_test_ids` spells it."""
        configured = self.settings.feed_test_ids or ()
        return next((uuid for uuid in configured if _test_id(uuid) == test_id), TEST_PREFIX + test_id)

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


def _move(partition: Partition, cursor: str, at: str | None) -> None:
    mark = Mark(cursor, at)
    if mark != partition.ledger.bookmark:
        partition.ledger = Ledger(source=FEED, bookmark=mark)


def _test_id(test_uuid: str) -> str:
    return test_uuid.lower().removeprefix(TEST_PREFIX)
