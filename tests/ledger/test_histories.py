"""Random histories of the ledger, by the thousand."""

from __future__ import annotations

import pytest

from tests.ledger.histories import History

PARTS, EACH, STEPS = 10, 1_000, 25


@pytest.mark.parametrize("part", range(PARTS))
def test_every_history_ends_true_and_idle(part: int) -> None:
    """Kills, outages, lag, removals, edits, expired cursors, other sources: nothing is lost, and nothing too many."""
    for seed in range(part * EACH, (part + 1) * EACH):
        History(seed).run(STEPS)
