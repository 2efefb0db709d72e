"""The quota: window arithmetic by an injected clock, and what the server tells of it."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Literal

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.sandbox.quota import ServedQuota, Verdict
from tests.sandbox.client import Client


class Clock:
    """Seconds that move when told."""

    now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def take(quota: ServedQuota, *, endpoint: str = "list", version: str = "v2") -> Verdict:
    """Take one call of the quota."""
    return quota.take(endpoint=endpoint, version=version)


def told(verdict: Verdict) -> dict[str, str]:
    """Return the headers by name."""
    return dict(verdict.headers)


def test_fixed_window_opens_with_the_first_call_after_the_last_closed() -> None:
    """The window is counted from its first call, and idle time between windows does not count."""
    clock = Clock()
    quota = ServedQuota(QuotaRule(limit=2, window=60), clock=clock)
    assert told(take(quota)) == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "60",
    }
    clock.now += 30.2
    assert told(take(quota))["x-ratelimit-reset"] == "30"
    refused = take(quota)
    assert not refused.allowed
    assert told(refused) == {"Retry-After": "30"}
    clock.now += 129.8
    assert told(take(quota)) == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "60",
    }


def test_sliding_window_lets_each_call_leave_on_its_own_and_blocks_for_a_window() -> None:
    """Remaining counts the calls alive, reset the first one's period; once over, a window is blocked."""
    clock = Clock()
    quota = ServedQuota(QuotaRule(limit=3, window=60, kind="sliding"), clock=clock)
    for _ in range(2):
        take(quota)
        clock.now += 20
    assert told(take(quota))["x-ratelimit-remaining"] == "0"
    clock.now += 21  # the first has left, and the period with it
    verdict = take(quota)
    assert (verdict.allowed, told(verdict)["x-ratelimit-remaining"]) == (True, "0")
    assert told(verdict)["x-ratelimit-reset"] == "60"
    assert told(take(quota)) == {"Retry-After": "60"}
    clock.now += 59
    assert told(take(quota)) == {"Retry-After": "1"}
    clock.now += 1
    assert told(take(quota))["x-ratelimit-remaining"] == "2"


@pytest.mark.parametrize(
    ("scope", "passes"),
    [
        pytest.param("shared", [True, False, False], id="one count"),
        pytest.param("version", [True, False, True], id="one per version"),
        pytest.param("endpoint", [True, True, True], id="one per endpoint"),
    ],
)
def test_scope(scope: Literal["shared", "version", "endpoint"], passes: list[bool]) -> None:
    """Endpoints and versions share a count as the rule says."""
    quota = ServedQuota(QuotaRule(limit=1, scope=scope), clock=Clock())
    calls = [("list", "v2"), ("transcript", "v2"), ("details_v3", "v3")]
    assert [take(quota, endpoint=kind, version=version).allowed for kind, version in calls] == passes


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(QuotaRule(limit=0, retry_after=None), set(), id="nothing"),
        pytest.param(QuotaRule(limit=0, retry_after="date"), {"Retry-After"}, id="a date"),
        pytest.param(
            QuotaRule(limit=0, retry_after=None, limit_headers=True),
            {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"},
            id="limit headers",
        ),
    ],
)
def test_what_a_refusal_tells(rule: QuotaRule, expected: set[str]) -> None:
    """A 429 carries what the rule says; a date is one of HTTP."""
    headers = told(take(ServedQuota(rule, clock=Clock())))
    assert set(headers) == expected
    if "Retry-After" in headers:
        assert parsedate_to_datetime(headers["Retry-After"]).tzinfo is not None


def test_compressed_time_tells_milliseconds_rounded_up() -> None:
    """A window below ten seconds stands for a minute, so whole seconds would be too coarse."""
    clock = Clock()
    quota = ServedQuota(QuotaRule(limit=5, window=0.5), clock=clock)
    take(quota)
    clock.now += 0.1004
    assert told(take(quota))["x-ratelimit-reset"] == "0.400"


