"""An answer of the feed that is a part of what was counted: never taken for the whole, and no whole for a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.calls import feed_requests
from tests.support.harness import Warehouse, sync, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox, ServedCall
    from tap_usertesting.sandbox.model import Test

COUNT, CHANGES = "testResultChangesCount", "testResultChanges"
SELECT = ["sessions", "session_details", "result_changes"]
ORDERS = pytest.mark.parametrize("order", ["newest_first", "oldest_first"])


def _world(
    sessions: int, *, tests: int = 1, order: str = "newest_first", events_per_session: int = 1
) -> tuple[World, list[Test]]:
    world = World.bulk(tests=tests, sessions=sessions, events_per_session=events_per_session)
    world.feed_order = order  # type: ignore[assignment]
    return world, list(world.tests.values())


@ORDERS
def test_the_newest_part_of_the_changes_loses_nothing(
    serve: Callable[..., Sandbox], tmp_path: Path, order: str
) -> None:
    """120 changes with 10 rejections among them, of which the feed sends the newest 50.

    That test fails with one line, its state stays and none of its rows is written; the other test arrives. Once the
    feed sends all, all of it is there.
    """
    world, (test, other) = _world(20, tests=2, order=order)
    box, warehouse = serve(world), Warehouse()
    first = sync_here(box.config(), select=SELECT)
    warehouse.load(first.messages)
    before = list(test.sessions.values())
    for session in before[:10]:
        world.reject(session)
    for _ in range(110):
        world.add_session(test)
    world.add_session(other)
    world.feed_options.set(cap=50)
    second = sync(box.config(), tmp_path, select=SELECT, state=first.state)
    warehouse.load(second.messages)
    assert second.exit == 1
    assert len(second.errors) == 1
    assert f"test {test.test_id}" in second.errors[0]
    assert "only 50 of at least 120 events" in second.errors[0]
    assert "120" in second.errors[0]
    assert {row["test_id"] for row in second.records()} == {other.test_id}
    for stream in SELECT:
        assert second.partition(stream, test.test_id) == first.partition(stream, test.test_id)

    world.feed_options.set(cap=None)
    third = sync_here(box.config(), select=SELECT, state=second.state)
    warehouse.load(third.messages)
    assert third.exit == 0
    assert_true(warehouse, world, SELECT)


def test_a_part_at_the_first_reading_is_no_reason_to_go_by_the_list(serve: Callable[..., Sandbox]) -> None:
    """Nothing is known of the test yet, and nothing is taken as known."""
    world, (test,) = _world(120)
    world.feed_options.set(cap=50)
    box = serve(world)
    done = sync_here(box.config(), select=SELECT)
    assert done.exit == 1
    assert done.records() == []
    assert "replication_key_value" not in done.partition("sessions", test.test_id)
    assert sync_here(box.config(change_source="listing"), select=SELECT[:2]).exit == 0


@ORDERS
@pytest.mark.parametrize("restart", [False, True], ids=["one run", "later"])
def test_the_older_part_is_read_on_from_its_end(serve: Callable[..., Sandbox], order: str, *, restart: bool) -> None:
    """A feed that pages from the cursor on: each answer begins where the last one ended, until all is there."""
    world, (test,) = _world(40, order=order, events_per_session=3)
    box, warehouse, state = serve(world), Warehouse(), None
    if restart:
        first = sync_here(box.config(), select=SELECT)
        warehouse.load(first.messages)
        state = first.state
        for _ in range(90):
            world.add_session(test)
    world.feed_options.set(cap=50, cap_keeps="oldest")
    done = sync_here(box.config(), select=SELECT, state=state)
    warehouse.load(done.messages)
    assert done.exit == 0
    assert_true(warehouse, world, SELECT)
    assert done.partition("sessions", test.test_id)["replication_key_value"] == test.events[-1].cursor


def test_a_cap_of_the_whole_request_is_met_by_asking_alone(serve: Callable[..., Sandbox]) -> None:
    """Four tests of 30 changes, and 50 changes a request: each is whole when it is asked by itself."""
    world, tests = _world(30, tests=4)
    world.feed_options.set(cap=50, cap_shared=True)
    box, warehouse = serve(world), Warehouse()
    done = sync_here(box.config(), select=SELECT)
    warehouse.load(done.messages)
    assert done.exit == 0
    assert_true(warehouse, world, SELECT)
    assert len(list(feed_requests(box, CHANGES))) <= 1 + len(tests)


@ORDERS
@pytest.mark.parametrize("count", ["results", "events"])
def test_a_whole_answer_is_never_a_part_however_the_count_counts(
    serve: Callable[..., Sandbox],
    caplog: pytest.LogCaptureFixture,
    order: str,
    count: str,
) -> None:
    """The vendor's text counts results, its sample fits events: several events of a result, with either count."""
    world, tests = _world(4, tests=3, order=order, events_per_session=5)
    world.event(tests[0], response_uuid=tests[0].events[-1].response_uuid)
    box, warehouse = serve(world), Warehouse()
    world.feed_options.set(count_events=count == "events")
    done = sync_here(box.config(), select=SELECT)
    warehouse.load(done.messages)
    for test in tests:
        world.update(next(iter(test.sessions.values())))
        world.add_session(test)
    again = sync_here(box.config(), select=SELECT, state=done.state)
    warehouse.load(again.messages)
    assert (done.exit, again.exit) == (0, 0)
    assert_true(warehouse, world, SELECT)
    assert len(list(feed_requests(box, CHANGES))) == 2
    assert not [line for line in caplog.messages if "may be missing" in line]


