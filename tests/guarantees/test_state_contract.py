"""The state as a contract with the orchestrator: its exact shape, when it is written, and that it stays small."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import World
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.values.times import utc
from tests.support.harness import SESSION_STREAMS, Synced, sync, sync_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox
    from tests.support.simulated_time import SimulatedTime

LISTING = {"change_source": "listing"}
SOURCES = [pytest.param({}, id="feed"), pytest.param(LISTING, id="listing")]
LISTING_CURSOR = 27 + 1 + 36  # characters


def states(run: Synced) -> list[dict[str, Any]]:
    """Return every STATE of a run."""
    return [message["value"] for message in run.messages if message["type"] == "STATE"]


def packed(session_ids: list[str]) -> str:
    """Return the digests of sessions as a tally holds them."""
    digests = sorted(blake2b(session_id.encode(), digest_size=6).digest() for session_id in session_ids)
    return b64encode(b"".join(digests)).decode()


def counted(partition: dict[str, Any]) -> dict[str, Any]:
    """Return a partition without the time of its tally, which has to be one."""
    at = partition["tally"].pop("counted_at")
    assert utc(at) == at
    return partition


def test_the_state_of_a_test_read_by_feed_is_exactly_the_contract(serve: Callable[..., Sandbox]) -> None:
    """A finished test leaves bookmark, source, time and count in each stream, and `tombstoned` after a removal."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(7):
        world.add_session(test)
    world.reject(next(iter(test.sessions.values())))
    world.add_session(world.add_test("SURVEY"))
    newest = test.events[-1]
    at = newest.changed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    run = sync_here(serve(world).config())
    base = {
        "context": {"test_id": test.test_id},
        "replication_key": "change_cursor",
        "replication_key_value": newest.cursor,
        "source": "feed",
        "changed_at": at,
        "total_count": 6,
    }
    rejected = [session.session_id for session in test.sessions.values() if session.rejected]
    [removed], others = rejected, [one for one in test.sessions if one not in rejected]
    tally = {"live": packed(others), "removed": packed([removed])}
    assert counted(run.partition("sessions", test.test_id)) == base | {"tally": tally}
    assert counted(run.partition("session_details", test.test_id)) == base | {"tally": tally}
    assert counted(run.partition("transcripts", test.test_id)) == base | {"tombstoned": rejected, "tally": tally}
    assert run.partition("result_changes", test.test_id) == {
        "context": {"test_id": test.test_id},
        "replication_key": "cursor",
        "replication_key_value": newest.cursor,
        "changed_at": at,
        "source": "feed",
    }
    assert run.state is not None
    assert not run.state["bookmarks"].get("workspaces")
    assert not run.state["bookmarks"].get("tests")
    assert len(run.state["bookmarks"]["sessions"]["partitions"]) == 2


def test_the_state_of_a_test_read_by_listing_is_exactly_the_contract(
    serve: Callable[..., Sandbox], present: datetime
) -> None:
    """By listing the bookmark is a time and an id, `recent` the lookback window, `waiting` what is awaited."""
    now = present - timedelta(hours=1)
    world = World(now=now)
    test = world.add_test("THINK_OUT_LOUD")
    old = world.add_session(test, finished_at=now - timedelta(days=3))
    recent = world.add_session(test, finished_at=now - timedelta(hours=2))
    newest = world.add_session(test, finished_at=now, transcript="later")
    early, at = ((now - timedelta(hours=ago)).strftime("%Y-%m-%dT%H:%M:%S.000000Z") for ago in (2, 0))
    run = sync_here(serve(world).config(**LISTING))
    base = {
        "context": {"test_id": test.test_id},
        "replication_key": "change_cursor",
        "replication_key_value": f"{at}/{newest.session_id}",
        "changed_at": at,
        "source": "listing",
        "recent": [f"{early}/{recent.session_id}", f"{at}/{newest.session_id}"],
        "total_count": 3,
    }
    for stream in SESSION_STREAMS:
        asked_at = run.partition(stream, test.test_id).pop("asked_at")
        assert utc(asked_at) == asked_at >= at
    assert old.session_id not in json.dumps(run.state)
    live = [old.session_id, recent.session_id, newest.session_id]
    whole, text = ({"counted": 3, "live": packed(sessions)} for sessions in (live, live[:2]))
    assert counted(run.partition("sessions", test.test_id)) == base | {"tally": whole}
    assert counted(run.partition("session_details", test.test_id)) == base | {"tally": whole}
    waiting = {"waiting": {newest.session_id: at}, "tally": text}
    assert counted(run.partition("transcripts", test.test_id)) == base | waiting


