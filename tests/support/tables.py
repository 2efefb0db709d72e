"""The tables that a correct warehouse contains, by the truth of a sandbox."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_usertesting.sandbox import World
    from tests.support.harness import Warehouse


ACCOUNTED = ("sessions", "session_details", "transcripts")


def truth(world: World, *, details: str = "details") -> dict[str, dict[tuple[Any, ...], Any]]:
    """Return what a correct warehouse contains now, in a shape that `held` gives to tables as well."""
    now = world.truth()
    return {
        "sessions": {
            (session_id,): (
                item["testId"],
                item["status"],
                item.get("audienceId"),
                _ms(item["startTime"]),
                _ms(item.get("finishTime")),
            )
            for session_id, item in now["sessions"].items()
        },
        "session_details": {
            (session_id,): (
                body.get("testPlanId"),
                [(task["uuid"], task["text"], task["type"]) for task in body.get("tasks", [])],
                [task["response"] and task["response"]["answer"] for task in body.get("tasks", [])],
                [task["taskResponse"] for task in body.get("sessionTaskResults", [])],
                [info["value"] for info in (body["sessionParticipant"] or {}).get("demographicsInfo", [])],
            )
            for session_id, body in now[details].items()
        },
        "transcripts": {(session_id,): text for session_id, text in now["transcripts"].items()},
        "task_responses": {
            (session_id, number): row
            for session_id, body in now[details].items()
            for number, row in enumerate(_task_rows(body), start=1)
        },
        "participant_demographics": {
            (session_id, number): (body["sessionParticipant"]["participantId"], info["code"], info["value"])
            for session_id, body in now[details].items()
            for number, info in enumerate((body["sessionParticipant"] or {}).get("demographicsInfo", []), start=1)
        },
        "transcript_cues": {
            (session_id, number): _cue_times(line)
            for session_id, text in now["transcripts"].items()
            for number, line in enumerate((line for line in text.splitlines() if "-->" in line), start=1)
        },
        "qx_scores": {
            (test_id, item["taskGroupId"]): (item, body["meta"]["completes"])
            for test_id, body in now["qx_scores"].items()
            for item in body["qxScores"]
        },
        "session_clips": {
            (session_id, number): (clip["uuid"], clip["name"], clip["timeStartMs"], clip["layout"])
            for session_id, clips in now["clips"].items()
            for number, clip in enumerate(clips, start=1)
        },
        "highlight_reels": {
            (test_id, reel["uuid"]): (reel["lastUpdatedAtMs"], reel["numClips"])
            for test_id, reels in now["reels"].items()
            for reel in reels
        },
        "result_changes": {
            (test_id, event["cursor"]): (event["responseUuid"], event["changeType"])
            for test_id, events in now["events"].items()
            for event in events
        },
        "tests": {(item["uuid"],): (item["title"], item["productType"].upper()) for item in now["tests"]},
        "workspaces": {(item["uuid"],): item["name"] for item in now["workspaces"]},
    }


def held(warehouse: Warehouse) -> dict[str, dict[tuple[Any, ...], Any]]:
    """Return the tables of a warehouse in the shape of `truth`."""
    views: dict[str, Callable[[dict[str, Any]], Any]] = {
        "sessions": lambda row: (
            row["test_id"],
            row["status"],
            row["audience_id"],
            _ms(row["start_time"]),
            _ms(row["finish_time"]),
        ),
        "session_details": lambda row: (
            row["test_plan_id"],
            [(task["uuid"], task["text"], task["type"]) for task in row["tasks"] or []],
            [task["response"] and task["response"]["answer"] for task in row["tasks"] or []],
            [task["task_response"] for task in row["session_task_results"] or []],
            [info["value"] for info in (row["session_participant"] or {}).get("demographics_info", [])],
        ),
        "transcripts": lambda row: row["vtt"],
        "task_responses": lambda row: (
            row["task_id"],
            row["task_text"],
            row["task_type"],
            row["skipped"],
            row["answer"],
        ),
        "participant_demographics": lambda row: (row["participant_id"], row["code"], row["value"]),
        "transcript_cues": lambda row: (row["start_ms"], row["end_ms"]),
        "qx_scores": lambda row: (row["raw"], row["completes"]),
        "session_clips": lambda row: (row["clip_id"], row["name"], row["time_start_ms"], row["layout"]),
        "highlight_reels": lambda row: (
            round(datetime.fromisoformat(row["last_updated_at"][:-1] + "+00:00").timestamp() * 1000),
            row["num_clips"],
        ),
        "result_changes": lambda row: (row["response_uuid"], row["change_type"]),
        "tests": lambda row: (row["title"], (row["product_type"] or "").upper()),
        "workspaces": lambda row: row["name"],
    }
    return {
        stream: {key: views[stream](row) for key, row in table.items()}
        for stream, table in warehouse.tables.items()
        if stream != "sync_status"
    }


def assert_accounted(warehouse: Warehouse) -> None:
    """Assert the promise of `sync_status` for each test: each session without a row is accounted for."""
    for (test_id, stream), status in warehouse.tables.get("sync_status", {}).items():
        if stream not in ACCOUNTED or status["source_count"] is None:
            continue
        rows = sum(row["test_id"] == test_id for row in warehouse.tables[stream].values())
        without = {name: status[name] for name in ("unread", "waiting", "given_up", "left_out")}
        assert rows == status["source_count"] - sum(without.values()), (stream, rows, status)


def assert_true(warehouse: Warehouse, world: World, streams: Iterable[str] | None = None) -> None:
    """Assert that the tables of these streams, by default all, contain the sandbox's truth, and no more."""
    expected, found = truth(world), held(warehouse)
    for stream in [one for one in streams or found if one != "sync_status"]:
        lost, extra = (
            expected[stream].keys() - found[stream].keys(),
            found[stream].keys() - expected[stream].keys(),
        )
        assert not lost, f"{stream}: {len(lost)} rows lost, such as {min(lost)}"
        assert not extra, f"{stream}: {len(extra)} rows too many, such as {min(extra)}"
        assert found[stream] == expected[stream], f"{stream}: rows differ"
    assert_accounted(warehouse)


def _task_rows(body: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for task in body.get("sessionTaskResults", []):
        yield task["taskId"], None, task["taskType"], None, task["taskResponse"]
    for task in body.get("tasks", []):
        response = task["response"] or {}
        yield task["uuid"], task["text"], task["type"], response.get("skipped"), response.get("answer")


def _cue_times(line: str) -> tuple[int, int]:
    """Return start and end of a line of cue times in milliseconds."""
    ends = re.findall(r"(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})", line)
    start, end = (((int(h or 0) * 60 + int(m)) * 60 + int(s)) * 1000 + int(ms) for h, m, s, ms in ends[:2])
    return start, end


def _ms(time: str | None) -> str | None:
    """Return a time cut to milliseconds, whatever its number of decimals."""
    return None if time is None else f"{time[:19]}.{time[20:].rstrip('Z'):0<3}"[:23]
