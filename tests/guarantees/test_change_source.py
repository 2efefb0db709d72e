"""Which log a test is read by, before the feed knows it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.harness import SESSION_STREAMS

if TYPE_CHECKING:
    from tests.support.story import Tell


@pytest.mark.parametrize("responses", [pytest.param(0, id="empty"), pytest.param(12, id="with sessions")])
def test_a_test_that_the_feed_does_not_know_yet_is_read_by_listing_for_now(tell: Tell, responses: int) -> None:
    """Not to know a test is no verdict: each run asks again, and from its first response the feed drives it.

    A new test is unknown to the feed until its first response.
    """
    world = World()
    test = world.add_test("THINK_OUT_LOUD", in_feed=False)
    story = tell(world)
    for _ in range(responses):
        world.add_session(test, in_feed=False)
    for _ in range(2):
        story.sync()
        story.assert_true()
        assert len(story.asked("feed")) == 1
        assert all(story.partition(stream, test)["source"] == "listing" for stream in SESSION_STREAMS)
        assert all("verdict" not in story.partition(stream, test) for stream in SESSION_STREAMS)
        world.add_session(test, in_feed=False)

    world.teach_feed(test)
    world.add_session(test)
    story.sync()
    story.assert_true()
    for stream in SESSION_STREAMS:
        partition = story.partition(stream, test)
        assert partition["source"] == "feed"
        assert partition["replication_key_value"] == test.events[-1].cursor
    assert story.sync().records() == []
    assert story.asked("list") == []


def test_few_responses_that_are_not_listed_yet_are_no_verdict(tell: Tell) -> None:
    """Fewer than ten responses, none of them listed, prove nothing: the first one that is listed settles it.

    The feed knows a new test before the Results API shows its sessions.
    """
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    announced = [world.add_session(test, in_results=False) for _ in range(9)]
    story = tell(world)
    story.sync()
    assert all("verdict" not in story.partition(stream, test) for stream in SESSION_STREAMS)

    world.reveal(announced[0])
    story.sync()
    story.assert_true()
    assert all(story.partition(stream, test)["source"] == "feed" for stream in SESSION_STREAMS)


def test_a_session_that_finishes_between_feed_and_list_is_asked_for_once(tell: Tell) -> None:
    """The list shows it and the feed has not told of it yet: it is no older than the feed, which tells of it next."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(3):
        world.add_session(test)
    story = tell(world)
    new = []

    def finish(_call: object) -> None:
        new.append(world.add_session(test, finished_at=datetime.now(timezone.utc)))

    story.box.before("list", finish, times=1)
    asked = []
    for _ in range(3):
        story.sync()
        asked += story.asked("details_v3", new[0]) + story.asked("transcript", new[0])
    assert [call.kind for call in asked] == ["details_v3", "transcript"]
    story.assert_true()
