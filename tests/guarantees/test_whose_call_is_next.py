"""Each call is spent where the news is: new sessions before history, quiet tests seldom, budgets fairly."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.support.harness import SESSION_STREAMS, Warehouse, sync_here
from tests.support.simulated_time import EPOCH
from tests.support.story import after_rows
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from tests.support.simulated_time import SimulatedTime
    from tests.support.story import Story, Tell

SOURCES = [pytest.param({}, id="feed"), pytest.param({"change_source": "listing"}, id="listing")]
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def a_world(tests: int, sessions: int, *, silent: timedelta = timedelta(days=30)) -> World:
    """Return a world of tests with transcripts, one launched after the other, their sessions an hour apart."""
    world = World(now=NOW - silent)
    for number in range(tests):
        launched = world.now - timedelta(hours=(tests - number) * (sessions + 1))
        test = world.add_test("THINK_OUT_LOUD", ordered_at=launched)
        for hour in range(sessions):
            world.add_session(test, finished_at=launched + timedelta(hours=hour + 1))
    return world


def results_calls(story: Story) -> int:
    """Return how many calls of the Results API the last sync made, discovery left out."""
    return sum(call.kind in {"list", "details_v3", "transcript", "qx_scores"} for call in story.box.calls)


@pytest.mark.parametrize("source", SOURCES)
def test_a_new_session_is_there_in_the_first_run_that_can_see_it(tell: Tell, source: dict[str, Any]) -> None:
    """With the history of four tests still open, sixty calls a run, a new session in the last test to be read."""
    world = a_world(4, 60)
    story = tell(world, max_calls=60, test_ids=list(world.tests), **source)
    story.sync(*SESSION_STREAMS)
    for _ in range(4):
        new = {(world.add_session(test).session_id,) for test in world.tests.values()}
        story.sync(*SESSION_STREAMS)
        for stream in SESSION_STREAMS:
            assert new <= story.warehouse.tables[stream].keys(), stream
    assert any("history" in story.partition("transcripts", test) for test in world.tests.values())


@pytest.mark.parametrize("source", SOURCES)
def test_a_first_sync_begins_with_the_newest_sessions_of_all_tests(tell: Tell, source: dict[str, Any]) -> None:
    """After sixty calls the sessions read are the newest of all, each with its transcript."""
    world = a_world(10, 20)
    story = tell(world, max_calls=60, **source)
    story.sync(*SESSION_STREAMS)
    newest = sorted(world.sessions.values(), key=lambda one: one.finished_at, reverse=True)
    details = [key[0] for key in story.warehouse.tables["session_details"]]
    expected = {one.session_id for one in newest[: len(details)]}
    assert len(details) >= 20
    assert len(expected.intersection(details)) >= 0.95 * len(details)
    with_transcript = {key[0] for key in story.warehouse.tables["transcripts"]}
    assert len(with_transcript.intersection(details)) >= 0.9 * len(details)


def test_with_a_small_budget_every_test_is_read_after_some_runs(tell: Tell) -> None:
    """Forty tests of one session, 25 calls a run, by list."""
    world = a_world(40, 1)
    story = tell(world, test_ids=list(world.tests), change_source="listing", max_calls=25)
    runs = 0
    while len(story.warehouse.tables.get("session_details", {})) < 40:
        story.sync("sessions", "session_details")
        runs += 1
        assert runs <= 5
    assert runs >= 4


def test_no_test_is_left_out_twice_where_all_are_asked_each_time(tell: Tell) -> None:
    """`max_quiet_hours: 0` and a budget for half of the lists: whoever was not asked is asked in the next run."""
    world = a_world(40, 1)
    settings = {"test_ids": list(world.tests), "change_source": "listing"}
    story = tell(world, **settings)
    story.sync("sessions")
    story.settings = {**settings, "max_calls": 25, "max_quiet_hours": 0}
    left_out: set[str] = set()
    for _ in range(4):
        story.sync("sessions")
        asked = {str(call.test_id) for call in story.asked("list")}
        assert len(asked) == 25
        assert left_out <= asked
        left_out = set(world.tests) - asked


def test_a_budget_that_lists_use_up_alone_is_said(tell: Tell, caplog: pytest.LogCaptureFixture) -> None:
    """In one line; the run ends well, and the next one goes on with the others."""
    caplog.set_level(logging.WARNING)
    world = a_world(30, 2)
    story = tell(world, test_ids=list(world.tests), change_source="listing", max_calls=10)
    story.sync(*SESSION_STREAMS)
    assert sum("by the session lists alone" in line for line in caplog.messages) == 1


def test_quiet_tests_are_not_listed_and_the_log_says_how_many(tell: Tell, caplog: pytest.LogCaptureFixture) -> None:
    """Sixty tests silent for months, synced twice within minutes: twenty are asked all the same, the others rest."""
    caplog.set_level(logging.INFO)
    world = a_world(60, 1)
    story = tell(world, change_source="listing")
    story.sync("sessions")
    caplog.clear()
    story.sync("sessions")
    assert len(story.asked("list")) == 20
    assert [line for line in caplog.messages if "40 quiet tests are not due" in line]
    asked = {call.test_id for call in story.asked("list")}
    story.sync("sessions")
    assert not asked & {call.test_id for call in story.asked("list")}


@pytest.mark.parametrize("settings", [{}, {"max_quiet_hours": 0}], ids=["twenty tests", "no quiet hours"])
def test_a_small_account_is_read_whole_each_time(tell: Tell, settings: dict[str, Any]) -> None:
    """As a user expects, however quiet it is."""
    world = a_world(20 if not settings else 50, 1)
    story = tell(world, change_source="listing", **settings)
    story.sync("sessions")
    story.sync("sessions")
    assert len(story.asked("list")) == len(world.tests)


def test_a_day_later_every_test_is_due(tell: Tell, days_later: Any) -> None:  # noqa: ANN401 - a fixture
    """A daily schedule reads all of them, and a new session in any."""
    world = a_world(60, 1)
    story = tell(world, change_source="listing")
    story.sync("sessions")
    days_later(0.95)
    for test in world.tests.values():
        world.add_session(test, finished_at=NOW)
    story.sync("sessions")
    story.assert_true("sessions")


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_selected_later_comes_after_the_news_of_the_others(tell: Tell, source: dict[str, Any]) -> None:
    """A stream, and a test: their history begins once the new sessions of the others are there."""
    world = a_world(3, 10)
    first, second, third = world.tests.values()
    settings = {**source, "test_ids": [first.test_id, second.test_id]}
    story = tell(world, **settings)
    story.sync("session_details")
    new = world.add_session(first)
    story.settings = {**settings, "test_ids": [third.test_id, first.test_id, second.test_id]}
    story.sync("session_details", "transcripts")
    calls = [call for call in story.box.calls if call.kind == "details_v3"]
    assert calls[0].session_id == new.session_id
    assert {call.session_id for call in calls[1:]} == set(third.sessions)
    story.assert_true("session_details", "transcripts")


@pytest.mark.parametrize("source", SOURCES)
def test_a_long_run_looks_for_news_every_quarter_of_an_hour(
    simulated_time: SimulatedTime, source: dict[str, Any]
) -> None:
    """A run of hours at the documented quota: a session that finishes in its first hour is there within minutes."""
    begin = datetime.fromtimestamp(EPOCH + simulated_time.now, tz=timezone.utc)
    world = World(now=begin - timedelta(hours=2))
    old, lively = (world.add_test("THINK_OUT_LOUD") for _ in range(2))
    for number in range(400):
        world.add_session(old, finished_at=begin - timedelta(days=20, hours=number))
    world.add_session(lively, finished_at=begin - timedelta(hours=1))
    streams = (*SESSION_STREAMS, "result_changes")
    new = []

    def finish(_call: object) -> None:
        at = datetime.fromtimestamp(EPOCH + simulated_time.now, tz=timezone.utc)
        new.append((world.add_session(lively, finished_at=at), simulated_time.now))

    with simulated_time.serve(world, QuotaRule()) as box:
        box.before("details_v3", finish, skip=200)  # after some forty minutes
        done = sync_here(box.config(**source), select=streams, state_every=1.0)
        calls = list(box.calls)
    assert done.exit == 0
    [(session, since)] = new
    [fetched] = [call for call in calls if call.kind == "details_v3" and call.session_id == session.session_id]
    assert fetched.at - since <= 17 * 60
    assert calls[-1].at - since > 20 * 60
    warehouse = Warehouse()
    warehouse.load(done.messages)
    assert_true(warehouse, world, streams)


def test_an_idle_sync_of_sessions_that_wait_in_vain_is_no_failure(tell: Tell) -> None:
    """By feed: twelve sessions wait for a transcript, all answer 404, and nothing else is asked: the queue turns."""
    world = World(now=NOW - timedelta(days=1))
    test = world.add_test("THINK_OUT_LOUD")
    spoken = [world.add_session(test) for _ in range(25)]
    with Sandbox(world, quota=None) as box:
        story = tell(world)
        story.box = box
        for one in spoken:
            box.fail("transcript", status=404, times=None, match=one.session_id)
        story.sync("transcripts")
        asked: set[str | None] = set()
        for _ in range(2):
            story.sync("transcripts")
            assert len(story.asked("transcript")) == 20
            asked |= {call.session_id for call in story.asked("transcript")}
        assert len(asked) == 25
        box.orders.clear()
        story.sync("transcripts")
        story.sync("transcripts")
        story.assert_true("transcripts")


@pytest.mark.parametrize("source", SOURCES)
def test_history_goes_on_in_every_run_in_which_news_leaves_a_call_over(tell: Tell, source: dict[str, Any]) -> None:
    """A test of a hundred sessions is read to its end, though there is news in each run."""
    world = a_world(2, 50)
    story = tell(world, max_calls=30, **source)
    runs = 0
    story.sync("session_details", killed=after_rows(3))
    while any("history" in story.partition("session_details", test) for test in world.tests.values()) or not runs:
        world.add_session(next(iter(world.tests.values())))
        story.sync("session_details")
        runs += 1
        assert runs <= 6
    story.settings = {key: value for key, value in story.settings.items() if key != "max_calls"}
    story.sync("session_details")
    story.assert_true("session_details")
    story.assert_each_once("session_details")
