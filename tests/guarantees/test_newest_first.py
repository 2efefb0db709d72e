"""A first sync begins with the newest sessions, what comes meanwhile is done first, and any cut leaves one gap."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import SESSION_STREAMS
from tests.support.story import Story, after_rows
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import Session, Test

SOURCES = [pytest.param({}, id="feed"), pytest.param({"change_source": "listing"}, id="listing")]
NOW = datetime.now(timezone.utc).replace(microsecond=0)


class Scene:
    """A test whose sessions are hours apart, the last of them a day ago."""

    def __init__(self, box: Sandbox, world: World, test: Test, settings: dict[str, Any]) -> None:
        """Nothing is synced yet."""
        self.box, self.world, self.test = box, world, test
        self.story = Story(world, box, settings)

    def sessions(self) -> list[Session]:
        """Return its sessions, newest first."""
        return sorted(self.test.sessions.values(), key=lambda one: one.finished_at, reverse=True)


@pytest.fixture(params=SOURCES)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A test of 60 sessions."""
    world = World(now=NOW - timedelta(days=1))
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(60):
        world.add_session(test, finished_at=world.now - timedelta(hours=60 - number))
    with Sandbox(world, quota=None) as box:
        yield Scene(box, world, test, request.param)


def ids(rows: list[dict[str, Any]]) -> list[str]:
    """Return the sessions of rows."""
    return [row["session_id"] for row in rows]


@pytest.mark.parametrize("stream", SESSION_STREAMS)
def test_a_first_sync_that_is_cut_has_the_newest_sessions(scene: Scene, stream: str) -> None:
    """The next one does what is new first, then goes on downwards; nothing comes twice."""
    newest = [one.session_id for one in scene.sessions()]
    first = scene.story.sync(stream, killed=after_rows(10))
    assert ids(first.records(stream)) == newest[:10]
    assert scene.story.partition(stream, scene.test)["history"]
    new = [scene.world.add_session(scene.test).session_id for _ in range(2)]
    second = scene.story.sync(stream, killed=after_rows(12))
    assert ids(second.records(stream)) == [*new, *newest[10:20]]
    third = scene.story.sync(stream)
    assert ids(third.records(stream)) == newest[20:]
    assert "history" not in scene.story.partition(stream, scene.test)
    scene.story.assert_true(stream)
    scene.story.assert_each_once(stream)
    assert scene.story.sync(stream).records() == []


@pytest.mark.parametrize("stream", SESSION_STREAMS)
def test_news_of_a_test_that_was_read_come_newest_first_too(scene: Scene, stream: str) -> None:
    """A sync of many new sessions that is cut leaves a gap between them and what was there before."""
    scene.story.sync(stream)
    new = [scene.world.add_session(scene.test).session_id for _ in range(8)]
    cut = scene.story.sync(stream, killed=after_rows(3))
    assert ids(cut.records(stream)) == new[:4:-1]
    state = scene.story.partition(stream, scene.test)
    assert state["floor"]
    rest = scene.story.sync(stream)
    assert ids(rest.records(stream)) == new[4::-1]
    scene.story.assert_true(stream)
    scene.story.assert_each_once(stream)


@pytest.mark.parametrize("change", ["update", "reject"])
@pytest.mark.parametrize("place", [2, 12, 40])
def test_what_happens_while_a_gap_is_open_becomes_true(change: str, place: int) -> None:
    """Above the gap, at its edge and deep in it; each session is fetched once for each time that it changed."""
    world = World(now=NOW - timedelta(days=1))
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(60):
        world.add_session(test, finished_at=world.now - timedelta(hours=60 - number))
    with Sandbox(world, quota=None) as box:
        scene = Scene(box, world, test, {})
        scene.story.sync("session_details", killed=after_rows(12))
        session = scene.sessions()[place]
        getattr(world, change)(session)
        added = [world.add_session(test) for _ in range(3)]
        scene.story.sync("session_details")
        scene.story.assert_true("session_details")
        for one in added:
            assert len(scene.story.asked("details_v3", one)) == 1
        assert len(scene.story.asked("details_v3", session)) == int(change == "update")
        assert len(scene.story.asked("details_v3")) <= 60 - 12 + 3 + 1
        assert scene.story.sync("session_details").records() == []


@pytest.mark.parametrize("hours", [0.5, 5.5, 30.5, 70])
def test_a_session_that_appears_late_arrives_once(hours: float) -> None:
    """By listing, while a gap is open: its time above what was handled, inside the gap, at its end, below all."""
    world = World(now=NOW - timedelta(days=1))
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(60):
        world.add_session(test, finished_at=world.now - timedelta(hours=60 - number))
    with Sandbox(world, quota=None) as box:
        scene = Scene(box, world, test, {"change_source": "listing"})
        scene.story.sync("session_details", killed=after_rows(10))
        late = world.add_session(test, finished_at=world.now - timedelta(hours=hours))
        for _ in range(2):
            scene.story.sync("session_details")
        scene.story.assert_true("session_details")
        scene.story.assert_each_once("session_details")
        assert (late.session_id,) in scene.story.warehouse.tables["session_details"]


