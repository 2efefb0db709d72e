"""What a correct warehouse contains now. End-to-end tests compare with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.scores import qx_scores

if TYPE_CHECKING:
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
