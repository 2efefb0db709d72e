"""What the streams of one sync share: the clients, what was read once for all, what failed, and where it stands."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, Protocol

from tap_usertesting.api.errors import ApiError, BudgetSpentError, NotFoundError, RunEndsError
from tap_usertesting.changes.change_reader import ChangeReader
from tap_usertesting.changes.facts import TestFacts
from tap_usertesting.changes.feed_reader import FeedReader
from tap_usertesting.changes.list_reader import ListReader
from tap_usertesting.report.progress import Progress
from tap_usertesting.sync.clients import Clients
from tap_usertesting.sync.discovery import Directory
from tap_usertesting.sync.failures import Failures
from tap_usertesting.sync.pace import Pace
from tap_usertesting.sync.schedule import Schedule
from tap_usertesting.sync.standings import Standings
from tap_usertesting.values.times import from_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.feed import Ask, ChangeFeed
    from tap_usertesting.api.redaction import Secrets
    from tap_usertesting.api.results import ResultsClient
    from tap_usertesting.api.turns import Turns
    from tap_usertesting.api.windows import Windows
    from tap_usertesting.changes.session_list import SessionList
    from tap_usertesting.config.settings import Settings
    from tap_usertesting.report.standing import Activity
    from tap_usertesting.sync.signals import Signals
    from tap_usertesting.sync.streams import Streams

logger = logging.getLogger("tap-usertesting")


class StateWriter(Protocol):
    """What writes STATE."""

    def write_state(self) -> None:
        """Write STATE if anything moved."""

    def write_if_due(self) -> None:
        """Write STATE if it is time."""


class Host(Protocol):
    """What a sync asks of whoever runs it."""

    signals: Signals

    @property
    def state_writer(self) -> StateWriter:
        """What writes STATE."""

    def end_over(self, error: ApiError, line: str) -> NoReturn:
        """End the sync over an error that any other call would meet too."""

    def end_without_tests(self, error: ApiError) -> NoReturn:
        """End the sync, as it can not know its tests."""


class SyncContext:
    """Built when a sync starts, never at discovery."""

    def __init__(
        self,
        settings: Settings,
        *,
        host: Host,
        streams: Streams,
        secrets: Secrets,
        clock: Clock,
        turns: Turns,
        is_plan: bool,
    ) -> None:
        """Make no call. `is_plan`: nothing will be written."""
        self.settings = settings
        self.streams = streams
        self.turns = turns
        self._host = host
        self._clock = clock
        self.now = from_epoch(clock.wall())  # of this look for news
        self.spent = ""  # which budget is used up
        self.is_plan = is_plan
        self._answering: set[str] = set()
        self._warned: set[str] = set()
        self.left_out: Counter[str] = Counter()  # what was sent and makes no row
        self.given_up: dict[tuple[str, str], list[str]] = {}  # sessions by stream and test
        self.clients = Clients(settings, clock=clock, turns=turns, secrets=secrets)
        self.directory = Directory(client=self.clients.results, settings=settings)
        self.failures = Failures(self.directory)
        self.standings = Standings(
            streams=streams.of_sessions,
            settings=settings,
            directory=self.directory,
            windows=self.windows,
            changes=lambda: self.changes,
            present=self.present,
        )
        self.schedule = Schedule(monotonic=self.monotonic, look=self.standings.look)
        self.progress = Progress(windows=self.windows, clock=clock)
        self.pace = Pace(
            self.clients.results_service,
            clock=clock,
            progress=self.progress,
            place=self.schedule.place,
            max_calls=settings.max_calls,
            max_duration=settings.max_duration,
        )
        self.clients.transport.waiting.hooks = self.pace.hooks(
            write_state=self.write_state, checkpoint=host.signals.stop_if_one_came
        )

    # What was read, once for all streams

    @property
    def results(self) -> ResultsClient:
        """The Results API."""
        return self.clients.results

    @property
    def feed(self) -> ChangeFeed | None:
        """The change feed."""
        return self.clients.feed

    @property
    def windows(self) -> Windows:
        """The quota of the Results API."""
        return self.clients.results_service.windows

    @cached_property
    def changes(self) -> ChangeReader:
        """The change logs of every test."""
        lists = ListReader(
            client=self.results, now=self.now, list_needs=self._list_needs, listener=self, turns=self.turns
        )
        feed_logs = FeedReader(client=self.feed, asks_by_test=self._asks_by_test, turns=self.turns)
        return ChangeReader(
            lists=lists,
            feed_logs=feed_logs,
            listener=self,
            turns=self.turns,
            lookback_hours=self.settings.lookback_hours,
        )

    @property
    def lists(self) -> ListReader:
        """The session lists of all tests."""
        return self.changes.lists

    @property
    def feed_logs(self) -> FeedReader:
        """The logs that the feed has of all tests."""
        return self.changes.feed_logs

    @cached_property
    def facts(self) -> TestFacts:
        """What is asked of a test besides its changes."""
        return TestFacts(client=self.results, lists=self.lists, listener=self, turns=self.turns)

    def _asks_by_test(self) -> list[list[Ask]]:
        """Return what the selected streams will ask of the feed, test by test."""
        per_test: dict[str, list[Ask]] = {}
        for stream in self.streams.of_tests:
            tests = stream.test_ids()
            for test_id in tests[:1] if stream.is_sample else tests:
                per_test.setdefault(test_id, []).extend(stream.asks(test_id))
        return [asks for asks in per_test.values() if asks]

    def _list_needs(self, test_id: str) -> Iterable[Callable[[SessionList], bool]]:
        for stream in self.streams.of_tests:
            if test_id in self.directory.product_types:
                need = stream.list_need(test_id)
                if need is not None:
                    yield need

    # Time

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return self._clock.monotonic()

    def wall(self) -> float:
        """Return the present as epoch seconds."""
        return self._clock.wall()

    def present(self, *, anew: bool) -> str:
        """Return the time of this look for news; `anew`: take this moment for it."""
        if anew:
            self.now = from_epoch(self._clock.wall())
        return self.now

    # What became of it

    @property
    def activity(self) -> Activity:
        """Where the stream of this thread stands."""
        return self.progress.activity

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being written: the transport waits or is on the wire."""
        return self.clients.transport.waiting.idle

    def is_reachable(self, test_id: str) -> bool:
        """Tell whether the Results API has answered anything of this test in this sync."""
        return test_id in self._answering

    def mark_reachable(self, test_id: str) -> None:
        """Remember that the test answers: from now on a 404 concerns one session only."""
        self._answering.add(test_id)

    def fail(self, error: ApiError | str, *, test_id: str | None = None) -> None:
        """Write one error line, once, and have the sync end with status 1."""
        self.failures.add(error, stream=self.activity.stream, test_id=test_id)

    def warn_once(self, message: str) -> None:
        """Write a warning, once a sync."""
        if message not in self._warned:
            self._warned.add(message)
            logger.warning("%s", message)

    def leave_out(self, stream: str, test_id: str, what: str) -> None:
        """Count what was sent and makes no row."""
        self.left_out[f"{stream} without an id"] += 1
        logger.warning("%s: test %s has %s, which was left out", stream, test_id, what)

    def give_up(self, stream: str, test_id: str, session_id: str) -> None:
        """Note a session that is not looked for any more."""
        self.given_up.setdefault((stream, test_id), []).append(session_id)

    def read_whole(self, group: str) -> bool:
        """Tell whether nothing has kept the streams of a group from being read to their end."""
        failing = {stream.group for stream in self.streams.all if stream.name in self.failures.streams}
        return not self.spent and group not in failing

    # What ends a test, or the sync

    @contextmanager
    def guarded(self, test_id: str) -> Iterator[None]:
        """Have an error of an API end this test only; bad credentials and a dead network end the sync."""
        try:
            yield
        except BudgetSpentError as error:
            self.spent = str(error)
        except RunEndsError as error:
            self._host.end_over(error, str(error))
        except ApiError as error:
            if isinstance(error, NotFoundError):
                self.lists.mark_lost(test_id, error)
            self.fail(error, test_id=test_id)

    @contextmanager
    def discovering(self) -> Iterator[None]:
        """End the sync where its tests can not be known; a budget that is used up ends discovery."""
        try:
            yield
        except BudgetSpentError as error:
            self.spent = str(error)
        except ApiError as error:
            self._host.end_without_tests(error)

    # STATE

    def write_state(self) -> None:
        """Write STATE if anything moved."""
        self._host.state_writer.write_state()

    def after_row(self) -> None:
        """Do what is due after a row was written and its ledger moved: STATE, progress, signals."""
        self._host.state_writer.write_if_due()
        self.progress.tick()
        self._host.signals.stop_if_one_came()
