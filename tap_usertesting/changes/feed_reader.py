"""Reads each test's log from the feed once per sync, for all streams, and keeps logs, counts and errors.

One request serves up to 100 tests. The first log that any stream needs costs the counts of all tests in its batch; the
changes are then read for as many tests together as count at most 5,000 results.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import ApiError, FeedError, UnknownCursorError, UnknownTestError
from tap_usertesting.api.feed import TESTS_A_REQUEST, Ask, ChangeFeed, Count, Received
from tap_usertesting.api.feed_ids import TEST_PREFIX
from tap_usertesting.changes.feed_log import FeedLog, whole_log
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_usertesting.api.turns import Turns

logger = logging.getLogger("tap-usertesting.changes")

RESULTS_A_REQUEST = 5_000
EVENTS_KEPT = 250_000  # of all tests, for memory; a log beyond that is read again for a later stream
CHECK_FEED = "check that feed_url and its token belong to these tests; until then, auto reads them by listing"


class FeedReader:
    """The logs that the feed has of all tests, for one sync."""

    def __init__(
        self, *, client: ChangeFeed | None, asks_by_test: Callable[[], Sequence[Sequence[Ask]]], turns: Turns
    ) -> None:
        """Make no call.

        `client`: None where no feed is set. `asks_by_test` returns what the selected streams will ask for, test by
        test.
        """
        self._optional_client = client
        self._asks_by_test = asks_by_test
        self._turns = turns
        self._batches: list[list[Ask]] | None = None  # of 100 tests each
        self._counts: dict[Ask, Count | ApiError] = {}
        self._logs: OrderedDict[Ask, FeedLog] = OrderedDict()  # the least recently used first
        self._errors: dict[Ask, ApiError] = {}
        self._newest_times: dict[Ask, str | None] = {}
        self._responses: dict[str, int] = {}  # in the whole log, by test id
        self._is_forecast = False
        self._received: dict[Ask, Received] = {}  # by a forecast, and not made a log yet
        self._has_logged_known = False

    def start_forecast(self) -> None:
        """From now on read the changes at once and count them here: that saves the request for the counts."""
        self._is_forecast = True

    def read(self, ask: Ask) -> FeedLog:
        """Return the changes after the ask's cursor.

        Raises FeedError, which is kept for the next call too, or what ends the sync.
        """
        with self._turns.single_flight("feed"):
            if ask in self._logs:
                self._logs.move_to_end(ask)
                return self._logs[ask]
            if ask in self._errors:
                raise self._errors[ask]
            count = self._count(ask)
            if isinstance(count, ApiError):
                raise count
            if not self._has_changes(ask):
                # In a first reading too: the feed knows the test, which has no event yet.
                return FeedLog([], certain=True, newest=ask.cursor)
            self._read_changes(ask)
            return self.read(ask)

    def counts(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        """Ask for these counts in one request, at most 100 tests, and keep them. Raises what the feed raises."""
        found = self._client.counts(asks)
        self._counts.update(found)
        return found

    def newest_change_at(self, test_id: str) -> str | None:
        """Return the time of the newest change that the feed has of a test, None where it is not known.

        In the fixed UTC form. The answer is kept for the whole sync. It costs no call of the Results API, and an error
        is left to whichever stream reads the test.
        """
        ask = Ask(TEST_PREFIX + test_id, None)
        if ask not in self._newest_times:
            try:
                events = self.read(ask).events if self._is_asked(ask) else ()
            except ApiError:
                events = ()
            times = [time for event in events if (time := utc(event.changed_at)) is not None]
            self._newest_times[ask] = max(times, default=None)
            self._responses[test_id] = len({event.response_uuid for event in events})
        return self._newest_times[ask]

    def newest_known(self, test_id: str) -> str | None:
        """Return what `newest_change_at` has found, None where it was not called. No call."""
        return self._newest_times.get(Ask(TEST_PREFIX + test_id, None))

    def responses(self, test_id: str) -> int | None:
        """Return how many responses the whole log of a test names, None where that log was not read. No call."""
        return self._responses.get(test_id) or None

    def forget(self) -> None:
        """Forget what the feed has answered, so that it is read anew.

        Waits for a stream that is reading a log, which has yet to take what it asked for.
        """
        with self._turns.single_flight("feed"):
            self._batches = None
            self._counts.clear()
            self._logs.clear()
            self._errors.clear()

    def _is_asked(self, ask: Ask) -> bool:
        """Tell whether any selected stream will ask for this."""
        if self._optional_client is None:
            return False
        self._uncounted_batch(ask)
        return any(ask in batch for batch in self._batches or ())

    # Counts

    def _count(self, ask: Ask) -> Count | ApiError:
        if ask not in self._counts:
            batch = self._uncounted_batch(ask)
            self._counts.update(self._receive_and_count(batch) if self._is_forecast else self._client.counts(batch))
            self._log_known_tests()
        return self._counts[ask]

    def _receive_and_count(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        """Ask for the changes without a count before, and count them here."""
        found: dict[Ask, Count | ApiError] = {}
        for ask, answer in self._client.changes(asks).items():
            if isinstance(answer, ApiError):
                found[ask] = answer
                continue
            self._received[ask] = answer
            newest = max(answer.events, key=lambda event: utc(event.changed_at) or "", default=None)
            found[ask] = Count(answer.arrived, newest.cursor if newest is not None else None)
        return found

    def _log_known_tests(self) -> None:
        """Write once a sync, when all tests are counted, how many of them the feed knows, unless it knows all."""
        asks = [ask for batch in self._batches or [] for ask in batch]
        if self._has_logged_known or any(ask not in self._counts for ask in asks):
            return
        self._has_logged_known = True
        tests = {ask.test_uuid for ask in asks}
        unknown = {ask.test_uuid for ask in asks if isinstance(self._counts[ask], UnknownTestError)}
        known = f"the change feed knows {len(tests) - len(unknown)} of {len(tests)} tests"
        if unknown and unknown == tests:
            logger.warning("%s: %s", known, CHECK_FEED)
        elif unknown:
            logger.info("%s; for now, the tap reads the others, such as %s, by listing", known, min(unknown))

    # Batches

    def _uncounted_batch(self, ask: Ask) -> list[Ask]:
        """Return what is counted in one request with this ask: the asks of up to 100 tests, without those counted."""
        if self._batches is None:
            tests = list(self._asks_by_test())
            self._batches = [
                list(dict.fromkeys(ask for asks in tests[n : n + TESTS_A_REQUEST] for ask in asks))
                for n in range(0, len(tests), TESTS_A_REQUEST)
            ]
        batch = next((batch for batch in self._batches if ask in batch), [ask, *self._other_replays(ask)])
        return [other for other in batch if other not in self._counts]

    def _other_replays(self, ask: Ask) -> list[Ask]:
        """Return the whole logs of other tests whose bookmark was refused: they will be asked for as this one is."""
        refused = (other for other, count in self._counts.items() if isinstance(count, UnknownCursorError))
        whole_logs = dict.fromkeys(Ask(other.test_uuid, None) for other in refused)
        return [other for other in whole_logs if other != ask][: TESTS_A_REQUEST - 1] if ask.cursor is None else []

    # Changes

    def _read_changes(self, ask: Ask) -> None:
        """Read the log of this ask, and those of the asks after it in its batch while few results are counted."""
        group = self._group(ask)
        if self._is_forecast:
            answers: dict[Ask, Received | ApiError] = {other: self._received.pop(other) for other in group}
        else:
            answers = self._client.changes(group)
        for other in group:
            answer, count = answers.pop(other), self._counts[other]
            try:
                if isinstance(answer, ApiError):
                    raise answer
                if isinstance(count, ApiError):
                    raise count
                self._logs[other] = whole_log(self._client, other, count, answer)
            except ApiError as error:
                self._errors[other] = error
        while len(self._logs) > len(group) and sum(len(log.events) for log in self._logs.values()) > EVENTS_KEPT:
            self._logs.popitem(last=False)

    def _group(self, ask: Ask) -> list[Ask]:
        """Return the asks whose changes fit into one request with this one: together at most 5,000 results."""
        batch = next((batch for batch in self._batches or [] if ask in batch), [ask])
        group, results = [ask], self._counted_results(ask)
        for other in batch[batch.index(ask) + 1 :]:
            if other in self._logs or other in self._errors or not self._has_changes(other):
                continue
            results += self._counted_results(other)
            if results > RESULTS_A_REQUEST:
                break
            group.append(other)
        return group

    def _has_changes(self, ask: Ask) -> bool:
        """Tell whether there is anything to read: a count, or a latest cursor other than the one asked from."""
        count = self._counts.get(ask)
        return isinstance(count, Count) and (count.count > 0 or count.latest_cursor not in {None, ask.cursor})

    def _counted_results(self, ask: Ask) -> int:
        count = self._counts.get(ask)
        return count.count if isinstance(count, Count) else 0

    @property
    def _client(self) -> ChangeFeed:
        if self._optional_client is None:
            message = "feed_url is not set"
            raise FeedError(message)
        return self._optional_client
