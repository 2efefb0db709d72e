"""`meltano run` from the sandbox into a real PostgreSQL server: what the tables hold after each run of a pipeline."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.sandbox.change_by_kind import make_change
from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS
from tests.e2e import truth
from tests.e2e.meltano.project import copied, variables
from tests.support.completeness import disagreements
from tests.support.environments import ROOT
from tests.support.harness import SESSION_STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_usertesting.sandbox import ServedCall
    from tests.e2e.database import Database, Server
    from tests.e2e.meltano.project import Project

# A run that has to install as well takes its time on a busy machine.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

STATE_ID = "prod:tap-usertesting-to-target-postgres"
SCHEMA = "usertesting"
SQL_TYPES = {
    "string": "text",
    "date-time": "timestamp without time zone",
    "integer": "bigint",
    "boolean": "boolean",
    "number": "numeric",
    "object": "jsonb",
    "array of objects": "_jsonb",
    "array of numbers": "_numeric",
}


@dataclass(frozen=True)
class Run:
    """What one `meltano run` did. `began` is epoch milliseconds, as in the column `_sdc_sequence`."""

    began: int
    calls: list[ServedCall]
    rows: truth.Rows
    state: dict[str, Any]

    @property
    def quota_calls(self) -> list[str]:
        """The kinds of its calls that the quota counts."""
        return [call.kind for call in self.calls if call.kind in RESULTS_KINDS]


@dataclass
class Pipeline:
    """A pipeline, its source and its database."""

    project: Project
    world: World
    box: Sandbox
    database: Database

    def run(self, *options: str) -> Run:
        """Run it once and check every row against the sandbox."""
        self.box.clear_calls()
        began = int(time.time() * 1000)
        self.project.meltano("run", "usertesting-to-postgres", *options)
        found = truth.rows(self.database, SCHEMA)
        truth.assert_rows_true(found, self.world)
        assert self.database.rows(disagreements(SCHEMA)) == []
        return Run(began, self.box.calls, found, self.project.state(STATE_ID))


@pytest.fixture(scope="module")
def pipeline(
    template: Project, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    """A pipeline in the environment `prod`, from a sandbox with a quota."""
    world = World.seeded()
    database = postgres_server.database()
    with Sandbox(world, quota=QuotaRule(limit=10, window=0.2)) as box:
        env = variables("TAP_USERTESTING", box.config())
        env |= truth.SELECT | {"MELTANO_ENVIRONMENT": "prod", "TARGET_POSTGRES_SQLALCHEMY_URL": database.url}
        project = copied(template, tmp_path_factory.mktemp("postgres") / "project", env)
        yield Pipeline(project, world, box, database)


@pytest.fixture(scope="module")
def first(pipeline: Pipeline) -> Run:
    """The first sync."""
    return pipeline.run()


@pytest.fixture(scope="module")
def idle(first: Run, pipeline: Pipeline) -> Run:  # noqa: ARG001 - comes after the first
    """A sync in which nothing had happened."""
    return pipeline.run()


@pytest.fixture(scope="module")
def happened(idle: Run, pipeline: Pipeline) -> dict[str, str]:  # noqa: ARG001 - comes after the idle sync
    """What happened then: the session of each kind of event."""
    kinds = ("session", "transcript", "update", "reject")
    return {kind: make_change(pipeline.world, kind)["sessionId"] for kind in kinds}


@pytest.fixture(scope="module")
def changed(happened: dict[str, str], pipeline: Pipeline) -> Run:  # noqa: ARG001 - comes after that
    """The sync after it."""
    return pipeline.run()


@pytest.fixture(scope="module")
def replayed(changed: Run, pipeline: Pipeline) -> Run:  # noqa: ARG001 - comes after the changes
    """A sync of everything once more."""
    return pipeline.run("--full-refresh")


def test_first_sync_fills_every_table(first: Run) -> None:
    """Every stream has its rows, all of them true (`Pipeline.run`), and the quota was never exceeded."""
    assert all(first.rows.values())
    assert 429 not in {call.status for call in first.calls}


def test_types_are_those_of_the_schemas(first: Run, pipeline: Pipeline) -> None:  # noqa: ARG001 - makes the tables
    """Timestamps are timestamps, objects are jsonb, numbers are numeric: column by column, in every table."""
    columns = (
        "SELECT table_name, column_name, data_type, udt_name FROM information_schema.columns"  # noqa: S608 - a name of this module
        f" WHERE table_schema = '{SCHEMA}' AND (column_name NOT LIKE '\\_sdc%' OR column_name = '_sdc_deleted_at')"
    )
    found: dict[str, dict[str, str]] = {}
    for row in pipeline.database.rows(columns):
        kind = row["udt_name"] if row["data_type"] == "ARRAY" else row["data_type"]
        found.setdefault(row["table_name"], {})[row["column_name"]] = kind
    for stream in truth.KEYS:
        schema = json.loads((ROOT / "schemas" / f"{stream}.json").read_text(encoding="utf-8"))
        expected = {name: SQL_TYPES[_kind(node)] for name, node in schema["properties"].items()}
        assert found[stream] == {"_sdc_deleted_at": "timestamp without time zone"} | expected, stream


def _kind(node: dict[str, Any]) -> str:
    """Return a schema node's type in a word or two."""
    types = [node["type"]] if isinstance(node["type"], str) else node["type"]
    (kind,) = (name for name in types if name != "null")
    return f"array of {_kind(node['items'])}s" if kind == "array" else str(node.get("format", kind))


