"""Rows of tasks, demographics and cues: no further call, the truth, and state that survives anything."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import World
from tests.support.harness import ROW_STREAMS, Warehouse, catalog, sync, sync_here
from tests.support.story import after_rows
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.story import Story, Tell

SOURCES = [pytest.param("auto", id="feed"), pytest.param("listing", id="listing")]
FAMILIES = [
    pytest.param("session_details", ("task_responses", "participant_demographics"), id="details"),
    pytest.param("transcripts", ("transcript_cues",), id="transcript"),
]
ALL = ("session_details", "transcripts", *ROW_STREAMS)
SHORT = "WEBVTT\n\n00:01.000 --> 00:02.000\nNever mind.\n"


def a_world(sessions: int = 4) -> tuple[World, Test, list[Session]]:
    """Return a world of one test, its sessions and their transcripts."""
    world = World(seed=3)
    test = world.add_test("THINK_OUT_LOUD")
    return world, test, [world.add_session(test) for _ in range(sessions)]


def calls(story: Story) -> Counter[str]:
    """Return the Results API calls of the last sync, by kind."""
    return Counter(call.kind for call in story.box.calls if not call.kind.startswith(("feed", "token", "v1")))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("origin", "rows"), FAMILIES)
def test_rows_cost_no_call(tell: Tell, source: str, origin: str, rows: tuple[str, ...]) -> None:
    """With and without the rows, and with the rows alone, a first sync and a later one make the same calls."""
    spent = []
    for streams in ((origin,), (origin, *rows), rows):
        world, test, made = a_world()
        story = tell(world, change_source=source)
        story.sync(*streams)
        first = calls(story)
        world.add_session(test)
        if source == "auto":  # the list does not tell
            world.update(made[0])
        story.sync(*streams)
        spent.append((first, calls(story)))
        story.assert_true(*streams)
        story.sync(*streams)
        assert not story.asked("details_v3")
        assert not story.asked("transcript")
    assert spent[0] == spent[1] == spent[2]


@pytest.mark.parametrize("source", SOURCES)
def test_each_schema_stands_once_before_its_rows(tmp_path: Path, tell: Tell, source: str) -> None:
    """Rows are written among those of other streams; each SCHEMA comes once, before the first of them."""
    world, *_ = a_world()
    world.add_session(world.add_test("LIVE_CONVERSATION"))
    story = tell(world)
    done = sync(story.box.config(change_source=source), tmp_path, select=ALL)
    assert done.exit == 0
    kinds = [(message["type"], message.get("stream")) for message in done.messages]
    for stream in ALL:
        assert kinds.count(("SCHEMA", stream)) == 1
        assert kinds.index(("SCHEMA", stream)) < kinds.index(("RECORD", stream))
    order = [stream for kind, stream in kinds if kind == "RECORD" and stream in ALL]
    last = len(order) - 1 - order[::-1].index("session_details")
    assert order.index("task_responses") < last, "rows do not ride along"
    warehouse = Warehouse()
    warehouse.load(done.messages)
    assert_true(warehouse, world, ALL)
    metrics = [line for line in done.lines('"record_count"') if '"task_responses"' in line]
    assert any(f'"value":{len(done.records("task_responses"))}' in line.replace('": ', '":') for line in metrics)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("origin", "rows"), FAMILIES)
def test_any_kill_is_survived(tell: Tell, source: str, origin: str, rows: tuple[str, ...]) -> None:
    """Whatever prefix of the messages arrives, at a first sync and later, the next sync makes all tables true."""
    world, test, made = a_world(3)
    story = tell(world, change_source=source)
    story.assert_any_kill_is_survived(origin, *rows)
    world.add_session(test)
    if source == "auto":
        world.update(made[0], {"tasks": made[0].details_v3()["tasks"][:1]})
        world.transcribe(made[1], SHORT)
        world.reject(made[2])
    story.assert_any_kill_is_survived(origin, *rows)
    story.assert_any_kill_is_survived(*rows)


def test_a_session_with_fewer_rows_than_before_loses_the_rest(tell: Tell) -> None:
    """A task or a cue that is not there any more gets a tombstone; so does a demographic answer."""
    world, _, made = a_world()
    story = tell(world)
    story.sync(*ALL)
    details = made[0].details_v3()
    world.update(made[0], {"tasks": details["tasks"][:1], "sessionParticipant": None})
    world.transcribe(made[0], SHORT)
    story.sync(*ALL)
    story.assert_true(*ALL)
    left = [key for stream in ROW_STREAMS for key in story.warehouse.tables[stream] if key[0] == made[0].session_id]
    assert left == [(made[0].session_id, 1)] * 2  # of its tasks and of its cues


def test_a_rejected_session_takes_its_rows_along_and_brings_them_back(tell: Tell) -> None:
    """No call for the removal; accepted again, all rows are there again."""
    world, _, made = a_world()
    story = tell(world)
    story.sync(*ALL)
    world.reject(made[1])
    story.sync(*ALL)
    assert not calls(story)
    story.assert_true(*ALL)
    world.accept(made[1])
    story.sync(*ALL)
    story.assert_true(*ALL)
    assert any(key[0] == made[1].session_id for key in story.warehouse.tables["transcript_cues"])


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("origin", "rows"), FAMILIES)
def test_rows_that_are_selected_later_are_read_once_and_then_ride_along(
    tell: Tell, source: str, origin: str, rows: tuple[str, ...]
) -> None:
    """A stream that does not stand where its source stands reads what it lacks, and from then on costs nothing."""
    world, test, made = a_world()
    story = tell(world, change_source=source)
    story.sync(origin)
    story.sync(origin, *rows)
    story.assert_true(origin, *rows)
    kind = "details_v3" if origin == "session_details" else "transcript"
    assert len(story.asked(kind)) == len(made)  # for all of them together
    world.add_session(test)
    story.sync(origin, *rows)
    story.assert_true(origin, *rows)
    assert len(story.asked(kind)) == 1


@pytest.mark.parametrize("source", SOURCES)
def test_a_late_transcript_brings_its_cues(tell: Tell, source: str) -> None:
    """What is pending for the transcript is pending for its cues, and is asked for once."""
    world, test, _ = a_world()
    late = world.add_session(test, transcript="later")
    story = tell(world, change_source=source, transcript_wait_days=3650)
    story.sync("transcripts", "transcript_cues")
    world.transcribe(late)
    story.sync("transcripts", "transcript_cues")
    assert len(story.asked("transcript")) == 1
    story.assert_true("transcripts", "transcript_cues")


def test_webvtt_that_cannot_be_parsed_has_no_cues(tell: Tell) -> None:
    """The transcript's row is there, and the cues move on without a row."""
    world, _, made = a_world(2)
    world.transcribe(made[0], "WEBVTT\n\nno time --> no time\nno cue")
    story = tell(world)
    story.sync("transcript_cues")
    assert {key[0] for key in story.warehouse.tables["transcript_cues"]} == {made[1].session_id}
    story.sync("transcript_cues")
    assert not story.asked("transcript")


