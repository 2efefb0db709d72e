"""A fresh clone of this working tree, and the environment of someone who has just made it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from itertools import count
from pathlib import Path

from tests.published.pages import ROOT

PORT = 8765  # of the sandbox on every page
FILES_WITH_THE_PORT = ("meltano.yml",)
AUTHOR = ("-c", "user.name=reader", "-c", "user.email=reader@localhost", "-c", "commit.gpgsign=false")
# Of the shell around this process: settings of programs on the pages, and what an activated environment or make sets.
NOT_THE_READERS = re.compile(
    r"TAP|TARGET|(TAP|TARGET|MELTANO|USERTESTING|DBT|AIRFLOW|DAGSTER|PIPX|PYTEST|CONDA)_.*|COV_.*|COVERAGE_.*|PYTHON.*"
    r"|VIRTUAL_ENV.*|VENV|MAKE.*|MFLAGS|XDG_\w+_HOME|GIT_(DIR|WORK_TREE|INDEX_FILE)|BASH_ENV|ENV|PROMPT_COMMAND"
)
NEW_ENOUGH = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"


def free_port() -> int:
    """Return the port of the pages if nobody listens there, else one near it that is free."""
    for port in count(PORT):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError


def cloned(folder: Path, port: int = PORT) -> Path:
    """Make a repository with one commit of what is here: changed and new files as well, none that git ignores."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    if port != PORT:
        for name in FILES_WITH_THE_PORT:
            text = (folder / name).read_text(encoding="utf-8")
            (folder / name).write_text(text.replace(str(PORT), str(port)), encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, *AUTHOR, "commit", "--quiet", "--message", "As it is")
    return folder


def left_in(folder: Path) -> str:
    """What git sees in a clone that is not as it was made: changed files and new ones."""
    return git(folder, "status", "--porcelain")


def git(folder: Path, *arguments: str) -> str:
    """Run git and return what it printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=env, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return done.stdout


def environment(home: Path) -> dict[str, str]:
    """Return the variables of a reader with an empty HOME: no environment is active, and nothing is set for the tap.

    What the machine needs to reach its package index stays, and so does the cache of what was downloaded from there.
    """
    env = {name: value for name, value in os.environ.items() if not NOT_THE_READERS.fullmatch(name)}
    path = [entry for entry in env["PATH"].split(os.pathsep) if entry and not _is_ours(Path(entry))]
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    env |= {"HOME": str(home), "PATH": os.pathsep.join(path), "XDG_CACHE_HOME": cache}
    if not _has_python(env):
        # The interpreter under the environment of this process.
        base = Path(getattr(sys, "_base_executable", sys.executable)).resolve().parent
        env["PATH"] = os.pathsep.join([str(base), *path])
    return env


def _is_ours(entry: Path) -> bool:
    return entry.resolve().is_relative_to(ROOT) or (entry.parent / "pyvenv.cfg").exists()


def _has_python(env: dict[str, str]) -> bool:
    program = shutil.which("python3", path=env["PATH"])
    return program is not None and not subprocess.run([program, "-c", NEW_ENOUGH], env=env, check=False).returncode
