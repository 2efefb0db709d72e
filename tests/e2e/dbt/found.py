"""The marts as they are, in the shape of `expected.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.e2e.dbt.expected import CODES
from tests.e2e.dbt.project import MARTS

if TYPE_CHECKING:
    from tests.e2e.database import Database
    from tests.e2e.dbt.expected import Rows

COMPONENTS = ("behavioral", "attitudinal", "usability", "trust", "appearance", "loyalty")
QX_VALUES = ("label", "qx_score", *COMPONENTS, "completes")
TIMES = ("completed_at", "video_at", "transcribed_at", "rejected_at")
NESTED = ("raw_value", "raw_answer")
KEYS = {
    "qx_participant_scores": ("session_id", "task_group_id"),
    "qx_scores_over_time": ("test_id", "task_group_id", "period_start"),
    "navigation_success": ("test_id", "task_group_id", "navigation_task_number"),
    "task_results": ("session_id", "task_number"),
    "task_performance": ("test_id", "task_id"),
    "transcript_search": ("session_id", "cue_number"),
    "transcript_by_task": ("session_id", "cue_number"),
    "answers": ("session_id", "task_number", "answer_number"),
    "participants": ("session_id",),
    "session_milestones": ("test_id", "session_id"),
    "session_funnel": ("test_id", "change_type"),
}
VALUES = {
    "qx_participant_scores": ("test_id", "period_start", "score"),
    "qx_scores_over_time": ("participants", "mean_score", "participants_to_date", "mean_score_to_date"),
    "navigation_success": ("score",),
    "task_results": ("test_id", "task_id", "task_type", "outcome", "succeeded", "seconds_on_task"),
    "task_performance": (
        *("sessions", "answered", "skipped", "without_response", "success_told", "success_rate"),
        *("mean_seconds", "median_seconds", "p90_seconds"),
    ),
    "transcript_search": ("test_id", "start_seconds", "end_seconds", "speaker", "text", "text_lower"),
    "transcript_by_task": (
        *("test_id", "task_number", "task_id", "task_type", "seconds_into_task"),
        *("start_seconds", "end_seconds", "speaker", "text"),
    ),
    "answers": ("test_id", "task_type", "item", "value", "numeric_value", "raw_value", "raw_answer"),
    "participants": ("test_id", "participant_id", *(code.lower() for code in CODES)),
    "session_milestones": ("changes", *TIMES, "seconds_to_transcript", "is_rejected"),
    "session_funnel": ("sessions", "share", "changes"),
}


def mart(database: Database, name: str) -> Rows:
    """Rows of a mart by their key, each key once."""
    return shaped(name, every_row(database, name))


def every_row(database: Database, name: str) -> list[dict[str, Any]]:
    """The rows of a mart as they are."""
    return database.rows(f"SELECT * FROM {MARTS}.{name}")  # noqa: S608 - a name of this module


def shaped(name: str, rows: list[dict[str, Any]]) -> Rows:
    """Rows of a mart by their key, as `expected.py` has them."""
    made: Rows = {}
    for row in rows:
        key = tuple(_value(column, row[column]) for column in KEYS[name])
        assert key not in made, f"{name}: {key} stands there twice"
        found = tuple(_value(column, row[column]) for column in VALUES[name])
        made[key] = found[0] if len(found) == 1 else found
    return made


def _value(column: str, value: Any) -> Any:  # noqa: ANN401 - whatever stands in a column
    """Times with all their decimals, which a database leaves out where they are zero; a date without a time."""
    if column in TIMES and value is not None:
        whole, _, decimals = value.partition(".")
        return f"{whole}.{decimals:0<6}"
    if column in NESTED and isinstance(value, str):
        # Warehouses whose JSON comes as text.
        return json.loads(value)
    return value[:10] if column == "period_start" else value
