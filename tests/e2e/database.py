"""A PostgreSQL server for the length of a test session, and a database of it per test.

The server's programs are in an environment of their own (the demo's requirements), so this module is also a program
there: `python -m tests.e2e.database FOLDER` runs an empty server until its standard input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.demo.postgres import SUPERUSER, postgres
from tests.support.environments import ROOT, install, requirements_in

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = "postgres"


@dataclass(frozen=True)
class Server:
    """A running server, reached through a socket in a folder."""

    programs: Path
    socket: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def database(self) -> Database:
        """Make an empty database."""
        made = Database(self, f"e2e_{next(self._numbers)}")
        Database(self, SUPERUSER).run(f"CREATE DATABASE {made.name}")
        return made


@dataclass(frozen=True)
class Database:
    """A database of the server: its address, and SQL on it."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        """SQLAlchemy's address of the database."""
        return f"postgresql+psycopg://{SUPERUSER}@/{self.name}?host={self.server.socket}"

    @property
    def user(self) -> str:
        """Whoever may do everything; the server trusts the socket and asks for no password."""
        return SUPERUSER

    def run(self, sql: str) -> str:
        """Run statements and return what they print, unaligned. Raises CalledProcessError."""
        command = [str(self.server.programs / "psql"), "-h", str(self.server.socket), "-U", SUPERUSER, "-d", self.name]
        command += ["-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        return subprocess.run(command, input=sql, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT, values as JSON gives them. Raises CalledProcessError."""
        answer = self.run(f"SELECT coalesce(json_agg(row_to_json(a_row)), '[]') FROM ({query}) AS a_row")  # noqa: S608 - the tests' own
        found: list[dict[str, Any]] = json.loads(answer)
        return found


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Run an empty server, reachable by nobody else. It ends with this process, however that ends."""
    programs = install(ENVIRONMENT, requirements_in(ROOT / "tests" / "demo" / "requirements.txt"))
    # Not pytest's own folder: a socket's address has to fit into some hundred bytes.
    with tempfile.TemporaryDirectory(prefix="e2e-") as folder:
        command = [str(programs / "python"), "-m", __name__, folder]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            if ready:
                yield Server(programs=Path(ready.strip()), socket=Path(folder) / "server")
            process.communicate()
        if not ready or process.returncode:
            raise RuntimeError(f"the PostgreSQL server ended with status {process.returncode}")


def main(folder: str) -> None:
    """Run a server in `folder`, print where its programs are, and wait."""
    with postgres(Path(folder) / "server", dict(os.environ)) as database:
        print(database.programs, flush=True)  # noqa: T201 - the answer to whoever started this
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
