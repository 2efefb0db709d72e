"""`calls_per_minute`: never more calls in any minute, and hardly fewer."""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.call_limit import CallLimit
from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.sandbox import QuotaRule
from tests.parallel.test_streams import spoken
from tests.support.harness import SESSION_STREAMS, sync_here
from tests.support.simulated_time import between

if TYPE_CHECKING:
    from tests.support.simulated_time import SimulatedTime


class Clock:
    """Time that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


def most_in_a_minute(sent: list[float], landed: list[float]) -> int:
    """Return the most calls that any minute can have seen, each seen between its sending and its answer."""
    return max(sum(a <= begin + 60 and b > begin for a, b in zip(sent, landed, strict=True)) for begin in landed)


@pytest.mark.parametrize("seed", range(200))
def test_no_minute_sees_more_and_hardly_one_fewer(seed: int) -> None:
    """With calls that take their time and overlap."""
    rng, clock = random.Random(seed), Clock()  # noqa: S311 - no secret
    calls, latency, together = rng.randint(1, 30), rng.choice([0.0, 0.2, 1.0]), rng.randint(1, 4)
    call_limit = CallLimit(calls, clock=clock)
    flights: deque[tuple[float, float]] = deque()
    sent, landed = list[float](), list[float]()
    while clock.now < 600:
        while flights and flights[0][1] <= clock.now:
            begin, end = flights.popleft()
            call_limit.answered()
            sent.append(begin)
            landed.append(end)
        if len(flights) < together and call_limit.wait() == 0.0:
            assert call_limit.remaining > 0
            call_limit.sent()
            flights.append((clock.now, clock.now + latency))
            continue
        ends = [flights[0][1]] if flights else []
        wait = call_limit.wait()
        steps = [*ends, *([clock.now + wait] if wait > 0 and len(flights) < together else [])]
        clock.now = max(min(steps, default=clock.now + 0.1), clock.now + 0.001)
    assert most_in_a_minute(sent, landed) <= calls
    assert len(sent) >= 0.9 * min(calls * 10 / (1 + latency / 60), 600 * together / max(latency, 0.001)) - calls


def test_a_call_limit_is_the_pace_where_it_is_slower_and_where_the_server_is_silent() -> None:
    """Where the server names fewer calls, its word holds."""
    clock = Clock()
    windows = Windows(clock=clock, calls_per_minute=30)
    assert (windows.limit, windows.window) == (30, 60.0)
    windows.answered(windows.sent("list"), RateHeaders(limit=10, remaining=9, reset=60.0))
    assert (windows.limit, windows.window) == (10, 60.0)
    windows = Windows(clock=clock, calls_per_minute=4)
    windows.answered(windows.sent("list"), RateHeaders(limit=100, remaining=99, reset=60.0))
    assert (windows.limit, windows.window, windows.tightest.remaining) == (4, 60.0, 3)
    for _ in range(3):
        assert windows.wait("list") == 0.0
        windows.answered(windows.sent("list"), RateHeaders(limit=100, remaining=50, reset=60.0))
    assert windows.wait("list") == windows.wait("details") == 60.0


@pytest.mark.parametrize("scope", ["shared", "endpoint"])
def test_a_sync_stays_below_it(simulated_time: SimulatedTime, scope: str) -> None:
    """All calls of the Results API together, whatever windows there are, and at nearly the whole of it."""
    with simulated_time.serve(
        spoken(20), QuotaRule(limit=40, scope="endpoint" if scope == "endpoint" else "shared")
    ) as box:
        config = box.config(test_ids=list(box.world.tests), calls_per_minute=4)
        done = sync_here(config, select=SESSION_STREAMS)
        calls = [call for call in box.calls if call.kind in {"list", "details_v3", "transcript"}]
    assert done.exit == 0
    assert len(calls) == 41
    times = [call.at for call in calls]
    assert max(sum(begin <= at < begin + 60 for at in times) for begin in times) <= 4
    assert between(calls) <= 1.05 * 60 * (len(calls) - 1) / 4
