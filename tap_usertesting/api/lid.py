"""A lid on the calls of one API that the user sets, on top of whatever the server allows. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60.0  # seconds
LOOK = 0.6  # seconds; how often it is looked again whether an answer has come


class Lid:
    """No more than so many calls in any minute, wherever it begins. A server counts a call before it has answered."""

    window = MINUTE

    def __init__(self, calls: int, *, clock: Callable[[], float]) -> None:
        """`calls`: a minute."""
        self.limit = calls
        self._clock = clock
        self._answered: deque[float] = deque()
        self._under_way = 0

    @property
    def remaining(self) -> int:
        """Calls that may be sent now."""
        return max(0, self.limit - self._recent() - self._under_way)

    def wait(self) -> float:
        """Seconds until the next call may be sent; 0 means now."""
        over = self._recent() + self._under_way - self.limit
        if over < 0:
            return 0.0
        return self._answered[over] + MINUTE - self._clock() if over < len(self._answered) else LOOK

    def sent(self) -> None:
        """Count a call that is sent now."""
        self._under_way += 1

    def answered(self) -> None:
        """Count its answer, or its failure."""
        self._under_way -= 1
        self._answered.append(self._clock())

    def _recent(self) -> int:
        now = self._clock()
        while self._answered and self._answered[0] + MINUTE <= now:
            self._answered.popleft()
        return len(self._answered)
