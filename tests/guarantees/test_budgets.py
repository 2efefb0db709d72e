"""`max_calls` and `max_duration` end a sync early, cleanly, at a point from which the next goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.support.harness import SESSION_STREAMS, Warehouse, sync, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.simulated_time import SimulatedTime
    from tests.support.story import Tell

SOURCES = [pytest.param("auto", id="feed"), pytest.param("listing", id="listing")]


def a_world(sessions: int = 6) -> World:
    """Return a world of two tests with so many sessions each."""
    world = World(seed=3)
    for _ in range(2):
        test = world.add_test("THINK_OUT_LOUD")
        for _ in range(sessions):
            world.add_session(test)
    return world


@pytest.mark.parametrize("source", SOURCES)
def test_no_call_beyond_the_budget_and_none_twice(tell: Tell, source: str) -> None:
    """Sync after sync of at most ten calls makes the tables true, with hardly a call more than in one go."""
    world = a_world()
    story = tell(world, change_source=source, test_ids=sorted(world.tests), max_calls=10)
    spent = []
    for _ in range(9):
        story.sync()
        spent.append(sum(not call.kind.startswith(("feed", "token")) for call in story.box.calls))
        if spent[-1] < 10:
            break
    assert max(spent) == 10
    story.assert_true()
    assert sum(spent) <= 24 + 2 * len(spent) + 2  # one list of each test in every sync
    for stream in SESSION_STREAMS:
        story.assert_each_once(stream)


def test_no_call_beyond_the_budget_after_waits(simulated_time: SimulatedTime) -> None:
    """Streams that wait for quota together do not all go on with the last call there is."""
    world = a_world(20)
    with simulated_time.serve(world, QuotaRule()) as box:
        done = sync_here(box.config(test_ids=sorted(world.tests), max_calls=31))
        calls = sum(not call.kind.startswith(("feed", "token")) for call in box.calls)
    assert (done.exit, calls) == (0, 31)


def test_the_end_is_a_line_and_no_failure(tmp_path: Path) -> None:
    """Exit 0, one line that says which budget and what comes next, and a STATE from which it does."""
    world = a_world()
    with Sandbox(world, quota=None) as box:
        config = box.config(max_calls=9)
        done = sync(config, tmp_path)
        assert done.exit == 0
        [line] = done.lines("incomplete:")
        assert "max_calls of 9 reached" in line
        assert not done.errors
        warehouse = Warehouse()
        warehouse.load(done.messages)
        for _ in range(8):
            done = sync_here(config, state=warehouse.state)
            warehouse.load(done.messages)
        assert_true(warehouse, world, SESSION_STREAMS)
        done = sync(config, tmp_path, state=warehouse.state)
    assert not done.lines("incomplete:")


def test_what_failed_still_counts(tmp_path: Path) -> None:
    """A budget does not hide an error: the run ends with status 1."""
    with Sandbox(a_world(), quota=None) as box:
        box.fail("details_v3", times=1, status=400, body={"message": "no"})
        done = sync(box.config(max_calls=12), tmp_path)
    assert done.exit == 1
    assert done.lines("incomplete:")


def test_a_budget_may_end_in_discovery(tmp_path: Path) -> None:
    """No test is known yet, nothing is lost, and the line says why there is nothing."""
    with Sandbox(a_world(), quota=None) as box:
        done = sync(box.config(max_calls=1), tmp_path)
    assert done.exit == 0
    assert done.lines("incomplete: max_calls of 1")


def test_no_wait_goes_beyond_the_duration(simulated_time: SimulatedTime, caplog: pytest.LogCaptureFixture) -> None:
    """Where the next window begins after the end, the run ends at once instead of waiting for it."""
    began = simulated_time.now
    with simulated_time.serve(a_world(20), QuotaRule(limit=5)) as box:
        done = sync_here(box.config(max_duration=20))
    assert (done.exit, simulated_time.now) == (0, began)
    assert "incomplete: max_duration of 20 s reached" in caplog.text
    assert done.state is not None


@pytest.mark.parametrize(("name", "value"), [("max_calls", 0), ("max_duration", -1), ("max_calls", "many")])
def test_a_budget_that_is_none_is_an_error(tmp_path: Path, name: str, value: object) -> None:
    """One line that names the setting."""
    with Sandbox(World(), quota=None) as box:
        done = sync(box.config(**{name: value}), tmp_path)
    assert done.exit == 78
    [line] = done.errors
    assert name in line
