"""Bodies as the vendors document them, to be spoiled."""

from __future__ import annotations

from typing import Any

TEST = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
SESSION = "41f72104-5f84-44fa-a16a-03f5751596ec"

LIST: dict[str, Any] = {
    "testId": TEST,
    "sessions": [
        {
            "sessionId": SESSION,
            "audienceId": None,
            "status": "COMPLETE",
            "startTime": "2026-01-05T12:00:00.000Z",
            "finishTime": "2026-01-05T12:10:00.000Z",
        },
        {"sessionId": "s-2", "status": "COMPLETE", "startTime": "2026-01-04T12:00:00.000Z", "finishTime": None},
    ],
    "meta": {"pagination": {"limit": 500, "offset": 0, "totalCount": 2}},
}
PARTICIPANT: dict[str, Any] = {
    "participantId": "p-1",
    "demographicsInfo": [{"id": "d-1", "code": "AGE", "label": "Age?", "value": "34", "type": "SINGLE"}],
}
DETAILS_V2: dict[str, Any] = {
    "sessionId": SESSION,
    "audienceId": "a-1",
    "testPlanId": "plan-1",
    "sessionParticipant": PARTICIPANT,
    "sessionTaskResults": [
        {
            "taskId": "task-1",
            "taskType": "TASK_TYPE_RATING_SCALE",
            "taskResponse": {"ratingScaleSpecificFields": {"uuid": "u", "text": "How?", "value": "4"}},
        }
    ],
}
DETAILS_V3: dict[str, Any] = {
    "sessionId": SESSION,
    "audienceId": "a-1",
    "testPlanId": "plan-1",
    "sessionParticipant": PARTICIPANT,
    "taskGroups": [{"uuid": "g-1", "type": "QX_SCORE", "response": {"score": 71.5}}],
    "tasks": [
        {
            "uuid": "task-1",
            "text": "Find the shop",
            "type": "WRITTEN",
            "response": {"startTimeMs": 1, "endTimeMs": 2.5, "skipped": False, "answer": {"written": {"value": "x"}}},
        }
    ],
}
QX_SCORES: dict[str, Any] = {
    "qxScores": [
        {
            "taskGroupId": "g-1",
            "label": "QXscore 1",
            "qxScore": 71.5,
            "components": {"behavioral": 70, "attitudinal": 73.5},
            "values": {"behavioral": [70, 71.5], "usability": 1, "trust": 2, "appearance": 3, "loyalty": None},
        }
    ],
    "meta": {"totalQxTasks": 1, "completes": 2},
}
WORKSPACES: list[dict[str, Any]] = [{"uuid": "0b9e3c1a-0000-4000-8000-000000000001", "name": "Shop", "cursor": "MQ"}]
STUDIES: list[dict[str, Any]] = [
    {
        "uuid": TEST,
        "title": "Checkout",
        "type": "STUDYV2",
        "productType": "THINK_OUT_LOUD",
        "orderedAt": "2026-01-01T00:00:00Z",
        "cursor": "MQ",
    }
]
COUNTS: dict[str, Any] = {
    "data": {"t0": {"count": 2, "latestCursor": "ut_2"}},
    "extensions": {
        "ratelimit": {"limit": 100, "remaining": 99, "cost": 1, "window_reset": "2026-02-02T02:40:00+00:00"}
    },
}
CHANGES: dict[str, Any] = {
    "data": {
        "t0": {
            "edges": [
                {
                    "node": {
                        "cursor": f"ut_{n}",
                        "responseUuid": f"ut_response_{SESSION}",
                        "testResultId": n,
                        "changeType": "UPDATED",
                        "changedAt": f"2026-01-05T12:1{n}:00.000000+00:00",
                    }
                }
                for n in (2, 1)
            ]
        }
    }
}
REFUSED: dict[str, Any] = {
    "data": {"t0": None},
    "errors": [{"message": "UserTest does not exist", "path": ["t0"], "locations": [{"line": 1, "column": 1}]}],
}
TOKEN: dict[str, Any] = {
    "access_token": "eyJ.x.y",
    "expires_in": 3600,
    "token_type": "Bearer",
    "scope": "studies:read",
}
VTT = """WEBVTT - a call

NOTE nothing

STYLE
::cue { color: red }

1
00:00:01.000 --> 00:00:02.500 align:start
<v Ann>Well &amp; good</v>

00:03.000 --> 00:04.000
yes
"""
