"""Time that jumps to the next thing to be done, for a tap in this process and the sandbox that it talks to.

What a test asserts about time then holds on every machine: an hour of quota windows passes in a moment, and a slow
moment does not count. Calls go over real HTTP and take no time, or the `latency` that is asked for.
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
    """The present. `latency`: seconds that each call takes, once its answer is here."""

    def __init__(self, *, now: float = 1000.0, latency: float = 0.0) -> None:
        """Begin at `now`."""
        self.now = now
        self.latency = latency

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def wall(self) -> float:
        """Return the present as epoch seconds."""
        return EPOCH + self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, where there is one thread."""
        self.now += seconds

    def clock(self) -> Clock:
        """Return it as the tap wants it; pauses after faults are as long as they may be."""
        return Clock(self.monotonic, self.wall, self.sleep, lambda most: most)

    def serve(self, world: World, quota: QuotaRule | None = None) -> Sandbox:
        """Return a sandbox whose windows and tokens end by this time."""
        return Sandbox(world, quota=quota, clock=self.monotonic)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
        """Let the runs of this process live by it."""
        monkeypatch.setattr(TapUserTesting, "clock", self.clock())
        monkeypatch.setattr(TapUserTesting, "make_turns", lambda **_: SimulatedTurns(self))
        return self


class _Moved(threading.Condition):
    """Knows who sleeps, and until when: no one who has just been woken."""

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__(lock)
        self.wakes: dict[threading.Thread, float] = {}

    def notify_all(self) -> None:
        self.wakes.clear()
        super().notify_all()


class SimulatedTurns(Turns):
    """Streams side by side: once every one of them sleeps, it is the time at which the first wakes."""

    def __init__(self, time: SimulatedTime) -> None:
        """Take turns by this time."""
        super().__init__(clock=time.clock())
        self._time = time
        self._moved: _Moved = _Moved(self._lock)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Be on the wire, for as long as a call takes."""
        with super().released():
            yield
        self.pass_by(self._time.latency)

    def pass_by(self, seconds: float) -> None:
        """Be on the wire for so many seconds, seen from the other streams, and only then move again."""
        if not self.active:
            self._time.now += seconds
            return
        self._move()
        ends = self._time.now + seconds
        while (left := ends - self._time.now) > 0:
            self.sleep(left)
        self._move()

    def sleep(self, seconds: float) -> None:
        """Sleep, or until anyone has moved."""
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
    """Return the seconds from the first of these calls to the last."""
    return calls[-1].at - calls[0].at
