"""What a correct warehouse contains now. End-to-end tests compare with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox.scores import qx_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.world_contents import WorldContents


def truth(world: WorldContents) -> Json:
    """Return everything the APIs serve now, in the vendor's shapes.

    workspaces: ``{uuid, name}``.
    tests: study items, classic ones included, with ``workspaceUuid``.
    sessions: list items with ``testId``, by session id.
    details (v3), details_v2: by session id.
    transcripts: by session id, without documents that have no cue.
    qx_scores: by test id.
    clips: by session id; reels: by test id. Both only for product types with video.
    events: the log of each test that the feed knows, oldest first.
    rejected: session ids in the order of the world.
    """
    served = {key: session for key, session in world.sessions.items() if session.served}
    vtts = {key: session.vtt for key, session in served.items()}
    return {
        "workspaces": [{"uuid": item.uuid, "name": item.name} for item in world.workspaces.values()],
        "tests": [{**test.study_item(), "workspaceUuid": test.workspace.uuid} for test in world.tests.values()],
        "sessions": {key: {"testId": session.test.test_id, **session.summary()} for key, session in served.items()},
        "details": {key: session.details_v3() for key, session in served.items()},
        "details_v2": {key: session.details_v2() for key, session in served.items()},
        "transcripts": {key: vtt for key, vtt in vtts.items() if vtt is not None and "-->" in vtt},
        "qx_scores": {
            key: qx_scores(test) for key, test in world.tests.items() if test.served_by_results and test.has_qx_scores
        },
        "clips": {key: session.clips for key, session in served.items() if session.test.is_filmed},
        "reels": {key: test.reels for key, test in world.tests.items() if test.served_by_results and test.is_filmed},
        "events": {key: [event.node() for event in test.events] for key, test in world.tests.items() if test.in_feed},
        "rejected": [key for key, session in world.sessions.items() if session.rejected],
    }


@dataclass(frozen=True)
class Table:
    """A table of a warehouse. ``source``: the part of the truth that it comes from. ``count``: its rows, of that."""

    name: str
    source: str
    row: str
    count: Callable[[Any], int] = len


def _items(parts: Json) -> int:
    return sum(len(part) for part in parts.values())


TABLES = (
    Table("workspaces", "workspaces", "workspace"),
    Table("tests", "tests", "test, including classic ones of the legacy API"),
    Table("sessions", "sessions", "completed session that is not rejected"),
    Table("session_details", "details", "completed session that is not rejected"),
    Table(
        "task_responses",
        "details",
        "task of a session",
        lambda details: sum(len(body["tasks"]) for body in details.values()),
    ),
    Table(
        "participant_demographics",
        "details",
        "demographic answer of a participant",
        lambda details: sum(
            len((body["sessionParticipant"] or {}).get("demographicsInfo", [])) for body in details.values()
        ),
    ),
    Table("transcripts", "transcripts", "session with a transcript"),
    Table(
        "transcript_cues",
        "transcripts",
        "cue of a transcript",
        lambda transcripts: sum(text.count("-->") for text in transcripts.values()),
    ),
    Table(
        "qx_scores",
        "qx_scores",
        "task group with QXscores",
        lambda scores: sum(len(body["qxScores"]) for body in scores.values()),
    ),
    Table("session_clips", "clips", "clip of a video", _items),
    Table("highlight_reels", "reels", "highlight reel", _items),
    Table("session_videos", "clips", "session with a video"),
    Table("result_changes", "events", "event in the change log of a test", _items),
)


def tables(world: WorldContents) -> list[Json]:
    """Return how many rows each table of a correct warehouse has now, apart from those marked as deleted."""
    now = truth(world)
    return [
        {"table": one.name, "rows": one.count(now[one.source]), "row": one.row, "truth": one.source} for one in TABLES
    ]
