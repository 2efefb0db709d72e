"""Which mart is to equal what, and when two tables are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.dbt import expected

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.dbt.expected import Rows, Truth

ANSWERS: dict[str, Callable[[Truth], Rows]] = {
    "qx_participant_scores": expected.participant_scores,
    "qx_scores_over_time": expected.scores_over_time,
    "navigation_success": expected.navigation_success,
    "task_results": expected.task_results,
    "task_performance": expected.task_performance,
    "transcript_search": expected.cues,
    "participant_demographics": expected.demographics,
    "session_milestones": expected.milestones,
    "session_funnel": expected.funnel,
}


def assert_same(rows: Rows, answers: Rows) -> None:
    """Assert that rows are equal, numbers but for the last digits that a division leaves."""
    assert rows.keys() == answers.keys()
    assert rows
    for key, row in rows.items():
        assert row == pytest.approx(answers[key]), key
