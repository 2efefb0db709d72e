"""A state that is of another form, of the future, or of tests that are no more."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import World
from tests.support.harness import SESSION_STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.story import Story, Tell

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def a_world() -> World:
    """Return a world of one test of five sessions."""
    world = World(now=NOW - timedelta(days=3))
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(5):
        world.add_session(test)
    return world


def entries(story: Story, stream: str) -> list[dict[str, Any]]:
    """Return the state's entries of a stream, to be changed in place."""
    state = story.warehouse.state
    assert state is not None
    found: list[dict[str, Any]] = state["bookmarks"][stream]["partitions"]
    return found


def test_a_bookmark_of_the_future_is_not_believed(tell: Tell, caplog: pytest.LogCaptureFixture) -> None:
    """By listing it would hide every later session: a warning, and the test is read again."""
    caplog.set_level(logging.WARNING)
    world = a_world()
    story = tell(world, change_source="listing")
    story.sync("sessions")
    [entry] = entries(story, "sessions")
    entry["replication_key_value"] = "2999-01-01T00:00:00.000000Z/x"
    world.add_session(next(iter(world.tests.values())))
    assert len(story.sync("sessions").records("sessions")) == 6
    assert any("the bookmark is in the future" in line for line in caplog.messages)
    story.assert_true("sessions")
    assert story.sync("sessions").records("sessions") == []


@pytest.mark.parametrize("change", [{"backfill": ""}, {"pending": {}}, {"source": None}], ids=str)
def test_a_state_of_another_form_is_read_from_the_start(
    tell: Tell, caplog: pytest.LogCaptureFixture, change: dict[str, Any]
) -> None:
    """With one warning, and everything as it should be afterwards."""
    caplog.set_level(logging.WARNING)
    story = tell(a_world())
    story.sync(*SESSION_STREAMS)
    for stream in SESSION_STREAMS:
        for entry in entries(story, stream):
            entry.update(change)
            if entry["source"] is None:
                del entry["source"]
    assert len(story.sync(*SESSION_STREAMS).records("session_details")) == 5
    assert sum("the format is not that of this version" in line for line in caplog.messages) == 1
    assert story.sync(*SESSION_STREAMS).records() == []


def test_a_test_that_no_longer_exists_leaves_the_state_after_a_while(
    tell: Tell, days_later: Callable[[float], None]
) -> None:
    """Not at once: it may only be out of sight."""
    world = a_world()
    gone = world.add_test("THINK_OUT_LOUD")
    world.add_session(gone)
    story = tell(world)
    story.sync(*SESSION_STREAMS)
    del world.tests[gone.test_id]
    for days, left in ((30, 2), (120, 1)):
        days_later(days)
        world.add_session(next(iter(world.tests.values())))
        story.sync(*SESSION_STREAMS)
        for stream in SESSION_STREAMS:
            assert len(entries(story, stream)) == left
