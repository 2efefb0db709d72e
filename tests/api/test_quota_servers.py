"""The quota against simulated servers of every plausible kind: nothing refused, nothing idle."""

from __future__ import annotations

from random import Random
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_usertesting.api.quota import Quota
from tap_usertesting.sandbox.quota import QuotaRule, ServedQuota
from tests.support.fakes import FakeClock, FixedWindow, by_rule, spend

CALLS = 201
WINDOWS = 20  # that 201 calls of 10 a window have to wait for


@pytest.mark.parametrize("rounding", ["up", "exact", "epoch"])
@pytest.mark.parametrize("aligned", [pytest.param(False, id="opened by a call"), pytest.param(True, id="by the clock")])
@pytest.mark.parametrize("latency", [0.01, 0.4, 1.0])
def test_a_fixed_window_is_used_up_and_idle_only_for_the_rounding(
    rounding: Literal["up", "exact", "epoch"], latency: float, *, aligned: bool
) -> None:
    """No call is refused, and each window loses at most what the server rounds up and one call takes."""
    clock = FakeClock(1017.3)
    quota = Quota(clock=clock.monotonic)
    server = FixedWindow(aligned=aligned, rounding=rounding)
    spent = spend(CALLS, quota, clock, server.take, latency=lambda: latency)
    rounded = 0 if rounding == "exact" else 1
    assert spent.refused == 0
    assert spent.seconds <= WINDOWS * (60 + rounded + latency) + latency + 0.001
    assert spent.seconds <= 1.05 * 60 * WINDOWS


@given(
    limit=st.integers(1, 30),
    window=st.floats(2, 120),
    latency=st.floats(0.001, 5),
    start=st.floats(0, 10_000),
    aligned=st.booleans(),
)
def test_no_fixed_window_refuses_a_call(
    limit: int, window: float, latency: float, start: float, *, aligned: bool
) -> None:
    """Whatever limit, window, latency and alignment: never a 429, if the first window is met at its start."""
    clock = FakeClock(start)
    quota = Quota(clock=clock.monotonic, limit=None)
    server = FixedWindow(limit=limit, window=window, aligned=aligned)
    spent = spend(3 * limit + 1, quota, clock, server.take, latency=lambda: latency)
    assert spent.refused == 0


@pytest.mark.parametrize("retry_after", [pytest.param(True, id="Retry-After"), pytest.param(False, id="silent")])
def test_a_reset_that_is_rounded_down_is_learned_from_few_refusals(*, retry_after: bool) -> None:
    """A server that says 59 for 59.9 refuses who believes it: that is learned from one refusal."""
    clock = FakeClock(1017.3)
    quota = Quota(clock=clock.monotonic)
    server = FixedWindow(rounding="down", retry_after=retry_after)
    spent = spend(CALLS, quota, clock, server.take, latency=lambda: 0.05)
    assert spent.refused <= 1
    assert spent.seconds <= 1.08 * 60 * WINDOWS


@pytest.mark.parametrize(
    ("window", "latency"), [(60.0, 0.001), (60.0, 0.1), (60.0, 0.5), (60.0, 1.0), (2.0, 0.002), (2.0, 0.02)]
)
def test_a_sliding_window_is_used_to_the_full(window: float, latency: float) -> None:
    """As @nestjs/throttler counts, each call leaves on its own: none is refused, and 5 % is lost at most."""
    clock = FakeClock()
    rule = ServedQuota(QuotaRule(kind="sliding", window=window), clock=clock.monotonic)
    spent = spend(CALLS, Quota(clock=clock.monotonic), clock, by_rule(rule), latency=lambda: latency)
    assert spent.refused == 0
    assert spent.seconds <= 1.05 * window * WINDOWS


@given(seed=st.integers(0, 100_000), slowest=st.sampled_from([0.05, 0.3, 1.0]))
@settings(max_examples=60)
def test_a_sliding_window_with_uneven_latency_is_used_to_the_full(seed: int, slowest: float) -> None:
    """A call leaves the server's count earlier than ours, by an unknown part of its latency: still no refusal."""
    random = Random(seed)  # noqa: S311 - no secret
    clock = FakeClock(1000 + random.random())
    rule = ServedQuota(QuotaRule(kind="sliding"), clock=clock.monotonic)
    quota = Quota(clock=clock.monotonic)
    spent = spend(CALLS, quota, clock, by_rule(rule), latency=lambda: random.uniform(0.01, slowest))
    assert spent.refused == 0
    assert spent.seconds <= 1.05 * 60 * WINDOWS


