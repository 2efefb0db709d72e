"""The dbt project and the programs around it: the tap, target-postgres and dbt."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox import World
from tests.e2e.database import ENVIRONMENT as POSTGRES
from tests.e2e.dbt.sources import OPTIONAL
from tests.support.environments import ROOT, install, programs, requirements_in
from tests.support.harness import sync

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox
    from tests.e2e.database import Database

PROJECT = ROOT / "docs" / "examples" / "dbt"
README = ROOT / "docs/examples/dbt/README.md"
LANDED = "usertesting"
MARTS = "usertesting_marts"
BUILD = ("dbt", "build", "--profiles-dir", ".")
SEEDS = {"usertesting_use_seeds": True}
# Of what is not selected by default, the tables are there, too.
EVERY_STREAM = {f"usertesting_has_{stream}": True for stream in sorted(OPTIONAL)}


def section(title: str) -> str:
    """Return what stands below a heading of the project's README."""
    text = README.read_text(encoding="utf-8")
    assert text.count(f"\n## {title}\n") == 1
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def commands_of_the_readme(title: str) -> list[list[str]]:
    """Every dbt command that a section of the project's README tells its readers to type."""
    blocks = re.findall(r"```sh\n(.*?)```", section(title), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    found = [shlex.split(line, comments=True) for line in lines if line.startswith("dbt ")]
    assert found
    return found


def demo_world() -> World:
    """A world in which some participants still speak when they are at later tasks, and after the last."""
    world = World.seeded(scale="demo")
    for test in [test for test in world.tests.values() if test.product_type == "THINK_OUT_LOUD"]:
        for seconds in (60, 90, 120):
            world.add_session(test, started_at=world.now - timedelta(seconds=seconds), finished_at=world.now)
    return world


def load(
    box: Sandbox,
    database: Database,
    folder: Path,
    state: dict[str, Any] | None = None,
    select: Sequence[str] | None = None,
    **settings: object,
) -> dict[str, Any] | None:
    """Sync the sandbox into the database with target-postgres, and return the state to go on from."""
    synced = sync({**box.config(), **settings}, folder, state=state, select=select)
    assert synced.exit == 0, synced.log
    target = {"sqlalchemy_url": database.url, "default_target_schema": LANDED, "add_record_metadata": True}
    config = folder / "target.json"
    config.write_text(json.dumps(target), encoding="utf-8")
    command = [str(programs(POSTGRES) / "target-postgres"), "--config", str(config)]
    done = subprocess.run(command, input=synced.stdout, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return synced.state


@dataclass(frozen=True)
class Dbt:
    """dbt in its environment; what it writes goes into `folder` and not into the project."""

    folder: Path
    env: dict[str, str]
    requirements: str = "dbt"
    project: Path = PROJECT

    @property
    def programs(self) -> Path:
        """The folder of the commands, installed at the first use."""
        file = ROOT / "tests" / "e2e" / "requirements" / f"{self.requirements}.txt"
        return install(self.requirements, requirements_in(file))

    def run(self, command: Sequence[str]) -> str:
        """Run one command in the project's folder, warnings being errors, and return what it printed."""
        name, *arguments = command
        env = {
            **os.environ,
            **self.env,
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_WARN_ERROR": "true",
            "DBT_USE_COLORS": "false",
        }
        done = subprocess.run(
            [str(self.programs / name), *arguments],
            cwd=self.project,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def results(self) -> dict[str, str]:
        """The status of every node of the last command, by its id."""
        path = self.folder / "target" / "run_results.json"
        found = json.loads(path.read_text(encoding="utf-8"))
        return {result["unique_id"]: result["status"] for result in found["results"]}


def on_postgres(database: Database, folder: Path) -> Dbt:
    """Dbt with the environment that the project's own profiles.yml asks for."""
    env = {
        "DBT_POSTGRES_HOST": str(database.server.socket),
        "DBT_POSTGRES_USER": database.user,
        "DBT_POSTGRES_DATABASE": database.name,
    }
    return Dbt(folder=folder, env=env)


def on_duckdb(folder: Path) -> Dbt:
    """The same on a DuckDB file in the folder."""
    return Dbt(folder=folder, env={"DBT_TARGET": "duckdb", "DBT_DUCKDB_PATH": str(folder / "usertesting.duckdb")})


def with_vars(command: Sequence[str], variables: dict[str, Any]) -> list[str]:
    """Return a command of dbt with variables of the project."""
    return [*command, "--vars", json.dumps(variables)]
