"""The REST source of `dlt`, loading into DuckDB by `merge`.

Each test has resources of its own, as dlt keeps one bookmark per resource. Sessions are incremental by `finishTime`,
details and transcripts hang on the new ones. WebVTT is no JSON, so a hook rewrites that answer before dlt parses it.
This file is also the program: `python -m tests.benchmarks.peers.dlt_rest JOB.json`, in dlt's environment, for one sync.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from tests.benchmarks.peers.peer import PAGE, TABLES, Holdings, Job, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import World

_TRIES = 12  # of one call; with the default of 5 the quota ends the run


class Dlt:
    """One pipeline run a sync."""

    name: Final = "dlt"
    requirements: Final = ("dlt[duckdb]==1.31.0", "duckdb==2.0.0")

    def sync(self, job: Job) -> Iterator[list[str]]:
        """Run this file in dlt's environment."""
        command = [program(self, "python"), "-m", "tests.benchmarks.peers.dlt_rest"]
        yield [*command, job.write("job.json", {**vars(job), "home": str(job.home)})]

    def tables(self, job: Job) -> dict[str, dict[tuple[Any, ...], Any]]:
        """Read what the program has written of its database."""
        from tests.support.tables import truth  # noqa: PLC0415 - dlt's environment has no such module

        path = job.home / "holdings.json"
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return truth(cast("World", Holdings(**found)))


def main() -> None:
    """Sync once and write what the database then holds to `holdings.json`."""
    import dlt  # type: ignore[import-not-found]  # noqa: PLC0415 - only in its own environment
    from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    job = Job(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    home = Path(job.home)
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(home / "pipelines"),
        destination=dlt.destinations.duckdb(str(home / "warehouse.duckdb")),
        dataset_name="usertesting",
    )
    pipeline.run(rest_api_source(_source(job), max_table_nesting=0))
    held: dict[str, list[dict[str, Any]]] = {}
    with pipeline.sql_client() as client:
        present = set(pipeline.default_schema.tables)
        for table in TABLES:
            held[table] = []
            if table in present:
                with client.execute_query(f"SELECT * FROM {table}") as cursor:  # noqa: S608 - a name of ours
                    names = [column[0] for column in cursor.description]
                    held[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    holdings = {
        "sessions": {row["sessionId"]: row for row in held["sessions"]},
        "details": {row["sessionId"]: _parsed(row) for row in held["session_details"]},
        "transcripts": {row["sessionId"]: row["vtt"] for row in held["transcripts"]},
        "qx_scores": {row["testId"]: _parsed(row) for row in held["qx_scores"]},
    }
    (home / "holdings.json").write_text(json.dumps(holdings), encoding="utf-8")


def _source(job: Job) -> dict[str, Any]:
    """Return the configuration of the source."""
    from dlt.sources.helpers.requests import Client  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    resources = []
    for number, test_id in enumerate(job.test_ids):
        sessions = f"sessions_{number}"
        resources += [_sessions(sessions, test_id), _details(f"session_details_{number}", sessions)]
        if test_id in job.spoken:
            resources.append(_transcripts(f"transcripts_{number}", sessions))
        if test_id in job.scored:
            resources.append(_scores(f"qx_scores_{number}", test_id))
    return {
        "client": {
            "base_url": job.config["api_url"],
            "session": Client(request_max_attempts=_TRIES, raise_for_status=False).session,
            "auth": {
                "type": "oauth2_client_credentials",
                "access_token_url": job.config["auth_endpoint"],
                "client_id": job.config["client_id"],
                "client_secret": job.config["client_secret"],
                "access_token_request_data": {"scope": "studies:read"},
            },
        },
        "resource_defaults": {"write_disposition": "merge", "primary_key": "sessionId"},
        "resources": resources,
    }


def _sessions(name: str, test_id: str) -> dict[str, Any]:
    return {
        "name": name,
        "table_name": "sessions",
        "columns": {column: {"data_type": "text"} for column in ("startTime", "finishTime", "audienceId")},
        "endpoint": {
            "path": "api/v2/sessionResults",
            "params": {"testId": test_id},
            "data_selector": "sessions",
            "paginator": {
                "type": "offset",
                "limit": PAGE,
                "limit_param": "limit",
                "offset_param": "offset",
                "total_path": "meta.pagination.totalCount",
            },
            "incremental": {"cursor_path": "finishTime", "on_cursor_value_missing": "include"},
        },
        "processing_steps": [{"map": lambda row: {**row, "testId": test_id}}],
    }


def _details(name: str, sessions: str) -> dict[str, Any]:
    path = f"api/v3/sessionResults/{{resources.{sessions}.sessionId}}"
    return {
        "name": name,
        "table_name": "session_details",
        "columns": {column: {"data_type": "json"} for column in ("tasks", "taskGroups", "sessionParticipant")},
        "endpoint": {"path": path, "data_selector": "$", "paginator": "single_page"},
    }


def _transcripts(name: str, sessions: str) -> dict[str, Any]:
    path = f"api/v2/sessionResults/{{resources.{sessions}.sessionId}}/transcript"

    def as_row(response: Any, *_: Any, **__: Any) -> None:  # noqa: ANN401 - a response of dlt's own library
        if response.status_code == 200:
            response._content = json.dumps({"vtt": response.content.decode()}).encode()  # noqa: SLF001 - no other way

    def named(row: dict[str, Any]) -> dict[str, Any]:
        return {"sessionId": row[f"_{sessions}_sessionId"], "vtt": row["vtt"]}

    return {
        "name": name,
        "table_name": "transcripts",
        "include_from_parent": ["sessionId"],
        "endpoint": {
            "path": path,
            "data_selector": "$",
            "paginator": "single_page",
            "response_actions": [as_row, {"status_code": 404, "action": "ignore"}],
        },
        "processing_steps": [{"map": named}],
    }


def _scores(name: str, test_id: str) -> dict[str, Any]:
    return {
        "name": name,
        "table_name": "qx_scores",
        "primary_key": "testId",
        "columns": {column: {"data_type": "json"} for column in ("qxScores", "meta")},
        "endpoint": {
            "path": f"api/v2/testResults/{test_id}/qxScores",
            "data_selector": "$",
            "paginator": "single_page",
        },
    }


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its JSON columns as values."""
    nested = ("tasks", "taskGroups", "sessionParticipant", "qxScores", "meta")
    return {name: json.loads(value) if name in nested and value else value for name, value in row.items()}


if __name__ == "__main__":
    main()
