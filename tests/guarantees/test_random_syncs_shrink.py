"""A session that has fewer rows than before loses the rest, wherever in the reading of its test that happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.harness import ROW_STREAMS
from tests.support.story import after_rows, tell

if TYPE_CHECKING:
    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.story import Tell

__all__ = ["tell"]
STREAMS = (*ROW_STREAMS, "session_clips")


def a_world(*, older: int = 0, sessions: int = 4) -> tuple[World, Test, list[Session]]:
    """Return a world of one test, with sessions that are older than the feed, and newer ones, of several rows each."""
    world = World(seed=3)
    test = world.add_test("THINK_OUT_LOUD")
    made = [world.add_session(test, in_feed=number >= older) for number in range(older + sessions)]
    for session in made:
        session.clips.clear()
        for _ in range(3):
            world.clip(session)
    return world, test, made


def shrink(world: World, session: Session) -> None:
    """Leave one row of each kind of a session, and say so in the feed."""
    details = session.details_v3()
    who = details["sessionParticipant"] or {"participantId": "p", "demographicsInfo": []}
    world.update(
        session,
        {
            "tasks": details["tasks"][:1],
            "sessionParticipant": {**who, "demographicsInfo": who["demographicsInfo"][:1]},
        },
    )
    del session.clips[1:]
    world.transcribe(session, "WEBVTT\n\n00:01.000 --> 00:02.000\nNever mind.\n")


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_during_a_first_sync(tell: Tell, stream: str, place: int) -> None:
    """The first sync was interrupted; whether the session's rows had arrived by then makes no difference."""
    world, _, made = a_world()
    story = tell(world)
    rows = sum(1 for _ in made) * 2
    story.sync(stream, killed=after_rows(rows, stream))
    shrink(world, made[place])
    story.sync(stream)
    story.assert_true(stream)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("sources", [("listing", "auto"), ("auto", "listing"), ("auto", "listing", "auto")])
def test_beside_a_change_of_source(tell: Tell, stream: str, sources: tuple[str, ...]) -> None:
    """What was read by one source may have shrunk when it is read by the other; also where that is interrupted."""
    for interrupted in (False, True):
        world, _, made = a_world()
        story = tell(world)
        for number, source in enumerate(sources):
            story.settings["change_source"] = source
            if number:
                shrink(world, made[number])
                if interrupted:
                    story.sync(stream, killed=after_rows(2, stream))
            story.sync(stream)
            story.assert_true(stream)


@pytest.mark.parametrize("stream", STREAMS)
def test_while_older_sessions_are_still_read(tell: Tell, stream: str) -> None:
    """A session that is older than the feed was written by a sync that was interrupted; then it shrinks."""
    world, _, made = a_world(older=4, sessions=1)
    story = tell(world)
    whole = sum(1 for _ in story_rows(tell, stream))
    story.sync(stream, killed=after_rows(whole - 2, stream))
    for session in made[:2]:
        shrink(world, session)
    story.sync(stream)
    story.assert_true(stream)


def story_rows(tell: Tell, stream: str) -> list[object]:
    """Return the rows that a whole first sync of such a world has."""
    world, *_ = a_world(older=4, sessions=1)
    return list(tell(world).sync(stream).records(stream))
