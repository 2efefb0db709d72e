"""What the streams of one sync share: clients, readers, the schedule, the progress, failures and STATE."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, Protocol
from uuid import uuid4

from tap_usertesting.api.errors import ApiError, BudgetSpentError, NotFoundError, RunEndsError
from tap_usertesting.changes.change_reader import ChangeReader
from tap_usertesting.changes.facts_of_test import TestFacts
from tap_usertesting.changes.feed_reader import FeedReader
from tap_usertesting.changes.list_reader import ListReader
from tap_usertesting.report.progress import Progress
from tap_usertesting.sync.calls_left import CallCounter
from tap_usertesting.sync.clients import Clients
from tap_usertesting.sync.discovery import Directory
from tap_usertesting.sync.failures import Failures
from tap_usertesting.sync.pace import Pace
from tap_usertesting.sync.priorities import Priorities
from tap_usertesting.sync.schedule import Schedule
from tap_usertesting.values.times import from_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.feed import Ask, ChangeFeed
    from tap_usertesting.api.quota_sharing import Windows
    from tap_usertesting.api.redaction import Secrets
    from tap_usertesting.api.results import ResultsClient
    from tap_usertesting.api.turns import Turns
    from tap_usertesting.changes.session_list import SessionList
    from tap_usertesting.config.settings import Settings
    from tap_usertesting.report.activity import Activity
    from tap_usertesting.report.progress import View
    from tap_usertesting.sync.stream_protocols import Streams
    from tap_usertesting.sync.termination_signals import Signals

logger = logging.getLogger("tap-usertesting")


class StateWriter(Protocol):
    """Writes STATE."""

    def write_state(self) -> None:
        """Write STATE if anything moved."""

    def write_if_due(self) -> None:
        """Write STATE if the last one is old enough."""


class Host(Protocol):
    """What a sync needs from the tap that runs it."""

    signals: Signals

    @property
    def state_writer(self) -> StateWriter:
        """Writes STATE."""

    def abort_on(self, error: ApiError, line: str) -> NoReturn:
        """End the run on an error that every other call would meet as well."""

    def abort_without_tests(self, error: ApiError) -> NoReturn:
        """End the run, because its tests cannot be discovered."""


class SyncContext:
    """What the streams of one sync share. Built when a sync starts, not for `--discover`."""

    def __init__(
        self,
        settings: Settings,
        *,
        host: Host,
        streams: Streams,
        secrets: Secrets,
        clock: Clock,
        turns: Turns,
        is_forecast: bool,
        view: View,
    ) -> None:
        """Make no call. `is_forecast`: only the cost of the sync is computed. `view`: shows how far the sync is."""
        self.settings = settings
        self.streams = streams
        self.turns = turns
        self._host = host
        self._clock = clock
        self.now = self.started_at = from_epoch(clock.wall())  # when this round and the sync began, in fixed UTC form
        self.run_id = str(uuid4())
        self.tried: dict[tuple[str, str], bool] = {}  # whether reading it failed, by stream (the lead) and test
        self.spent = ""  # which budget is used up, for the log; empty: none
        self.is_forecast = is_forecast
        self._reachable: set[str] = set()
        self._warned: set[str] = set()
        self.left_out: Counter[str] = Counter()  # what the APIs sent that cannot become a row, by kind
        self.given_up: dict[tuple[str, str], list[str]] = {}  # session ids by stream and test
        self.clients = Clients(settings, clock=clock, turns=turns, secrets=secrets)
        self.directory = Directory(client=self.clients.results, settings=settings)
        self.failures = Failures(self.directory)
        self.priorities = Priorities(
            streams=streams.of_sessions,
            settings=settings,
            directory=self.directory,
            windows=self.windows,
            changes=lambda: self.changes,
            round_time=self.round_time,
        )
        self.schedule = Schedule(monotonic=self.monotonic, find_order=self.priorities.find_order)
        self.calls_left = CallCounter(changes=lambda: self.changes, facts=lambda: self.facts, schedule=self.schedule)
        self.progress = Progress(
            windows=self.windows,
            clock=clock,
            view=view,
            outlook=lambda: self.pace.outlook(self.calls_left.count()) if self.calls_left.is_counting else None,
            title=self.directory.title,
            rows=lambda: sum(stream.written for stream in streams.all),
        )
        self.pace = Pace(
            self.clients.results_service,
            clock=clock,
            progress=self.progress,
            position=self.schedule.position,
            max_calls=settings.max_calls,
            max_duration=settings.max_duration,
        )
        self.clients.transport.waiting.hooks = self.pace.hooks(
            write_state=self.write_state, checkpoint=host.signals.stop_if_pending
        )

    # Clients and readers

    @property
    def results(self) -> ResultsClient:
        """The client of the Results API."""
        return self.clients.results

    @property
    def feed(self) -> ChangeFeed | None:
        """The client of the change feed; None without `feed_url`."""
        return self.clients.feed

    @property
    def windows(self) -> Windows:
        """The quota of the Results API."""
        return self.clients.results_service.windows

    @cached_property
    def changes(self) -> ChangeReader:
        """The change logs of all tests, each read once for all streams."""
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
        """The feed's logs of all tests."""
        return self.changes.feed_logs

    @cached_property
    def facts(self) -> TestFacts:
        """What is read of a test besides its changes."""
        return TestFacts(client=self.results, lists=self.lists, listener=self, turns=self.turns)

    def _asks_by_test(self) -> list[list[Ask]]:
        """Return what the selected streams will ask the feed, one list per test."""
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
        """Return the current time in epoch seconds."""
        return self._clock.wall()

    def round_time(self, *, renew: bool) -> str:
        """Return when this round began, in the fixed UTC form; `renew`: it begins now."""
        if renew:
            self.now = from_epoch(self._clock.wall())
        return self.now

    # Progress and failures

    @property
    def activity(self) -> Activity:
        """What the stream of this thread is doing."""
        return self.progress.activity

    @property
    def is_idle(self) -> bool:
        """Whether no message is being written, because the transport waits or a request is on the wire."""
        return self.clients.transport.waiting.idle

    def is_reachable(self, test_id: str) -> bool:
        """Tell whether the Results API has answered anything of this test in this sync."""
        return test_id in self._reachable

    def mark_reachable(self, test_id: str) -> None:
        """Remember that the test answers: from now on a 404 means that one session is missing, not the test."""
        self._reachable.add(test_id)

    def fail(self, error: ApiError | str, *, test_id: str | None = None) -> None:
        """Write one error line, once, and make the sync end with status 1."""
        self.failures.add(error, stream=self.activity.stream, test_id=test_id)

    def warn_once(self, message: str) -> None:
        """Write a warning once per sync."""
        if message not in self._warned:
            self._warned.add(message)
            logger.warning("%s", message)

    def leave_out(self, stream: str, test_id: str, what: str) -> None:
        """Count what the API sent that cannot become a row, and warn of it."""
        self.left_out[f"{stream} without an id"] += 1
        logger.warning("%s: test %s has %s; it is left out", stream, test_id, what)

    def give_up(self, stream: str, test_id: str, session_id: str) -> None:
        """Note a session that later syncs will not ask for again."""
        self.given_up.setdefault((stream, test_id), []).append(session_id)

    def was_read_to_end(self, job: str) -> bool:
        """Tell whether the streams of a job were read to their end: no failure, and no budget used up."""
        failing = {stream.job for stream in self.streams.all if stream.name in self.failures.streams}
        return not self.spent and job not in failing

    # Errors that end a test or the run

    @contextmanager
    def guarded(self, test_id: str) -> Iterator[None]:
        """Let an API error end this test only; bad credentials or a dead network end the run."""
        job = (self.activity.stream, test_id)
        try:
            yield
            self.tried.setdefault(job, False)
        except BudgetSpentError as error:
            self.spent = str(error)
        except RunEndsError as error:
            self._host.abort_on(error, str(error))
        except ApiError as error:
            self.tried[job] = True
            if isinstance(error, NotFoundError):
                self.lists.mark_lost(test_id, error)
            self.fail(error, test_id=test_id)

    @contextmanager
    def discovering(self) -> Iterator[None]:
        """End the run if its tests cannot be discovered; a used-up budget ends discovery only."""
        try:
            yield
        except BudgetSpentError as error:
            self.spent = str(error)
        except ApiError as error:
            self._host.abort_without_tests(error)

    # STATE

    def write_state(self) -> None:
        """Write STATE if anything moved."""
        self._host.state_writer.write_state()

    def after_row(self) -> None:
        """Write STATE and progress if due, and obey a signal. Call it once a row is out and its ledger moved."""
        self._host.state_writer.write_if_due()
        self.progress.tick()
        self._host.signals.stop_if_pending()
