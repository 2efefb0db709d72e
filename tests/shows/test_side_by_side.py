"""How fast streams are side by side: every quota window filled, and latency spent together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.harness import SESSION_STREAMS, sync

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timing

SESSIONS = 1_000
LIMIT, WINDOW = 100, 1.0


def a_test_of(sessions: int) -> World:
    """Return a world of one test whose sessions all have transcripts."""
    world = World(seed=5)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(sessions):
        world.add_session(test)
    return world


def span(box: Sandbox) -> float:
    """Return the seconds from the first to the last call under the quota."""
    moments = [call.at for call in box.calls if call.kind in {"list", "details_v3", "transcript"}]
    return moments[-1] - moments[0]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("scope", "windows", "most"),
    [
        pytest.param("endpoint", SESSIONS // LIMIT - 1, 1.05, id="a window per endpoint"),
        pytest.param("shared", (2 * SESSIONS + 2 - 1) // LIMIT, 1.02, id="one window"),
    ],
)
def test_windows_are_filled(tmp_path: Path, scope: Literal["endpoint", "shared"], windows: int, most: float) -> None:
    """1,000 sessions with transcripts: the time of the fuller endpoint alone, or of the shared quota; no 429."""
    with Sandbox(a_test_of(SESSIONS), quota=QuotaRule(limit=LIMIT, window=WINDOW, scope=scope)) as box:
        config = box.config(test_ids=list(box.world.tests))
        done = sync(config, tmp_path, select=SESSION_STREAMS, timeout=200)
        refused = sum(call.status == 429 for call in box.calls)
    assert (done.exit, refused) == (0, 0)
    assert span(box) <= most * windows * WINDOW


@pytest.mark.timeout(300)
def test_latency_is_spent_together(tmp_path: Path) -> None:
    """With 100 ms an answer and no quota, a first sync is at least 1.8 times as fast as with streams in turn."""
    took = {}
    for side_by_side in (True, False):
        with Sandbox(a_test_of(60), quota=None) as box:
            box.before("any", lambda _call: time.sleep(0.1), times=None)
            config = box.config(test_ids=list(box.world.tests), parallel_streams=side_by_side)
            assert sync(config, tmp_path, select=SESSION_STREAMS).exit == 0
            took[side_by_side] = span(box)
    assert took[False] >= 1.8 * took[True]
