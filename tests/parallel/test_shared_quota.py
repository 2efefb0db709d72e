"""Taps at once on one set of credentials and one quota, in simulated time."""

from __future__ import annotations

from typing import Literal

import pytest

from tap_usertesting.sandbox import QuotaRule
from tests.benchmarks.shared import LEAST_USED, MOST_SLOWEST, TAPS
from tests.benchmarks.simulated import simulate


@pytest.mark.parametrize("kind", ["fixed", "sliding"])
@pytest.mark.parametrize("taps", [2, TAPS, 6])
def test_taps_share_the_real_quota_fully_and_fairly(kind: Literal["fixed", "sliding"], taps: int) -> None:
    """10 calls a minute, headers in whole seconds, real latencies: the quota is used up, and none of them starves.

    They see each other only in what the server says is left; when two take the last call at once, one is refused, which
    costs it nothing but the wait that was due anyway.
    A sliding window blocks for a whole minute once it is over the limit, as @nestjs/throttler does. That costs little
    too, as those who share it have used their calls in one burst by then.
    """
    for seed in range(10):
        shared = simulate(QuotaRule(kind=kind), taps=taps, calls=300 // taps, seed=seed)
        assert shared.used >= LEAST_USED
        assert shared.slowest <= MOST_SLOWEST


@pytest.mark.parametrize("taps", [2, TAPS])
def test_no_tap_starves_where_a_429_says_nothing(taps: int) -> None:
    """A 429 without `Retry-After` and without a reset: who was refused does not come too late for ever.

    A full window after a refusal, those who share the quota have used the next window too.
    """
    for seed in range(10):
        shared = simulate(QuotaRule(retry_after=None), taps=taps, calls=300 // taps, seed=seed)
        assert shared.used >= LEAST_USED
        assert shared.slowest <= MOST_SLOWEST
