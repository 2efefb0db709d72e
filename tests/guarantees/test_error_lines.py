"""What a user sees when something is wrong: one clear line that names the setting, no traceback, no secret, no success.

Each runs the real command line, for a sync and for `--test`.
"""

from __future__ import annotations

import re
import socket
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.singer.command_line import EX_CONFIG
from tests.support.harness import COMMAND, Synced, arguments, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOWHERE = "0f0e0d0c-0000-4000-8000-000000000000"
HUSH = "hush-9a1c5e77"  # stands for a secret of the user's
SECRET_NUMBER = 918273645
MODES = [pytest.param((), id="sync"), pytest.param(("--test",), id="test")]


@dataclass(frozen=True)
class Wrong:
    """A mistake: what it changes, the setting its line must name, and whether it is seen before any request."""

    settings: Callable[[Sandbox, str], dict[str, Any]]
    named: str
    env: dict[str, str] = field(default_factory=dict)
    early: bool = False


def _wrong(
    name: str,
    named: str,
    settings: Callable[[Sandbox, str], dict[str, Any]] = lambda _box, _closed: {},
    *,
    env: dict[str, str] | None = None,
    early: bool = False,
) -> Any:  # noqa: ANN401 - pytest does not export the type
    return pytest.param(Wrong(settings, named, env or {}, early), id=name)


MISTAKES = [
    _wrong(
        "feed on another host without its token",
        "feed_access_token",
        lambda *_: {"feed_url": "https://feed.example/graphql/"},
        early=True,
    ),
    _wrong(
        "feed on another port without its token",
        "feed_access_token",
        lambda _box, closed: {"feed_url": f"{closed}/graphql/"},
        early=True,
    ),
    _wrong(
        "feed as the source without feed_url",
        "feed_url",
        lambda *_: {"feed_url": None, "change_source": "feed"},
        early=True,
    ),
    _wrong("unknown change source", "change_source", lambda *_: {"change_source": "lisitng"}, early=True),
    _wrong("wrong secret", "client_secret", lambda *_: {"client_secret": HUSH}),
    _wrong("wrong client id", "client_id", lambda *_: {"client_id": "nobody"}),
    _wrong("wrong scope", "oauth_scopes", lambda *_: {"oauth_scopes": "studies:write"}),
    _wrong("ended access token", "access_token", lambda *_: {"access_token": HUSH}),
    _wrong("wrong feed token", "feed_access_token", lambda *_: {"feed_access_token": HUSH}),
    _wrong("unknown test", "test_ids", lambda *_: {"test_ids": [NOWHERE]}),
    _wrong("unknown workspace", "workspace_ids", lambda *_: {"workspace_ids": [NOWHERE]}),
    _wrong("malformed test id", "test_ids", lambda *_: {"test_ids": ["4711"]}, early=True),
    _wrong("malformed workspace id", "workspace_ids", lambda *_: {"workspace_ids": ["x y"]}, early=True),
    _wrong("malformed feed id", "feed_test_ids", lambda *_: {"feed_test_ids": ["ut_ 1"]}, early=True),
    _wrong("an object instead of a list", "test_ids", lambda *_: {"test_ids": {NOWHERE: True}}, early=True),
    _wrong("bad date", "start_date", lambda *_: {"start_date": "yesterday"}, early=True),
    _wrong("day that does not exist", "start_date", lambda *_: {"start_date": "2026-02-30"}, early=True),
    _wrong("no credentials", "client_id", lambda *_: {"client_id": None, "client_secret": None}, early=True),
    _wrong("half the credentials", "client_secret", lambda *_: {"client_secret": None}, early=True),
    _wrong(
        "unreachable API",
        "api_url",
        lambda box, closed: {"api_url": closed, "feed_access_token": box.feed_token, "max_retries": 2},
    ),
    _wrong(
        "unreachable token endpoint",
        "auth_endpoint",
        lambda _box, closed: {"auth_endpoint": f"{closed}/token", "max_retries": 2},
    ),
    _wrong(
        "unreachable feed",
        "feed_url",
        lambda box, closed: {
            "feed_url": f"{closed}/graphql/?key={HUSH}",
            "feed_access_token": box.feed_token,
            "max_retries": 1,
            "test_ids": list(box.world.tests)[:1],
        },
    ),
    _wrong("wrong token path", "auth_endpoint", lambda box, _: {"auth_endpoint": f"{box.url}/nowhere"}),
    _wrong("plain http", "api_url", lambda *_: {"api_url": "http://api.example"}, early=True),
    _wrong(
        "plain http for the token",
        "auth_endpoint",
        lambda *_: {"auth_endpoint": "http://auth.example"},
        early=True,
    ),
    _wrong("no URL", "feed_url", lambda *_: {"feed_url": "feed.example/graphql"}, early=True),
    _wrong("password in a URL", "api_url", lambda *_: {"api_url": f"https://me:{HUSH}@api.example"}, early=True),
    _wrong(
        "word for a number in the environment",
        "lookback_hours",
        env={"TAP_USERTESTING_LOOKBACK_HOURS": "abc"},
        early=True,
    ),
    _wrong("negative number", "max_retries", lambda *_: {"max_retries": -1}, early=True),
    _wrong("secret that is a number", "client_secret", lambda *_: {"client_secret": SECRET_NUMBER}, early=True),
    _wrong("token that is a list", "feed_access_token", lambda *_: {"feed_access_token": [HUSH]}, early=True),
]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A few tests without a quota."""
    world = World(seed=11)
    for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD", "SURVEY"):
        test = world.add_test(product_type)
        for _ in range(2):
            world.add_session(test)
    with Sandbox(world) as running:
        yield running


@pytest.fixture
def closed() -> Iterator[str]:
    """The address of a port of this machine that refuses connections; it is taken, so nobody else opens it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def assert_silent(run: Synced, box: Sandbox) -> None:
    """Assert that no secret is anywhere in what the run wrote."""
    written = run.log + run.stdout.decode()
    tokens = list(box.tokens._alive)  # noqa: SLF001 - only the sandbox knows what it has issued
    for secret in (box.client_secret, box.feed_token, HUSH, str(SECRET_NUMBER), *tokens):
        assert secret not in written


