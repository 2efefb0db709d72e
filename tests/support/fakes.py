"""A fake clock, and rate limits that are simulated with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tap_usertesting.api.clock import Clock
from tap_usertesting.api.rate_headers import RateHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.quota import Quota
    from tap_usertesting.sandbox.quota import ServedQuota

EPOCH = 1_770_000_000.0


@dataclass
class FakeClock:
    """Its time advances only by `sleep`, or if a test sets `now`. `slept`: every sleep in seconds."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now

    def wall(self) -> float:
        """Return the time in epoch seconds."""
        return EPOCH + self.now

    def sleep(self, seconds: float) -> None:
        """Advance the time."""
        assert seconds >= 0, "a negative sleep"
        self.slept.append(seconds)
        self.now += seconds

    def clock(self, jitter: Callable[[float], float] = lambda most: most) -> Clock:
        """Return a clock for the transport. The default jitter is the greatest that is allowed."""
        return Clock(self.monotonic, self.wall, self.sleep, jitter)


@dataclass
class FixedWindow:
    """A server with a fixed window, which opens with a call or is `aligned` to the server's minutes."""

    limit: int = 10
    window: float = 60.0
    aligned: bool = False
    rounding: Literal["up", "down", "exact", "epoch"] = "up"
    retry_after: bool = True
    closes: float = -math.inf
    used: int = 0

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        """Count a call; return whether it is allowed, and the headers of the answer."""
        if now >= self.closes:
            self.closes = (math.floor(now / self.window) + 1) * self.window if self.aligned else now + self.window
            self.used = 0
        left = self.closes - now
        told = {"up": math.ceil(left), "down": math.floor(left), "exact": left, "epoch": EPOCH + math.ceil(self.closes)}
        if self.used >= self.limit:
            return False, {"retry-after": str(math.ceil(left))} if self.retry_after else {}
        self.used += 1
        return True, {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.limit - self.used),
            "x-ratelimit-reset": str(told[self.rounding]),
        }


@dataclass
class Spent:
    """The result of `spend`."""

    seconds: float = 0.0
    refused: int = 0
    sent_at: list[float] = field(default_factory=list)


def spend(
    calls: int,
    quota: Quota,
    clock: FakeClock,
    take: Callable[[float], tuple[bool, dict[str, str]]],
    *,
    latency: Callable[[], float] = lambda: 0.1,
    pause: Callable[[], float] = lambda: 0.0,
) -> Spent:
    """Simulate calls, as fast as the quota allows, until so many have succeeded.

    `take`: the server, as `FixedWindow.take`. `latency`: seconds of a call, which the server counts in the middle.
    `pause`: seconds of work before a call.
    """
    spent, started = Spent(), clock.now
    while len(spent.sent_at) < calls:
        clock.now += pause()
        while (seconds := quota.wait()) > 0:
            clock.sleep(seconds)
        at, ticket, half = clock.now, quota.sent(), latency() / 2
        clock.now += half
        passed, headers = take(clock.now)
        clock.now += half
        said = RateHeaders.parse(headers, wall=clock.wall())
        quota.answered(ticket, said)
        if passed:
            spent.sent_at.append(at)
        else:
            spent.refused += 1
            quota.refused(said)
    spent.seconds = clock.now - started
    return spent


def by_rule(rule: ServedQuota) -> Callable[[float], tuple[bool, dict[str, str]]]:
    """Return the quota of a sandbox as a server for `spend`. It must have the same clock."""

    def take(_now: float) -> tuple[bool, dict[str, str]]:
        verdict = rule.take(endpoint="list", version="v2")
        return verdict.allowed, {name.lower(): value for name, value in verdict.headers}

    return take
