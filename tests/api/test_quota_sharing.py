"""What is learned of quota windows: that endpoints have their own, or that they share one."""

from __future__ import annotations

from random import Random
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.sandbox.quota import QuotaRule, ServedQuota
from tests.support.fakes import FakeClock
from tests.support.threads import SCOPES, call_side_by_side


def said(remaining: int, *, reset: float = 60.0, limit: int = 10) -> RateHeaders:
    """Return the headers of one answer."""
    return RateHeaders(limit=limit, remaining=remaining, reset=reset)


@pytest.mark.parametrize(
    ("answers", "separate"),
    [
        pytest.param([("list", 9), ("details", 9)], True, id="a window of its own"),
        pytest.param([("list", 9), ("details", 8)], False, id="one window"),
        pytest.param([("list", 9), ("list", 8), ("list", 7)], False, id="one endpoint tells nothing"),
        pytest.param([("list", 9), ("list", 8), ("details", 8)], False, id="not more than one that others use too"),
        pytest.param([("list", 4), ("list", 3), ("details", 9)], True, id="a window that others had used before"),
        pytest.param([("list", 9), ("details", 9), ("list", 7)], False, id="a header against it"),
        pytest.param([("list", 9), ("details", 9), ("list", 8), ("details", 8)], True, id="headers that agree"),
        pytest.param([("list", 9), ("transcript", 8), ("details", 9)], False, id="some share, so all do"),
    ],
)
def test_what_answers_one_after_another_tell(answers: list[tuple[str, int]], *, separate: bool) -> None:
    """Windows are separate once an answer leaves more calls than a shared window could, until one contradicts."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    for endpoint, remaining in answers:
        ticket = windows.sent(endpoint)
        clock.now += 0.1
        windows.answered(ticket, said(remaining))
    assert windows.separate is separate


def test_answers_out_of_order_tell_nothing() -> None:
    """The answer with 9 left may arrive after the one with 8; it was sent before that was known."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    first, second = windows.sent("details"), windows.sent("transcript")
    clock.now += 0.1
    windows.answered(second, said(8))
    clock.now += 0.1
    windows.answered(first, said(9))
    assert not windows.separate


def test_a_new_window_is_no_proof() -> None:
    """After a reset an answer leaves nine calls, whatever was used of the window before."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    for remaining in (9, 8):
        windows.answered(windows.sent("list"), said(remaining))
    clock.now += 60
    windows.answered(windows.sent("details"), said(9))
    assert not windows.separate


def test_a_429_refutes_it_for_good() -> None:
    """Windows that were taken for separate are one again, and no further answer changes that."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    for endpoint in ("list", "details"):
        windows.answered(windows.sent(endpoint), said(9))
    assert windows.number == 2
    ticket = windows.sent("transcript")
    windows.answered(ticket, RateHeaders())
    assert windows.refused("transcript", RateHeaders(retry_after=30.0)) == 30
    assert not windows.separate
    assert windows.wait("details") == 30
    clock.now += 90
    for endpoint in ("list", "details", "transcript"):
        windows.answered(windows.sent(endpoint), said(9))
    assert not windows.separate


def test_an_endpoint_with_a_window_of_its_own_does_not_wait_for_another() -> None:
    """Ten calls of one endpoint leave the others' windows full."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    for endpoint in ("list", "details"):
        windows.answered(windows.sent(endpoint), said(9))
    for remaining in range(8, -1, -1):
        windows.answered(windows.sent("details"), said(remaining))
    assert windows.wait("details") == 60
    assert windows.wait("list") == 0
    assert windows.tightest.remaining == 0
    assert windows.number == 2


def test_first_calls_are_made_one_at_a_time() -> None:
    """No one knows yet what an endpoint shares that has not answered: two of them could be refused together."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    for endpoint in ("list", "details"):
        windows.answered(windows.sent(endpoint), said(9))
    ticket = windows.sent("transcript")
    assert windows.wait("clips") > 0
    assert windows.wait("details") == 0
    windows.answered(ticket, said(9))
    assert windows.wait("clips") == 0


ENDPOINTS = ("list", "details_v3", "transcript", "qx_scores", "clips")


@pytest.mark.parametrize("kind", ["fixed", "sliding"])
@pytest.mark.parametrize("scope", SCOPES)
@settings(max_examples=200, derandomize=True)
@given(
    seed=st.integers(0, 1_000_000),
    limit=st.sampled_from([1, 2, 5, 10, 40]),
    slowest=st.sampled_from([0.02, 0.5, 1.5]),
    spread=st.sampled_from([0.0, 2.0, 90.0]),
)
def test_never_more_than_one_refusal_for_each_change_of_mind(
    kind: Literal["fixed", "sliding"], scope: str, seed: int, limit: int, slowest: float, spread: float
) -> None:
    """Whatever the server's windows span: a wrong guess costs one 429 at the most, and every call gets through."""
    random = Random(seed)  # noqa: S311 - no secret
    clock = FakeClock(1000 + random.random())
    windows = Windows(clock=clock.monotonic)
    rule = ServedQuota(QuotaRule(limit=limit, kind=kind, scope="endpoint"), clock=clock.monotonic)
    calls = {endpoint: random.choice([0, 1, 3, 4 * limit]) for endpoint in ENDPOINTS}
    told = call_side_by_side(
        calls,
        windows,
        clock,
        rule,
        scope=scope,
        latency=lambda: random.uniform(0.01, slowest),
        begins=lambda: random.uniform(0, spread),
        work=lambda: random.uniform(0, 0.5),
    )
    assert told.answered == calls
    assert told.refused <= told.changes_of_mind


@pytest.mark.parametrize("kind", ["fixed", "sliding"])
@pytest.mark.parametrize("latency", [0.05, 0.5])
def test_windows_of_their_own_are_all_filled(kind: Literal["fixed", "sliding"], latency: float) -> None:
    """A thousand sessions with their transcripts take hardly longer than the details alone."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    rule = ServedQuota(QuotaRule(kind=kind, scope="endpoint"), clock=clock.monotonic)
    calls = {"list": 2, "details_v3": 1000, "transcript": 1000}
    told = call_side_by_side(calls, windows, clock, rule, scope="endpoint", latency=lambda: latency)
    assert told.refused == 0
    assert told.seconds <= 1.05 * 99 * 60


@pytest.mark.parametrize("kind", ["fixed", "sliding"])
@pytest.mark.parametrize("latency", [0.05, 0.5])
def test_a_shared_window_is_filled_and_never_overrun(kind: Literal["fixed", "sliding"], latency: float) -> None:
    """Streams that share a window use it up together, without a 429."""
    clock = FakeClock()
    windows = Windows(clock=clock.monotonic)
    rule = ServedQuota(QuotaRule(kind=kind, scope="endpoint"), clock=clock.monotonic)
    calls = {"list": 2, "details_v3": 300, "transcript": 300}
    told = call_side_by_side(calls, windows, clock, rule, scope="shared", latency=lambda: latency)
    assert told.refused == 0
    assert told.changes_of_mind == 0
    assert told.seconds <= 1.05 * 60 * 60
