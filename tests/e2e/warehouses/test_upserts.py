"""Snowflake, BigQuery and DuckDB: the real targets, loaded with three syncs, each of which is also repeated.

DuckDB is the real one; the servers of the others are not. What they can not show is said in `snowflake_bridge.py` and
`bigquery_server.py`; `live.py` runs the same checks on the real ones.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.warehouses import loaders
from tests.e2e.warehouses.recorded import RUNS, SYNCS, Recording, live
from tests.e2e.warehouses.tables import Dump, Streams, assert_same
from tests.support.harness import SESSION_STREAMS, Warehouse, parse
from tests.support.tables import held

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]  # the first run installs

SERVERS = {"snowflake": loaders.snowflake, "bigquery": loaders.bigquery, "duckdb": loaders.duckdb}
OLDEST = {"snowflake": (3, 11), "bigquery": (3, 10), "duckdb": (3, 10)}
NEWEST = {"snowflake": (3, 14), "bigquery": (3, 11), "duckdb": (3, 14)}


@dataclass(frozen=True)
class Loaded:
    """What a warehouse held after each run, and what the target said was done."""

    name: str
    after: dict[str, Dump] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)


def skip_unless_installable(name: str) -> None:
    """Skip a test on a Python on which the target or its stand-in does not run."""
    if not OLDEST[name] <= sys.version_info[:2] <= NEWEST[name]:
        versions = [".".join(map(str, bound[name])) for bound in (OLDEST, NEWEST)]
        pytest.skip(f"target-{name} and its stand-in need Python {versions[0]} to {versions[1]}")


@pytest.fixture(scope="module", params=list(SERVERS))
def loaded(
    request: pytest.FixtureRequest, recording: Recording, streams: Streams, tmp_path_factory: pytest.TempPathFactory
) -> Loaded:
    """A warehouse into which the three runs went."""
    name = request.param
    skip_unless_installable(name)
    loaded = Loaded(name)
    with SERVERS[name](tmp_path_factory.mktemp(name)) as loader:
        for run in RUNS:
            loaded.states[run[-1]] = loader.load(recording.output(*run))
            loaded.after[run[-1]] = loader.dump(list(streams.keys))
    return loaded


@pytest.mark.parametrize("sync_name", SYNCS)
def test_every_row_and_column_is_what_the_tap_wrote(
    loaded: Loaded, recording: Recording, streams: Streams, sync_name: str
) -> None:
    """After each sync every row is there once, tombstones too, and every column has the value of the last record."""
    found = streams.tables(loaded.after[sync_name].rows)
    expected = recording.rows(*SYNCS[: SYNCS.index(sync_name) + 1])
    assert_same(streams, expected, found, null_arrays=loaded.name != "bigquery")


@pytest.mark.parametrize("sync_name", SYNCS)
def test_live_rows_are_the_sandboxs_truth(
    loaded: Loaded, recording: Recording, streams: Streams, sync_name: str
) -> None:
    """Rows that are not marked as deleted are what the APIs serve, nothing less and nothing more."""
    found = live(streams.tables(loaded.after[sync_name].rows))
    assert held(Warehouse(tables=found)) == recording.truths[sync_name]


def test_a_rejected_session_is_marked_and_unmarked(loaded: Loaded, recording: Recording, streams: Streams) -> None:
    """A rejection sets deleted_at and _sdc_deleted_at in its row; when it is accepted again both are null again."""
    for sync_name, marked in (("first", False), ("changes", True), ("accepted", False)):
        tables = streams.tables(loaded.after[sync_name].rows)
        for stream in SESSION_STREAMS:
            row = tables[stream][(recording.rejected,)]
            assert (row["deleted_at"] is not None) is marked
            assert row["_sdc_deleted_at"] == row["deleted_at"]


def test_the_target_hands_back_the_taps_last_state(loaded: Loaded, recording: Recording) -> None:
    """The STATE to go on from is the one that the tap wrote last."""
    for sync_name, state in loaded.states.items():
        written = [m["value"] for m in parse(recording.output(sync_name)) if m["type"] == "STATE"]
        assert state == written[-1]


def test_every_column_has_the_type_that_its_schema_asks_for(loaded: Loaded, streams: Streams) -> None:
    """Times are times, numbers numbers, and what is nested can be asked for by its parts."""
    for stream, schema in streams.schemas.items():
        for column, kind in schema.items():
            wanted = TYPES[loaded.name](column, kind)
            assert loaded.after["first"].types[stream][column] == wanted, f"{stream}.{column}"


def test_a_load_job_that_bigquery_refuses_goes_unnoticed(recording: Recording, tmp_path: Path) -> None:
    """The target ends well and hands the state on: docs/bigquery.md warns of it, until a version fails here."""
    skip_unless_installable("bigquery")
    messages = [m for m in parse(recording.output("first")) if m.get("stream") == "qx_scores" or m["type"] == "STATE"]
    first = next(message for message in messages if message["type"] == "RECORD")
    first["record"]["qx_score"] = "no number"
    with loaders.bigquery(tmp_path) as loader:
        state = loader.load(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        assert loader.dump(["qx_scores"]).rows == {"qx_scores": []}
    assert state == messages[-1]["value"]


def _kind(schema: dict[str, Any]) -> str:
    """Return the type that a schema names beside null, times as `date-time`."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return "date-time" if schema.get("format") == "date-time" else next(each for each in types if each != "null")


# The type that a column becomes in each warehouse, as docs/warehouses.md has it.


def _of_snowflake(_column: str, schema: dict[str, Any]) -> str:
    named = {
        "string": "TEXT",
        "date-time": "TIMESTAMP_NTZ",
        "number": "FLOAT",
        "integer": "NUMBER",
        "boolean": "BOOLEAN",
        "array": "VARIANT",
        "object": "VARIANT",
    }
    return named[_kind(schema)]


def _of_bigquery(column: str, schema: dict[str, Any]) -> str:
    kind = _kind(schema)
    if kind == "array":
        return f"{_of_bigquery(column, schema['items'])} REPEATED"
    named = {
        "string": "STRING",
        "date-time": "TIMESTAMP",
        "number": "FLOAT",
        "integer": "INTEGER",
        "boolean": "BOOLEAN",
        "object": "RECORD" if "properties" in schema else "JSON",
    }
    return named[kind]


def _of_duckdb(column: str, schema: dict[str, Any]) -> str:
    named = {
        "string": "VARCHAR",
        "date-time": "VARCHAR" if column == "_sdc_deleted_at" else "TIMESTAMP",
        "number": "DOUBLE",
        "integer": "HUGEINT",
        "boolean": "BOOLEAN",
        "array": "JSON",
        "object": "JSON",
    }
    return named[_kind(schema)]


TYPES = {"snowflake": _of_snowflake, "bigquery": _of_bigquery, "duckdb": _of_duckdb}
