"""The changes that can be made to a world: to its sessions, its tests and what the feed knows about them.

It is a module of its own because ``seed.py`` makes these changes, and ``world.py`` imports ``seed.py``.
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
    """A world that can be changed."""

    # Changes to a session

    @changes_world
    def reveal(self, session: Session) -> None:
        """Make a session visible in the Results API."""
        self._show(session)
        session.test.mark_changed()

    @changes_world
    def transcribe(
        self, session: Session, vtt: str | None = None, *, event: bool = True, at: datetime | None = None
    ) -> None:
        """Add or replace the transcript of a session, and announce it unless ``event`` is False."""
        session.has_transcript = True
        session.given_vtt = vtt if vtt is not None else session.given_vtt
        if event:
            self.journal.record(session, "VIDEO_TRANSCRIPTION_UPDATED", at)
        session.test.mark_changed()

    @changes_world
    def update(
        self, session: Session, details: Json | None = None, *, event: bool = True, at: datetime | None = None
    ) -> None:
        """Change the given top-level keys of a session's details, or, without any, all composed content."""
        if details is None:
            session.revision += 1
        else:
            session.overrides = {**session.overrides, **details}
        if event:
            self.journal.record(session, "UPDATED", at)
        session.test.mark_changed()

    @changes_world
    def reject(self, session: Session, *, at: datetime | None = None) -> None:
        """Reject a session: it leaves every endpoint, the list and its count."""
        session.rejected = True
        self.journal.record(session, "REJECTED", at)
        session.test.mark_changed()

    @changes_world
    def accept(self, session: Session, *, at: datetime | None = None) -> None:
        """Accept a rejected session again."""
        session.rejected = False
        self.journal.record(session, "UPDATED", at)
        session.test.mark_changed()

    @changes_world
    def remove(self, session: Session) -> None:
        """Remove a session from the Results API without an event."""
        session.visible = False
        session.test.mark_changed()

    @changes_world
    def announce(self, session: Session, change_type: str, *, at: datetime | None = None) -> None:
        """Log an event of a session without any change to the session."""
        self.journal.record(session, change_type, at)
        session.test.mark_changed()

    @changes_world
    def clip(self, session: Session, name: str = "A clip") -> Json:
        """Add a clip to a session's video, without an event."""
        [made] = compose_clip_items(self.rng, session.test.study, session.seconds, 1)
        session.clips.append({**made, "name": name})
        return session.clips[-1]

    # Changes to a test

    @changes_world
    def edit_reel(self, test: Test, place: int | None = None, *, at: datetime | None = None) -> Json:
        """Change the highlight reel of a test at ``place``, or, without one, add a reel. There is no event."""
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
        """Append an event to the log of a test, with any id, type and time."""
        event = self.journal.make_event(
            response_uuid, change_type, at or self.journal.advance_past(test), cursor=cursor
        )
        test.add_event(event)
        return event

    @changes_world
    def lose_access(self, test: Test) -> None:
        """Make every Results API endpoint of the test and its sessions answer 404."""
        test.access = False
        test.mark_changed()

    @changes_world
    def grant_access(self, test: Test) -> None:
        """Undo ``lose_access``."""
        test.access = True
        test.mark_changed()

    @changes_world
    def forget_in_feed(self, test: Test) -> None:
        """Make the feed forget the test."""
        test.in_feed = False

    @changes_world
    def teach_feed(self, test: Test) -> None:
        """Make the feed know the test, with its whole history."""
        test.in_feed = True

    @changes_world
    def expire_cursors(self, test: Test) -> None:
        """Make the feed forget all cursors so far. The history stays readable."""
        test.expired = len(test.events)
