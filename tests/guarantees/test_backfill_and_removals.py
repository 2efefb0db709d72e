"""What the feed does not mention, what it takes back, and what it says twice in one sync."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.harness import SESSION_STREAMS, Warehouse, sync
from tests.support.story import after_rows
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.story import Story, Tell


@pytest.mark.parametrize("rows", [pytest.param(100, id="in the log"), pytest.param(900, id="in the backfill")])
def test_sessions_older_than_the_feed_arrive_once_in_every_stream(tell: Tell, rows: int) -> None:
    """A feed younger than its test is completed from the list, through a kill and in a stream selected later.

    1,000 sessions, the oldest 200 of which the feed never mentions.
    """
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    for number in range(1000):
        finished = world.now - timedelta(days=30) + timedelta(minutes=number)
        world.add_session(test, finished_at=finished, in_feed=number >= 200)
    story = tell(world)

    story.sync("sessions", killed=after_rows(rows))
    assert len(story.warehouse.tables["sessions"]) == rows
    story.sync("sessions", state_every=1.0)
    story.assert_true("sessions")
    story.assert_each_once("sessions")
    assert "backfill" not in story.partition("sessions", test)

    story.sync("sessions", "session_details", state_every=1.0)
    story.assert_true("sessions", "session_details")
    story.assert_each_once("sessions")
    story.assert_each_once("session_details")


@pytest.mark.parametrize(
    ("told", "streams"),
    [
        pytest.param(["VIDEO_UPDATED"], SESSION_STREAMS, id="its video"),
        pytest.param(["VIDEO_TRANSCRIPTION_UPDATED"], SESSION_STREAMS, id="its transcript"),
        pytest.param(["VIDEO_UPDATED", "VIDEO_TRANSCRIPTION_UPDATED"], SESSION_STREAMS, id="both"),
        pytest.param(["VIDEO_UPDATED"], ("session_details", "task_responses"), id="its video, and rows of the details"),
    ],
)
def test_a_session_older_than_the_feed_of_which_it_tells_something_else(
    tell: Tell, told: list[str], streams: tuple[str, ...]
) -> None:
    """That its video or transcript came is no news of the session itself, which still has to be read."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    sessions = [world.add_session(test, in_feed=number > 0) for number in range(3)]
    for change_type in told:
        world.announce(sessions[0], change_type)
    story = tell(world)
    story.sync(*streams)
    story.assert_true(*streams)
    story.sync(*streams)
    assert not story.asked("details_v3")
    story.assert_true(*streams)


@pytest.mark.parametrize("synced", [pytest.param(True, id="in two syncs"), pytest.param(False, id="in one sync")])
def test_a_session_that_is_accepted_again_comes_back(tell: Tell, *, synced: bool) -> None:
    """A rejection that is taken back brings session, details and transcript back, not marked as deleted.

    REJECTED, then UPDATED.
    """
    story, _, session = interview(tell)
    story.sync()
    story.world.reject(session)
    if synced:
        story.sync()
        story.assert_true()
        key = (session.session_id,)
        assert all(key not in story.warehouse.tables[stream] for stream in SESSION_STREAMS)
    story.world.accept(session)
    story.assert_any_kill_is_survived(*SESSION_STREAMS)
    story.assert_true()
    for stream in SESSION_STREAMS:
        row = story.warehouse.tables[stream][session.session_id,]
        assert (row["deleted_at"], row["_sdc_deleted_at"], row["change_type"]) == (None, None, "UPDATED")


@pytest.mark.parametrize("synced", [pytest.param(True, id="in two syncs"), pytest.param(False, id="in one sync")])
def test_a_transcript_of_a_rejected_session_is_not_asked_for(tell: Tell, *, synced: bool) -> None:
    """A transcript that is announced after the rejection changes nothing: no call, nothing pending, no row.

    REJECTED, then a late VIDEO_TRANSCRIPTION_UPDATED.
    """
    story, test, session = interview(tell, transcript="later")
    story.sync()
    story.world.reject(session)
    if synced:
        story.sync()
    story.world.transcribe(session)
    last = story.sync()
    story.assert_true()
    assert not [call for call in story.box.calls if call.session_id == session.session_id]
    assert all(record["deleted_at"] is not None for record in last.records())
    for stream in SESSION_STREAMS:
        assert "waiting" not in story.partition(stream, test)
        assert story.partition(stream, test)["replication_key_value"] == test.events[-1].cursor
    story.sync()
    assert {call.kind for call in story.box.calls} <= {"token", "v1", "feed"}


@pytest.mark.parametrize("gone", [pytest.param(False, id="known"), pytest.param(True, id="once rejected")])
@pytest.mark.parametrize(
    "order",
    [
        pytest.param(("UPDATED", "VIDEO_TRANSCRIPTION_UPDATED"), id="transcript last"),
        pytest.param(("VIDEO_TRANSCRIPTION_UPDATED", "UPDATED"), id="transcript first"),
    ],
)
def test_an_update_and_a_transcript_in_one_sync_cost_one_call_each(
    tell: Tell, order: tuple[str, str], *, gone: bool
) -> None:
    """Details and transcript are fetched once, in whichever order the feed names their changes.

    Both orders, for a session that is known and for one that was rejected before.
    """
    story, _, session = interview(tell, transcript="ready" if gone else "later")
    world = story.world
    story.sync()
    if gone:
        world.reject(session)
        story.sync()
    for change_type in order:
        if change_type == "UPDATED":
            (world.accept if gone else world.update)(session)
        else:
            world.transcribe(session)
    synced = story.sync()
    story.assert_true()
    for kind, stream in (("details_v3", "session_details"), ("transcript", "transcripts")):
        assert len(story.asked(kind, session)) == len(story.asked(kind)) == 1
        (row,) = synced.records(stream)
        assert row["session_id"] == session.session_id
        if stream == "session_details" or (gone and order[-1] == "UPDATED"):
            assert row["change_type"] == "UPDATED"
        else:  # the newest change that concerns the stream
            assert row["change_type"] == "VIDEO_TRANSCRIPTION_UPDATED"


@pytest.mark.parametrize("in_feed", [pytest.param(True, id="known to the feed"), pytest.param(False, id="older")])
def test_a_rejection_that_the_list_could_not_tell_arrives_with_the_feed(
    tell: Tell, tmp_path: Path, *, in_feed: bool
) -> None:
    """With the feed a test is read from the start, once; the warning names its cost, and what was rejected goes.

    Read by listing, a session is rejected meanwhile, then `feed_url` is set.
    """
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    session = world.add_session(test, in_feed=in_feed)
    for _ in range(5):
        world.add_session(test)
    story, warehouse = tell(world), Warehouse()

    listed = sync(story.box.config(feed_url=None), tmp_path, select=SESSION_STREAMS)
    warehouse.load(listed.messages)
    assert_true(warehouse, world, SESSION_STREAMS)
    world.reject(session)
    still = sync(story.box.config(feed_url=None), tmp_path, select=SESSION_STREAMS, state=warehouse.state)
    warehouse.load(still.messages)
    assert (session.session_id,) in warehouse.tables["sessions"]

    changed = sync(story.box.config(), tmp_path, select=SESSION_STREAMS, state=warehouse.state)
    warehouse.load(changed.messages)
    assert changed.exit == 0
    assert_true(warehouse, world, SESSION_STREAMS)
    warnings = [line for line in changed.lines(test.test_id) if " | WARNING  | tap-usertesting" in line]
    assert len(warnings) == len(SESSION_STREAMS)
    for stream, cost in (
        ("sessions", "one call per 500 of its 5 sessions"),
        ("session_details", "one call for each of its 5 sessions"),
        ("transcripts", "up to one call for each of its 5 sessions"),
    ):
        assert [line for line in warnings if f" {stream}, test" in line and line.endswith(cost)]

    idle = sync(story.box.config(), tmp_path, select=SESSION_STREAMS, state=warehouse.state)
    assert (idle.records(), idle.lines(" | WARNING  | tap-usertesting")) == ([], [])


def interview(tell: Tell, *, transcript: str = "ready") -> tuple[Story, Test, Session]:
    """Begin a story of one test with three sessions; the one in the middle is the subject."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    world.add_session(test)
    session = world.add_session(test, transcript=transcript)  # type: ignore[arg-type]  # one of three words
    world.add_session(test)
    return tell(world), test, session