def test_headers_can_be_left_out() -> None:
    """A service that tells nothing below the limit."""
    verdict = take(ServedQuota(QuotaRule(headers=False), clock=Clock()))
    assert verdict == Verdict(allowed=True, headers=[], closes=1060.0)


def test_the_call_log_tells_the_window_of_each_call() -> None:
    """Calls of one window have the same end; what is under no quota has none."""
    clock = Clock()
    with Sandbox(World(seed=1), quota=QuotaRule(limit=2, window=60), clock=clock) as box:
        client = Client(box)
        with client.session:
            for seconds in (0, 10, 20, 60):
                clock.now = 1000.0 + seconds
                client.get("/api/v2/sessionResults")
    found = [(call.at, call.status, call.window_closes) for call in box.calls]
    assert found == [
        (1000.0, 200, None),
        (1000.0, 400, 1060.0),
        (1010.0, 400, 1060.0),
        (1020.0, 429, 1060.0),
        (1060.0, 400, 1120.0),
    ]


def test_server_refuses_what_is_over_the_limit() -> None:
    """v2 and v3 share the count, refused and faulted calls included; token, v1 and feed are outside it."""
    world = World.seeded()
    test = next(iter(world.tests.values()))
    session = next(iter(test.sessions))
    with Sandbox(world, quota=QuotaRule(limit=3, window=30)) as box:
        client = Client(box)
        with client.session:
            box.fail("details_v3", status=500)
            first = client.get("/api/v2/sessionResults", testId=test.test_id)
            assert first.headers["x-ratelimit-remaining"] == "2"
            assert first.headers["Cache-Control"] == "private, no-store"
            faulted = client.get(f"/api/v3/sessionResults/{session}")
            assert (faulted.status_code, faulted.headers["x-ratelimit-remaining"]) == (500, "1")
            client.get("/usertesting/api/v1/workspaces")
            client.count(test.test_uuid)
            client.token = "wrong"
            assert client.get(f"/api/v3/sessionResults/{session}").status_code == 401
            refused = client.get(f"/api/v3/sessionResults/{session}")
            assert refused.status_code == 429
            assert refused.json() == {"message": "ThrottlerException: Too Many Requests", "statusCode": 429}
            assert 28 <= int(refused.headers["Retry-After"]) <= 30
            assert "x-ratelimit-remaining" not in refused.headers
            box.set_quota(None)
            assert client.get(f"/api/v3/sessionResults/{session}").status_code == 401


def test_v1_can_be_inside_the_quota() -> None:
    """Nobody says that v1 is not counted."""
    world = World.seeded()
    world.v1_in_quota = True
    with Sandbox(world, quota=QuotaRule(limit=1)) as box:
        client = Client(box)
        with client.session:
            answers = [client.get("/usertesting/api/v1/workspaces").status_code for _ in range(2)]
    assert answers == [200, 429]


@pytest.mark.parametrize("ahead", [0.0, 1200.0, -1200.0])
@pytest.mark.parametrize(("reset", "unit"), [("epoch", 1), ("epoch_milliseconds", 1000)])
def test_resets_as_points_in_time_are_those_of_the_servers_clock(
    reset: Literal["epoch", "epoch_milliseconds"], unit: int, ahead: float
) -> None:
    """Less the `Date` of the same answer they are what is left of the window, to the second."""
    rule = QuotaRule(window=60, reset=reset, ahead=ahead)
    with Sandbox(World(seed=1), quota=rule) as box:
        answer = Client(box).get("/api/v2/sessionResults")
    date = parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert abs(date - ahead - time.time()) < 30
    assert 59 <= int(answer.headers["x-ratelimit-reset"]) / unit - date <= 62


def test_a_reset_in_milliseconds_is_what_is_left() -> None:
    """A thousand times the seconds."""
    quota = ServedQuota(QuotaRule(window=60, reset="milliseconds"), clock=Clock())
    assert told(take(quota))["x-ratelimit-reset"] == "60000"
