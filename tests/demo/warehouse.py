"""What the warehouse holds, read with SQL, and whether that is what the sandbox serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.demo.errors import DemoError
from tests.demo.pipeline import SCHEMA
from tests.support.harness import SESSION_STREAMS, Warehouse
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from tap_usertesting.sandbox import World
    from tests.demo.postgres import Database

KEYS = {
    "workspaces": ("workspace_id",),
    "tests": ("test_id",),
    "sessions": ("session_id",),
    "result_changes": ("test_id", "cursor"),
    "qx_scores": ("test_id", "task_group_id"),
    "session_details": ("session_id",),
    "transcripts": ("session_id",),
}
Row = dict[str, Any]


def row_counts(database: Database, *, since: int = 0) -> dict[str, tuple[int, int]]:
    """Return for each table how many rows are live and how many are marked as deleted.

    `since` (epoch milliseconds) counts only rows that were written then or later.
    """
    counts = " UNION ALL ".join(
        f"SELECT '{table}' AS name, count(*) FILTER (WHERE _sdc_deleted_at IS NULL) AS live,"  # noqa: S608 - names of this module
        f" count(_sdc_deleted_at) AS deleted FROM {SCHEMA}.{table} WHERE _sdc_sequence >= {since}"
        for table in KEYS
    )
    return {row["name"]: (row["live"], row["deleted"]) for row in database.rows(counts)}


def qx_scores(database: Database) -> list[Row]:
    """Return title, label and scores of every task group."""
    return database.rows(
        "SELECT title, label, qx_score, components_behavioral, components_attitudinal"  # noqa: S608 - a name of this project
        f" FROM {SCHEMA}.qx_scores JOIN {SCHEMA}.tests USING (test_id) ORDER BY title, label"
    )


def longest_transcript(database: Database) -> Row:
    """Return session, test title and cues of the transcript with the most cues."""
    return database.rows(
        "SELECT session_id, title, cues"  # noqa: S608 - a name of this project
        f" FROM {SCHEMA}.transcripts JOIN {SCHEMA}.tests USING (test_id)"
        " WHERE cues IS NOT NULL ORDER BY cardinality(cues) DESC, session_id LIMIT 1"
    )[0]


def ratings(database: Database) -> list[Row]:
    """Return question, test, value and number of answers of the rating scales, tasks as v3 tells them."""
    return _answers(
        database,
        "SELECT task ->> 'text' AS question, title AS test, value, count(*) AS answers FROM tasks"
        " CROSS JOIN LATERAL (SELECT (answer -> 'ratingScale' ->> 'value')::int AS value) AS given"
        " WHERE value IS NOT NULL GROUP BY question, test, value ORDER BY question, test, value",
    )


def choices(database: Database) -> list[Row]:
    """Return question, option and number of answers of the multiple-choice tasks, as v3 tells them."""
    return _answers(
        database,
        "SELECT task ->> 'text' AS question, chosen ->> 'label' AS option, count(*) AS answers FROM tasks"
        " CROSS JOIN LATERAL jsonb_path_query(answer, '$.multipleChoice.selected[*]') AS chosen"
        " GROUP BY question, option ORDER BY question, answers DESC, option",
    )


def events(database: Database) -> list[Row]:
    """Return type, day (ISO, UTC) and number of events of the change feed."""
    return database.rows(
        "SELECT change_type AS type, changed_at::date AS day, count(*) AS events"  # noqa: S608 - a name of this project
        f" FROM {SCHEMA}.result_changes GROUP BY type, day ORDER BY type, day"
    )


def check(database: Database, world: World) -> None:
    """Compare every row that is not marked as deleted with what the sandbox serves. Raises DemoError."""
    tables = {name: database.rows(f"SELECT * FROM {SCHEMA}.{name}") for name in KEYS}  # noqa: S608 - names of this module
    live = {
        name: {tuple(row[part] for part in KEYS[name]): row for row in rows if row["_sdc_deleted_at"] is None}
        for name, rows in tables.items()
    }
    try:
        assert_true(Warehouse(tables=live), world)
    except AssertionError as error:
        raise DemoError(f"the warehouse differs from the sandbox: {error}") from None
    for name in SESSION_STREAMS:
        for row in tables[name]:
            if (row["deleted_at"] is None) != (row["_sdc_deleted_at"] is None):
                raise DemoError(f"{name}: deleted_at and _sdc_deleted_at of {row['session_id']} differ")


def check_deleted(database: Database, session_id: str) -> None:
    """Check that a rejected session is marked as deleted wherever it had a row. Raises DemoError."""
    for name in SESSION_STREAMS:
        query = f"SELECT deleted_at FROM {SCHEMA}.{name} WHERE session_id = '{session_id}'"  # noqa: S608 - an id of the sandbox
        found = database.rows(query)
        if [row for row in found if row["deleted_at"] is None] or not found:
            raise DemoError(f"{name}: session {session_id} was rejected, and its deleted_at is not set")


def _answers(database: Database, query: str) -> list[Row]:
    """Return a query's rows; its table `tasks` has title of the test, task and answer, of sessions not rejected."""
    tasks = (
        "SELECT title, task, task -> 'response' -> 'answer' AS answer"  # noqa: S608 - a name of this project
        f" FROM {SCHEMA}.session_details AS details JOIN {SCHEMA}.tests USING (test_id)"
        " CROSS JOIN LATERAL unnest(details.tasks) AS task WHERE details._sdc_deleted_at IS NULL"
    )
    return database.rows(f"WITH tasks AS ({tasks}) {query}")
