"""Virtual environments beside the project's own, for programs that the tests run and the project does not depend on.

Standard library only: programs of the peers import this in environments of their own.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venvs"


class CannotInstallError(Exception):
    """Raised when pip can not install what was asked for; its text is pip's own last error."""


def programs(name: str) -> Path:
    """Return the folder of an environment's commands."""
    return FOLDER / name / "bin"


def install(name: str, requirements: Sequence[str]) -> Path:
    """Make the environment `name` unless it is there with these requirements; return the folder of its commands.

    `requirements` are what pip takes, a relative path from the project's top included. Processes that ask for the same
    one wait for each other. Raises CannotInstallError, and leaves nothing half-made.
    """
    folder = FOLDER / name
    FOLDER.mkdir(exist_ok=True)
    stamp = folder / "installed.txt"
    wanted = "\n".join((*requirements, sys.version))
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return programs(name)
        venv.create(folder, clear=True, with_pip=True)
        command = [str(programs(name) / "python"), "-m", "pip", "install", "--quiet", *requirements]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder)
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise CannotInstallError((errors or ["pip failed"])[-1])
        stamp.write_text(wanted, encoding="utf-8")
    return programs(name)


def listed(path: Path) -> tuple[str, ...]:
    """Return the requirements of a file as `install` takes them, without its comments."""
    lines = (line.split(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
