"""The maximum of calls per minute that a user sets for one API, whatever the server allows. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60.0  # seconds
POLL = 0.6  # seconds; how often to check whether an answer has come


class CallLimit:
    """Allows so many calls in any 60 seconds, counted from their answers: a server may count a call as late as that."""

    window = whole_window = MINUTE

    def __init__(self, calls: int, *, clock: Callable[[], float]) -> None:
        """`calls`: the maximum per minute. `clock` returns seconds."""
        self.limit = calls
        self._clock = clock
        self._answered: deque[float] = deque()
        self._in_flight = 0

    @property
    def remaining(self) -> int:
        """How many calls may be sent now."""
        return max(0, self.limit - self._recent() - self._in_flight)

    @property
    def next_window(self) -> float:
        """The seconds until the oldest of the last 60 seconds' calls counts no more; 0 if there is none."""
        return self._answered[0] + MINUTE - self._clock() if self._recent() else 0.0

    def wait(self) -> float:
        """Return the seconds until the next call may be sent; 0 means now."""
        over = self._recent() + self._in_flight - self.limit
        if over < 0:
            return 0.0
        return self._answered[over] + MINUTE - self._clock() if over < len(self._answered) else POLL

    def sent(self) -> None:
        """Count a call that is sent now."""
        self._in_flight += 1

    def answered(self) -> None:
        """Count the answer to a call, or its failure."""
        self._in_flight -= 1
        self._answered.append(self._clock())

    def _recent(self) -> int:
        now = self._clock()
        while self._answered and self._answered[0] + MINUTE <= now:
            self._answered.popleft()
        return len(self._answered)
