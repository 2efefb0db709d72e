"""Decides whether a call may be made and which goes first, and logs long waits: the hooks of the transport."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import BudgetSpentError
from tap_usertesting.api.transport_hooks import Hooks, Wait
from tap_usertesting.report.outlook import CallsLeft, Outlook, Spent, outlook
from tap_usertesting.report.wording import windows_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.call import Call, Service
    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.turns import Rank
    from tap_usertesting.report.progress import Progress

logger = logging.getLogger("tap-usertesting")

KIND_RANK = {"list": 0.0, "test": 1.0, "session": 2.0, "other": 2.0}  # a call that tells more goes first
LOGGED_WAIT = 5.0  # seconds; a shorter wait is not logged
UNUSUAL = 1.5  # times the longest wait for quota so far: only the first one and longer ones are logged at INFO


class Pace:
    """The budget of a sync, the rank of its calls, and the log line of a long wait."""

    def __init__(
        self,
        service: Service,
        *,
        clock: Clock,
        progress: Progress,
        position: Callable[[str], float],
        max_calls: int | None,
        max_duration: int | None,
    ) -> None:
        """`service`: the Results API. `position`: that of a test id in the schedule. `max_duration` is in seconds."""
        self._service = service
        self._clock = clock
        self._progress = progress
        self._position = position
        self._max_calls = max_calls
        self._max_duration = max_duration
        self._began = clock.monotonic()
        self._separate = False  # whether the log says that endpoints have windows of their own
        self._longest_logged = 0.0  # seconds; the longest wait for quota
        self._waiting_until = 0.0  # by the monotonic clock: the end of the wait for quota that was logged last

    @property
    def seconds(self) -> float:
        """Seconds that the sync has taken so far."""
        return self._clock.monotonic() - self._began

    def outlook(self, left: CallsLeft) -> Outlook:
        """Return how far the sync is, with so many calls left."""
        spent = Spent(self._service.calls, self.seconds, self._max_calls, self._max_duration)
        return outlook(left, self._service.windows, spent)

    def hooks(self, *, write_state: Callable[[], None], checkpoint: Callable[[], None]) -> Hooks:
        """Return the hooks of the transport. Before a wait of more than a second, they write STATE."""

        def before_wait(wait: Wait) -> None:
            self._check_duration(wait.seconds)
            if wait.seconds > 1:
                write_state()
            self._log_wait(wait)

        return Hooks(
            before_call=self._before_call,
            before_wait=before_wait,
            checkpoint=checkpoint,
            nap=self._progress.nap,
            scarce=lambda service: service is self._service and self._max_calls is not None,
            rank=self.rank,
        )

    def rank(self, call: Call) -> Rank:
        """Return the rank of a call; the least goes first: news test by test, then history, the newest session first.

        The first call of an endpoint precedes both, because its answer may reveal that it has its own window.
        """
        if not call.service.windows.knows(call.endpoint):
            return (0.0,)
        here = self._progress.activity
        if here.key is None:
            return (1.0, self._position(here.test_id), KIND_RANK[call.kind], here.at, here.turn)
        return (2.0, here.key, KIND_RANK[call.kind], here.turn)

    def _before_call(self, service: Service) -> None:
        most = self._max_calls
        if service is self._service and most is not None and service.calls >= most:
            raise BudgetSpentError(f"max_calls of {most} reached")
        self._check_duration(0)
        if self._separate != self._service.windows.separate:
            self._separate = self._service.windows.separate
            gain = "each stream waits for its own window" if self._separate else "all streams share one window again"
            logger.info("%s: %s: %s", self._service.name, windows_text(self._service.windows.number), gain)
        self._progress.tick()

    def _check_duration(self, wait: float) -> None:
        most = self._max_duration
        if most is not None and self.seconds + wait >= most:
            raise BudgetSpentError(f"max_duration of {most} s reached")

    def _log_wait(self, wait: Wait) -> None:
        ends = self._clock.monotonic() + wait.seconds
        if wait.seconds <= LOGGED_WAIT or (wait.reason == "quota" and ends < self._waiting_until + 1):
            return  # too short, or another stream has just logged the same wait
        if wait.reason == "retry":
            logger.info(
                "%s: waiting %.0f s before the next try (%s)", wait.service, wait.seconds, self._progress.activity
            )
            return
        self._waiting_until = ends
        is_usual = wait.seconds <= self._longest_logged * UNUSUAL
        self._longest_logged = max(self._longest_logged, wait.seconds)
        level = logging.DEBUG if is_usual else logging.INFO  # the progress shows all of them
        logger.log(level, "%s: no calls left in this window, waiting %.0f s", wait.service, wait.seconds)
