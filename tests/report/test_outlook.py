"""How far a sync is and when it will end: what the display says, against what comes."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from tap_usertesting.api.quota import Quota
from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.report.outlook import CallsLeft, Spent, outlook, seconds_for
from tap_usertesting.sandbox import QuotaRule, World
from tap_usertesting.tap import TapUserTesting
from tests.benchmarks.account import HOUR, Hours, QuietTap, account
from tests.support.harness import sync_here

if TYPE_CHECKING:
    from tap_usertesting.report.status import Status
    from tap_usertesting.report.summary import Summary
    from tests.support.simulated_time import SimulatedTime

TODAY = 1_780_000_000.0


class Seen:
    """A view that keeps what it is asked to show, once a minute."""

    def __init__(self, every: float = 60.0) -> None:
        """Show from the start."""
        self.every, self.delay = every, 0.0
        self.shown: list[Status] = []

    def show(self, status: Status) -> None:
        """Keep it."""
        self.shown.append(status)

    def close(self) -> None:
        """Do nothing."""

    def sum_up(self, summary: Summary) -> None:
        """Do nothing."""


def quota(now: list[float], *, used: int) -> Quota:
    """Return a quota of ten calls in 60 seconds, so many of them used."""
    found = Quota(clock=lambda: now[0])
    for _ in range(used):
        found.answered(found.sent(), RateHeaders())
    return found


def left(news: float = 0.0, history: float = 0.0, endpoint: str = "list") -> CallsLeft:
    """Return calls that are left, all of one endpoint."""
    return CallsLeft(defaultdict(float, {endpoint: news}), defaultdict(float, {endpoint: history}))


# The arithmetic


@pytest.mark.parametrize(
    ("calls", "used", "later", "seconds"),
    [
        pytest.param(0, 0, 0, 0, id="nothing left to do"),
        pytest.param(10, 0, 0, 0, id="what this window still takes"),
        pytest.param(11, 0, 0, 60, id="one more"),
        pytest.param(100, 7, 0, 600, id="part of the window is used"),
        pytest.param(10, 10, 0, 60, id="the window is used up"),
        pytest.param(11, 10, 0, 120, id="and the next as well"),
        pytest.param(11, 10, 45, 75, id="the window is nearly over"),
        pytest.param(4, 7, 45, 15, id="the next window is near"),
    ],
)
def test_the_end_follows_from_the_quota(calls: int, used: int, later: float, seconds: float) -> None:
    """Ten calls a minute set the pace, and the next window begins when this one is over."""
    now = [0.0]
    window = quota(now, used=used)
    now[0] = later
    assert seconds_for(calls, window) == pytest.approx(seconds)


def test_without_a_quota_the_pace_so_far_tells() -> None:
    """Nothing is said until enough calls were made; then the time that they took counts."""
    windows = Windows(clock=lambda: 0.0, limit=None)
    assert outlook(left(history=50), windows, Spent(5, 1.0)).seconds is None
    assert outlook(left(history=50), windows, Spent(100, 10.0)).seconds == pytest.approx(5.0)


def test_who_shares_the_quota_is_reckoned_with() -> None:
    """Where calls took longer than the quota explains, those to come will too."""
    windows = Windows(clock=lambda: 0.0)
    assert outlook(left(history=110), windows, Spent(100, 600.0)).seconds == pytest.approx(660.0)
    assert outlook(left(history=110), windows, Spent(100, 1200.0)).seconds == pytest.approx(1320.0)


def test_a_budget_ends_the_sync_before() -> None:
    """What is left in this sync is what the budget allows, news before history; the share that is done is of that."""
    windows = Windows(clock=lambda: 0.0)
    by_calls = outlook(left(news=30, history=500), windows, Spent(60, 0.0, max_calls=100))
    assert (by_calls.news, by_calls.history, by_calls.budget) == (30, 10, "max_calls")
    assert by_calls.fraction == pytest.approx(0.6)
    assert by_calls.seconds == pytest.approx(180.0)
    by_time = outlook(left(news=30, history=500), windows, Spent(100, 600.0, max_seconds=900.0))
    assert (by_time.seconds, by_time.budget) == (300.0, "max_duration")
    assert by_time.news == 30
    assert 10 <= by_time.history <= 25
    assert outlook(left(history=5), windows, Spent(1, 0.0, max_calls=100, max_seconds=900.0)).budget == ""
    assert outlook(left(), windows, Spent(100, 900.0, max_calls=100, max_seconds=600.0)).fraction == 1.0


# The real tap


def shown_by(hours: Hours, **settings: object) -> tuple[list[Status], float]:
    """Run one sync; return what the progress has shown each minute, and the time at the end."""
    view = Seen()
    with patch.object(QuietTap, "make_view", lambda: view):
        hours.run(**settings)
    return view.shown, hours.clock.wall()


def error_at(share: float, shown: list[Status], end: float) -> float:
    """Return by which share of the whole sync the end was missed, as it was predicted at that share of it."""
    began = shown[0].wall
    status = next(one for one in shown if one.wall >= began + share * (end - began))
    assert status.outlook is not None
    assert status.outlook.seconds is not None
    return abs(status.wall + status.outlook.seconds - end) / (end - began)


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        pytest.param({}, 18, id="10 calls a minute"),
        pytest.param({"calls_per_minute": 5}, 9, id="a limit of the user's"),
    ],
)
def test_the_end_of_a_sync_of_three_hours_by_feed(settings: dict[str, Any], days: int) -> None:
    """In the middle the end is right to a hundredth, as the feed tells of all sessions; a tenth is promised."""
    tests = account(days=days, began=TODAY - 400 * 24 * HOUR)
    shown, end = shown_by(Hours(tests, at=TODAY, by_feed=True), **settings)
    assert 2.5 * HOUR < end - shown[0].wall < 4.5 * HOUR
    assert max(error_at(share, shown, end) for share in (0.25, 0.5, 0.75)) < 0.03
    percents = [status.percent for status in shown]
    assert percents == sorted(percents)
    assert 45 <= percents[len(percents) // 2] <= 55


def test_the_end_of_a_sync_of_three_hours_by_list() -> None:
    """Nobody knows how long the lists are that were not read yet: on average the end is missed by less than a tenth."""
    errors = []
    for seed in (1, 2, 3):
        tests = account(days=18, began=TODAY - 400 * 24 * HOUR, seed=seed)
        shown, end = shown_by(Hours(tests, at=TODAY, by_feed=False))
        assert 3 * HOUR < end - shown[0].wall < 4.5 * HOUR
        status = shown[len(shown) // 2]
        assert status.outlook is not None
        assert status.outlook.is_estimate
        errors.append(error_at(0.5, shown, end))
    assert statistics.mean(errors) < 0.1


def test_a_later_sync_knows_the_lists_of_the_last_one() -> None:
    """A full refresh of some streams, where others have read the lists: the first minute tells the end."""
    tests = account(days=9, began=TODAY - 400 * 24 * HOUR)
    hours = Hours(tests, at=TODAY, by_feed=False)
    hours.catch_up()
    for stream in ("session_details", "transcripts"):
        del hours.state["bookmarks"][stream]
    shown, end = shown_by(hours)
    assert end - shown[0].wall > HOUR
    second = next(status for status in shown if status.outlook is not None)
    assert error_at((second.wall - shown[0].wall) / (end - shown[0].wall), shown, end) < 0.1


def test_a_window_for_each_endpoint(simulated_time: SimulatedTime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Details and transcripts wait side by side: the busier endpoint sets the end."""
    view = Seen(every=1.0)
    monkeypatch.setattr(TapUserTesting, "make_view", lambda: view)
    world = World(seed=3)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(60):
        world.add_session(test)
    with simulated_time.serve(world, QuotaRule(scope="endpoint")) as box:
        assert sync_here(box.config(), state_every=1.0).exit == 0
    end = view.shown[-1].wall
    assert end - view.shown[0].wall >= 300
    assert error_at(0.5, view.shown, end) < 0.1


def test_news_and_history_are_counted_apart(simulated_time: SimulatedTime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that was read has news, another one has its history before it; at the end nothing is left."""
    world = World(seed=3)
    first, second = world.add_test("SURVEY"), world.add_test("SURVEY")
    for _ in range(5):
        world.add_session(first)
    for _ in range(30):
        world.add_session(second)
    with simulated_time.serve(world, QuotaRule(limit=4)) as box:
        config = box.config(test_ids=[first.test_id])
        state = sync_here(config, select=["session_details"]).state
        for _ in range(6):
            world.add_session(first)
        view = Seen(every=1.0)
        monkeypatch.setattr(TapUserTesting, "make_view", lambda: view)
        box.clear_calls()
        done = sync_here({**config, "test_ids": list(world.tests)}, select=["session_details"], state=state)
        calls = sum(call.kind in {"list", "details_v3"} for call in box.calls)
    assert len(done.records()) == 36
    known = [one.outlook for one in view.shown if one.outlook is not None]
    assert known[0].news > 0
    assert {one.history for one in known if one.news} == {31}  # with the list of the test
    assert {one.made + one.news + one.history for one in known} == {calls}
