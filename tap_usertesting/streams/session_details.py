"""`session_details`, and the streams with a row per task and per demographic answer that are made from the same answer.

Source: GET /api/v3/sessionResults/{sessionId}. The vendor's current reference knows only v3; older pages and public
code use v2, whose shape differs.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.config.schema import AUTO
from tap_usertesting.singer.ledger_stream import LedgerStream

VERSION = "detailsVersion"  # the key under which an answer says which version it is of


class DetailsStream(LedgerStream):
    """A stream that is made from the details of a session; each costs one call, for all such streams together."""

    source = "details"
    endpoint = "details_v3"
    cost = "one call for each of its {sessions} sessions"

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        """Ask v3, and v2 only while no v3 answer has succeeded: a 404 alone does not tell a version from a session."""
        configured, run = self.settings.session_details_version, self.run
        version = run.details_version or ("v3" if configured == AUTO else configured)
        try:
            body = run.results.details(session_id, version=version)
        except NotFoundError:
            if configured != AUTO or run.details_version is not None:
                raise
            version = "v2"
            body = run.results.details(session_id, version=version)
        run.details_version = version
        return {**body, VERSION: version}


class SessionDetailsStream(DetailsStream):
    """One row per session."""

    name = "session_details"


class TaskResponsesStream(DetailsStream):
    """One row per task of a session, of either version."""

    name = "task_responses"
    primary_keys = ("session_id", "task_number")
    numbered = "task_number"
    selected_by_default = False

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        version = answer[VERSION]
        tasks = _objects(answer.get("tasks" if version == "v3" else "sessionTaskResults"))
        make = _task if version == "v3" else _task_v2
        return [self.columns({**make(task), VERSION: version}) for task in tasks]


class ParticipantDemographicsStream(DetailsStream):
    """One row per demographic answer of a session's participant."""

    name = "participant_demographics"
    primary_keys = ("session_id", "demographic_number")
    numbered = "demographic_number"
    selected_by_default = False

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        participant = answer.get("sessionParticipant")
        if not isinstance(participant, dict):
            return []
        return [
            self.columns(
                {
                    "participantId": participant.get("participantId"),
                    "questionId": item.get("id"),
                    "questionType": item.get("type"),
                    **{name: item.get(name) for name in ("code", "label", "value")},
                }
            )
            for item in _objects(participant.get("demographicsInfo"))
        ]


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


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
