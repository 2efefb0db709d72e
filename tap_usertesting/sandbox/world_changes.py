"""What can happen in a world: to its sessions, its tests and what the feed knows of them.

A module of its own because ``seed.py`` lets these things happen, and ``world.py`` imports ``seed.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.compose import compose_clip_items, compose_reel
from tap_usertesting.sandbox.world_contents import WorldContents, changes_world

if TYPE_CHECKING:
    from datetime import datetime

    from tap_usertesting.sandbox.model import Event, Session, Test
    from tap_usertesting.sandbox.requests_and_replies import Json


class ChangingWorld(WorldContents):
    """A world to which things happen, one at a time; each counts as a change."""

    # What can happen to a session

    @changes_world
    def reveal(self, session: Session) -> None:
        """Let the Results API have a session that it had not."""
        self._show(session)
        session.test.mark_changed()

    @changes_world
    def transcribe(
        self, session: Session, vtt: str | None = None, *, event: bool = True, at: datetime | None = None
    ) -> None:
        """Let the transcript of a session appear (or change), and announce it unless ``event`` is False."""
        session.has_transcript = True
        session.given_vtt = vtt if vtt is not None else session.given_vtt
        if event:
            self.journal.record(session, "VIDEO_TRANSCRIPTION_UPDATED", at)
        session.test.mark_changed()

    @changes_world
    def update(
        self, session: Session, details: Json | None = None, *, event: bool = True, at: datetime | None = None
    ) -> None:
        """Change the given top-level keys of a session's details, or without any all that is composed."""
        if details is None:
            session.revision += 1
        else:
            session.overrides = {**session.overrides, **details}
        if event:
            self.journal.record(session, "UPDATED", at)
        session.test.mark_changed()

    @changes_world
    def reject(self, session: Session, *, at: datetime | None = None) -> None:
        """Reject a session: it leaves every endpoint and the count of the list."""
        session.rejected = True
        self.journal.record(session, "REJECTED", at)
        session.test.mark_changed()

    @changes_world
    def accept(self, session: Session, *, at: datetime | None = None) -> None:
        """Bring a rejected session back."""
        session.rejected = False
        self.journal.record(session, "UPDATED", at)
        session.test.mark_changed()

    @changes_world
    def remove(self, session: Session) -> None:
        """Let a session leave the Results API without a word."""
        session.visible = False
        session.test.mark_changed()

    @changes_world
    def announce(self, session: Session, change_type: str, *, at: datetime | None = None) -> None:
        """Put an event of a session into the log at its place in time, without any change of the session."""
        self.journal.record(session, change_type, at)
        session.test.mark_changed()

    @changes_world
    def clip(self, session: Session, name: str = "A clip") -> Json:
        """Cut one more clip from a session's video; no event says so."""
        [made] = compose_clip_items(self.rng, session.seconds, 1)
        session.clips.append({**made, "name": name})
        return session.clips[-1]

    # What can happen to a test

    @changes_world
    def edit_reel(self, test: Test, place: int | None = None, *, at: datetime | None = None) -> Json:
        """Change a highlight reel of a test, or without a place make one; no event says so."""
        stamp = int((at or self.now).timestamp() * 1000)
        if place is None:
            test.reels.append(compose_reel(self.rng, f"Highlights {len(test.reels) + 1}", stamp))
            place = -1
        test.reels[place] = {**test.reels[place], "lastUpdatedAtMs": stamp, "numClips": self.rng.randrange(1, 9)}
        return test.reels[place]

    @changes_world
    def event(
        self,
        test: Test,
        *,
        response_uuid: str,
        change_type: str = "UPDATED",
        at: datetime | None = None,
        cursor: str | None = None,
    ) -> Event:
        """Put any event at the end of a log, whatever its id, type and time."""
        event = self.journal.make_event(
            response_uuid, change_type, at or self.journal.advance_past(test), cursor=cursor
        )
        test.add_event(event)
        return event

    @changes_world
    def lose_access(self, test: Test) -> None:
        """Let every Results API endpoint of the test and its sessions answer 404."""
        test.access = False
        test.mark_changed()

    @changes_world
    def grant_access(self, test: Test) -> None:
        """Take ``lose_access`` back."""
        test.access = True
        test.mark_changed()

    @changes_world
    def forget_in_feed(self, test: Test) -> None:
        """Let the feed not know the test."""
        test.in_feed = False

    @changes_world
    def teach_feed(self, test: Test) -> None:
        """Let the feed know the test and its history."""
        test.in_feed = True

    @changes_world
    def expire_cursors(self, test: Test) -> None:
        """Let the feed forget every cursor it has given out so far; the history stays readable."""
        test.expired = len(test.events)
