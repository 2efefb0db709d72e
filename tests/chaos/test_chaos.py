"""A few seeds of the chaos suite, one of each kind of world; `python -m tests.chaos` runs as many as there is time."""

from __future__ import annotations

import pytest

from tests.chaos.trial import play

SEEDS = [
    pytest.param(14, id="feed"),
    pytest.param(24, id="listing"),
    pytest.param(29, id="long transcripts"),
    pytest.param(34, id="three pages"),
    pytest.param(5, id="nothing goes wrong"),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_chaos_loses_nothing_and_leaves_nothing_too_many(seed: int) -> None:
    """Struck, disturbed and resumed, the tap ends with the very tables that the sandbox serves."""
    report = play(seed)
    assert report.rows
    assert (report.lost, report.extra) == (0, 0)
