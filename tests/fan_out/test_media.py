"""Highlight reels, clips and links to videos: what the API does not announce, and what it costs to look."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import World
from tests.support.harness import sync_here

if TYPE_CHECKING:
    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.story import Story, Tell

SOURCES = [pytest.param("auto", id="feed"), pytest.param("listing", id="listing")]
LONG_AGO = {"transcript_wait_days": 36_500}  # the sandbox's sessions are of a fixed past


def a_world(product_type: str = "THINK_OUT_LOUD", *, clips: int = 1) -> tuple[World, Test, list[Session]]:
    """Return a world of one test with three sessions, so many clips in the first, and two reels."""
    world = World(seed=3)
    test = world.add_test(product_type)
    made = [world.add_session(test) for _ in range(3)]
    for session in made:
        session.clips.clear()
    for _ in range(clips):
        world.clip(made[0])
    test.reels.clear()
    world.edit_reel(test)
    world.edit_reel(test)
    return world, test, made


def results_calls(story: Story) -> list[str]:
    """Return the kinds of the Results API calls of the last sync."""
    return [call.kind for call in story.box.calls if not call.kind.startswith(("feed", "token", "v1"))]


def test_reels_come_once_and_again_when_they_change(tell: Tell) -> None:
    """One call per test and sync; of the answer only what is newer than the bookmark is a row, ties included."""
    world, test, _ = a_world()
    story = tell(world)
    assert len(story.sync("highlight_reels").records()) == 2
    story.assert_true("highlight_reels")
    assert results_calls(story) == ["reels"]
    assert story.sync("highlight_reels").records() == []
    world.edit_reel(test)  # at the very time of the bookmark
    world.edit_reel(test, 0, at=world.now + timedelta(seconds=1))
    story.sync("highlight_reels")
    story.assert_true("highlight_reels")
    story.assert_any_kill_is_survived("highlight_reels")


def test_reels_survive_any_kill(tell: Tell) -> None:
    """A bookmark between two reels of the same time loses neither."""
    world, *_ = a_world()
    tell(world).assert_any_kill_is_survived("highlight_reels")


@pytest.mark.parametrize("stream", ["highlight_reels", "session_clips"])
def test_a_survey_is_not_asked(tell: Tell, stream: str) -> None:
    """A product type without video has none of this."""
    world, *_ = a_world("SURVEY")
    story = tell(world)
    assert story.sync(stream).records() == []
    assert results_calls(story) == []


@pytest.mark.parametrize("source", SOURCES)
def test_clips_of_every_session(tell: Tell, source: str) -> None:
    """A test with clips is asked session by session; both streams share the call that tells."""
    world, _, made = a_world(clips=2)
    story = tell(world, change_source=source)
    story.sync("session_clips", "highlight_reels")
    story.assert_true("session_clips", "highlight_reels")
    calls = results_calls(story)
    assert calls.count("reels") == 1
    assert calls.count("clips") == len(made)


@pytest.mark.parametrize("source", SOURCES)
def test_a_test_without_clips_costs_one_call(tell: Tell, source: str) -> None:
    """No session is asked while the test says that it has no clips; once it has some, all of them are."""
    world, _, made = a_world(clips=0)
    story = tell(world, change_source=source)
    for _ in range(2):
        assert story.sync("session_clips").records() == []
        assert set(results_calls(story)) <= {"reels", "list"}
        assert "clips" not in results_calls(story)
    world.clip(made[1])
    story.sync("session_clips")
    story.assert_true("session_clips")


@pytest.mark.parametrize("source", SOURCES)
def test_a_first_clip_that_comes_later_is_found(tell: Tell, source: str) -> None:
    """A session without clips is asked again while it is young, and not when it is old."""
    world, _, made = a_world()
    story = tell(world, change_source=source, **LONG_AGO)
    story.sync("session_clips")
    world.clip(made[2])
    story.sync("session_clips")
    story.assert_true("session_clips")
    assert results_calls(story).count("clips") == 2  # of the two that had none
    story.settings["transcript_wait_days"] = 1
    story.sync("session_clips")
    story.sync("session_clips")
    assert "clips" not in results_calls(story)


def test_clips_follow_a_rejection_and_any_kill(tell: Tell) -> None:
    """Rejected, a session's clips get tombstones; accepted again, they are back; a kill changes nothing."""
    world, _, made = a_world(clips=3)
    story = tell(world)
    story.assert_any_kill_is_survived("session_clips")
    world.reject(made[0])
    world.clip(made[1])
    world.announce(made[1], "VIDEO_UPDATED")
    story.assert_any_kill_is_survived("session_clips")
    world.accept(made[0])
    made[0].clips.pop()
    story.assert_any_kill_is_survived("session_clips")


