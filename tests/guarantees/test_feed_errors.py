"""What the feed refuses: told by status, code and path, shown in the server's words, never a reason to lose data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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
SELECT = ["sessions", "result_changes"]
QUERY_ERRORS = [
    pytest.param({"message": 'Unknown argument "testUUID" on field "Query.testResultChanges".'}, id="argument"),
    pytest.param({"message": "Persisted query not found", "status": 200}, id="persisted query"),
    pytest.param({"message": "Not found", "code": "PERSISTED_QUERY_NOT_FOUND", "status": 200}, id="its code"),
    pytest.param({"message": 'Cannot query field "latestCursor" on type "Count".', "fields": COUNT}, id="field"),
    pytest.param({"message": "Token limit of 1 exceeded"}, id="tokens"),
    pytest.param({"message": "Too many aliases: 1", "code": "BAD_USER_INPUT"}, id="aliases"),
    pytest.param({"message": "This cursor, this token, this scope: many are unknown"}, id="words"),
]


def _world(tests: int = 3) -> World:
    return World.bulk(tests=tests, sessions=2)


@pytest.mark.parametrize("plain", [False, True], ids=["objects", "texts"])
@pytest.mark.parametrize("later", [False, True], ids=["first sync", "later sync"])
@pytest.mark.parametrize("refusal", QUERY_ERRORS)
def test_an_error_of_the_query_is_one_line_and_loses_nothing(
    serve: Callable[..., Sandbox],
    caplog: pytest.LogCaptureFixture,
    refusal: dict[str, Any],
    *,
    later: bool,
    plain: bool,
) -> None:
    """It holds the server's words and no advice about tokens; no test is read by its list, no log is replayed."""
    world = _world()
    box, warehouse, state = serve(world), Warehouse(), None
    if later:
        first = sync_here(box.config(), select=SELECT)
        warehouse.load(first.messages)
        state = first.state
        for test in world.tests.values():
            world.add_session(test)
    world.feed_options.refuse(**refusal)
    world.feed_options.set(plain_errors=plain)
    box.clear_calls()
    caplog.clear()
    done = sync_here(box.config(), select=SELECT, state=state)
    assert done.exit == 1
    assert done.records() == []
    [error] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert refusal["message"] in error
    assert "feed_access_token" not in error
    assert spent(box)["list"] == 0
    assert spent(box)["feed"] <= 12

    world.feed_options.refusals.clear()
    again = sync_here(box.config(), select=SELECT, state=done.state or state)
    warehouse.load(again.messages)
    assert again.exit == 0
    assert_true(warehouse, world, SELECT)


@pytest.mark.parametrize("refusal", QUERY_ERRORS[:3])
def test_the_check_says_that_the_query_is_refused(
    serve: Callable[..., Sandbox], tmp_path: Path, refusal: dict[str, Any]
) -> None:
    """`--test`: the feed is not ok, in one line, exit 1."""
    world = _world()
    world.feed_options.refuse(**refusal)
    done = sync(serve(world).config(), tmp_path, args=["--test"])
    assert done.exit == 1
    assert len(done.lines("check: change feed: failed")) == 1
    [error] = done.errors
    assert refusal["message"] in error


def test_a_feed_of_few_aliases_is_asked_in_parts(serve: Callable[..., Sandbox]) -> None:
    """No wait, no error: what is too large is made smaller."""
    world = _world(20)
    world.feed_options.set(most_aliases=7)
    box, warehouse = serve(world), Warehouse()
    done = sync_here(box.config(), select=SELECT)
    warehouse.load(done.messages)
    assert done.exit == 0
    assert_true(warehouse, world, SELECT)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param("Position lost", None, id="no code"),
        pytest.param("The test has moved on", "GONE", id="some code"),
        pytest.param("Not found", "NOT_FOUND", id="a code that could be the test's"),
    ],
)
def test_a_refused_cursor_is_told_by_the_whole_log_that_is_not(
    serve: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture, message: str, code: str | None
) -> None:
    """Whatever the words: what fails from the bookmark and works from the start is replayed once, for all streams.

    The whole log holds the bookmark, so that nothing comes twice.
    """
    world = _world()
    lost, *_ = world.tests.values()
    box, warehouse = serve(world), Warehouse()
    streams = [*SESSION_STREAMS, "result_changes"]
    first = sync_here(box.config(), select=streams)
    warehouse.load(first.messages)
    for test in world.tests.values():
        world.add_session(test)
    world.feed_options.refuse(message, code=code, test_uuid=lost.test_uuid, from_cursor=True)
    box.clear_calls()
    second = sync_here(box.config(), select=streams, state=first.state)
    warehouse.load(second.messages)
    assert second.exit == 0
    assert_true(warehouse, world, ["sessions", "session_details", "result_changes"])
    assert len(second.records("result_changes")) == len(world.tests)
    assert [line for line in caplog.messages if message in line]
    whole = [root for call in box.calls for root in call.operations if root["sinceCursor"] is None]
    assert [(root["field"], root["testUUID"]) for root in whole] == [(COUNT, lost.test_uuid), (CHANGES, lost.test_uuid)]


def test_many_refused_cursors_are_replayed_by_few_requests(serve: Callable[..., Sandbox]) -> None:
    """Forty tests whose cursors have expired: their counts from the start come in one request."""
    world = _world(40)
    box, warehouse = serve(world), Warehouse()
    first = sync_here(box.config(), select=SELECT, state_every=1.0)
    warehouse.load(first.messages)
    for test in world.tests.values():
        world.add_session(test)
        world.expire_cursors(test)
    box.clear_calls()
    second = sync_here(box.config(), select=SELECT, state=first.state, state_every=1.0)
    warehouse.load(second.messages)
    assert second.exit == 0
    assert_true(warehouse, world, SELECT)
    assert len(list(feed_requests(box, COUNT))) == 3


