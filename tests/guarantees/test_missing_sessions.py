"""What the Results API does not have, or does not answer: whose fault it is decides what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import World
from tests.support.calls import spent
from tests.support.harness import SESSION_STREAMS, Warehouse, sync, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox, Test


def but_tally(partition: dict[str, Any]) -> dict[str, Any]:
    """Return a partition without the count of what is still to be read, which the feed alone moves."""
    return {key: value for key, value in partition.items() if key != "tally"}


def _grown(world: World, test: Test, sessions: int) -> None:
    for _ in range(sessions):
        world.add_session(test)


@pytest.mark.parametrize("parallel", [False, True], ids=["in turn", "side by side"])
@pytest.mark.parametrize("select", [["session_details"], ["transcripts"], list(SESSION_STREAMS)], ids="-".join)
def test_lost_access_fails_the_test_and_loses_nothing(
    serve: Callable[..., Sandbox], *, select: list[str], present: datetime, parallel: bool
) -> None:
    """Access is lost while the feed goes on.

    At most ten 404 are spent and one page of the list, the bookmark stays and nothing waits, so that all of it comes
    when access returns. Side by side, where no quota has them take turns, details and transcripts may each spend ten.
    """
    world = World(now=present - timedelta(hours=3))
    test = world.add_test("THINK_OUT_LOUD")
    _grown(world, test, 3)
    box = serve(world)
    config = box.config(test_ids=[test.test_id], session_details_version="v3", parallel_streams=parallel)
    warehouse = Warehouse()
    first = sync_here(config, select=select)
    warehouse.load(first.messages)

    world.lose_access(test)
    _grown(world, test, 15)
    box.clear_calls()
    cut_off = sync_here(config, select=select, state=first.state)
    warehouse.load(cut_off.messages)
    assert cut_off.exit == 1
    assert cut_off.records() == []
    of_sessions = [spent(box)[kind] for kind in ("details", "transcript")]
    assert spent(box)["list"] <= 1
    assert (max(of_sessions) if parallel else sum(of_sessions)) <= 10
    for stream in select:
        assert but_tally(cut_off.partition(stream, test.test_id)) == but_tally(first.partition(stream, test.test_id))

    world.grant_access(test)
    back = sync_here(config, select=select, state=cut_off.state)
    warehouse.load(back.messages)
    assert back.exit == 0
    assert_true(warehouse, world, select)


@pytest.mark.parametrize("select", [["session_details"], ["transcripts"]], ids=" ".join)
def test_a_few_old_sessions_are_not_given_up_over_lost_access(
    serve: Callable[..., Sandbox], select: list[str], present: datetime
) -> None:
    """Three sessions that are too old to be looked for again: before they are given up a page of the list is asked."""
    world = World(now=present - timedelta(days=30))
    test = world.add_test("THINK_OUT_LOUD")
    _grown(world, test, 3)
    config = serve(world).config(test_ids=[test.test_id], session_details_version="v3")
    warehouse = Warehouse()
    first = sync_here(config, select=select)
    warehouse.load(first.messages)
    world.lose_access(test)
    _grown(world, test, 3)
    cut_off = sync_here(config, select=select, state=first.state)
    assert cut_off.exit == 1
    held = cut_off.partition(select[0], test.test_id)
    assert but_tally(held) == but_tally(first.partition(select[0], test.test_id))
    assert held["tally"]["pending"] == 3
    world.grant_access(test)
    warehouse.load(sync_here(config, select=select, state=cut_off.state).messages)
    assert_true(warehouse, world, select)


def test_nine_missing_sessions_are_no_missing_test(serve: Callable[..., Sandbox], present: datetime) -> None:
    """Nine 404 and then an answer concern nine sessions, which stay pending and come later."""
    world = World(now=present - timedelta(hours=3))
    test = world.add_test("NON_THINK_OUT_LOUD")
    _grown(world, test, 1)
    box = serve(world)
    warehouse = Warehouse()
    first = sync_here(box.config(), select=["session_details"])
    warehouse.load(first.messages)

    missing = [world.add_session(test, in_results=False) for _ in range(9)]
    _grown(world, test, 1)
    second = sync_here(box.config(), select=["session_details"], state=first.state)
    warehouse.load(second.messages)
    partition = second.partition("session_details", test.test_id)
    assert second.exit == 0
    assert set(partition["waiting"]) == {session.session_id for session in missing}
    assert partition["replication_key_value"] == test.events[-1].cursor

    for session in missing:
        world.reveal(session)
    third = sync_here(box.config(), select=["session_details"], state=second.state)
    warehouse.load(third.messages)
    assert_true(warehouse, world, ["session_details"])
    assert "waiting" not in third.partition("session_details", test.test_id)


def test_what_a_complete_list_lacks_is_not_asked_for(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """Of 300 responses that the feed knows and the Results API does not have, a first sync asks for none."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    here = world.add_session(test)
    for _ in range(300):
        world.add_session(test, in_results=False)
    box = serve(world)
    run = sync(box.config(), tmp_path)
    assert run.exit == 0
    assert {call.session_id for call in box.calls if call.session_id is not None} == {here.session_id}
    assert spent(box)["list"] == 1
    # A session without a transcript is nothing unusual, so `transcripts` says nothing.
    assert len(run.lines("gave up on 300 sessions that were announced but never found")) == 2
    assert "waiting" not in run.partition("sessions", test.test_id)
    warehouse = Warehouse()
    warehouse.load(run.messages)
    assert_true(warehouse, world)


