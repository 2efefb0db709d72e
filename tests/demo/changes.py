"""What happens between two syncs: one of each thing that a research team's day brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.change_by_kind import make_change
from tests.demo import report

if TYPE_CHECKING:
    from tap_usertesting.sandbox import World
    from tap_usertesting.sandbox.model import Session
    from tap_usertesting.sandbox.requests_and_replies import Json


def make_changes(world: World) -> str:
    """Complete, transcribe, update and reject a session each; print it, and return the rejected one's id."""
    report.heading("2. Meanwhile: four things happen")
    settled = [
        session
        for session in world.sessions.values()
        if session.served and session.has_transcript and session.test.in_feed
    ]
    update, reject = settled[0], settled[-1].session_id
    completed = make_change(world, "session")
    report.line(f"A participant completes '{completed['title']}', transcript included.")
    transcribed = make_change(world, "transcript")
    report.line(f"A session of '{transcribed['title']}' gets its transcript at last.")
    world.update(update, {"tasks": _corrected(update)})
    report.line(f"An answer in '{update.test.title}' is corrected.")
    rejected = make_change(world, "reject", session_id=reject)
    report.line(f"A session of '{rejected['title']}' is rejected.")
    return reject


def _corrected(session: Session) -> list[Json]:
    """Return the tasks of a session with one answer changed: the rating, one up or down."""
    tasks: list[Json] = session.details_v3()["tasks"]
    for task in tasks:
        given = ((task["response"] or {}).get("answer") or {}).get("ratingScale")
        if given is not None:
            given["value"] += 1 if given["value"] < given["scaleMaximum"] else -1
    return tasks
