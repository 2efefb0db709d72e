"""A Meltano project made of the repository's own meltano.yml, and the command `meltano` in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.environments import ROOT, install, requirements_in

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = "meltano"
REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "meltano.txt"
CHECKOUT = "-e '.[sandbox]'"
OWN = ("TAP_", "TARGET_", "MELTANO_")
NO_HUB = "http://127.0.0.1:9"  # a port that nobody serves: a request to the hub fails the run
TIMEOUT = 200.0  # seconds; a busy machine takes some time to start three interpreters
# Read by the target's interpreter at its start. The five minutes are the SDK's, and no setting shortens them.
SITE = """\
import os
if "E2E_ACKNOWLEDGE_EVERY" in os.environ:
    from singer_sdk.target_base import Target
    Target._MAX_RECORD_AGE_IN_MINUTES = float(os.environ["E2E_ACKNOWLEDGE_EVERY"]) / 60
"""


class MeltanoError(AssertionError):
    """Raised when a command of Meltano did not end as expected; its text is what Meltano said."""


@dataclass(frozen=True)
class Done:
    """What a command printed: its answer, and its log."""

    answer: str
    log: str

    @property
    def calls(self) -> dict[str, int]:
        """The calls that the tap's last summary names, by kind; {} where it made none."""
        calls, _ = json.JSONDecoder().raw_decode(self.log.rpartition('"calls": ')[2])
        return dict(calls)


@dataclass(frozen=True)
class Project:
    """A project folder and the environment in which `meltano` runs there."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def meltano(self, *arguments: str, **more: str) -> Done:
        """Run `meltano` to its end. Raises MeltanoError unless it succeeds."""
        done = subprocess.run(
            ["meltano", *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        if done.returncode:
            raise MeltanoError(f"meltano {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return Done(done.stdout, done.stderr)

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        """Start `meltano` in a process group of its own; its log goes to the file `started.log`."""
        with (self.folder / "started.log").open("wb") as log:
            return subprocess.Popen(
                ["meltano", *arguments],
                cwd=self.folder,
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def state(self, state_id: str) -> dict[str, Any]:
        """Return the Singer state that Meltano keeps, {} where it keeps none."""
        found: dict[str, Any] = json.loads(self.meltano("state", "get", state_id).answer or "{}")
        return dict(found.get("singer_state", {}))

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables of a command: this machine's without Meltano's and the plugins', then the project's."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        path = f"{programs()}{os.pathsep}{outside['PATH']}"
        return {**outside, "PATH": path, "MELTANO_HUB_URL": NO_HUB, **self.env, **more}


def programs() -> Path:
    """Return the folder with the command `meltano`, which is installed if it is not there."""
    return install(ENVIRONMENT, requirements_in(REQUIREMENTS))


def made(folder: Path) -> Project:
    """Make a project in a folder and install the tap of this checkout and the targets of the tests there."""
    folder.mkdir(parents=True)
    text = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    assert CHECKOUT in text
    (folder / "meltano.yml").write_text(text.replace(CHECKOUT, f"-e '{ROOT}'"), encoding="utf-8")
    project = Project(folder)
    project.meltano("install", "extractor", "tap-usertesting")
    project.meltano("install", "loader", "target-postgres", "target-jsonl")
    for packages in folder.glob(".meltano/loaders/target-postgres/venv/lib/python*/site-packages"):
        (packages / "e2e.py").write_text(SITE, encoding="utf-8")
        (packages / "e2e.pth").write_text("import e2e\n", encoding="utf-8")
    return project


def copied(template: Project, folder: Path, env: Mapping[str, str]) -> Project:
    """Make a project like another, with its plugins, and a state and an environment of its own."""
    folder.mkdir(parents=True)
    shutil.copy(template.folder / "meltano.yml", folder)
    (folder / ".meltano").mkdir()
    for kind in ("extractors", "loaders"):
        (folder / ".meltano" / kind).symlink_to(template.folder / ".meltano" / kind)
    (folder / "output").mkdir()
    return Project(folder, env)


def variables(prefix: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as environment variables, arrays as JSON."""
    return {
        f"{prefix}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }
