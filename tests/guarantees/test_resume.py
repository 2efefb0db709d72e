"""What a kill must not undo: half written scores, rows beside the log; and what a forced full table must not read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import SESSION_STREAMS, Warehouse, catalog, sync, sync_here
from tests.support.story import after_rows
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.story import Story, Tell

STREAMS = [pytest.param(stream, id=stream) for stream in SESSION_STREAMS]
SOURCES = [pytest.param("feed", id="feed"), pytest.param("listing", id="listing")]


@pytest.mark.parametrize("source", SOURCES)
def test_the_second_score_of_a_change_survives_a_kill_after_the_first(tell: Tell, source: str) -> None:
    """The bookmark moves only with the last row of a change, so the rest of them comes with the next run.

    Two QXscore rows of one change, killed after the first, at the first sync and later.
    """
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD", qx_groups=2)
    story = tell(world, change_source="auto" if source == "feed" else "listing")
    for _ in range(2):  # nothing known yet; then a change of known scores
        world.add_session(test)
        story.sync("qx_scores", killed=lambda messages: kinds(messages).index("RECORD") + 1)
        half = len(story.messages)
        story.sync("qx_scores")
        story.assert_true("qx_scores")
        resumed = [m["record"]["task_group_id"] for m in story.messages[half:] if m["type"] == "RECORD"]
        assert len(set(resumed)) == 2
        assert story.sync("qx_scores").records() == []

    world.add_session(test)
    story.assert_any_kill_is_survived("qx_scores")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_pending_row_leaves_the_bookmark_where_it_is(tell: Tell, stream: str) -> None:
    """A session that the feed announced long ago and that is found now does not take the bookmark back.

    A pending row with an old cursor is emitted, then a kill.
    """
    world, test = fresh_test()
    early = world.add_session(test, in_results=False)
    world.add_session(test)
    story = tell(world)
    story.sync(stream)
    assert list(story.partition(stream, test)["waiting"]) == [early.session_id]

    world.reveal(early)
    new = world.add_session(test)
    assert_bookmark_stays(story, stream, test, beside=early, then=[new])


@pytest.mark.parametrize("stream", STREAMS)
def test_a_late_row_leaves_the_bookmark_where_it_is(tell: Tell, stream: str) -> None:
    """A session that the list shows late, below the bookmark, does not take the bookmark back.

    A late row with an old cursor is emitted, then a kill.
    """
    world, test = fresh_test()
    first = world.add_session(test)
    story = tell(world, change_source="listing")
    world.add_session(test)
    story.sync(stream)

    late = world.add_session(test, finished_at=first.finished_at + timedelta(seconds=10))
    new = world.add_session(test)
    assert_bookmark_stays(story, stream, test, beside=late, then=[new])


@pytest.mark.parametrize("stream", STREAMS)
def test_a_backfilled_row_leaves_the_bookmark_where_it_is(tell: Tell, stream: str) -> None:
    """A session older than the feed, emitted after the feed's own, does not take the bookmark back.

    A backfilled row with an old cursor is emitted, then a kill.
    """
    world, test = fresh_test()
    old = [world.add_session(test, in_feed=False) for _ in range(3)]
    world.add_session(test)
    story = tell(world)
    story.sync(stream, killed=after_rows(1))
    assert story.partition(stream, test)["history"]["cursor"] in {event.cursor for event in test.events}
    assert_bookmark_stays(story, stream, test, beside=old[2], then=old[1::-1], at=test.events[-1].cursor)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"replication_method": "FULL_TABLE"}, id="forced"),
        pytest.param({"replication_key": None, "replication_method": None}, id="no key and no method"),
        pytest.param({"replication_key": None}, id="no key"),
    ],
)
def test_a_full_table_is_whole_whatever_the_state_says(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Under FULL_TABLE everything is emitted, and the state is neither read nor written.

    A catalog that forces it, or that has no replication key; an old state; ACTIVATE_VERSION on.
    """
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    for _ in range(4):
        world.add_session(test, transcript="ready")
    streams = (*SESSION_STREAMS, "qx_scores", "result_changes")
    with Sandbox(world) as box:
        old = sync_here(box.config(), select=streams).state
        world.add_session(test)
        entries = catalog(streams, **changes)
        for entry in entries["streams"]:
            root = next(item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == [])
            if "replication_key" in changes:
                root.pop("replication-key", None)
                root.pop("valid-replication-keys", None)
        config = box.config(emit_activate_version_messages=True)
        synced = sync(config, tmp_path, state=old, entries=entries)

    assert (synced.exit, synced.errors) == (0, [])
    warehouse = Warehouse()
    warehouse.load(synced.messages)
    assert_true(warehouse, world, streams)
    assert synced.state in ({}, None, old)
    for stream in streams:
        of_stream = [m for m in synced.messages if m.get("stream") == stream]
        versions = {m["version"] for m in of_stream if m["type"] == "ACTIVATE_VERSION"}
        assert len(versions) == 1
        assert {m["version"] for m in of_stream if m["type"] == "RECORD"} == versions


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    """Return the types of messages."""
    return [message["type"] for message in messages]


def fresh_test() -> tuple[World, Test]:
    """Return a world of today, in which nothing is too old to be waited for, with one test."""
    world = World(now=datetime.now(timezone.utc) - timedelta(hours=2))
    return world, world.add_test("THINK_OUT_LOUD")


def assert_bookmark_stays(
    story: Story, stream: str, test: Test, *, beside: Session, then: list[Session], at: str | None = None
) -> None:
    """Assert that the row beside the log, which is due first, leaves the bookmark, and that a kill repeats nothing.

    `at`: where the bookmark stands before that row; where it stands now, unless given.
    """
    before = at or story.partition(stream, test)["replication_key_value"]
    killed = story.sync(stream, killed=after_rows(1))
    (row,) = killed.records()
    assert row["session_id"] == beside.session_id
    assert row["change_cursor"] == before
    assert story.partition(stream, test)["replication_key_value"] == before

    resumed = story.sync(stream)
    assert [row["session_id"] for row in resumed.records()] == [session.session_id for session in then]
    story.assert_true(stream)
    assert story.sync(stream).records() == []