@ORDERS
def test_what_happens_between_count_and_changes_is_no_part(serve: Callable[..., Sandbox], order: str) -> None:
    """More events than were counted, or fewer, as some have left the log: neither is an error."""
    world, (grows, shrinks) = _world(10, tests=2, order=order)
    box, warehouse = serve(world), Warehouse()

    def meanwhile(_call: ServedCall) -> None:
        for _ in range(15):
            world.add_session(grows)
        for session in list(shrinks.sessions.values())[:4]:
            world.remove(session)
            shrinks.events[:] = [event for event in shrinks.events if event.response_uuid != session.response_uuid]
        shrinks.mark_changed()

    box.before("feed_changes", meanwhile)
    done = sync_here(box.config(), select=SELECT)
    warehouse.load(done.messages)
    assert done.exit == 0
    assert_true(warehouse, world, SELECT)


def test_a_count_that_fits_neither_results_nor_events_is_said(
    serve: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    """A cap above the number of results, where results have several events: what cannot be told apart is said."""
    world, (test,) = _world(40, events_per_session=3)
    world.feed_options.set(cap=50)
    box = serve(world)
    done = sync_here(box.config(), select=["result_changes"])
    assert done.exit == 0
    [line] = [line for line in caplog.messages if "may be missing" in line]
    assert test.test_uuid in line


def test_a_count_of_nothing_with_another_newest_change_is_not_believed(serve: Callable[..., Sandbox]) -> None:
    """Where the newest cursor is not the one asked from, there is something to ask for."""
    world, (test,) = _world(3)
    box, warehouse = serve(world), Warehouse()
    first = sync_here(box.config(), select=SELECT)
    warehouse.load(first.messages)
    world.add_session(test)
    body = {"data": {"t0": {"count": 0, "latestCursor": test.events[-1].cursor}}}
    box.fail("feed_count", times=1, status=200, body=body)
    second = sync_here(box.config(), select=SELECT, state=first.state)
    warehouse.load(second.messages)
    assert second.exit == 0
    assert_true(warehouse, world, SELECT)


def test_a_plan_by_a_feed_that_sends_parts_still_comes(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """The plan counts what it is sent."""
    world, _ = _world(60, tests=2)
    world.feed_options.set(cap=50)
    done = sync(serve(world).config(), tmp_path, select=SELECT, args=["--plan=full"])
    assert done.exit == 0
    assert b"session_details" in done.stdout