def test_v2_details_make_rows_too(tell: Tell) -> None:
    """The older version has tasks without text and times, and the same demographics."""
    world, *_ = a_world()
    story = tell(world, session_details_version="v2")
    story.sync("task_responses", "participant_demographics")
    for stream in ("task_responses", "participant_demographics"):
        assert_true(story.warehouse, _V2(world), [stream])
    assert {row["details_version"] for row in story.warehouse.tables["task_responses"].values()} == {"v2"}


class _V2(World):
    """A world whose details are those of v2."""

    def __init__(self, world: World) -> None:
        self._world = world

    def truth(self) -> dict[str, Any]:
        now = self._world.truth()
        return {**now, "details": now["details_v2"]}


def test_a_full_table_is_whole(tmp_path: Path, tell: Tell) -> None:
    """Under FULL_TABLE rows carry the version that is activated for them, riding along or not."""
    world, *_ = a_world()
    box = tell(world).box
    entries = catalog(ALL, replication_method="FULL_TABLE")
    done = sync(box.config(emit_activate_version_messages=True), tmp_path, entries=entries)
    assert done.exit == 0
    warehouse = Warehouse()
    warehouse.load(done.messages)
    assert_true(warehouse, world, ALL)
    for stream in ALL:
        messages = [message for message in done.messages if message.get("stream") == stream]
        [activated] = {message["version"] for message in messages if message["type"] == "ACTIVATE_VERSION"}
        assert {message["version"] for message in messages if message["type"] == "RECORD"} == {activated}


def test_a_test_that_fails_is_asked_once_for_all_of_them(tell: Tell) -> None:
    """A server that fails three sessions in a row ends the test, and the rows do not ask again."""
    world, *_ = a_world(6)
    story = tell(world, max_retries=1)
    story.box.fail("details_v3", times=None, status=500)
    done = sync_here(story.box.config(max_retries=1), select=("session_details", "task_responses"))
    assert done.exit == 1
    assert len(story.asked("details_v3")) == 3
    assert not done.records("task_responses")
    story.box.orders.clear()
    story.sync("session_details", "task_responses")
    story.assert_true("session_details", "task_responses")


def test_an_interrupted_first_sync_goes_on_for_all_of_them(tell: Tell) -> None:
    """After a kill in mid-stream neither the source nor its rows ask again for what arrived."""
    world, _, made = a_world(8)
    story = tell(world)
    story.sync(*ALL, killed=after_rows(3, "session_details"))
    story.sync(*ALL)
    assert len(story.asked("details_v3")) <= len(made) - 3
    story.assert_true(*ALL)
