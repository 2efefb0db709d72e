"""Simulated time for a tap in this process and its sandbox: it jumps to the next moment at which anything is due.

So an hour of quota windows passes in a moment, and assertions about time do not depend on the speed of the machine.
Calls go over real HTTP, but take no simulated time except for a `latency`.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_usertesting.api.clock import Clock
from tap_usertesting.api.turns import Turns
from tap_usertesting.sandbox import Sandbox
from tap_usertesting.tap import TapUserTesting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tap_usertesting.sandbox import QuotaRule, World
    from tap_usertesting.sandbox.requests_and_replies import ServedCall

EPOCH = 1_770_000_000.0


class SimulatedTime:
    """The current time. `latency`: simulated seconds that pass when the answer to a call arrives."""

    def __init__(self, *, now: float = 1000.0, latency: float = 0.0) -> None:
        """Start at `now`, in seconds."""
        self.now = now
        self.latency = latency

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now

    def wall(self) -> float:
        """Return the time in epoch seconds."""
        return EPOCH + self.now

    def sleep(self, seconds: float) -> None:
        """Advance the time, if there is only one thread."""
        self.now += seconds

    def clock(self) -> Clock:
        """Return a clock for the tap. Pauses after faults are as long as allowed."""
        return Clock(self.monotonic, self.wall, self.sleep, lambda most: most)

    def serve(self, world: World, quota: QuotaRule | None = None) -> Sandbox:
        """Return a sandbox that uses this time for its windows and tokens."""
        return Sandbox(world, quota=quota, clock=self.monotonic)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
        """Make the tap use this time in this process."""
        monkeypatch.setattr(TapUserTesting, "clock", self.clock())
        monkeypatch.setattr(TapUserTesting, "make_turns", lambda **_: SimulatedTurns(self))
        return self


class _Moved(threading.Condition):
    """Knows which threads sleep, and until when. A thread that was woken is not among them."""

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__(lock)
        self.wakes: dict[threading.Thread, float] = {}

    def notify_all(self) -> None:
        self.wakes.clear()
        super().notify_all()


class SimulatedTurns(Turns):
    """Streams side by side. As soon as all of them sleep, the time jumps to when the first one wakes."""

    def __init__(self, time: SimulatedTime) -> None:
        """Use this time."""
        super().__init__(clock=time.clock())
        self._time = time
        self._moved: _Moved = _Moved(self._lock)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the lock for a call, and let its latency pass."""
        with super().released():
            yield
        self.pass_by(self._time.latency)

    def pass_by(self, seconds: float) -> None:
        """Wait for so many simulated seconds while the other streams go on."""
        if not self.active:
            self._time.now += seconds
            return
        self._move()
        ends = self._time.now + seconds
        while (left := ends - self._time.now) > 0:
            self.sleep(left)
        self._move()

    def sleep(self, seconds: float) -> None:
        """Sleep for so many simulated seconds, or until another stream acts."""
        if not self.active:
            super().sleep(seconds)
            return
        wakes = self._moved.wakes
        wakes[threading.current_thread()] = self._time.now + seconds
        if wakes.keys() >= self._streams.keys():
            self._time.now = max(self._time.now, min(wakes.values()))
            self._moved.notify_all()
        else:
            self._moved.wait()
        self._stop_if_ending()


def between(calls: list[ServedCall]) -> float:
    """Return the seconds between the first and the last of these calls."""
    return calls[-1].at - calls[0].at
