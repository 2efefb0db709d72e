"""What the change feed is asked, and what it costs: expired cursors, one bad test, big logs, three cursors."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.calls import feed_requests, spent
from tests.support.harness import SESSION_STREAMS, Warehouse, sync, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox

COUNT, CHANGES = "testResultChangesCount", "testResultChanges"


@pytest.mark.parametrize("renumbered", [False, True], ids=["same cursors", "new cursors"])
def test_an_expired_cursor_replays_the_log_once_and_fetches_nothing_again(
    serve: Callable[..., Sandbox], tmp_path: Path, *, renumbered: bool
) -> None:
    """The cursors of a test with 1,000 unchanged sessions expire.

    Its log is read once for all streams, nothing that is unchanged is fetched, what is new arrives, and a removal
    that the replay mentions again costs no call; also when the log now names all its events by new cursors.
    """
    world = World.bulk(tests=1, sessions=1000)
    test = next(iter(world.tests.values()))
    gone = list(test.sessions.values())[500]
    world.reject(gone)
    box = serve(world)
    warehouse = Warehouse()
    select = ["sessions", "session_details", "transcripts"]
    config = box.config()
    first = sync_here(config, select=select, state_every=1.0)
    warehouse.load(first.messages)
    assert_true(warehouse, world, ["sessions", "session_details"])

    world.expire_cursors(test)
    if renumbered:
        test.events[:] = [replace(event, cursor=f"ut_{n:032x}") for n, event in enumerate(test.events)]
        test.mark_changed()
    added = world.add_session(test)
    box.clear_calls()
    second = sync(config, tmp_path, select=select, state=first.state)
    warehouse.load(second.messages)
    assert second.exit == 0
    assert_true(warehouse, world, ["sessions", "session_details"])
    replays = [
        operation
        for call in feed_requests(box, CHANGES)
        for operation in call.operations
        if operation["sinceCursor"] is None
    ]
    assert len(replays) == 1
    assert spent(box)["details"] == 1
    assert spent(box)["list"] == 1
    assert len(second.lines("the tap replays the log once")) == 1
    live = [row for row in second.records() if row["deleted_at"] is None]
    assert {row["session_id"] for row in live} == {added.session_id}

    box.clear_calls()
    idle = sync_here(config, select=select, state=second.state)
    assert idle.records() == []
    assert spent(box)["details"] == spent(box)["transcript"] == spent(box)["list"] == 0


def test_one_failing_test_among_a_hundred_aliases(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """Of 100 tests asked in one request one answers an error: 99 answers are used, one test fails.

    It alone is asked twice more: from its cursor again, and from the start, to tell the test's error from the cursor's.
    """
    world = World.bulk(tests=100, sessions=1)
    box = serve(world)
    first = sync_here(box.config(), select=["sessions"], state_every=1.0)
    assert first.exit == 0
    tests = list(world.tests.values())
    for test in tests:
        world.add_session(test)
    lost = tests[41]
    world.forget_in_feed(lost)
    box.clear_calls()
    second = sync(box.config(), tmp_path, select=["sessions"], state=first.state)
    assert second.exit == 1
    assert [len(call.operations) for call in feed_requests(box, COUNT)] == [100, 1, 1]
    assert [len(call.operations) for call in feed_requests(box, CHANGES)] == [99]
    assert {row["test_id"] for row in second.records()} == set(world.tests) - {lost.test_id}
    assert len(second.errors) == 1
    assert lost.test_id in second.errors[0]
    assert second.partition("sessions", lost.test_id) == first.partition("sessions", lost.test_id)

    world.teach_feed(lost)
    third = sync_here(box.config(), select=["sessions"], state=second.state)
    assert third.exit == 0
    assert {row["test_id"] for row in third.records()} == {lost.test_id}


def test_changes_are_asked_together_only_while_they_are_few(serve: Callable[..., Sandbox]) -> None:
    """First reads of many big tests at once.

    One request asks for the changes of no more than 5,000 results; a test with more is asked alone.
    """
    world = World.bulk(tests=13, sessions=1000)
    tests = list(world.tests.values())
    for place in (3, 12):
        for number in range(5001):
            response, at = f"ut_response_{place}-{number}", world.now + timedelta(seconds=number)
            tests[place].add_event(world.journal.make_event(response, "UPDATED", at))
    box = serve(world)
    run = sync_here(box.config(), select=["result_changes"], state_every=1.0)
    assert len(run.records("result_changes")) == 13 * 1000 + 2 * 5001
    assert len(list(feed_requests(box, COUNT))) == 1
    together = [[str(operation["testUUID"]) for operation in call.operations] for call in feed_requests(box, CHANGES)]
    assert sorted(uuid for group in together for uuid in group) == sorted(test.test_uuid for test in tests)
    big = {tests[3].test_uuid, tests[12].test_uuid}
    assert all(len(group) == 1 for group in together if big & set(group))
    assert max(len(group) for group in together) == 5
    assert len(together) <= 6


def test_three_streams_with_three_cursors_share_one_request(serve: Callable[..., Sandbox]) -> None:
    """Three streams of one test stand at three cursors.

    One request with three aliases asks for all of them, and each stream emits the changes after its own.
    """
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    box = serve(world)
    state, added = None, []
    for stream in (*SESSION_STREAMS, None):
        added.append(world.add_session(test).session_id)
        if stream is not None:
            state = sync_here(box.config(), select=[stream], state=state).state
    box.clear_calls()
    run = sync_here(box.config(), select=SESSION_STREAMS, state=state)
    for place, stream in enumerate(SESSION_STREAMS):
        assert [row["session_id"] for row in run.records(stream)] == added[:place:-1]
    for field in (COUNT, CHANGES):
        (call,) = feed_requests(box, field)
        assert len(call.operations) == 3
        assert len({operation["sinceCursor"] for operation in call.operations}) == 3
    assert spent(box)["feed"] == 2
    for stream in SESSION_STREAMS:
        partition = run.partition(stream, test.test_id)
        assert partition["replication_key_value"] == test.events[-1].cursor
