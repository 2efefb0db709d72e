"""`--test` says of each thing that a sync needs whether it is there, or what to do."""

from __future__ import annotations

import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import Synced, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Two tests with a session each, the second not in the feed."""
    world = World(seed=3)
    for in_feed in (True, False):
        world.add_session(world.add_test("THINK_OUT_LOUD", in_feed=in_feed))
    with Sandbox(world, quota=None) as running:
        yield running


def check(box: Sandbox, folder: Path, **settings: object) -> Synced:
    """Run `--test`."""
    return sync(box.config(**settings), folder, args=["--test"])


def said(done: Synced) -> list[str]:
    """Return what the check says, without time and level."""
    return [line.partition("check: ")[2] for line in done.lines("check: ")]


def test_all_is_well(tmp_path: Path, box: Sandbox) -> None:
    """A line per configured test, one for the token and one for the feed; exit 0, and a record to show."""
    first, second = box.world.tests
    done = check(box, tmp_path, test_ids=[first, second])
    assert done.exit == 0
    assert said(done) == [
        "token: ok",
        f"test {first}: ok, 1 session",
        f"test {second}: ok, 1 session",
        "change feed: ok, knows 1 of 2 tests",
        f"change feed: does not know test ut_{second} yet; the tap reads it by listing",
        "all 4 items are ok",
    ]
    assert done.records("sessions")


def test_it_costs_a_call_per_configured_test(tmp_path: Path, box: Sandbox) -> None:
    """Each test is asked for one session, shared with the records; the feed once for all tests."""
    check(box, tmp_path, test_ids=list(box.world.tests))
    calls = Counter((call.kind, call.test_id) for call in box.calls if call.kind == "list")
    assert set(calls.values()) == {1}
    assert len(calls) == 2
    assert sum(call.kind == "feed" for call in box.calls) <= 2


def test_discovery_is_an_item(tmp_path: Path, box: Sandbox) -> None:
    """Without test ids: how many tests there are, and no call for each of them."""
    done = check(box, tmp_path)
    assert done.exit == 0
    assert "discovery: ok, 2 tests in 1 workspaces, 2 to read" in said(done)
    assert len({call.test_id for call in box.calls if call.kind == "list"}) == 1


def test_an_unknown_test_is_named_and_the_others_are_checked(tmp_path: Path, box: Sandbox) -> None:
    """One bad id among good ones: exit 1, one error line with what to do."""
    good = next(iter(box.world.tests))
    done = check(box, tmp_path, test_ids=[UNKNOWN, good])
    assert done.exit == 1
    lines = said(done)
    assert f"test {UNKNOWN}: failed" in lines
    assert f"test {good}: ok, 1 session" in lines
    assert lines[-1].startswith("1 of ")
    [error] = done.errors
    assert UNKNOWN in error
    assert "check test_ids" in error


def test_a_refused_feed_token_is_named(tmp_path: Path, box: Sandbox) -> None:
    """The tests are well, the feed is not: which setting, and exit 1."""
    done = check(box, tmp_path, test_ids=list(box.world.tests), feed_access_token="another")
    assert done.exit == 1
    assert "change feed: failed" in said(done)
    assert any("feed_access_token" in line for line in done.errors)


def test_a_missing_scope_of_the_feed_is_told(tmp_path: Path, box: Sandbox) -> None:
    """A token without the feed's scope is no wrong token: the line says scope."""
    box.fail("feed", times=None, status=403, body={"errors": [{"message": "missing scope results:read"}]})
    done = check(box, tmp_path, test_ids=list(box.world.tests))
    assert done.exit == 1
    assert "change feed: failed" in said(done)
    assert any("scope" in line for line in done.errors)


def test_a_test_of_the_feed_that_it_does_not_know_is_an_error(tmp_path: Path, box: Sandbox) -> None:
    """`feed_test_ids` names what must be there."""
    done = check(box, tmp_path, feed_test_ids=["ut_nobody"])
    assert done.exit == 1
    assert "change feed, test ut_nobody: failed" in said(done)


def test_without_a_feed_the_lists_do(tmp_path: Path, box: Sandbox) -> None:
    """No feed is no fault."""
    done = check(box, tmp_path, feed_url=None, feed_access_token=None)
    assert done.exit == 0
    assert "change feed: feed_url is not set, so changes come from the session lists" in said(done)


@pytest.mark.parametrize("wrong", ["client_secret", "access_token"])
def test_wrong_credentials_are_one_line(tmp_path: Path, box: Sandbox, wrong: str) -> None:
    """Nothing else can be told; the setting is named, the secret is not."""
    done = check(box, tmp_path, **{wrong: "not-the-secret-at-all"})
    assert done.exit == 1
    [error] = done.errors
    assert wrong in error
    assert "not-the-secret" not in done.log


@pytest.mark.parametrize("setting", ["api_url", "auth_endpoint"])
def test_a_dead_host_is_told_after_two_tries(tmp_path: Path, box: Sandbox, setting: str) -> None:
    """Someone watches: no eight tries as in a sync, and one line that says how it failed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = check(box, tmp_path, test_ids=list(box.world.tests), feed_url=None, **{setting: closed})
    assert done.exit == 1
    [error] = done.errors
    assert "connection refused, 2 tries" in error
    assert setting in error
    assert len(done.lines("try 2 of 2")) == 1
    assert not done.lines("try 3")


@pytest.mark.parametrize(
    ("order", "words"),
    [
        pytest.param({"fault": "okta", "status": 401}, "HTTP 401: E0000011: Invalid token provided", id="Okta"),
        pytest.param(
            {"fault": "problem", "status": 400}, "HTTP 400: Forbidden client: The client is not active.", id="RFC 9457"
        ),
    ],
)
def test_the_token_endpoints_own_words_are_shown(
    tmp_path: Path, box: Sandbox, order: dict[str, Any], words: str
) -> None:
    """Whatever form they have, the line has them, and the settings to look at."""
    box.fail("token", times=None, **order)
    done = check(box, tmp_path)
    assert done.exit == 1
    [error] = done.errors
    assert words in error
    assert "check client_id and client_secret" in error