@pytest.mark.parametrize("source", [*SOURCES, pytest.param({"feed_url": None}, id="no feed")])
def test_no_state_is_written_when_nothing_moved(
    serve: Callable[..., Sandbox], tmp_path: Path, source: dict[str, Any]
) -> None:
    """An idle sync writes no STATE of its own; at most the one it was given, as the SDK hands it on at its start.

    By listing it keeps when each test was asked, and nothing else moves.
    """
    world = World.bulk(tests=20, sessions=2)
    config = serve(world).config(**source)
    state = sync_here(config).state
    # The first sync after it may still forget what leaves the lookback window.
    state = sync_here(config, state=state).state or state
    idle = sync(config, tmp_path, state=state)
    assert idle.exit == 0
    assert {message["stream"] for message in idle.messages if message["type"] == "RECORD"} == {"workspaces", "tests"}
    if source:
        assert {timeless(one) for one in states(idle)} == {timeless(state)}
    else:
        assert states(idle) in ([], [state])


def timeless(state: dict[str, Any] | None) -> str:
    """Return a state as text, without when its tests were asked."""
    return re.sub(r'"asked_at": "[^"]*"', "", json.dumps(state))


def test_state_is_written_by_time_and_not_by_test(simulated_time: SimulatedTime) -> None:
    """Two hundred tests cost one STATE a second and one at the end of each stream, not one each."""
    simulated_time.latency, began = 0.01, simulated_time.now
    with simulated_time.serve(World.bulk(tests=200, sessions=1)) as box:
        run = sync_here(box.config(), state_every=1.0)
    assert run.exit == 0
    assert 1 <= len(states(run)) <= len(STREAMS) + simulated_time.now - began + 1


@pytest.mark.parametrize("source", SOURCES)
def test_the_state_does_not_grow_with_the_sessions(
    serve: Callable[..., Sandbox], present: datetime, source: dict[str, Any]
) -> None:
    """A test of 2,000 sessions of one day, 700 of them rejected, has a state of no more than 500 ids per list."""
    world = World(now=present - timedelta(hours=1))
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(2000):
        world.add_session(test, finished_at=world.now - timedelta(seconds=30 * number))
    box = serve(world)
    select = ["sessions"]
    first = sync_here(box.config(**source), select=select, state_every=1.0)
    assert len(first.records("sessions")) == 2000
    partition = first.partition("sessions", test.test_id)
    assert len(partition.get("recent", ())) == (500 if source else 0)
    assert len(json.dumps(first.state)) < 500 * (LISTING_CURSOR + 4) + 1000


def test_tombstoned_is_bounded(serve: Callable[..., Sandbox]) -> None:
    """A stream of 700 removals leaves the last 500 ids in `tombstoned`."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    sessions = [world.add_session(test) for _ in range(701)]
    for session in sessions[:-1]:
        world.reject(session)
    run = sync_here(serve(world).config(), select=["transcripts"], state_every=1.0)
    tombstoned = run.partition("transcripts", test.test_id)["tombstoned"]
    assert tombstoned == [session.session_id for session in sessions[200:700]]


def test_no_secret_and_no_personal_value_is_in_the_state(serve: Callable[..., Sandbox]) -> None:
    """A state holds ids, cursors, times and counts: no secret, no name, no text of a participant."""
    world = World.seeded(seed=7, scale="small")
    box = serve(world)
    text = json.dumps(sync_here(box.config(feed_access_token=box.feed_token), state_every=1.0).state)
    assert box.client_secret not in text
    assert box.feed_token not in text
    keys = {
        key
        for stream in SESSION_STREAMS
        for partition in json.loads(text)["bookmarks"][stream]["partitions"]
        for key in partition
    }
    contract = (
        "context replication_key replication_key_value changed_at source waiting recent tombstoned total_count tally"
    )
    where_they_apply = "asked_at history floor has_none recent_from out_of_order misses found asleep"
    assert keys <= {*contract.split(), *where_they_apply.split()}


@pytest.mark.parametrize("parallel", [False, True], ids=["in turn", "side by side"])
def test_events_move_the_bookmark_one_by_one(serve: Callable[..., Sandbox], *, parallel: bool) -> None:
    """STATE may follow each event, and says no less at the end where none was due before."""
    world = World(seed=5)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(3):
        world.add_session(test)
    config = serve(world).config(parallel_streams=parallel)
    cursors = [event.cursor for event in test.events]
    due, never_due = (sync_here(config, select=["result_changes"], state_every=every) for every in (0.0, 1e9))
    said = [
        message["value"]["bookmarks"]["result_changes"]["partitions"][0].get("replication_key_value")
        for message in due.messages
        if message["type"] == "STATE"
    ]
    assert [cursor for cursor in said if cursor] == cursors
    assert never_due.partition("result_changes", test.test_id)["replication_key_value"] == cursors[-1]
