"""When a call may be made and which goes first: the budget of the sync, the rank of a call, the line before a wait."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import BudgetSpentError
from tap_usertesting.api.hooks import Hooks, Wait
from tap_usertesting.report.words import windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.call import Call, Service
    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.turns import Rank
    from tap_usertesting.report.progress import Progress

logger = logging.getLogger("tap-usertesting")

KINDS = {"list": 0.0, "test": 1.0, "session": 2.0, "other": 2.0}  # what one call tells more of goes first
LOGGED_WAIT = 5.0  # seconds; a shorter wait is no news


class Pace:
    """What the transport asks and tells around its calls and waits."""

    def __init__(
        self,
        service: Service,
        *,
        clock: Clock,
        progress: Progress,
        place: Callable[[str], float],
        max_calls: int | None,
        max_duration: int | None,
    ) -> None:
        """`service`: the Results API; `place`: of a test in the schedule; the budget in calls and in seconds."""
        self._service = service
        self._clock = clock
        self._progress = progress
        self._place = place
        self._max_calls = max_calls
        self._max_duration = max_duration
        self._began = clock.monotonic()
        self._separate = False  # windows, as the log has said
        self._waiting_until = 0.0  # for quota, as the log has said

    @property
    def seconds(self) -> float:
        """How long the sync has taken so far."""
        return self._clock.monotonic() - self._began

    def hooks(self, *, write_state: Callable[[], None], checkpoint: Callable[[], None]) -> Hooks:
        """Return what to hang on the transport. Before a wait of more than a second STATE is written."""

        def before_wait(wait: Wait) -> None:
            self._check_duration(wait.seconds)
            if wait.seconds > 1:
                write_state()
            self._say(wait)

        return Hooks(
            before_call=self._before_call,
            before_wait=before_wait,
            checkpoint=checkpoint,
            nap=self._progress.nap,
            scarce=lambda service: service is self._service and self._max_calls is not None,
            rank=self.rank,
        )

    def rank(self, call: Call) -> Rank:
        """Return how urgent a call is: news test by test, then history from the newest session down.

        Before all of them an endpoint that was not asked yet: its first answer may tell that it has its own window.
        """
        if not call.service.windows.knows(call.endpoint):
            return (0.0,)
        here = self._progress.activity
        if here.key is None:
            return (1.0, self._place(here.test_id), KINDS[call.kind], here.at, here.turn)
        return (2.0, here.key, KINDS[call.kind], here.turn)

    def _before_call(self, service: Service) -> None:
        most = self._max_calls
        if service is self._service and most is not None and service.calls >= most:
            raise BudgetSpentError(f"max_calls of {most} reached")
        self._check_duration(0)
        if self._separate != self._service.windows.separate:
            self._separate = self._service.windows.separate
            gain = "streams wait for their own only" if self._separate else "streams wait for one another again"
            logger.info("%s: %s: %s", self._service.name, windows(self._service.windows.number), gain)
        self._progress.tick()

    def _check_duration(self, wait: float) -> None:
        most = self._max_duration
        if most is not None and self.seconds + wait >= most:
            raise BudgetSpentError(f"max_duration of {most} s reached")

    def _say(self, wait: Wait) -> None:
        ends = self._clock.monotonic() + wait.seconds
        if wait.seconds <= LOGGED_WAIT or (wait.reason == "quota" and ends < self._waiting_until + 1):
            return  # no news, or another stream has just said so
        why, where = "before the next try", str(self._progress.activity)
        if wait.reason == "quota":
            self._waiting_until = ends
            why, where = "no calls left in this window", str(self._progress.standing())
        logger.info("%s: %s, waiting %.0f s (%s)", wait.service, why, wait.seconds, where)
