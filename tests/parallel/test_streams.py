"""The tap with its streams side by side: the same calls, the same tables, and sessions complete in their order."""

from __future__ import annotations

import contextlib
import io
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.streams.session_details import Details
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import ROW_STREAMS, SESSION_STREAMS, Warehouse, catalog, parse, sync, sync_here
from tests.support.simulated_time import between
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.simulated_time import SimulatedTime

Scope: TypeAlias = Literal["shared", "endpoint", "version"]
Kind: TypeAlias = Literal["fixed", "sliding"]
SOURCES = [pytest.param("auto", id="feed"), pytest.param("listing", id="listing")]
EVERY = ("workspaces", "tests", *SESSION_STREAMS, *ROW_STREAMS, "qx_scores", "result_changes", "session_clips")


def spoken(sessions: int) -> World:
    """Return a world of one test of so many sessions with transcripts."""
    world = World(seed=5)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(sessions):
        world.add_session(test)
    return world


def made(box: Sandbox) -> Counter[tuple[str, str, str]]:
    """Return the calls under the quota so far, and forget them."""
    calls = Counter(
        (call.kind, call.path, call.query.get("offset", ""))
        for call in box.calls
        if call.kind not in {"token", "feed"} and not call.kind.startswith("feed")
    )
    box.clear_calls()
    return calls


@pytest.mark.parametrize("source", SOURCES)
def test_the_calls_and_tables_are_those_of_streams_in_turn(source: str) -> None:
    """First sync, idle sync, sync after changes: side by side nothing is asked twice, and nothing differs."""
    calls: dict[bool, list[Counter[tuple[str, str, str]]]] = {}
    for side_by_side in (True, False):
        world = World.seeded(seed=11, scale="small")
        warehouse = Warehouse()
        with Sandbox(world, quota=None) as box:
            config = box.config(change_source=source, parallel_streams=side_by_side)
            calls[side_by_side] = []
            for _ in range(3):
                done = sync_here(config, state=warehouse.state, select=EVERY)
                assert done.exit == 0
                warehouse.load(done.messages)
                calls[side_by_side].append(made(box))
                session = next(one for one in world.sessions.values() if one.served)
                world.update(session)
                world.add_session(session.test)
            if source == "auto":
                warehouse.load(sync_here(config, state=warehouse.state, select=EVERY).messages)
                assert_true(warehouse, world)
    assert calls[True] == calls[False]


def test_the_token_is_fetched_once(tmp_path: Path) -> None:
    """By the first stream that needs one, while the others wait for it; and once more after it was revoked."""
    world = World.seeded(seed=11, scale="small")
    with Sandbox(world, quota=None) as box:
        box.before("details_v3", lambda _call: box.revoke_tokens())
        done = sync(box.config(), tmp_path, select=EVERY)
        tokens = sum(call.kind == "token" for call in box.calls)
    assert (done.exit, tokens) == (0, 2)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("missing", [pytest.param(False, id="all spoken"), pytest.param(True, id="some without")])
def test_sessions_are_complete_in_their_order(simulated_time: SimulatedTime, source: str, *, missing: bool) -> None:
    """Where streams share a window, details and transcript of a session come together, the newest sessions first.

    Whenever the run is cut off, the number of sessions with both is within 10 % of the possible.
    """
    world = World(seed=5)
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(50):
        world.add_session(test, transcript="none" if missing and number % 3 == 0 else "ready")
    simulated_time.latency = 0.4
    with simulated_time.serve(world, QuotaRule(limit=25)) as box:
        done = sync_here(box.config(change_source=source), select=SESSION_STREAMS)
        calls = [(call.kind, call.session_id, call.status) for call in box.calls if call.session_id is not None]
    assert done.exit == 0
    assert not [call for call in calls if call[2] == 429]
    spoken = [one.session_id for one in world.sessions.values() if one.has_transcript]
    detailed: set[str] = set()
    transcribed: set[str] = set()
    for kind, session_id, _ in calls:
        (detailed if kind == "details_v3" else transcribed).add(str(session_id))
        whole = len(detailed & transcribed & set(spoken))
        # What so many calls can complete at the most, if they take the sessions in order.
        left, possible = len(detailed) + len(transcribed), 0
        for one in reversed(world.sessions.values()):
            left -= 1 + (one.session_id in transcribed or one.has_transcript)
            possible += left >= 0 and one.has_transcript
        assert whole >= 0.9 * possible - 1, (len(detailed), len(transcribed), whole, possible)