def test_a_late_transcript_of_a_session_that_came_back_arrives() -> None:
    """A rejection, the return, news of others, the transcript of the first: cut between, nothing is lost."""
    world = World(now=NOW - timedelta(days=1))
    test = world.add_test("THINK_OUT_LOUD")
    one, *others = [world.add_session(test, transcript="later") for _ in range(3)]
    for other in others:
        world.transcribe(other)
    with Sandbox(world, quota=None) as box:
        story = Story(world, box, {})
        story.sync("transcripts")
        world.reject(one)
        world.accept(one)
        for other in others:
            world.transcribe(other)
        world.transcribe(one)
        story.assert_any_kill_is_survived("transcripts")
        story.assert_true("transcripts")


def test_an_expired_cursor_while_a_gap_is_open_costs_one_replay() -> None:
    """Nothing is lost, and nothing that is unchanged is fetched again."""
    world = World(now=NOW - timedelta(days=1))
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(40):
        world.add_session(test, finished_at=world.now - timedelta(hours=60 - number))
    with Sandbox(world, quota=None) as box:
        story = Story(world, box, {})
        story.sync("session_details")
        for _ in range(12):
            world.add_session(test)
        story.sync("session_details", killed=after_rows(5))
        assert story.partition("session_details", test)["floor"]
        world.expire_cursors(test)
        story.sync("session_details")
        assert len(story.asked("details_v3")) <= 8
        story.assert_true("session_details")
        assert story.sync("session_details").records() == []


def test_a_start_date_that_moves_back_brings_what_it_left_out_and_that_alone(scene: Scene) -> None:
    """By half, then for good; also while the gap that this opens is still open. Forward, nothing happens."""
    sessions = scene.sessions()
    start = {n: sessions[n].finished_at.strftime("%Y-%m-%dT%H:%M:%SZ") for n in (19, 39)}
    seen: list[str] = []
    for settings, expected in (
        ({"start_date": start[19]}, 20),
        ({"start_date": start[39]}, 20),
        ({"start_date": start[19]}, 0),
        ({}, 20),
        ({}, 0),
    ):
        scene.story.settings = {**{k: v for k, v in scene.story.settings.items() if k != "start_date"}, **settings}
        rows = ids(scene.story.sync("session_details").records("session_details"))
        assert len(rows) == expected, settings
        seen += rows
    assert seen == [one.session_id for one in sessions]
    scene.story.assert_true("session_details")


def test_a_start_date_that_moves_back_brings_older_events_only_after_a_full_refresh() -> None:
    """The description of the setting says so of `result_changes`, whose bookmark has passed the events."""
    world = World(now=NOW - timedelta(days=1))
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(6):
        world.add_session(test, finished_at=world.now - timedelta(hours=6 - number))
    with Sandbox(world, quota=None) as box:
        story = Story(world, box, {"start_date": (world.now - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")})
        newer = len(story.sync("result_changes").records("result_changes"))
        story.settings = {}
        assert story.sync("result_changes").records("result_changes") == []
        refreshed = Story(world, box, {}).sync("result_changes")
    everything = len(refreshed.records("result_changes"))
    assert 0 < newer < everything


def test_a_start_date_that_moves_while_its_gap_is_open_repeats_nothing(scene: Scene) -> None:
    """Each session arrives once, however often the date moves."""
    sessions = scene.sessions()
    base = {k: v for k, v in scene.story.settings.items() if k != "start_date"}
    for n, rows in ((19, 10), (29, 5), (49, 4), (39, 5)):
        start = sessions[n].finished_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        scene.story.settings = {**base, "start_date": start}
        scene.story.sync("session_details", killed=after_rows(rows))
    scene.story.settings = base
    for _ in range(3):
        scene.story.sync("session_details")
    scene.story.assert_true("session_details")
    scene.story.assert_each_once("session_details")


def test_streams_of_one_source_at_different_places_share_calls_and_in_the_end_a_ledger(scene: Scene) -> None:
    """A stream that was selected later reads what it lacks; what is new costs one call for both."""
    scene.story.sync("session_details")
    new = scene.world.add_session(scene.test)
    cut = scene.story.sync("session_details", "task_responses", killed=after_rows(30))
    assert ids(cut.records("session_details")) == [new.session_id]
    assert len(scene.story.asked("details_v3", new)) == 1
    scene.story.sync("session_details", "task_responses")
    newer = scene.world.add_session(scene.test)
    scene.story.sync("session_details", "task_responses")
    assert [call.session_id for call in scene.story.asked("details_v3")] == [newer.session_id]
    assert_true(scene.story.warehouse, scene.world, ["session_details", "task_responses"])
    one, other = (scene.story.partition(name, scene.test) for name in ("session_details", "task_responses"))
    assert {key: value for key, value in other.items() if key != "rows"} == one


def test_a_session_whose_id_a_user_puts_into_the_state_is_read_again(scene: Scene) -> None:
    """Once, with any time or none."""
    scene.story.sync("session_details")
    state = scene.story.warehouse.state
    assert state is not None
    session = scene.sessions()[30].session_id
    [partition] = state["bookmarks"]["session_details"]["partitions"]
    partition["waiting"] = {session: ""}
    assert ids(scene.story.sync("session_details").records("session_details")) == [session]
    assert scene.story.sync("session_details").records("session_details") == []
