"""Virtual environments for programs that tests run, but that the project does not depend on.

It uses only the standard library, because the benchmarked peers import it in their own environments.
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
    """Pip cannot install a requirement. The message is the last error of pip."""


def programs(name: str) -> Path:
    """Return the folder with the commands of an environment."""
    return FOLDER / name / "bin"


def install(name: str, requirements: Sequence[str]) -> Path:
    """Create the environment `name` unless it exists with these requirements; return the folder with its commands.

    `requirements`: as pip accepts them; paths are relative to the root of the project. Processes that need the same
    environment wait for each other. Raises CannotInstallError, and then leaves no environment behind.
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


def requirements_in(path: Path) -> tuple[str, ...]:
    """Return the requirements in a file, without its comments, for `install`."""
    lines = (line.split(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