def test_keys_are_primary_keys(first: Run, pipeline: Pipeline) -> None:  # noqa: ARG001 - makes the tables
    """The database itself refuses a second row of a key."""
    keys = (
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) AS columns"  # noqa: S608 - a name of this module
        " FROM information_schema.table_constraints JOIN information_schema.key_column_usage"
        " USING (constraint_schema, constraint_name, table_name)"
        f" WHERE constraint_type = 'PRIMARY KEY' AND constraint_schema = '{SCHEMA}' GROUP BY table_name"
    )
    found = {row["table_name"]: set(row["columns"]) for row in pipeline.database.rows(keys)}
    assert found == {stream: set(columns) for stream, columns in truth.KEYS.items()}


def test_values_can_be_reckoned_with(first: Run, pipeline: Pipeline) -> None:  # noqa: ARG001 - fills the tables
    """SQL takes times, numbers and JSON as what they are, and comes to what the sandbox says."""
    (answer,) = pipeline.database.rows(
        "SELECT (SELECT sum(extract(epoch FROM finish_time - start_time)) FROM usertesting.sessions) AS seconds,"
        " (SELECT sum(qx_score) FROM usertesting.qx_scores) AS scores,"
        " (SELECT sum((raw ->> 'qxScore')::numeric) FROM usertesting.qx_scores) AS raw_scores,"
        " (SELECT count(*) FROM usertesting.session_details, unnest(tasks) AS task WHERE task ? 'uuid') AS tasks"
    )
    served = pipeline.world.truth()
    sessions = [pipeline.world.tests[item["testId"]].sessions[key] for key, item in served["sessions"].items()]
    seconds = sum((one.finish_time - one.started_at).total_seconds() for one in sessions if one.finish_time)
    scores = [item["qxScore"] or 0 for body in served["qx_scores"].values() for item in body["qxScores"]]
    tasks = [task for body in served["details"].values() for task in body["tasks"]]
    assert answer["seconds"] == pytest.approx(seconds, abs=0.01 * len(sessions))
    assert answer["scores"] == answer["raw_scores"] == pytest.approx(sum(scores))
    assert answer["tasks"] == len(tasks)


def test_idle_sync_costs_one_request_to_the_feed(idle: Run, first: Run) -> None:
    """Meltano hands the state on: nothing is fetched again, and no table but the two of discovery is written."""
    assert idle.quota_calls == []
    assert [call.kind for call in idle.calls].count("feed") == 1
    incremental = truth.KEYS.keys() - {"tests", "workspaces"}
    assert {stream: idle.rows[stream] for stream in incremental} == {
        stream: first.rows[stream] for stream in incremental
    }
    assert idle.state == first.state


def test_changes_cost_a_call_each(changed: Run) -> None:
    """A new session, a late transcript, an update and a rejection: six calls or fewer, and every table is true."""
    assert len(changed.quota_calls) <= 6


def test_a_rejected_session_is_marked(changed: Run, first: Run, happened: dict[str, str]) -> None:
    """Its rows stay, as tombstones with `deleted_at` and `_sdc_deleted_at`; before they held the session."""
    for stream in SESSION_STREAMS:
        before = [row for row in first.rows[stream] if row["session_id"] == happened["reject"]]
        after = [row for row in changed.rows[stream] if row["session_id"] == happened["reject"]]
        assert [row["deleted_at"] for row in before] in ([None], []), stream
        assert len(after) == 1, stream
        assert after[0]["deleted_at"] is not None, stream
        assert after[0]["deleted_at"] == after[0]["_sdc_deleted_at"], stream


def test_untouched_rows_are_not_written_again(changed: Run, happened: dict[str, str]) -> None:
    """Only the sessions to which something happened were loaded."""
    for stream in SESSION_STREAMS:
        written = {row["session_id"] for row in changed.rows[stream] if row["_sdc_sequence"] >= changed.began}
        assert written, stream
        assert written <= set(happened.values()), stream


def test_a_replayed_row_stays_one_row(replayed: Run, changed: Run) -> None:
    """A full refresh writes every live row again, and no table has more rows than before."""
    for stream, table in replayed.rows.items():
        assert len(table) == len(changed.rows[stream]), stream
        live = [row for row in table if row["_sdc_deleted_at"] is None]
        assert all(row["_sdc_sequence"] >= replayed.began for row in live), stream


def test_a_first_sync_that_ends_at_its_budget_is_accounted_for(
    template: Project, postgres_server: Server, tmp_path: Path
) -> None:
    """In the middle, and once it is complete, the documented query finds nothing; the middle says what is missing."""
    world, database = World.seeded(), postgres_server.database()
    with Sandbox(world, quota=None) as box:
        env = variables("TAP_USERTESTING", box.config(max_calls=25))
        env |= truth.SELECT | {"MELTANO_ENVIRONMENT": "prod", "TARGET_POSTGRES_SQLALCHEMY_URL": database.url}
        project = copied(template, tmp_path / "project", env)
        missing = f"SELECT count(*) AS tables FROM {SCHEMA}.sync_status WHERE status = 'reading'"  # noqa: S608 - a name of this module
        project.meltano("run", "usertesting-to-postgres")
        assert database.rows(disagreements(SCHEMA)) == []
        assert database.rows(missing)[0]["tables"] > 0
        for _ in range(9):
            project.meltano("run", "usertesting-to-postgres")
            assert database.rows(disagreements(SCHEMA)) == []
            if not database.rows(missing)[0]["tables"]:
                break
        assert database.rows(missing)[0]["tables"] == 0
        truth.assert_rows_true(truth.rows(database, SCHEMA), world)
