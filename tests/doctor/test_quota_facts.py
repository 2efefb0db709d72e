"""What is concluded from the numbers in the headers, and what is not."""

from __future__ import annotations

import pytest

from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.doctor.quota_facts import quota_numbers
from tap_usertesting.doctor.witness import Seen


def seen(label: str, at: float, remaining: int | None, reset: float = 60.0) -> Seen:
    """Return an answer; `remaining` None: it tells nothing of the quota."""
    rates = RateHeaders() if remaining is None else RateHeaders(limit=10, remaining=remaining, reset=reset)
    return Seen(label, 200, None, at, rates, bare=False, explained=False)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([seen("list", 0, 9), seen("details_v3", 1, 8, 59), seen("qx_scores", 2, 7, 58)], {"pairs_together": 2}),
        # Another client of the same credentials is at work too.
        ([seen("list", 0, 9), seen("qx_scores", 1, 4, 59)], {"pairs_together": 1}),
        ([seen("list", 0, 9), seen("qx_scores", 1, 9)], {"pairs_apart": 1, "pairs_apart_in_v2": 1}),
        ([seen("list", 0, 9), seen("details_v3", 1, 9)], {"pairs_apart": 1}),
        # The second call came in the next window.
        ([seen("list", 0, 3, 10), seen("qx_scores", 10, 9)], {}),
        ([seen("list", 0, 9), seen("list", 1, 8, 59)], {}),
        ([seen("list", 0, None), seen("qx_scores", 1, 9)], {}),
    ],
)
def test_which_endpoints_share_a_window(answers: list[Seen], expected: dict[str, int]) -> None:
    """In one window for both, the second of two calls leaves fewer."""
    assert +quota_numbers(answers)["quota_is_one_for_all"] == expected


def test_a_count_that_stands_still_tells_nothing() -> None:
    """A mock sends the same numbers always: they are no window for each endpoint."""
    found = quota_numbers([seen("list", 0, 9), seen("list", 1, 9), seen("qx_scores", 2, 9), seen("details_v3", 3, 9)])
    assert +found["quota_is_one_for_all"] == {}
    assert found["quota_is_10_a_minute"]["counts_that_stand_still"] == 1


def test_windows_are_counted_by_their_ends() -> None:
    """Resets of one window may differ by what a server rounds."""
    found = quota_numbers([seen("list", 0, 9), seen("list", 5.4, 8, 55), seen("list", 61, 9)])
    assert found["quota_is_10_a_minute"]["windows"] == 2
    assert found["quota_is_10_a_minute"]["longest_reset_s"] == 60
