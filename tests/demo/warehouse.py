"""What the warehouse holds, read with SQL, and whether that is what the sandbox serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.demo.errors import DemoError
from tests.demo.pipeline import SCHEMA
from tests.support.completeness import disagreements
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
    "sync_status": ("test_id", "stream"),
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
    if found := database.rows(disagreements(SCHEMA)):
        raise DemoError(f"sync_status and the tables differ: {found[0]}")
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