def test_lists_come_before_details(simulated_time: SimulatedTime) -> None:
    """Where a window is shared: but for one call that shows whether it is."""
    world = World(seed=5)
    for _ in range(6):
        test = world.add_test("SURVEY")
        for _ in range(4):
            world.add_session(test)
    simulated_time.latency = 0.4
    with simulated_time.serve(world, QuotaRule()) as box:
        config = box.config(change_source="listing", test_ids=list(world.tests))
        done = sync_here(config, select=("sessions", "session_details"))
        kinds = [call.kind for call in box.calls if call.kind in {"list", "details_v3"}]
    assert done.exit == 0
    last = len(kinds) - kinds[::-1].index("list")
    assert kinds[:last].count("details_v3") <= 1


def test_a_stream_that_fails_lets_the_others_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in one stream: every other table is whole, and the run does not end well."""

    def fetch(_self: object, *_: object) -> dict[str, Any]:
        raise KeyError("a bug")

    monkeypatch.setattr(Details, "fetch", fetch)
    world = World.seeded(seed=11, scale="small")
    out = io.TextIOWrapper(io.BytesIO(), write_through=True)
    with Sandbox(world, quota=None) as box, contextlib.redirect_stdout(out):
        tap = TapUserTesting(config=box.config(), catalog=catalog(EVERY))
        with pytest.raises(KeyError, match="a bug"):
            tap.sync_all()
    out.flush()
    warehouse = Warehouse()
    assert isinstance(out.buffer, io.BytesIO)
    warehouse.load(parse(out.buffer.getvalue()))
    assert_true(warehouse, world, ("sessions", "transcripts", "transcript_cues", "qx_scores", "result_changes"))


@pytest.mark.parametrize("scope", ["shared", "endpoint", "version"])
def test_windows_are_learned(simulated_time: SimulatedTime, caplog: pytest.LogCaptureFixture, scope: Scope) -> None:
    """The log says what was learned, and no call is refused."""
    caplog.set_level(logging.INFO)
    with simulated_time.serve(spoken(25), QuotaRule(scope=scope)) as box:
        done = sync_here(box.config(test_ids=list(box.world.tests)), select=SESSION_STREAMS)
        refused = sum(call.status == 429 for call in box.calls)
    assert (done.exit, refused) == (0, 0)
    [summary] = [vars(record)["summary"] for record in caplog.records if record.message.startswith("SUMMARY: ")]
    assert summary["windows"] == (3 if scope == "endpoint" else 1)
    if scope != "version":  # there it is found out that some share and some do not
        assert ("each stream waits for its own window" in caplog.text) == (scope == "endpoint")


@pytest.mark.parametrize("kind", ["fixed", "sliding"])
@pytest.mark.parametrize("latency", [0.1, 0.5])
@pytest.mark.parametrize(
    ("scope", "most"),
    [
        pytest.param("endpoint", {True: 1.05, False: 2.1}, id="a window per endpoint"),
        pytest.param("shared", {True: 1.05, False: 1.05}, id="one window"),
    ],
)
@pytest.mark.parametrize("side_by_side", [True, False])
def test_windows_are_filled(
    simulated_time: SimulatedTime,
    kind: Kind,
    latency: float,
    scope: Scope,
    most: dict[bool, float],
    *,
    side_by_side: bool,
) -> None:
    """The time of the fuller endpoint alone, or of the shared quota, and no 429; in turn that of one after another."""
    simulated_time.latency = latency
    sessions = 200
    with simulated_time.serve(spoken(sessions), QuotaRule(scope=scope, kind=kind)) as box:
        config = box.config(test_ids=list(box.world.tests), parallel_streams=side_by_side)
        done = sync_here(config, select=SESSION_STREAMS, state_every=1.0)
        calls = [call for call in box.calls if call.kind in {"list", "details_v3", "transcript"}]
    assert done.exit == 0
    kinds = Counter(call.kind for call in calls)
    assert kinds["details_v3"] == kinds["transcript"] == sessions
    assert (
        1 <= kinds["list"] <= 3 + between(calls) // (15 * 60)
    )  # news is looked for every quarter of an hour and at the end
    assert {call.status for call in calls} == {200}
    fullest = len(calls) if scope == "shared" else sessions
    assert 1 <= between(calls) / (60 * ((fullest - 1) // 10)) <= most[side_by_side]


def test_latency_is_spent_together(simulated_time: SimulatedTime) -> None:
    """With 100 ms an answer and no quota, streams side by side take little more than half the time."""
    simulated_time.latency = 0.1
    seconds = {}
    for side_by_side in (True, False):
        with simulated_time.serve(spoken(60)) as box:
            config = box.config(test_ids=list(box.world.tests), parallel_streams=side_by_side)
            assert sync_here(config, select=SESSION_STREAMS, state_every=1.0).exit == 0
            seconds[side_by_side] = between([call for call in box.calls if call.kind in {"details_v3", "transcript"}])
    assert seconds[False] >= 1.8 * seconds[True]
