"""`--doctor` on the command line: what goes where, and how it ends."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World, cli
from tests.sandbox.test_admin_and_cli import start
from tests.support.harness import LONG, Synced, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """The small world with a quota that lets the doctor through without a wait."""
    with Sandbox(World.seeded(), quota=QuotaRule(limit=20)) as running:
        yield running


def doctor(box: Sandbox, folder: Path, **settings: object) -> Synced:
    """Run `--doctor`."""
    return sync(box.config(**settings), folder, args=["--doctor"])


def test_the_report_and_nothing_else_is_on_standard_output(tmp_path: Path, box: Sandbox) -> None:
    """Redirected into a file, that file is the report; the table is on standard error. Something is refuted: exit 1."""
    done = doctor(box, tmp_path)
    report = json.loads(done.stdout)
    refuted = [name for name, entry in report["assumptions"].items() if entry["verdict"] == "refuted"]
    assert refuted == ["quota_is_10_a_minute"]
    assert done.exit == 1
    assert done.lines("refuted         quota_is_10_a_minute")
    assert not done.lines(" WARNING ")
    assert not done.errors


def test_the_table_fits_80_columns(tmp_path: Path, box: Sandbox) -> None:
    """With much evidence, and with a long advice; a number stands on the line of its name, and all is in the report."""
    box.world.feed_options.refuse("no")
    done = doctor(box, tmp_path)
    table = [line for line in done.log.splitlines() if " | " not in line]
    assert max(map(len, table)) <= 80
    text = " ".join(" ".join(table).split())
    assumptions = json.loads(done.stdout)["assumptions"]
    assert assumptions["feed_is_there"]["what to do"] in text
    shown = [
        f"{what.replace('_', ' ')}: {number}"
        for one in assumptions.values()
        for what, number in one["evidence"].items()
    ]
    assert [item for item in shown if not any(item in line for line in table)] == []
    verdicts = [one["verdict"] for one in assumptions.values()]
    counts = ", ".join(f"{verdict} {verdicts.count(verdict)}" for verdict in ("refuted", "could not tell", "holds"))
    assert f"totals: {counts}" in table


def test_a_warning_says_that_no_test_can_be_read(tmp_path: Path, box: Sandbox) -> None:
    """Nothing is refuted, so the exit status is 0 although next to nothing was tried."""
    done = doctor(box, tmp_path, test_ids=["3fa85f64-5717-4562-b3fc-2c963f66afa6"])
    assert "refuted" not in {one["verdict"] for one in json.loads(done.stdout)["assumptions"].values()}
    assert done.exit == 0
    [warning] = done.lines(" WARNING ")
    assert "check test_ids" in warning
    assert "3fa85f64" not in done.log


def test_a_warning_says_that_no_test_is_known(tmp_path: Path, box: Sandbox) -> None:
    """The legacy API lists none."""
    box.fail("v1", times=None, status=404)
    [warning] = doctor(box, tmp_path).lines(" WARNING ")
    assert "set test_ids" in warning


def test_a_budget_does_not_bound_it(tmp_path: Path, box: Sandbox) -> None:
    """It has a bound of its own."""
    assert json.loads(doctor(box, tmp_path, max_calls=1, max_duration=1).stdout)["calls"]["Results API"] == 14


def test_the_clients_log_nothing(tmp_path: Path, box: Sandbox) -> None:
    """Faults stand in the report; a log line could name what a server sends."""
    box.fail("qx_scores", times=None, status=500)
    done = doctor(box, tmp_path)
    assert json.loads(done.stdout)["endpoints"]["qx_scores"]["statuses"].keys() == {"500"}
    sources = {line.split(" | ")[2].strip() for line in done.lines(" | ")}
    assert sources == {"tap-usertesting", "tap-usertesting.doctor"}


def test_wrong_settings_end_with_78(tmp_path: Path, box: Sandbox) -> None:
    """As everywhere."""
    done = doctor(box, tmp_path, test_ids=["123456"])
    assert (done.exit, done.stdout) == (78, b"")
    assert len(done.errors) == 1
    assert "test_ids[0]" in done.errors[0]


@pytest.mark.parametrize("wrong", ["client_secret", "access_token"])
def test_wrong_credentials_are_one_line(tmp_path: Path, box: Sandbox, wrong: str) -> None:
    """The setting is named, the secret is not."""
    done = doctor(box, tmp_path, **{wrong: "not-the-secret-at-all"})
    assert (done.exit, done.stdout) == (1, b"")
    [error] = done.errors
    assert wrong in error
    assert "not-the-secret" not in done.log


def test_a_wrong_scope_is_one_line(tmp_path: Path, box: Sandbox) -> None:
    """Though the server's words are left out."""
    [error] = doctor(box, tmp_path, oauth_scopes="others:read").errors
    assert "check oauth_scopes" in error


