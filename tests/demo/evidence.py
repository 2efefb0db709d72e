"""What the demo keeps in PostgreSQL beside the tap's tables, in the schema `demo`, so that SQL can compare.

`demo.before`: the rows of the three tables of sessions before the second sync. `demo.calls`: what each sync asked the
sandbox for, from the sandbox's own log.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.demo import queries

if TYPE_CHECKING:
    from tests.demo.pipeline import Sync
    from tests.demo.postgres import Database

_CREATE = """\
CREATE SCHEMA demo;
CREATE TABLE demo.calls (
  sync integer,
  at double precision,
  kind text,
  status integer,
  quota integer,
  window_closes double precision
);
"""


def prepare(database: Database) -> None:
    """Make the schema and its table of calls."""
    database.execute(_CREATE)


def keep_calls(database: Database, number: int, sync: Sync, *, quota: int) -> None:
    """Add the calls of a sync, in seconds since its first; `quota`: the most in a window."""
    start = min((call.at for call in sync.calls), default=0.0)
    rows = [
        {
            "sync": number,
            "at": call.at - start,
            "kind": call.kind,
            "status": call.status,
            "quota": quota,
            "window_closes": None if call.window_closes is None else call.window_closes - start,
        }
        for call in sync.calls
    ]
    text = json.dumps(rows).replace("'", "''")
    given = f"json_populate_recordset(NULL::demo.calls, '{text}')"
    database.execute(f"INSERT INTO demo.calls SELECT * FROM {given}")  # noqa: S608 - quoted above


def keep_rows(database: Database) -> None:
    """Keep what the tables of sessions hold now as what was before."""
    database.execute(f"CREATE TABLE demo.before AS\n{queries.CONTENTS}")
