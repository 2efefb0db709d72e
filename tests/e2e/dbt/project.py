"""The example project and the programs around it: the tap, target-postgres and dbt."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.database import ENVIRONMENT as POSTGRES
from tests.support.environments import ROOT, install, programs, requirements_in
from tests.support.harness import sync

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox
    from tests.e2e.database import Database

PROJECT = ROOT / "docs" / "examples" / "dbt"
README = PROJECT / "README.md"
LANDED = "usertesting"
MARTS = "usertesting_marts"


def commands_of_the_readme() -> list[list[str]]:
    """Every dbt command that the project's README tells its readers to type."""
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("dbt ")]


def load(
    box: Sandbox, database: Database, folder: Path, state: dict[str, Any] | None = None, **settings: object
) -> dict[str, Any] | None:
    """Sync the sandbox into the database with target-postgres, and return the state to go on from."""
    synced = sync({**box.config(), **settings}, folder, state=state)
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
            [str(self.programs / name), *arguments], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
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
