"""The weather meets each kind of call with faults that can happen to it, hostile answers among them."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.chaos.weather import FAULTS, Weather
from tests.support.harness import LONG, Warehouse, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from tests.support.simulated_time import SimulatedTime

HOSTILE = {"another's", "accepted", "error with 200", "short", "capped"}
SHARE = 0.35  # of the calls
FEWEST = 3  # worlds
STREAMS = ("sessions", "session_details", "transcripts", "qx_scores", "result_changes")


def a_world(seed: int, wall: float) -> World:
    """Return a world of the last hours: two spoken tests, two with scores, six sessions each."""
    world = World(seed, now=datetime.fromtimestamp(wall, timezone.utc) - timedelta(hours=5))
    for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD") * 2:
        test = world.add_test(product_type)
        for _ in range(6):
            world.add_session(test)
    return world


@pytest.mark.parametrize("source", ["auto", "listing"])
def test_tables_end_true_after_hostile_answers(
    monkeypatch: pytest.MonkeyPatch, simulated_time: SimulatedTime, source: str
) -> None:
    """Each of them met the tap; what it could not read waits, and is read once answers are right again."""
    for name in FAULTS.keys() - HOSTILE:
        monkeypatch.setitem(FAULTS, name, 0)
    met: Counter[str] = Counter()
    due = HOSTILE if source == "auto" else HOSTILE - {"capped"}  # by listing the feed is hardly asked
    for seed in itertools.count():  # which calls are met also depends on the order of the streams' threads
        world, warehouse = a_world(seed, simulated_time.wall()), Warehouse()
        with Sandbox(world, quota=None) as box:
            weather = Weather(box, seed)
            box.before("any", weather.disturb, times=None)
            config = box.config(change_source=source, request_timeout=LONG, max_retries=3)
            for share in (SHARE, SHARE, 0.0, 0.0):
                weather.share = share
                done = sync_here(config, state=warehouse.state, select=STREAMS)
                warehouse.load(done.messages)
            assert done.exit == 0
            assert_true(warehouse, world, STREAMS)
        met += weather.met
        if met.keys() >= due and seed >= FEWEST:
            break
    assert met.keys() <= HOSTILE
