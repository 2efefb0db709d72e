"""The session list as a change log: odd times, many recent sessions, long tests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.calls import spent
from tests.support.harness import Warehouse, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox import Sandbox

STREAMS = ["sessions", "session_details", "qx_scores"]


def test_a_finish_time_in_the_far_future_hides_nobody(serve: Callable[..., Sandbox]) -> None:
    """A session claims to have finished in 2099; later ones are still found, and it only once."""
    world = World(real_time=True)
    test = world.add_test("NON_THINK_OUT_LOUD")
    world.add_session(test)
    world.add_session(test, finish_time=datetime(2099, 12, 31, tzinfo=timezone.utc))
    box = serve(world)
    config = box.config(feed_url=None)
    warehouse = Warehouse()
    run = sync_here(config, select=STREAMS)
    warehouse.load(run.messages)
    assert run.partition("sessions", test.test_id)["replication_key_value"][:4] != "2099"
    for _ in range(3):
        added = world.add_session(test)
        run = sync_here(config, select=STREAMS, state=run.state)
        warehouse.load(run.messages)
        assert [row["session_id"] for row in run.records("session_details")] == [added.session_id]
        assert_true(warehouse, world, STREAMS)
    assert sync_here(config, select=STREAMS, state=run.state).records("sessions") == []


def test_a_busy_day_costs_one_call_when_nothing_is_new(serve: Callable[..., Sandbox], present: datetime) -> None:
    """1,000 sessions in the last day; an idle sync reads one page of the list and no details, ever again."""
    world = World(now=present - timedelta(hours=1))
    test = world.add_test("NON_THINK_OUT_LOUD")
    for number in range(1000):
        world.add_session(test, finished_at=world.now - timedelta(minutes=number))
    box = serve(world)
    config = box.config(feed_url=None)
    warehouse = Warehouse()
    run = sync_here(config, select=STREAMS, state_every=1.0)
    warehouse.load(run.messages)
    assert_true(warehouse, world, STREAMS)
    for _ in range(2):
        box.clear_calls()
        run = sync_here(config, select=STREAMS, state=run.state)
        assert run.records() == []
        assert spent(box) == {"token": 1, "v1": 3, "list": 1}
    assert len(run.partition("sessions", test.test_id)["recent"]) == 500

    late = world.add_session(test, finished_at=present - timedelta(hours=20))
    run = sync_here(config, select=["sessions"], state=run.state, state_every=1.0)
    assert late.session_id in {row["session_id"] for row in run.records()}
    warehouse.load(run.messages)
    assert_true(warehouse, world, ["sessions"])


@pytest.mark.parametrize(
    ("apart", "pages"),
    [
        pytest.param(timedelta(hours=1), 1, id="24 a day"),
        pytest.param(timedelta(minutes=1), 3, id="1,440 a day"),
    ],
)
def test_a_new_session_of_a_long_test_costs_the_pages_of_the_lookback_window(
    serve: Callable[..., Sandbox], apart: timedelta, pages: int
) -> None:
    """One new session in a test of 10,000 costs one page of the list, where a day has no more than that."""
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    begin = world.now - 10_000 * apart
    for number in range(10_000):
        world.add_session(test, finished_at=begin + number * apart)
    box = serve(world)
    config = box.config(feed_url=None)
    first = sync_here(config, select=["sessions"], state_every=1.0)
    assert len(first.records("sessions")) == 10_000
    assert spent(box)["list"] == 20

    added = world.add_session(test)
    box.clear_calls()
    second = sync_here(config, select=["sessions"], state=first.state)
    assert [row["session_id"] for row in second.records("sessions")] == [added.session_id]
    assert spent(box)["list"] == pages
    assert second.partition("sessions", test.test_id)["total_count"] == 10_001
