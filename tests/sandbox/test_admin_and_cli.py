"""The back door and the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_usertesting.sandbox import QuotaRule, Sandbox, World, cli
from tests.support.harness import LONG

if TYPE_CHECKING:
    from tests.sandbox.client import Client

ROOT = Path(__file__).parents[2]


class Door:
    """The back door of a box: call it with method, name and body."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, method: str, name: str, body: object = None) -> requests.Response:
        """Send one request."""
        return requests.request(method, f"{self.url}/_sandbox/{name}", json=body, timeout=LONG)


@pytest.fixture
def door(box: Sandbox) -> Door:
    """The back door of the small world."""
    return Door(box.url)


def test_calls_truth_and_settings(client: Client, box: Sandbox, door: Door, world: World) -> None:
    """The log, the truth and the settings can be read, without being calls themselves."""
    client.get("/usertesting/api/v1/workspaces")
    (call,) = door("GET", "calls").json()["calls"]
    assert (call["kind"], call["status"]) == ("v1", 200)
    assert door("DELETE", "calls").json() == {"cleared": True}
    assert box.calls == []
    assert door("GET", "truth").json() == world.truth()
    settings = door("GET", "settings").json()
    assert settings == {**box.config(), "feed_access_token": box.feed_token}
    assert "client_id" not in box.config(client_id=None)


@pytest.mark.parametrize(
    ("kind", "change"), [("session", 1), ("transcript", 0), ("update", 0), ("reject", -1), ("accept", 1)]
)
def test_things_can_be_made_to_happen(door: Door, world: World, kind: str, change: int) -> None:
    """Each thing finds its own target, is told, and stands in the feed."""
    before = world.truth()
    done = door("POST", "events", {"kind": kind}).json()
    after = world.truth()
    assert done["kind"] == kind
    assert len(after["sessions"]) - len(before["sessions"]) == change
    log = after["events"][done["testId"]]
    assert log[-1]["responseUuid"] == f"ut_response_{done['sessionId']}"
    assert len(log) > len(before["events"][done["testId"]])
    assert len(after["transcripts"]) - len(before["transcripts"]) == (kind in {"session", "transcript"})


def test_answers_can_be_set(client: Client, door: Door, world: World) -> None:
    """Pages, totals and further fields; a name that is none is told."""
    test = max(world.tests.values(), key=lambda test: len(test.completed()))
    assert (
        door("POST", "answers", {"list_page": 1, "list_total": "page", "undocumented": {"mood": 1}}).status_code == 200
    )
    page = client.get(f"/api/v2/sessionResults?testId={test.test_id}&limit=500").json()
    assert len(page["sessions"]) == page["meta"]["pagination"]["totalCount"] == 1
    assert page["sessions"][0]["mood"] == 1
    refused = door("POST", "answers", {"lock": 1})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("unknown field lock; allowed: list_key, list_page,")


def test_changes_of_a_named_target(door: Door, world: World) -> None:
    """A test or a session can be named."""
    session = next(session for session in world.sessions.values() if session.served)
    done = door("POST", "events", {"kind": "reject", "session_id": session.session_id}).json()
    assert done["sessionId"] == session.session_id
    test = next(test for test in world.tests.values() if not test.sessions and test.in_feed)
    done = door("POST", "events", {"kind": "session", "test_id": test.test_id}).json()
    assert (done["testId"], done["title"]) == (test.test_id, test.title)


def test_faults_quota_and_tokens(client: Client, box: Sandbox, door: Door) -> None:
    """Faults, quota and revocation can be ordered from outside."""
    door("POST", "faults", {"kind": "v1", "status": 503})
    assert client.get("/usertesting/api/v1/workspaces").status_code == 503
    rules = []
    for body in ({"limit": 1, "window": 30}, {"limit": None}):
        door("POST", "quota", body)
        rules.append(box.quota.rule)
    assert rules == [QuotaRule(limit=1, window=30), None]
    door("POST", "tokens/revoke")
    assert client.get("/usertesting/api/v1/workspaces").status_code == 401
    before = box.stop_requested.is_set()
    door("POST", "shutdown")
    assert (before, box.stop_requested.is_set()) == (False, True)


def start(tmp_path: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start the command and return it with its URL, once the port file is there."""
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "tap_usertesting.sandbox.cli", "--port-file", str(port_file), *options]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + LONG
    while not port_file.exists():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return running, f"http://127.0.0.1:{port_file.read_text(encoding='utf-8').strip()}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """The command prints the environment of the tap and ends cleanly."""
    running, url = start(tmp_path, "--seed", "5", "--limit", "2", "--window", "30")
    assert Door(url)("GET", "truth").json() == World.seeded(5).truth()
    running.send_signal(number)
    out, err = running.communicate(timeout=LONG)
    assert (running.returncode, err) == (0, "")
    assert f"export TAP_USERTESTING_API_URL={url}" in out.splitlines()
    assert "export TAP_USERTESTING_CLIENT_SECRET=sandbox-secret-" in out


def test_command_stops_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shutdown through the back door ends it as well, dated to now and without a quota."""
    running, url = start(tmp_path, "--now-real", "--no-quota")
    assert Door(url)("GET", "truth").json()["sessions"]
    port = url.rpartition(":")[2]
    assert cli.main(["--port", port]) == 1
    assert f"cannot listen on port {port}" in capsys.readouterr().err
    Door(url)("POST", "shutdown")
    running.communicate(timeout=LONG)
    assert running.returncode == 0


def test_command_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals are put back after the run."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli, "_announce", lambda _box: os.kill(os.getpid(), signal.SIGTERM))
    assert cli.main(["--port-file", str(tmp_path / "port")]) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_command_without_the_extra() -> None:
    """Without graphql-core there is one line that says what to install."""
    code = """
import sys
sys.modules["graphql"] = None
from tap_usertesting.sandbox.cli import main
sys.exit(main([]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "tap-usertesting-sandbox: graphql-core is missing; run: pip install 'tap-usertesting[sandbox]'"
    ]


def test_package_has_no_other_names() -> None:
    """The package says so when a name is not in it."""
    import tap_usertesting.sandbox as package  # noqa: PLC0415 - the module itself is the subject

    anything: Any = package
    with pytest.raises(AttributeError, match="Sandpit"):
        _ = anything.Sandpit
