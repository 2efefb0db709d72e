"""Settings and options as users give them: ids in any spelling, numbers from the environment, `--test`, stream maps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.calls import spent
from tests.support.harness import SESSION_STREAMS, Warehouse, sync, sync_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox import Sandbox

STREAM_MAPS = Path(__file__).parents[2] / "docs/stream-maps.md"


def test_an_id_is_one_test_however_it_is_spelled(serve: Callable[..., Sandbox]) -> None:
    """`test_ids` in upper case, with `ut_`, and twice, is one partition that goes on from the old bookmark."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    world.add_session(test)
    box = serve(world)
    first = sync_here(box.config(test_ids=[test.test_id]))
    assert first.records("session_details")
    added = world.add_session(test)
    box.clear_calls()
    spellings = [f"ut_{test.test_id.upper()}", test.test_id.upper(), f" {test.test_id} ", test.test_uuid]
    second = sync_here(box.config(test_ids=spellings), state=first.state)
    assert second.exit == 0
    assert [row["session_id"] for row in second.records("session_details")] == [added.session_id]
    assert spent(box)["details"] == 1
    assert second.state is not None
    for bookmarks in second.state["bookmarks"].values():
        partitions = bookmarks.get("partitions", [])
        assert [partition["context"] for partition in partitions] in ([], [{"test_id": test.test_id}])


@pytest.mark.parametrize(("hours", "found"), [("24", True), ("1", False)])
def test_a_number_from_the_environment_is_a_number(
    serve: Callable[..., Sandbox],
    tmp_path: Path,
    hours: str,
    found: bool,  # noqa: FBT001 - a table's column
) -> None:
    """TAP_USERTESTING_LOOKBACK_HOURS=24, a text as all of the environment, is accepted and has its effect."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    newest = world.add_session(test)
    box = serve(world)
    env = {f"TAP_USERTESTING_{name.upper()}": str(value) for name, value in box.config(feed_url=None).items()}
    first = sync({}, tmp_path, select=["sessions"], env=env, args=["--config=ENV"])
    assert first.exit == 0
    late = world.add_session(test, finished_at=newest.finished_at - timedelta(hours=20))
    env["TAP_USERTESTING_LOOKBACK_HOURS"] = hours
    second = sync({}, tmp_path, select=["sessions"], state=first.state, env=env, args=["--config=ENV"])
    assert second.exit == 0
    assert [row["session_id"] for row in second.records()] == ([late.session_id] if found else [])


@pytest.mark.parametrize("discover", [True, False], ids=["discovered", "configured"])
def test_the_connection_test_ends_where_there_are_no_transcripts(
    serve: Callable[..., Sandbox], tmp_path: Path, *, discover: bool
) -> None:
    """`--test` on a test without transcripts ends by itself, with at most one row and two calls a stream."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(50):
        world.add_session(test, transcript="none")
    box = serve(world)
    config = box.config() if discover else box.config(test_ids=[test.test_id])
    run = sync(config, tmp_path, args=["--test"])
    assert run.exit == 0
    assert run.errors == []
    assert run.records("transcripts") == []
    for stream in ("sessions", "session_details", "result_changes"):
        assert len(run.records(stream)) == 1
    calls = spent(box)
    assert calls["transcript"] <= 2
    assert calls["list"] + calls["details"] <= 4
    assert calls["feed"] <= 2
    assert calls["qx_scores"] <= 2
    assert "replication_key_value" not in str(run.state)


def test_maps_that_think_of_tombstones_let_them_through(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """A map and a filter that expect null, as docs/stream-maps.md writes them, let every tombstone through.

    The row of a rejected session leaves the target.
    """
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    sessions = [world.add_session(test) for _ in range(3)]
    box = serve(world)
    config = box.config(
        stream_maps={
            "transcripts": {"text": "text[:100] if text else None"},
            "sessions": {"__filter__": "deleted_at is not None or status == 'COMPLETE'"},
        }
    )
    warehouse = Warehouse()
    first = sync(config, tmp_path, select=SESSION_STREAMS)
    warehouse.load(first.messages)
    assert first.exit == 0
    assert {len(row["text"]) for row in first.records("transcripts")} == {100}

    world.reject(sessions[1])
    second = sync(config, tmp_path, select=SESSION_STREAMS, state=first.state)
    warehouse.load(second.messages)
    assert second.exit == 0
    left = {(session.session_id,) for session in sessions if session is not sessions[1]}
    for stream in SESSION_STREAMS:
        assert warehouse.tables[stream].keys() == left


def test_what_maps_do_that_forget_tombstones(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """A plain `text[:100]` ends the run at a tombstone, a plain filter on `status` keeps its row."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    session = world.add_session(test)
    world.add_session(test)
    box = serve(world)
    first = sync_here(box.config(), select=SESSION_STREAMS)
    world.reject(session)

    cut = box.config(stream_maps={"transcripts": {"text": "text[:100]"}})
    run = sync(cut, tmp_path, select=["transcripts"], state=first.state)
    assert run.exit != 0
    assert run.records() == []
    kept = run.partition("transcripts", test.test_id)["replication_key_value"]
    assert kept == first.partition("transcripts", test.test_id)["replication_key_value"]

    filtered = box.config(stream_maps={"sessions": {"__filter__": "status == 'COMPLETE'"}})
    run = sync(filtered, tmp_path, select=["sessions"], state=first.state)
    assert run.exit == 0
    assert run.records() == []
    assert run.partition("sessions", test.test_id)["replication_key_value"] == test.events[-1].cursor


def test_the_page_tells_of_maps_and_tombstones() -> None:
    """The page says what stream maps and filters do to tombstones, with the forms that are safe."""
    passages = STREAM_MAPS.read_text(encoding="utf-8").split("\n\n")
    told = [text for text in passages if "tombstone" in text.lower() and "stream map" in text.lower()]
    assert told
    assert any("__filter__" in text for text in passages)
    assert any("deleted_at" in text for text in told)


def test_a_map_of_a_stream_that_is_not_selected_does_no_harm(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """One set of stream maps serves every selection: what maps a stream that is left out is left out too."""
    world = World()
    world.add_session(world.add_test())
    maps = {"session_details": {"details_version": "details_version"}, "sessions": {"shout": "status.upper()"}}
    run = sync(serve(world).config(stream_maps=maps), tmp_path, select=["sessions"])
    assert run.exit == 0
    assert [row["shout"] for row in run.records("sessions")] == ["COMPLETE"]


def test_a_map_that_can_not_be_made_is_one_line(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """A map that takes a key away is refused before anything is read."""
    box = serve(World())
    run = sync(box.config(stream_maps={"sessions": {"session_id": None}}), tmp_path)
    assert run.exit == 78
    [error] = run.errors
    assert "stream_maps" in error
    assert "Traceback" not in run.log
    assert not box.calls
