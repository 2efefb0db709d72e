"""Taps that share a quota at the real scale, on a simulated clock: minutes, whole seconds in headers, real latencies.

Compressed time can not show what a header's rounding to whole seconds does to a minute. Here the tap's own `Quota` and
the sandbox's own rule meet on one clock that jumps from event to event, so that half an hour takes some milliseconds.
"""
# ruff: noqa: S311 - reproducible delays, nothing secret is drawn here

from __future__ import annotations

import heapq
import itertools
import statistics
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tap_usertesting.api.quota import Quota
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.sandbox.quota import ServedQuota

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_usertesting.sandbox import QuotaRule

LATENCY = 0.05, 0.4  # seconds of one call
THINKING = 0.01  # seconds at most between an answer and the next call
OVERSLEPT = 0.002  # seconds at most by which a wait ends late


@dataclass
class Clock:
    """A time that moves on to the next thing that is to be done."""

    now: float = 0.0
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self) -> float:
        """Return the present."""
        return self.now

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Have something done so many seconds from now."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), do))

    def run(self) -> None:
        """Do everything that is due, in the order of time."""
        while self._due:
            self.now, _, do = heapq.heappop(self._due)
            do()


@dataclass
class Tap:
    """A tap as its quota sees it: one call at a time, each repeated until it passes, as `Transport.send` does."""

    clock: Clock
    server: ServedQuota
    rng: Random
    left: int
    passed: list[float] = field(default_factory=list)
    refused: int = 0
    began: float | None = None

    def __post_init__(self) -> None:
        """Start with a full window, as every tap does."""
        self._quota = Quota(clock=self.clock)

    def step(self) -> None:
        """Wait for quota or send the next call."""
        if not self.left:
            return
        if (seconds := self._quota.wait()) > 0:
            self.clock.after(seconds + self.rng.uniform(0, OVERSLEPT), self.step)
            return
        self.began = self.clock.now if self.began is None else self.began
        ticket = self._quota.sent()
        there, back = (self.rng.uniform(*LATENCY) / 2 for _ in range(2))
        self.clock.after(there, lambda: self._arrive(ticket, back))

    def _arrive(self, ticket: int, back: float) -> None:
        verdict = self.server.take(endpoint="list", version="v2")
        headers = {name.lower(): value for name, value in verdict.headers}
        if verdict.allowed:
            self.passed.append(self.clock.now)
        self.clock.after(back, lambda: self._answered(ticket, headers, allowed=verdict.allowed))

    def _answered(self, ticket: int, headers: dict[str, str], *, allowed: bool) -> None:
        said = RateHeaders.parse(headers, wall=0)
        self._quota.answered(ticket, said)
        if allowed:
            self.left -= 1
        else:
            self.refused += 1
            self._quota.refused(said)
        self.clock.after(self.rng.uniform(0, THINKING), self.step)


@dataclass(frozen=True)
class Simulated:
    """How the taps shared: calls over what the quota allows while all are on, the slowest over the mean, the 429s."""

    used: float
    slowest: float
    refused: int


def simulate(rule: QuotaRule, *, taps: int, calls: int, seed: int) -> Simulated:
    """Let some taps make so many calls each; they start within a window of each other."""
    clock, rng = Clock(), Random(seed)
    server = ServedQuota(rule, clock=clock)
    running = [Tap(clock, server, rng, calls) for _ in range(taps)]
    for tap in running:
        clock.after(rng.uniform(0, rule.window), tap.step)
    clock.run()
    took = [tap.passed[-1] - (tap.began or 0.0) for tap in running]
    all_on, first_done = max(tap.passed[0] for tap in running), min(tap.passed[-1] for tap in running)
    together = sorted(at for tap in running for at in tap.passed if all_on <= at <= first_done)
    return Simulated(
        used=share_used(together, limit=rule.limit, window=rule.window),
        slowest=max(took) / statistics.mean(took),
        refused=sum(tap.refused for tap in running),
    )


def share_used(passed: list[float], *, limit: int, window: float) -> float:
    """Return the calls that passed over those that the quota allows, from the start of one burst to that of a last one.

    A burst that is under way has used its calls but not yet its time, so it cannot be cut in the middle.
    """
    starts = [n for n, (before, at) in enumerate(itertools.pairwise(passed), start=1) if at - before > window / 5]
    assert len(starts) > 1, "they were on together for too short to tell"
    first, last = starts[0], starts[-1]
    return (last - first) / limit / ((passed[last] - passed[first]) / window)
