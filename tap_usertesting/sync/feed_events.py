"""The events of the change feed as rows see them: those after the bookmark of each test, once per round."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.api.errors import ApiError, UnknownCursorError, UnknownTestError
from tap_usertesting.api.feed import Ask
from tap_usertesting.api.feed_ids import TEST_PREFIX, test_of
from tap_usertesting.changes.feed_log import FeedLog
from tap_usertesting.ledger.change_log import FEED
from tap_usertesting.ledger.ledger import Ledger, Mark
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_usertesting.api.feed import FeedEvent
    from tap_usertesting.sync.context import SyncContext
    from tap_usertesting.sync.partition import PartitionState


class EventOfTest(NamedTuple):
    """An event of a test. `changed_at` in the fixed UTC form, None if the feed names no time that can be read."""

    test_id: str
    test_uuid: str
    event: FeedEvent
    changed_at: str | None


class FeedEvents:
    """Reads events, and moves the bookmark of a test once the row of an event was written."""

    def __init__(self, context: SyncContext, stream: str, partition: Callable[[str], PartitionState]) -> None:
        """Make no call. `stream`: the name for log lines; `partition` returns the state of a test."""
        self._context = context
        self._stream = stream
        self._partition = partition

    @property
    def configured_tests(self) -> list[str] | None:
        """The tests of `feed_test_ids`, None if that is not set, and none at all without a feed."""
        settings = self._context.settings
        if settings.feed_url is None:
            return []
        return None if settings.feed_test_ids is None else [test_of(test_uuid) for test_uuid in settings.feed_test_ids]

    def ask(self, test_id: str) -> Ask:
        """Return what is asked of the feed for a test: the events after its bookmark."""
        mark = self._partition(test_id).ledger.bookmark
        return Ask(self._test_uuid(test_id), mark.cursor or None if mark is not None else None)

    def rounds(self, tests: Sequence[str]) -> Iterator[EventOfTest]:
        """Yield the news of all tests, oldest first within a test, in each round of the sync."""
        context = self._context
        while not context.spent:
            number = context.schedule.round_number
            for test_id in tests:
                context.activity.begin(self._stream, test_id)
                with context.guarded(test_id):
                    yield from self._news(test_id)
            context.activity.idle = True
            if not context.schedule.wait_for_round_after(number, context.turns.wait_until):
                return
            context.activity.idle = False

    def newest(self, test_id: str) -> Iterator[EventOfTest]:
        """Yield the newest event of a test, if there is one, and move nothing."""
        test_uuid = self._test_uuid(test_id)
        for event in self._log(test_id, Ask(test_uuid, None)).events[-1:]:
            yield EventOfTest(test_id, test_uuid, event, utc(event.changed_at))

    def count(self, test_id: str) -> int:
        """Return how many events a sync would write; an error of the API is logged, and the run fails."""
        try:
            return len(self._log(test_id, self.ask(test_id)).events) if self._context.feed is not None else 0
        except ApiError as error:
            self._context.fail(error, test_id=test_id)
            return 0

    def _news(self, test_id: str) -> Iterator[EventOfTest]:
        ask, partition = self.ask(test_id), self._partition(test_id)
        log = self._log(test_id, ask)
        last = next((n for n, event in enumerate(log.events) if event.cursor == ask.cursor), -1) if log.certain else -1
        start = self._context.settings.start_date
        for event in log.events[last + 1 :]:
            changed_at = utc(event.changed_at)
            if start is not None and changed_at is not None and changed_at < start:
                continue
            yield EventOfTest(test_id, ask.test_uuid, event, changed_at)
            if log.certain and event.cursor is not None:
                _move(partition, event.cursor, changed_at)
            self._context.after_row()
        if log.newest is None and not log.events and partition.ledger.bookmark is None:
            _move(partition, "", None)  # it was read, and was empty
        elif log.newest is not None:
            at = utc(log.events[-1].changed_at) if log.events else None
            _move(partition, log.newest, at or (before.at if (before := partition.ledger.bookmark) else None))

    def _log(self, test_id: str, ask: Ask) -> FeedLog:
        """Return the events after a bookmark: all if it has expired, none while the feed does not know the test."""
        try:
            return self._context.feed_logs.read(ask)
        except UnknownCursorError as error:
            log = self._context.feed_logs.read(Ask(ask.test_uuid, None))  # if this fails too, it was not the cursor
            self._context.warn_once(
                f"{self._stream}, test {test_id}: the feed rejected the bookmark ({error}); the tap reads all events "
                "again"
            )
            return log
        except UnknownTestError:
            if self._context.settings.feed_test_ids is not None or ask.cursor is not None:
                raise
            return FeedLog([], certain=True, newest=None)  # how many tests are unknown is logged once

    def _test_uuid(self, test_id: str) -> str:
        """Return the feed's id of a test, as `feed_test_ids` spells it."""
        configured = self._context.settings.feed_test_ids or ()
        return next((uuid for uuid in configured if test_of(uuid) == test_id), TEST_PREFIX + test_id)


def _move(partition: PartitionState, cursor: str, at: str | None) -> None:
    mark = Mark(cursor, at)
    if mark != partition.ledger.bookmark:
        partition.ledger = Ledger(source=FEED, bookmark=mark)