@given(seed=st.integers(0, 100_000), kind=st.sampled_from(["fixed", "sliding"]), work=st.floats(0, 60))
@settings(max_examples=60)
def test_work_between_calls_causes_no_refusal(seed: int, kind: Literal["fixed", "sliding"], work: float) -> None:
    """A slow target puts pauses of any length between the calls: never a 429."""
    random = Random(seed)  # noqa: S311 - no secret
    clock = FakeClock(1000 + random.random())
    rule = ServedQuota(QuotaRule(kind=kind), clock=clock.monotonic)
    spent = spend(
        101,
        Quota(clock=clock.monotonic),
        clock,
        by_rule(rule),
        latency=lambda: random.uniform(0.01, 2.5),
        pause=lambda: random.uniform(0, work) if random.random() < 0.3 else 0,
    )
    assert spent.refused == 0


@given(seed=st.integers(0, 100_000), kind=st.sampled_from(["fixed", "sliding"]))
@settings(max_examples=40)
def test_others_who_share_the_quota_stop_nobody_for_good(seed: int, kind: Literal["fixed", "sliding"]) -> None:
    """Someone else calls at random: refusals happen, at most about one a window, and every call gets through."""
    random = Random(seed)  # noqa: S311 - no secret
    clock = FakeClock()
    rule = ServedQuota(QuotaRule(kind=kind), clock=clock.monotonic)
    ours = by_rule(rule)

    def shared(now: float) -> tuple[bool, dict[str, str]]:
        if random.random() < 0.2:
            ours(now)
        return ours(now)

    spent = spend(101, Quota(clock=clock.monotonic), clock, shared)
    assert spent.refused <= spent.seconds / 30
    assert spent.seconds < 101 * 60 / 3


def test_a_window_per_endpoint_costs_no_refusal() -> None:
    """Each endpoint has a window of its own; the one count here stays within every one of them."""
    clock = FakeClock()
    rule = ServedQuota(QuotaRule(scope="endpoint"), clock=clock.monotonic)
    turn = [0]

    def take(_now: float) -> tuple[bool, dict[str, str]]:
        turn[0] += 1
        verdict = rule.take(endpoint=("details", "transcript")[turn[0] % 2], version="v2")
        return verdict.allowed, {name.lower(): value for name, value in verdict.headers}

    assert spend(101, Quota(clock=clock.monotonic), clock, take).refused == 0


def test_a_server_that_names_no_numbers_is_paced_as_documented() -> None:
    """Without any header the documented quota holds: no call refused by a server that keeps to it."""
    clock = FakeClock()
    server = FixedWindow()

    def take(now: float) -> tuple[bool, dict[str, str]]:
        return server.take(now)[0], {}

    spent = spend(CALLS, Quota(clock=clock.monotonic), clock, take)
    assert spent.refused == 0
    assert spent.seconds <= 1.05 * 60 * WINDOWS


def test_a_429_without_any_word_is_waited_out_and_the_call_repeated() -> None:
    """A silent server whose quota is smaller than documented: one refusal a window, and everything arrives."""
    clock = FakeClock()
    server = FixedWindow(limit=5)

    def take(now: float) -> tuple[bool, dict[str, str]]:
        return server.take(now)[0], {}

    spent = spend(50, Quota(clock=clock.monotonic), clock, take)
    assert spent.refused <= 10
    assert len(spent.sent_at) == 50


def test_a_sliding_window_that_others_use_too_is_given_up_after_a_refusal() -> None:
    """Someone else takes the calls that leave: each 429 is waited out, the guess is dropped, and all gets through.

    A second refusal cannot be helped: what such a server names after a block is the end of an older period.
    """
    clock = FakeClock()
    rule = ServedQuota(QuotaRule(kind="sliding"), clock=clock.monotonic)
    ours = by_rule(rule)
    quota = Quota(clock=clock.monotonic)
    assert spend(30, quota, clock, ours, latency=lambda: 0.5).refused == 0
    for _ in range(12):
        ours(clock.now)
    spent = spend(50, quota, clock, ours, latency=lambda: 0.5)
    assert 1 <= spent.refused <= 2
    assert spent.seconds < 8 * 60