@pytest.mark.parametrize("times", [1, None], ids=["passes", "stays"])
def test_a_test_that_fails_from_any_cursor_is_no_expired_cursor(
    serve: Callable[..., Sandbox], times: int | None
) -> None:
    """What passes when it is asked again is nothing; what stays is an error of that test, whose state stays."""
    world = _world()
    lost, *_ = world.tests.values()
    box = serve(world)
    first = sync_here(box.config(), select=SELECT)
    for test in world.tests.values():
        world.add_session(test)
    world.feed_options.refuse("cursor store is unknown", test_uuid=lost.test_uuid, times=times)
    box.clear_calls()
    second = sync_here(box.config(), select=SELECT, state=first.state)
    arrived = {row["test_id"] for row in second.records()}
    assert arrived == (set(world.tests) if times else set(world.tests) - {lost.test_id})
    assert second.exit == (0 if times else 1)
    if times is None:
        for stream in SELECT:
            assert second.partition(stream, lost.test_id) == first.partition(stream, lost.test_id)


def test_an_error_of_a_test_that_is_not_of_its_absence_is_no_reason_to_go_by_the_list(
    serve: Callable[..., Sandbox],
) -> None:
    """Only a test that the feed does not know is read by its list; one that it can not answer for is an error."""
    world = _world()
    broken, unknown, _ = world.tests.values()
    world.feed_options.refuse("The unknown token of this cursor was not found", test_uuid=broken.test_uuid)
    world.feed_options.refuse("x", code="NOT_FOUND", test_uuid=unknown.test_uuid)
    box = serve(world)
    done = sync_here(box.config(), select=["sessions"])
    assert done.exit == 1
    assert {row["test_id"] for row in done.records()} == set(world.tests) - {broken.test_id}


@pytest.mark.parametrize("form", ["number", "long", "foreign"])
def test_a_cursor_is_kept_and_sent_back_as_it_came(serve: Callable[..., Sandbox], tmp_path: Path, form: str) -> None:
    """Numbers, 1,500 characters, or beyond ASCII: in rows, state and the next request."""
    world = World()
    world.feed_options.set(cursor_form=form, numbers=form == "number")
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(3):
        world.add_session(test)
    box, warehouse = serve(world), Warehouse()
    first = sync(box.config(), tmp_path, select=SELECT)
    warehouse.load(first.messages)
    assert first.exit == 0
    assert_true(warehouse, world, SELECT)
    newest = test.events[-1].cursor
    assert first.partition("sessions", test.test_id)["replication_key_value"] == newest
    world.add_session(test)
    box.clear_calls()
    second = sync(box.config(), tmp_path, select=SELECT, state=first.state)
    warehouse.load(second.messages)
    assert second.exit == 0
    assert_true(warehouse, world, SELECT)
    assert len(second.records("result_changes")) == 3
    assert {root["sinceCursor"] for call in box.calls for root in call.operations} == {newest}


def test_a_time_that_is_a_number_is_null_and_said(
    serve: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    """The event is kept: its cursor is its place, not its time."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(3):
        world.add_session(test)
    world.feed_options.set(numbers=True)
    done = sync_here(serve(world).config(), select=SELECT)
    assert done.exit == 0
    assert [row["cursor"] for row in done.records("result_changes")] == [event.cursor for event in test.events]
    assert {row["changed_at"] for row in done.records("result_changes")} == {None}
    assert [line for line in caplog.messages if "9 events whose changedAt is not text" in line]


@pytest.mark.parametrize("known", [0, 1, 3, 4])
def test_how_many_tests_the_feed_knows_is_said_unless_it_is_all(
    serve: Callable[..., Sandbox], tmp_path: Path, known: int
) -> None:
    """One line a run; a warning that names what to check when the feed knows none of them; also in `--test`."""
    world = World()
    for number in range(4):
        world.add_session(world.add_test("THINK_OUT_LOUD", in_feed=number < known))
    box = serve(world)
    done = sync(box.config(), tmp_path, select=[*SESSION_STREAMS, "result_changes"])
    lines = done.lines("the change feed knows")
    assert len(lines) == (known < 4)
    assert all(f"knows {known} of 4 tests" in line for line in lines)
    assert [("WARNING" in line, "feed_url" in line) for line in lines] == [(known == 0, known == 0)][: len(lines)]
    assert done.exit == 0
    assert len(done.records("sessions")) == 4

    checked = sync(box.config(test_ids=list(world.tests)), tmp_path, args=["--test"])
    assert checked.exit == 0
    [said] = [line for line in checked.lines("check: change feed:") if re.search(r"\d of 4 tests", line)]
    assert f"{known} of 4 tests" in said
    assert ("WARNING" in said and "feed_url" in said) == (known == 0)


def test_the_words_of_the_server_are_shown_without_secrets_on_one_line(
    serve: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """A plain error that repeats the token over two lines."""
    world = _world(1)
    box = serve(world)
    world.feed_options.refuse(f"bad\nthing: {box.feed_token}", status=200)
    world.feed_options.set(plain_errors=True)
    done = sync(box.config(feed_access_token=box.feed_token), tmp_path, select=SELECT)
    assert done.exit == 1
    [error] = done.errors
    assert "bad thing: ***" in error
    assert box.feed_token not in done.log
