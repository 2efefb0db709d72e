"""The real PostgreSQL target beside the model: it is fed what each run wrote, and its tables must be true as well."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_usertesting.streams.catalog import STREAMS
from tests.demo.errors import log_tail
from tests.demo.postgres import Database
from tests.support.completeness import disagreements
from tests.support.environments import ROOT, install, requirements_in
from tests.support.harness import Warehouse
from tests.support.tables import ACCOUNTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REQUIREMENTS = ROOT / "tests" / "demo" / "requirements.txt"
LONGEST = 120.0  # seconds that one load may take

KEYS = {stream.name: stream.primary_keys for stream in STREAMS}


class NoTargetError(Exception):
    """Raised when there is no PostgreSQL to load into; the message says why."""


@dataclass(frozen=True)
class Target:
    """The command of the target, and the server that it loads into."""

    command: Path
    database: Database


@contextlib.contextmanager
def postgres_target() -> Iterator[Target]:
    """Install the target and its server unless they are there, and run the server. Raises NoTargetError."""
    programs = install("postgres", requirements_in(REQUIREMENTS))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "server"
        # A session of its own: Ctrl-C reaches the suite alone. However that ends, stdin closes, and so ends the server.
        with subprocess.Popen(
            [str(programs / "python"), "-m", "tests.chaos.server", str(place)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as server:
            assert server.stdout is not None
            named = server.stdout.readline().strip()
            if not named:
                raise NoTargetError(server.communicate()[1].strip() or "the server of PostgreSQL did not start")
            database = Database(programs=Path(named), socket=place, env=dict(os.environ))
            yield Target(programs / "target-postgres", database)


class Mirror:
    """One seed's schema in PostgreSQL."""

    def __init__(self, target: Target, folder: Path, *, seed: int) -> None:
        """Nothing is loaded yet. `folder` takes the target's settings and log."""
        self.loads = 0
        self._target = target
        self._schema = f"seed_{seed}"
        self._settings = folder / "target.json"
        self._log = folder / "target.log"
        settings = {
            "sqlalchemy_url": target.database.url,
            "default_target_schema": self._schema,
            "add_record_metadata": True,
        }
        self._settings.write_text(json.dumps(settings), encoding="utf-8")

    def load(self, messages: Sequence[dict[str, Any]]) -> list[str]:
        """Run the target over the messages of one run of the tap; returns what was wrong."""
        if not messages:
            return []
        self.loads += 1
        command = [str(self._target.command), "--config", str(self._settings)]
        lines = "".join(json.dumps(message) + "\n" for message in messages)
        try:
            with self._log.open("wb") as log:
                done = subprocess.run(
                    command, input=lines.encode(), stdout=subprocess.PIPE, stderr=log, timeout=LONGEST, check=False
                )
        except subprocess.TimeoutExpired:
            return [f"target-postgres did not end in {LONGEST:.0f} s"]
        if done.returncode:
            return [f"target-postgres ended with status {done.returncode}:{log_tail(self._log)}"]
        kept = [json.loads(line) for line in done.stdout.splitlines()]
        # An empty STATE, which the SDK writes where a first sync begins, its targets do not repeat.
        written = [message["value"] for message in messages if message["type"] == "STATE" and message["value"]]
        if kept[-1:] != written[-1:]:
            return ["target-postgres ended with another state than the tap's last"]
        return []

    def unaccounted(self) -> list[dict[str, Any]]:
        """Return what `sync_status` and the tables do not agree on, by the query that the documentation gives."""
        names = {row["tablename"] for row in self._names()}
        if not {"sync_status", *ACCOUNTED} <= names:
            return []  # this scene reads the list alone
        return self._target.database.rows(disagreements(self._schema))

    def _names(self) -> list[dict[str, Any]]:
        query = f"SELECT tablename FROM pg_tables WHERE schemaname = '{self._schema}'"  # noqa: S608 - a name of this module
        return self._target.database.rows(query)

    def tables(self) -> Warehouse:
        """Return what the schema holds now, but for the rows that are marked as deleted."""
        database = self._target.database
        found = Warehouse()
        for name in (row["tablename"] for row in self._names() if row["tablename"] != "sync_status"):
            live = database.rows(f"SELECT * FROM {self._schema}.{name} WHERE _sdc_deleted_at IS NULL")  # noqa: S608 - as above
            found.tables[name] = {tuple(row[part] for part in KEYS[name]): row for row in live}
        return found
