"""What happens between two syncs: one of each thing that a research team's day brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.change_by_kind import make_change
from tests.demo import report

if TYPE_CHECKING:
    from tap_usertesting.sandbox import World


def make_changes(world: World) -> str:
    """Complete, transcribe, update and reject a session each; print it, and return the rejected one's id."""
    report.heading("2. Meanwhile: four things happen")
    settled = [
        session
        for session in world.sessions.values()
        if session.served and session.has_transcript and session.test.in_feed
    ]
    update, reject = settled[0].session_id, settled[-1].session_id
    completed = make_change(world, "session")
    report.line(f"A participant completes '{completed['title']}', transcript included.")
    transcribed = make_change(world, "transcript")
    report.line(f"A session of '{transcribed['title']}' gets its transcript at last.")
    corrected = make_change(world, "update", session_id=update)
    report.line(f"An answer in '{corrected['title']}' is corrected.")
    rejected = make_change(world, "reject", session_id=reject)
    report.line(f"A session of '{rejected['title']}' is rejected.")
    return reject
