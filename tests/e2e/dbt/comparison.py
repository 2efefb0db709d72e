"""Which mart is to equal what, and when two tables are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.dbt import expected, expected_answers

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
    "transcript_by_task": expected_answers.by_task,
    "answers": expected_answers.answers,
    "participants": expected.demographics,
    "session_milestones": expected.milestones,
    "session_funnel": expected.funnel,
}


def assert_same(rows: Rows, answers: Rows) -> None:
    """Assert that rows are equal, numbers but for the last digits that a division leaves."""
    assert rows.keys() == answers.keys()
    assert rows
    for key, row in rows.items():
        found, wanted = (given if isinstance(given, tuple) else (given,) for given in (row, answers[key]))
        # JSON is compared as it is: of numbers in it not a digit may change.
        assert found == tuple(part if isinstance(part, dict) else pytest.approx(part) for part in wanted), key