@pytest.mark.parametrize("setting", ["api_url", "auth_endpoint"])
def test_a_dead_host_is_one_line(tmp_path: Path, box: Sandbox, setting: str) -> None:
    """After two tries, and without a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        done = doctor(box, tmp_path, feed_url=None, **{setting: f"http://127.0.0.1:{taken.getsockname()[1]}"})
    assert (done.exit, done.stdout) == (1, b"")
    [error] = done.errors
    assert setting in error
    assert "Traceback" not in done.log


def test_a_dead_feed_is_refuted(tmp_path: Path, box: Sandbox) -> None:
    """All else is told."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = doctor(box, tmp_path, feed_url=address, feed_access_token="some-token-of-the-feed")
    assumptions = json.loads(done.stdout)["assumptions"]
    assert assumptions["feed_is_there"]["verdict"] == "refuted"
    assert assumptions["details_v3_is_served"]["verdict"] == "holds"
    assert not done.errors


def test_a_report_starts_a_sandbox(tmp_path: Path, box: Sandbox) -> None:
    """From one command to the other through a file: the sandbox has what was odd."""
    box.world.list_total = "absent"
    report = tmp_path / "report.json"
    report.write_bytes(doctor(box, tmp_path).stdout)
    running, _ = start(tmp_path, "--like", str(report))
    try:
        assert running.stdout is not None
        settings = {}
        for line in running.stdout:
            name, _, value = line.rstrip("\n").partition("=")
            if name.startswith("export "):
                settings[name.removeprefix("export TAP_USERTESTING_").lower()] = value
            elif settings:
                break
        again = sync(settings, tmp_path, args=["--doctor"])
    finally:
        running.terminate()
        running.communicate(timeout=LONG)
    before, after = (json.loads(text)["assumptions"] for text in (report.read_bytes(), again.stdout))
    assert {name: entry["verdict"] for name, entry in after.items()} == {
        name: entry["verdict"] for name, entry in before.items()
    }
    assert after["list_counts_the_test"]["verdict"] == "refuted"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("no JSON", "it is not JSON"),
        ("[1]", "it is not a report of the doctor"),
        ('{"report": "another"}', "it is not a report of the doctor"),
        ('{"report": "tap-usertesting doctor 1"}', "it has no assumptions"),
        ('{"report": "tap-usertesting doctor 1", "assumptions": {"a": {"evidence": {"b": "c"}}}}', "in numbers"),
        ('{"report": "tap-usertesting doctor 1", "assumptions": {"a": 1}}', "in numbers"),
        ('{"report": "tap-usertesting doctor 1", "assumptions": {"a": {"verdict": "maybe"}}}', "no verdict of holds"),
        ('{"report": "tap-usertesting doctor 1", "assumptions": {}}', "it has no assumptions"),
        (
            '{"report": "tap-usertesting doctor 1", "assumptions": {"a": {"verdict": "holds"}}}',
            "no quota or no settings",
        ),
    ],
)
def test_a_bad_report_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    """Which file, and what is wrong with it."""
    report = tmp_path / "report.json"
    if content is not None:
        report.write_text(content, encoding="utf-8")
    assert cli.main(["--like", str(report)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tap-usertesting-sandbox: --like {report}: ")
    assert words in line


@pytest.mark.parametrize("modes", [["--doctor", "--plan"], ["--doctor", "--test"], ["--plan=json", "--test=schema"]])
def test_one_mode_at_a_time(box: Sandbox, tmp_path: Path, modes: list[str]) -> None:
    """Two of them are a mistake, which is told before any call."""
    done = sync(box.config(), tmp_path, args=modes)
    assert done.exit == 2
    assert "--test, --plan and --doctor are mutually exclusive" in done.log
    assert box.calls == []
