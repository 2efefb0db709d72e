"""The targets as programs: each loads the tap's output into a place of its own and tells what is there afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.warehouses.tables import Dump
from tests.support.environments import ROOT, install, requirements_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HERE = Path(__file__).parent
REQUIREMENTS = HERE.parent / "requirements"
DATABASE, SCHEMA = "ANALYTICS", "USERTESTING"
# What the pages of the warehouses under docs/ tell users to set, and why.
SNOWFLAKE = {"default_target_schema": SCHEMA, "add_record_metadata": True}
BIGQUERY = {"method": "batch_job", "denormalized": True, "upsert": True, "dedupe_before_upsert": True}
DUCKDB = {"default_target_schema": SCHEMA.lower(), "add_metadata_columns": True, "flush_all_streams": True}
TIMEOUT = 100.0  # seconds for one run of a target
START = 30.0  # seconds for a server to answer
# Nothing may leave this machine: whatever wants https is sent to a port where nobody listens.
OFFLINE = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@dataclass(frozen=True)
class Loader:
    """A target's command with its settings in a file, and the command that shows what it has loaded."""

    target: list[str]
    config: Path
    reader: list[str]
    env: Mapping[str, str]
    timeout: float = TIMEOUT
    quiet: bool = False
    """Whether the programs' logs may not be shown: errors of a database can quote rows."""

    def load(self, messages: bytes) -> dict[str, Any]:
        """Pipe the tap's output into the target; return the last STATE that it wrote."""
        states = self._run([*self.target, "--config", str(self.config)], messages).splitlines()
        return dict(json.loads(states[-1]))

    def dump(self, streams: list[str]) -> Dump:
        """Return what the warehouse holds of these streams."""
        found = json.loads(self._run([*self.reader, str(self.config), *streams], b""))
        types = {name: found[name]["types"] for name in streams}
        return Dump(types=types, rows={name: found[name]["rows"] for name in streams})

    def drop(self) -> None:
        """Remove the schema or dataset with all its tables."""
        self._run([*self.reader, str(self.config), "--drop"], b"")

    def _run(self, command: list[str], given: bytes) -> bytes:
        done = subprocess.run(
            command, input=given, capture_output=True, check=False, timeout=self.timeout, env=self.env
        )
        log = "its log is not shown" if self.quiet else done.stderr.decode()[-5000:]
        assert done.returncode == 0, f"{Path(command[0]).name} ended with status {done.returncode}: {log}"
        return done.stdout


def environment(name: str) -> Path:
    """Return the folder of a target's commands, installed when it is not there."""
    return install(name, requirements_in(REQUIREMENTS / f"{name}.txt"))


@contextlib.contextmanager
def snowflake(folder: Path) -> Iterator[Loader]:
    """The real target-snowflake, and a fakesnow server in the place of Snowflake."""
    programs = environment("snowflake")
    port = _free_port()
    config = folder / "snowflake.json"
    settings = {"account": "fakesnow", "user": "fake", "password": "snow", "database": DATABASE}
    config.write_text(json.dumps({**settings, **SNOWFLAKE}))
    env = offline() | {"FAKESNOW_PORT": str(port), "FAKESNOW_SCHEMA": SCHEMA}
    python = str(programs / "python")
    with _served([str(programs / "fakesnow"), "-s", "-p", str(port)], folder / "fakesnow.log", env) as server:
        _wait(server, folder / "fakesnow.log", lambda: _answers(port))
        yield Loader(
            [python, str(HERE / "snowflake_bridge.py")], config, [python, str(HERE / "snowflake_rows.py")], env
        )


@contextlib.contextmanager
def bigquery(folder: Path) -> Iterator[Loader]:
    """The real target-bigquery, and a server of our own in the place of BigQuery's REST API."""
    programs = environment("bigquery")
    python, ready = str(programs / "python"), folder / "bigquery-ready.json"
    config = folder / "bigquery.json"
    serve = [python, "-m", "tests.e2e.warehouses.bigquery_server", str(ready)]
    with _served(serve, folder / "bigquery.log", offline()) as server:
        _wait(server, folder / "bigquery.log", ready.exists)
        place = json.loads(ready.read_text())
        settings = {
            "project": "stand-in",
            "dataset": SCHEMA.lower(),
            "credentials_json": json.dumps(place["credentials"]),
        }
        config.write_text(json.dumps({**settings, **BIGQUERY}))
        env = offline() | {"BIGQUERY_EMULATOR_HOST": place["host"]}
        yield Loader([python, str(HERE / "bigquery_bridge.py")], config, [python, str(HERE / "bigquery_rows.py")], env)


@contextlib.contextmanager
def duckdb(folder: Path, **settings: object) -> Iterator[Loader]:
    """The real target-duckdb and a real file; `settings` beside the documented ones."""
    programs = environment("duckdb")
    config = folder / "duckdb.json"
    config.write_text(json.dumps({"filepath": str(folder / "warehouse.duckdb"), **DUCKDB, **settings}))
    reader = [str(programs / "python"), str(HERE / "duckdb_rows.py")]
    yield Loader([str(programs / "target-duckdb")], config, reader, offline())


def offline() -> dict[str, str]:
    """Return this process's environment without the settings of any tap or target, and without a way out."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "TARGET_", "SNOWFLAKE_"))}
    return own | OFFLINE


@contextlib.contextmanager
def _served(command: list[str], log: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the length of a block."""
    with log.open("wb") as written:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=written, stderr=written, env=env, cwd=ROOT)
        try:
            yield server
        finally:
            server.terminate()
            server.communicate(timeout=START)


def _wait(server: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + START
    while not ready():
        assert server.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < until, f"not ready after {START:.0f} s: {log.read_text(encoding='utf-8')}"
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
