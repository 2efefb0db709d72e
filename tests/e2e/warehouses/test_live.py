"""The script of `live.yml`, as far as it goes without any account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.e2e.warehouses import live
from tests.e2e.warehouses.loaders import Loader
from tests.e2e.warehouses.recorded import RUNS, SYNCS, Recording, last_rows
from tests.e2e.warehouses.tables import Dump
from tests.support.harness import parse

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e
COMMAND = [sys.executable, "-m", "tests.e2e.warehouses.live"]


@dataclass(frozen=True)
class Remembering(Loader):
    """A target in memory; with `forgets` it loses what it was told to in the column `status` of one row."""

    told: list[bytes] = field(default_factory=list)
    forgets: bool = False

    def load(self, messages: bytes) -> dict[str, Any]:
        """Keep the messages."""
        self.told.append(messages)
        return {}

    def dump(self, streams: list[str]) -> Dump:
        """Return the last row of each key."""
        rows = {name: list(table.values()) for name, table in last_rows(parse(b"".join(self.told))).items()}
        if self.forgets:
            rows["sessions"][0]["status"] = None
        return Dump(types={}, rows={name: rows[name] for name in streams})


def loads(recording: Recording) -> list[live.Load]:
    """Return what the script loads from a sandbox."""
    return [
        live.Load(
            recording.output(*run),
            recording.rows(*SYNCS[: SYNCS.index(run[-1]) + 1]),
            recording.truths[run[-1]],
        )
        for run in RUNS
    ]


def test_the_check_passes_a_warehouse_that_is_right(recording: Recording, tmp_path: Path) -> None:
    """Three loads of the recording, each compared with the tap's rows and the sandbox's truth."""
    live.check(Remembering([], tmp_path, [], {}), loads(recording), null_arrays=True)


def test_the_check_names_the_column_that_is_wrong_and_no_value(recording: Recording, tmp_path: Path) -> None:
    """One value in one row is enough to fail, and the message holds nothing that a participant said."""
    with pytest.raises(AssertionError, match=r"sessions \('[0-9a-f-]{36}',\): status has another value$"):
        live.check(Remembering([], tmp_path, [], {}, forgets=True), loads(recording), null_arrays=True)


def test_help_says_what_there_is_to_choose() -> None:
    """`--help` needs no account."""
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "{snowflake,bigquery,none}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        pytest.param(["--source", "api", "--into", "none"], "TAP_USERTESTING_TEST_IDS", id="tests"),
        pytest.param(["--source", "sandbox", "--into", "snowflake"], "TARGET_SNOWFLAKE_CONFIG", id="snowflake"),
        pytest.param(["--source", "sandbox", "--into", "bigquery"], "TARGET_BIGQUERY_CONFIG", id="bigquery"),
    ],
)
def test_what_is_not_set_is_named(arguments: list[str], variable: str) -> None:
    """Without its settings the script ends with one line that names them."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "TARGET_"))}
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 1
    assert f"set {variable}" in done.stdout.splitlines()[-1]


def test_the_check_of_an_api_runs_against_the_sandbox() -> None:
    """`--test` and two syncs of one test, as they are on the live API."""
    world = World.seeded(scale="small")
    with Sandbox(world, quota=None) as box:
        settings = box.config(test_ids=[next(test_id for test_id, test in world.tests.items() if test.in_feed)])
        env = {f"TAP_USERTESTING_{name.upper()}": _text(value) for name, value in settings.items()}
        arguments = ["--source", "api", "--into", "none"]
        done = subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **env}
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "every row and every column is right"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
