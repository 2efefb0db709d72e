"""What happens between two syncs: one of each thing that a research team's day brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.happenings import make_happen
from tests.demo import report

if TYPE_CHECKING:
    from tap_usertesting.sandbox import World


def let_things_happen(world: World) -> str:
    """Complete, transcribe, update and reject a session each; print it, and return the rejected one's id."""
    report.heading("2. Meanwhile: four things happen")
    settled = [
        session
        for session in world.sessions.values()
        if session.served and session.has_transcript and session.test.in_feed
    ]
    update, reject = settled[0].session_id, settled[-1].session_id
    report_new = make_happen(world, "session")
    report.line(f"A participant completes '{report_new['title']}', transcript included.")
    report_late = make_happen(world, "transcript")
    report.line(f"A session of '{report_late['title']}' gets its transcript at last.")
    report_update = make_happen(world, "update", session_id=update)
    report.line(f"An answer in '{report_update['title']}' is corrected.")
    report_reject = make_happen(world, "reject", session_id=reject)
    report.line(f"A session of '{report_reject['title']}' is rejected.")
    return reject
