"""`task_responses`: the tasks of a session, from either version of the details endpoint."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tap_usertesting.api.results import DETAILS_VERSION
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.streams.session_details import Details
from tap_usertesting.values.conform import objects


class TaskResponsesStream(SessionStream):
    """One row per task of a session."""

    name = "task_responses"
    calls = "shares the calls of `session_details`"
    resource_class = Details
    primary_keys = ("session_id", "task_number")
    numbered = "task_number"
    selected_by_default = False
    personal = ("answer",)

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        version = answer[DETAILS_VERSION]
        if version == "v3":
            tasks = [_task(task) for task in objects(answer.get("tasks"))]
        else:
            tasks = [_task_v2(task) for task in objects(answer.get("sessionTaskResults"))]
        return [self.columns({**task, DETAILS_VERSION: version}) for task in tasks]


def _task(task: dict[str, Any]) -> dict[str, Any]:
    response = task.get("response")
    inner = response if isinstance(response, dict) else {}
    return {
        "taskId": task.get("uuid"),
        "taskText": task.get("text"),
        "taskType": task.get("type"),
        **{name: inner.get(name) for name in ("startTimeMs", "endTimeMs", "skipped", "answer")},
    }


def _task_v2(task: dict[str, Any]) -> dict[str, Any]:
    return {"taskId": task.get("taskId"), "taskType": task.get("taskType"), "answer": task.get("taskResponse")}