def test_the_last_clips_of_a_session_take_their_rows_along(tell: Tell) -> None:
    """Rejected with the only clips of the test, or all of them deleted: tombstones, and a first new one is found."""
    world, _, made = a_world(clips=2)
    story = tell(world, **LONG_AGO)
    story.sync("session_clips")
    world.reject(made[0])
    story.sync("session_clips")
    assert "clips" not in results_calls(story)
    story.assert_true("session_clips")
    world.accept(made[0])
    world.clip(made[1])
    story.sync("session_clips")
    story.assert_true("session_clips")
    made[0].clips.clear()
    world.announce(made[0], "VIDEO_UPDATED")
    story.assert_any_kill_is_survived("session_clips")
    world.clip(made[0])
    story.assert_any_kill_is_survived("session_clips")


def test_a_transcript_asks_for_no_clip(tell: Tell) -> None:
    """What concerns the transcript alone concerns no clip."""
    world, _, made = a_world()
    story = tell(world)
    story.sync("session_clips")
    world.announce(made[0], "VIDEO_TRANSCRIPTION_UPDATED")
    story.sync("session_clips")
    assert "clips" not in results_calls(story)


@pytest.mark.parametrize("stream", ["highlight_reels", "session_clips"])
def test_an_unknown_test_is_an_error(tell: Tell, stream: str) -> None:
    """A 404 of the reels may mean that there are none; that of a test that does not exist is no silence."""
    world, test, _ = a_world()
    box = tell(world).box
    box.fail("reels", times=None, status=404, body={"message": "Test or highlight reels not found"})
    assert sync_here(box.config(test_ids=[test.test_id]), select=(stream,)).exit == 0
    world.lose_access(test)
    assert sync_here(box.config(test_ids=[test.test_id]), select=(stream,)).exit == 1


def videos(config: dict[str, Any]) -> list[str]:
    """Return the names of the streams that a config has."""
    from tap_usertesting.tap import TapUserTesting  # noqa: PLC0415 - as a user's first command

    return list(TapUserTesting(config=config, validate_config=False, setup_mapper=False).streams)


def test_links_exist_only_where_they_are_wanted(tell: Tell) -> None:
    """Without `video_links` no catalog can select the stream; with it a link comes per session, and once."""
    assert "session_videos" not in videos({})
    assert "session_videos" not in videos({"video_links": False})
    assert "session_videos" in videos({"video_links": True})
    world, test, made = a_world()
    box = tell(world).box
    config = box.config(video_links=True, test_ids=[test.test_id])
    first = sync_here(config)
    rows = first.records("session_videos")
    assert {row["session_id"] for row in rows} == {session.session_id for session in made}
    assert all("X-Amz-Expires" in row["video_url"] for row in rows)
    assert all(row["expires_at"].endswith("Z") for row in rows)
    assert sync_here(config, state=first.state).records("session_videos") == []
    world.announce(made[0], "VIDEO_UPDATED")
    assert len(sync_here(config, state=first.state).records("session_videos")) == 1


def test_a_link_stands_in_its_row_alone(tell: Tell, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the log at DEBUG, not in the state."""
    world, test, _ = a_world()
    caplog.set_level("DEBUG")
    done = sync_here(tell(world).box.config(video_links=True, test_ids=[test.test_id]))
    assert done.records("session_videos")
    assert "X-Amz" not in caplog.text
    assert "X-Amz" not in str(done.state)


@pytest.mark.parametrize("source", SOURCES)
def test_a_session_that_still_has_no_clip_writes_nothing(tell: Tell, source: str) -> None:
    """Its tombstones came once: asking again writes no further ones, though another session of the test has clips."""
    world, _, made = a_world(clips=2)
    story = tell(world, change_source=source, **LONG_AGO)
    story.sync("session_clips")
    again = story.sync("session_clips")
    assert results_calls(story).count("clips") == len(made) - 1
    assert again.records() == []
    story.assert_true("session_clips")
