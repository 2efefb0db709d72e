"""What a server asks to wait, through a whole sync: as it means it, and never a day."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Literal

import pytest

from tap_usertesting.api.clock import Clock
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import Synced, Warehouse, sync_here
from tests.support.tables import assert_true

DAY = 86_400
SELECT = ["sessions", "session_details", "transcripts"]


@dataclass
class Skipping:
    """Time that is skipped instead of waited for; `slept` keeps each sleep, in seconds."""

    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the present."""
        return time.monotonic() + sum(self.slept)

    def clock(self) -> Clock:
        """Return it as a run takes it."""
        return Clock(
            monotonic=self.monotonic,
            wall=lambda: time.time() + sum(self.slept),
            sleep=self.slept.append,
            jitter=lambda most: most,
        )


@pytest.fixture
def skipping(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Skipping:
    """Have runs of this process skip what they should wait for."""
    caplog.set_level(logging.INFO)
    skipped = Skipping()
    monkeypatch.setattr(TapUserTesting, "clock", skipped.clock())
    return skipped


@pytest.fixture
def world() -> World:
    """One test with a few sessions."""
    world = World(seed=5)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(6):
        world.add_session(test)
    return world


def read(box: Sandbox, state: dict[str, object] | None = None) -> Synced:
    """Sync the one test by its list, in one thread: threads wait on a lock, which skips nothing."""
    config = box.config(feed_url=None, test_ids=list(box.world.tests), parallel_streams=False)
    return sync_here(config, select=SELECT, state=state)


@pytest.mark.parametrize("ahead", [1200, -1200, 0])
@pytest.mark.parametrize("reset", ["seconds", "epoch", "epoch_milliseconds"])
def test_clocks_that_differ_cost_no_time(
    world: World, skipping: Skipping, ahead: float, reset: Literal["seconds", "epoch", "epoch_milliseconds"]
) -> None:
    """However the server names the end of its window, and whatever its clock says: a minute is waited for, no more."""
    with Sandbox(world, quota=QuotaRule(limit=4, reset=reset, ahead=ahead)) as box:
        box.quota._clock = skipping.monotonic  # noqa: SLF001 - it skips as well
        done = read(box)
        refused = [call for call in box.calls if call.status == 429]
        windows = len(box.calls) // 4
    assert done.exit == 0
    assert not refused
    assert sum(skipping.slept) <= 62 * windows


def test_resets_in_milliseconds_cost_a_minute_each(world: World, skipping: Skipping) -> None:
    """They look like hours; a server that answers when it is asked has not meant hours."""
    with Sandbox(world, quota=QuotaRule(limit=4, reset="milliseconds")) as box:
        box.quota._clock = skipping.monotonic  # noqa: SLF001 - it skips as well
        done = read(box)
        windows = len(box.calls) // 4
    assert done.exit == 0
    assert sum(skipping.slept) <= 70 * windows


@pytest.mark.parametrize("status", [503, 403])
def test_a_busy_server_is_asked_again_when_it_says(
    world: World, skipping: Skipping, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Seven times in a row, 45 seconds each: the rows come, nothing is missing."""
    with Sandbox(world) as box:
        box.fail("list", times=7, status=status, headers={"Retry-After": "45"})
        done = read(box)
        warehouse = Warehouse()
        warehouse.load(done.messages)
        assert_true(warehouse, world, SELECT)
    assert done.exit == 0
    assert sum(skipping.slept) == pytest.approx(7 * 45, abs=1)
    assert "the server asks to wait 45 s" in caplog.text


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_of_a_day_ends_the_run_and_the_next_one_goes_on(
    world: World, skipping: Skipping, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """One line, status 1, two calls and one minute; what was read stays, and the rest comes next time."""
    with Sandbox(world) as box:
        box.fail("transcript", times=2, status=status, headers={"Retry-After": str(DAY)}, skip=2)
        first = read(box)
        asked = len(box.calls)
        second = read(box, first.state)
    assert (first.exit, second.exit) == (1, 0)
    assert sum(skipping.slept) == pytest.approx(60, abs=1)
    assert box.calls[asked - 1].status == status
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(lines) == 1
    assert "the server asks to wait until" in lines[0]
    assert "the next sync continues" in lines[0]
    warehouse = Warehouse()
    warehouse.load(first.messages + second.messages)
    assert_true(warehouse, world, SELECT)


def test_the_token_endpoints_own_limit_is_obeyed(world: World, skipping: Skipping) -> None:
    """Okta says when its window ends as epoch, in headers of another spelling: 20 seconds are waited, no minute."""
    with Sandbox(world) as box:
        box.fail("token", fault="okta", status=429, seconds=20)
        done = read(box)
    assert done.exit == 0
    assert sum(skipping.slept) == pytest.approx(20, abs=2)
