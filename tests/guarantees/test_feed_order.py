"""The order of the feed's answer, when it is not what one would wish."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest

from tap_usertesting.sandbox import World
from tests.support.story import after_rows

if TYPE_CHECKING:
    from tap_usertesting.sandbox.requests_and_replies import ServedCall
    from tests.support.story import Tell

Order = Literal["newest_first", "oldest_first"]
ORDERS = [pytest.param("newest_first", id="newest first"), pytest.param("oldest_first", id="oldest first")]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("first", [pytest.param(True, id="first sync"), pytest.param(False, id="later sync")])
def test_events_between_count_and_changes_do_not_turn_the_log(tell: Tell, order: Order, *, first: bool) -> None:
    """The direction is told by the times, also when the counted end stands in the older half of the answer.

    More than half of the events arrive after the count and before the changes are asked for.
    """
    world = World()
    world.feed_order = order
    test = world.add_test("THINK_OUT_LOUD")
    story = tell(world)
    if not first:
        world.add_session(test)
        story.sync("session_details", "result_changes")
    for _ in range(2):
        world.add_session(test)

    def meanwhile(_call: ServedCall) -> None:
        for _ in range(6):
            world.add_session(test)

    story.box.before("feed_changes", meanwhile)
    synced = story.sync("session_details", "result_changes", killed=after_rows(4, "result_changes"))
    start = 0 if first else 3
    arrived = [record["cursor"] for record in synced.records("result_changes")]
    assert arrived == [event.cursor for event in test.events[start : start + len(arrived)]]
    assert story.partition("result_changes", test)["replication_key_value"] == arrived[-1]

    resumed = story.sync("session_details", "result_changes")
    rest = [record["cursor"] for record in resumed.records("result_changes")]
    assert rest == [event.cursor for event in test.events[start + len(arrived) :]]
    story.assert_true("session_details", "result_changes")
    story.assert_each_once("session_details")
    assert story.partition("session_details", test)["replication_key_value"] == test.events[-1].cursor
    assert story.sync("session_details", "result_changes").records() == []


@pytest.mark.parametrize("order", ORDERS)
def test_one_time_out_of_order_leaves_the_log_resumable(tell: Tell, order: Order) -> None:
    """The server's order is the order: one odd time neither sorts anything nor holds the bookmark.

    One time in 10,000 out of order, killed past it.
    """
    world = World.bulk(tests=1, sessions=200, events_per_session=50)
    world.feed_order = order
    (test,) = world.tests.values()
    odd = test.events[5000]
    test.events[5000] = replace(odd, changed_at=odd.changed_at - timedelta(days=1))
    expected = [event.cursor for event in test.events]
    story = tell(world)

    killed = story.sync("session_details", "result_changes", killed=after_rows(6000), state_every=0.02)
    arrived = [record["cursor"] for record in killed.records("result_changes")]
    assert arrived == expected[: len(arrived)]
    assert story.partition("result_changes", test)["replication_key_value"] == arrived[-1]

    resumed = story.sync("session_details", "result_changes", killed=after_rows(100, "session_details"))
    assert [record["cursor"] for record in resumed.records("result_changes")] == expected[len(arrived) :]
    story.sync("session_details", "result_changes")
    story.assert_each_once("session_details")
    story.assert_true("session_details", "result_changes")
