"""The seeds of the dbt project: `python -m tests.published` writes them anew.

They are two syncs of every stream from a small sandbox, before and after a removal, so they have the tap's columns and
values. Only what is of the moment of the sync, and links, have fixed values: so the files are the same each time.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.streams.catalog import STREAMS
from tests.support.environments import ROOT
from tests.support.harness import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "docs" / "examples" / "dbt" / "seeds"
PREFIX = "seed_usertesting__"
TYPES = {
    # name in seeds.yml: where it is what
    "text": "{{ 'text' if target.type == 'postgres' else 'string' }}",
    "number": "{{ 'float64' if target.type == 'bigquery' else 'float8' }}",
    "integer": "bigint",
    "truth": "boolean",
    "time": "timestamp",
}
Table = list[dict[str, Any]]


def world() -> World:
    """One test of each kind, with what the marts are about: a rejected session, a late transcript, changed answers."""
    made = World(seed=11)
    made.add_workspace("Invented research team")
    for kind, count in (("SURVEY", 3), ("NON_THINK_OUT_LOUD", 4), ("THINK_OUT_LOUD", 4), ("LIVE_CONVERSATION", 2)):
        test = made.add_test(kind)
        for number in range(count):
            finished = made.now - timedelta(days=18 - 4 * number, hours=number)
            late = number == count - 1 and test.is_spoken
            # Short ones, so that what is said falls into several tasks.
            began = finished - timedelta(seconds=90 + 30 * number)
            made.add_session(test, started_at=began, finished_at=finished, transcript="later" if late else None)
    return made


def change(made: World) -> None:
    """What happens between the two syncs."""
    by_kind = {test.product_type: list(test.sessions.values()) for test in made.tests.values()}
    made.reject(by_kind["THINK_OUT_LOUD"][1])
    made.transcribe(by_kind["THINK_OUT_LOUD"][-1])
    made.update(by_kind["NON_THINK_OUT_LOUD"][0])


def synced() -> tuple[dict[str, Table], dict[str, Any]]:
    """Return the tables after both syncs, in the order of their keys, and the truth that they are to hold."""
    keys = {stream.name: tuple(stream.primary_keys) for stream in STREAMS}
    tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {name: {} for name in keys}
    made = world()
    state = None
    with tempfile.TemporaryDirectory() as folder, Sandbox(made, quota=None) as box:
        for number in range(2):
            if number:
                change(made)
            done = sync({**box.config(), "video_links": True}, Path(folder), state=state, select=list(keys))
            assert done.exit == 0, done.log
            state = done.state
            for message in done.messages:
                if message["type"] == "RECORD":
                    name, record = message["stream"], message["record"]
                    tables[name][tuple(record[key] for key in keys[name])] = record
    at = made.now + timedelta(minutes=5)
    return {name: [_settled(rows[key], at) for key in sorted(rows)] for name, rows in tables.items()}, made.truth()


def _settled(row: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Return a row without what differs from run to run."""
    fixed = {
        **dict.fromkeys(("fetched_at", "counted_at", "started_at", "finished_at"), at.isoformat()),
        "run_id": "invented",
        "tap_version": "invented",
        "video_url": "https://videos.example.com/session.mp4",
        "expires_at": (at + timedelta(hours=1)).isoformat(),
    }
    settled = {name: fixed[name] if name in fixed and value is not None else value for name, value in row.items()}
    for name in ("deleted_at", "_sdc_deleted_at"):
        # A removal has the time of its event; a row that a new answer no longer has, the time of the sync.
        if settled.get(name) and _moment(settled[name]) > at:
            settled[name] = at.isoformat()
    return settled


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def schema_of(stream: str) -> dict[str, Any]:
    """Return the schema file of a stream."""
    found: dict[str, Any] = json.loads((ROOT / "schemas" / f"{stream}.json").read_text(encoding="utf-8"))
    return found


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    tables, _ = synced()
    written = {f"{PREFIX}{name}.csv": _csv(name, rows) for name, rows in tables.items()}
    return {**written, "seeds.yml": "".join(_declarations(tables))}


def _csv(stream: str, rows: Table) -> str:
    columns = schema_of(stream)["properties"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name], columns[name]) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any, node: dict[str, Any]) -> str:  # noqa: ANN401 - whatever a record holds
    """Return a value as every warehouse reads it: times in UTC without a zone, null as nothing at all."""
    if value is None:
        return ""
    assert value != "", "an empty text would be read as null"
    if node.get("format") == "date-time":
        moment = _moment(value)
        assert not moment.utcoffset()
        return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _declarations(tables: dict[str, Table]) -> Iterator[str]:
    """Yield the parts of seeds.yml. The first column of each type says what it is, the others refer to that."""
    yield "# Written by `python -m tests.published` in the repository of the tap, as are the seeds.\n"
    yield "version: 2\n\nseeds:\n"
    known: set[str] = set()
    for stream in tables:
        schema = schema_of(stream)
        yield f"  - name: {PREFIX}{stream}\n"
        yield f"    description: Invented rows of {stream}, as the tap writes them; nested columns are text.\n"
        yield "    config:\n"
        yield "      enabled: \"{{ var('usertesting_use_seeds') }}\"\n"
        yield "      column_types:\n"
        for name, node in schema["properties"].items():
            kind = _type(node)
            yield f"        {name}: {f'*{kind}' if kind in known else f'&{kind} {json.dumps(TYPES[kind])}'}\n"
            known.add(kind)


def _type(node: dict[str, Any]) -> str:
    """Return the name in TYPES of what a column holds."""
    if node.get("format") == "date-time":
        return "time"
    types = {"integer": "integer", "number": "number", "boolean": "truth"}
    named = [node["type"]] if isinstance(node["type"], str) else node["type"]
    return next((types[kind] for kind in named if kind in types), "text")


def write() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
