"""What a database holds after a sync, read with SQL, and whether that is what the sandbox serves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.streams.session_videos import SessionVideosStream
from tests.support.harness import CHANGE_COLUMNS, ROW_STREAMS, SESSION_STREAMS, Warehouse
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_usertesting.sandbox import World
    from tests.e2e.database import Database

# What meltano.yml selects, and the rows that ride along.
KEYS = {
    stream.name: tuple(stream.primary_keys)
    for stream in STREAMS
    if (stream.selected_by_default and stream is not SessionVideosStream) or stream.name in ROW_STREAMS
}
SELECT = {"TAP_USERTESTING__SELECT": json.dumps([f"{stream}.*" for stream in KEYS])}
Rows = dict[str, list[dict[str, Any]]]


def rows(database: Database, schema: str) -> Rows:
    """Return every row of every stream's table."""
    return {stream: database.rows(f"SELECT * FROM {schema}.{stream}") for stream in KEYS}  # noqa: S608 - names of this project


def assert_rows_true(found: Rows, world: World, streams: Iterable[str] = KEYS) -> None:
    """Assert that live rows are the sandbox's truth, one per key, and that what was rejected is marked as deleted."""
    tables = {stream: found[stream] for stream in streams}
    live: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for stream, table in tables.items():
        keys = [tuple(row[part] for part in KEYS[stream]) for row in table]
        assert len(keys) == len(set(keys)), f"{stream}: several rows of one key"
        marked = "_sdc_deleted_at"
        live[stream] = {key: row for key, row in zip(keys, table, strict=True) if row[marked] is None}
    assert_true(Warehouse(tables=live), world)
    for stream in SESSION_STREAMS:
        for row in tables.get(stream, ()):
            _assert_marked_twice(stream, row, rejected=row["session_id"] in world.truth()["rejected"])


def _assert_marked_twice(stream: str, row: dict[str, Any], *, rejected: bool) -> None:
    """Assert that a row is marked in both columns or in none, and that a marked one holds nothing of the session."""
    assert row["deleted_at"] == row["_sdc_deleted_at"], stream
    assert (row["deleted_at"] is not None) == rejected, f"{stream}: {row['session_id']}"
    if rejected:
        kept = {"test_id", "session_id", *CHANGE_COLUMNS}
        assert not [name for name, value in row.items() if name not in kept and value and not name.startswith("_sdc_")]
