"""Random histories of the ledger, by the thousand."""

from __future__ import annotations

import pytest

from tap_usertesting.ledger import tally
from tests.ledger.histories import History

PARTS, EACH, STEPS = 10, 1_000, 25


@pytest.mark.parametrize("part", range(PARTS))
def test_every_history_ends_true_and_idle(part: int) -> None:
    """Kills, outages, lag, removals, edits, expired cursors, other sources: nothing is lost, and nothing too many."""
    for seed in range(part * EACH, (part + 1) * EACH):
        History(seed).run(STEPS)


@pytest.mark.parametrize("most", [4, 8])
def test_the_counts_hold_beyond_as_many_sessions_as_a_tally_keeps(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is crossed in the middle of a sync, of a reading of what was read before, and while a test sleeps."""
    monkeypatch.setattr(tally, "MOST_SESSIONS", most)
    for seed in range(EACH):
        History(seed, is_counted=False).run(STEPS)
