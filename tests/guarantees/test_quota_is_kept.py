"""The quota when answers overtake each other."""

from __future__ import annotations

import pytest

from tap_usertesting.api.quota import Quota
from tap_usertesting.api.rate_headers import RateHeaders


def _said(remaining: int, reset: float) -> RateHeaders:
    return RateHeaders(limit=10, remaining=remaining, reset=reset)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "out of order"])
def test_answers_out_of_order_are_of_one_window(order: tuple[int, int]) -> None:
    """Two calls are on the way at once, and "remaining 9" is read after "remaining 8".

    Both are of one window: eight more calls go out, then it waits for the one reset that both named.
    """
    now = 1000.0
    quota = Quota(clock=lambda: now)
    tickets = {1: quota.sent(), 2: quota.sent()}
    answers = {1: _said(9, 60.0), 2: _said(8, 60.0)}
    now += 0.5
    for which in order:
        quota.answered(tickets[which], answers[which])
    assert quota.remaining == 8
    for left in range(7, -1, -1):
        assert quota.wait() == 0
        quota.answered(quota.sent(), _said(left, 59.0))
    assert quota.remaining == 0
    assert quota.wait() == pytest.approx(60.0)


def test_a_late_answer_of_the_old_window_does_not_close_the_new_one() -> None:
    """An answer of the old window that is read in the new one is not believed."""
    now = 1000.0
    quota = Quota(clock=lambda: now)
    for left in range(9, 0, -1):
        quota.answered(quota.sent(), _said(left, 60.0))
    straggler = quota.sent()
    assert quota.wait() > 0
    now += 60.1
    assert quota.wait() == 0
    quota.answered(quota.sent(), _said(9, 60.0))
    quota.answered(straggler, _said(0, 0.1))
    assert quota.remaining == 9
    assert quota.wait() == 0


def test_calls_on_the_way_count_against_what_an_answer_leaves() -> None:
    """An answer tells what was left when it was written; calls sent since are taken off."""
    quota = Quota(clock=lambda: 1000.0)
    first = quota.sent()
    for _ in range(4):
        quota.sent()
    quota.answered(first, _said(9, 60.0))
    assert quota.remaining == 5