@pytest.mark.parametrize("args", MODES)
@pytest.mark.parametrize("wrong", MISTAKES)
def test_a_mistake_is_one_line_that_names_its_setting(
    wrong: Wrong, args: tuple[str, ...], box: Sandbox, closed: str, tmp_path: Path
) -> None:
    """A mistake gives exactly one error line with the setting's name, no traceback, no secret, and no success."""
    if wrong.env:
        args = (*args, "--config=ENV")
    run = sync(box.config(**wrong.settings(box, closed)), tmp_path, args=args, env=wrong.env)
    assert run.exit == (EX_CONFIG if wrong.early else 1)
    assert len(run.errors) == 1, run.log
    assert re.search(rf"\b{wrong.named}\b", run.errors[0])
    assert "Traceback" not in run.log
    assert_silent(run, box)
    if wrong.early:
        assert box.calls == []
        assert run.messages == []


@pytest.mark.parametrize("args", MODES)
def test_a_missing_scope_of_the_feed_is_one_line(args: tuple[str, ...], box: Sandbox, tmp_path: Path) -> None:
    """A feed token without the scope gives one line with the scope's name, not one per test or stream."""
    box.world.feed_scopes_missing = "usertests:read"
    run = sync(box.config(feed_access_token=box.feed_token), tmp_path, args=args)
    assert run.exit == 1
    assert len(run.errors) == 1, run.log
    assert "feed_access_token" in run.errors[0]
    assert "usertests:read" in run.errors[0]


def test_an_unknown_test_does_not_stop_the_others(box: Sandbox, tmp_path: Path) -> None:
    """A configured test that answers 404 is an error at the end; the tests beside it are read, its bookmark is not."""
    known = list(box.world.tests)
    run = sync(box.config(test_ids=[NOWHERE, *known]), tmp_path)
    assert run.exit == 1
    assert {row["test_id"] for row in run.records("sessions")} == set(known)
    assert "replication_key_value" not in run.partition("sessions", NOWHERE)


def test_secrets_never_reach_the_debug_log(box: Sandbox, tmp_path: Path) -> None:
    """At log level DEBUG a whole sync writes no secret: not the settings', not the tokens', not a URL's query."""
    config = box.config(feed_url=f"{box.feed_url}?key={HUSH}", feed_access_token=box.feed_token)
    run = sync(config, tmp_path, env={"TAP_USERTESTING_LOGLEVEL": "DEBUG"})
    assert run.exit == 0
    assert " | DEBUG " in run.log
    assert_silent(run, box)


def test_secrets_never_reach_the_debug_log_of_a_failure(box: Sandbox, tmp_path: Path) -> None:
    """At log level DEBUG retries, refusals and a server that repeats the token in its answer write no secret."""
    box.fail("list", times=None, status=400, body={"message": f"bad token {box.feed_token}"})
    box.fail("token", times=1, status=503)
    config = box.config(feed_access_token=box.feed_token, max_retries=2)
    run = sync(config, tmp_path, env={"TAP_USERTESTING_LOGLEVEL": "DEBUG"})
    assert run.exit == 1
    assert_silent(run, box)


def test_a_target_that_closes_the_pipe_is_one_clear_line(box: Sandbox, tmp_path: Path) -> None:
    """A target that dies early ends the tap with status 1 and says where to look, without a traceback."""
    command = [*COMMAND, *arguments(box.config(), tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        tap.stdout.readline()
        tap.stdout.close()
        log = tap.stderr.read().decode()
    assert tap.returncode == 1
    assert "Traceback" not in log
    assert len([line for line in log.splitlines() if "the target closed the pipe" in line]) == 1