def test_what_a_list_lacks_and_is_young_still_comes(serve: Callable[..., Sandbox], present: datetime) -> None:
    """Such a response that is young stays pending, at no call, and comes when it is there."""
    world = World(now=present - timedelta(hours=3))
    test = world.add_test("THINK_OUT_LOUD")
    here = world.add_session(test)
    late = world.add_session(test, in_results=False)
    box = serve(world)
    warehouse = Warehouse()
    first = sync_here(box.config())
    warehouse.load(first.messages)
    assert {call.session_id for call in box.calls if call.session_id is not None} == {here.session_id}
    for stream in SESSION_STREAMS:
        assert list(first.partition(stream, test.test_id)["waiting"]) == [late.session_id]
    world.reveal(late)
    warehouse.load(sync_here(box.config(), state=first.state).messages)
    assert_true(warehouse, world)


@pytest.mark.parametrize("feed", [{}, {"feed_url": None}], ids=["feed", "listing"])
def test_one_broken_session_does_not_stop_its_test(
    serve: Callable[..., Sandbox], tmp_path: Path, feed: dict[str, Any]
) -> None:
    """A session whose details answer 500 for ever costs one error line; the rest of its test arrives."""
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    _grown(world, test, 6)
    broken = list(test.sessions)[2]
    box = serve(world)
    box.fail("details_v3", times=None, match=broken)
    config = box.config(max_retries=2, **feed)
    warehouse = Warehouse()
    run = sync(config, tmp_path)
    warehouse.load(run.messages)
    assert run.exit == 1
    assert len(run.errors) == 1
    assert broken in run.errors[0]
    assert {row["session_id"] for row in run.records("session_details")} == set(test.sessions) - {broken}
    assert list(run.partition("session_details", test.test_id)["waiting"]) == [broken]

    box.orders.clear()
    again = sync(config, tmp_path, state=run.state)
    warehouse.load(again.messages)
    assert again.exit == 0
    assert [row["session_id"] for row in again.records("session_details")] == [broken]
    assert_true(warehouse, world, ["session_details"])


def test_transcripts_that_never_come_are_asked_seldom_and_then_given_up(
    serve: Callable[..., Sandbox],
    present: datetime,
    travel: Callable[[datetime], None],
) -> None:
    """50 sessions without a transcript, synced every hour for a week.

    Each sync asks for at most 20, the longest unasked first, and each session until it is seven days old.
    """
    world = World(now=present)
    test = world.add_test("THINK_OUT_LOUD")
    ends = {}
    for number in range(50):
        at = present - timedelta(minutes=30 * number)
        ends[world.add_session(test, finished_at=at, transcript="none").session_id] = at
    box = serve(world)
    config = box.config(feed_url=None)
    state = None
    asked: dict[str, list[datetime]] = {session_id: [] for session_id in ends}
    for hour in range(24 * 7 + 5):
        now = present + timedelta(hours=hour)
        travel(now)
        box.clear_calls()
        run = sync_here(config, state=state, select=["transcripts"])
        state = run.state or state
        assert run.exit == 0
        assert spent(box)["list"] == 1
        assert hour == 0 or spent(box)["transcript"] <= 20
        for call in box.calls:
            if call.kind == "transcript":
                asked[str(call.session_id)].append(now)
    assert "waiting" not in run.partition("transcripts", test.test_id)
    for session_id, moments in asked.items():
        age = moments[-1] - ends[session_id]
        assert timedelta(days=7) < age <= timedelta(days=7, hours=3)
        assert all(later - sooner <= timedelta(hours=3) for sooner, later in pairwise(moments))
