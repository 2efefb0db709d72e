"""`tap-rest-api-msdk`: a Singer tap for any REST API, told its streams in the config.

It knows no streams that hang on another stream's rows. So a sync is two generated runs: the first reads the lists and
the QXscores, the second has one stream for each session listed. It parses every answer as JSON, so transcripts are out
of its reach; and it cannot filter rows by a bookmark itself, so every sync is a full one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from tests.benchmarks.peers.peer import PAGE, Holdings, printed, program
from tests.support.tables import truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import World
    from tests.benchmarks.peers.peer import Job

# Schemas are given: without them the tap asks once more per stream, and does not try that call again.
_SESSION = ("sessionId", "audienceId", "status", "startTime", "finishTime")
_DETAILS = ("sessionId", "audienceId", "testPlanId", "sessionParticipant", "taskGroups", "tasks")
_SCORES = ("testId", "qxScores", "meta")
_AS_JSON = ["sessionParticipant", "meta"]  # lists become JSON text by themselves


class Msdk:
    """Two generated runs; the table of a stream is what stands before `__` in its name."""

    name: Final = "tap-rest-api-msdk"
    requirements: Final = ("tap-rest-api-msdk==1.4.2",)

    def sync(self, job: Job) -> Iterator[list[str]]:
        """Read lists and scores, then the details of every session listed."""
        before = sum(1 for _ in printed(job))
        lists = [
            _stream(f"sessions__{test_id}", "/api/v2/sessionResults", "$.sessions[*]", _SESSION, test_id)
            for test_id in job.test_ids
        ]
        scores = [
            _stream(f"qx_scores__{test_id}", f"/api/v2/testResults/{test_id}/qxScores", "$", _SCORES)
            for test_id in job.scored
        ]
        yield self._command(job, "lists", lists + scores)
        listed = {
            message["record"]["sessionId"]: None
            for message in list(printed(job))[before:]
            if message["type"] == "RECORD" and message["stream"].startswith("sessions__")
        }
        details = [
            _stream(f"details__{session_id}", f"/api/v3/sessionResults/{session_id}", "$", _DETAILS)
            for session_id in listed
        ]
        yield self._command(job, "details", details)

    def tables(self, job: Job) -> dict[str, dict[tuple[Any, ...], Any]]:
        """Unite the tables of all streams."""
        holdings = Holdings()
        for (stream, key), row in _rows(job).items():
            table, _, owner = stream.partition("__")
            if table == "sessions":
                holdings.sessions[key] = {"testId": owner, **row}
            elif table == "details":
                holdings.details[key] = _parsed(row, ("sessionParticipant", "tasks"))
            else:
                holdings.qx_scores[key] = _parsed(row, ("qxScores", "meta"))
        return truth(cast("World", holdings))

    def _command(self, job: Job, name: str, streams: list[dict[str, Any]]) -> list[str]:
        config = {
            "api_url": job.config["api_url"],
            "auth_method": "oauth",
            "access_token_url": job.config["auth_endpoint"],
            "client_id": job.config["client_id"],
            "client_secret": job.config["client_secret"],
            "grant_type": "client_credentials",
            "scope": "studies:read",
            "backoff_type": "header",
            "backoff_param": "Retry-After",
            "pagination_request_style": "offset_paginator",
            "pagination_response_style": "offset",
            "pagination_initial_offset": 0,
            "pagination_page_size": PAGE,
            "pagination_limit_per_page_param": "limit",
            "pagination_next_page_param": "offset",
            "pagination_total_limit_param": "totalCount",
            "next_page_token_path": "$.meta.pagination",
            "streams": streams,
        }
        return [program(self, "tap-rest-api-msdk"), "--config", job.write(f"{name}.json", config)]


def _stream(name: str, path: str, records: str, columns: tuple[str, ...], test_id: str = "") -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    return {
        "name": name,
        "path": path,
        "records_path": records,
        "params": {"testId": test_id, "limit": PAGE, "offset": 0} if test_id else {},
        "primary_keys": [columns[0]],
        "except_keys": _AS_JSON,
        "schema": {"type": "object", "properties": dict.fromkeys(columns, text)},
    }


def _rows(job: Job) -> dict[tuple[str, str], dict[str, Any]]:
    """Load as a target does whose load method is `overwrite`: each run of a stream replaces its rows."""
    keys: dict[str, str] = {}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for message in printed(job):
        stream = message.get("stream", "")
        if message["type"] == "SCHEMA":
            keys[stream] = message["key_properties"][0]
            rows = {key: row for key, row in rows.items() if key[0] != stream}
        elif message["type"] == "RECORD":
            rows[stream, message["record"][keys[stream]]] = message["record"]
    return rows


def _parsed(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    return {**row, **{name: json.loads(row.get(name) or "null") for name in columns}}
