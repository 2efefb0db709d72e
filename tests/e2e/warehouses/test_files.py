"""JSON lines and CSV: files that only grow, in which the last row of a key is the one that holds."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.e2e.warehouses.loaders import REQUIREMENTS, TIMEOUT, offline
from tests.e2e.warehouses.recorded import RECORDED, SYNCS, Recording, last_rows, live
from tests.e2e.warehouses.tables import Streams, assert_same
from tests.support import environments
from tests.support.harness import Warehouse, catalog, parse, sync
from tests.support.tables import held, truth

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]  # the first run installs

# Without the stream maps of docs/files.md target-csv writes what is nested in Python's notation.
NESTED = {
    "session_details": ("session_participant", "session_task_results", "task_groups", "tasks"),
    "task_responses": ("answer",),
    "session_clips": ("layout", "video_regions"),
    "transcripts": ("cues",),
    "qx_scores": ("values_behavioral", "raw"),
}
DOCUMENTED = (environments.ROOT / "docs/files.md").read_text(encoding="utf-8")
STREAM_MAPS = json.loads(re.findall(r"^```json\n(.*?)^```", DOCUMENTED, re.DOTALL | re.MULTILINE)[0])["stream_maps"]
RUNS = ("first", "first", "changes", "changes", "accepted")


def load(command: str, settings: dict[str, Any], folder: Path, messages: bytes) -> dict[str, Any]:
    """Pipe the tap's output into a target; return the last STATE that it wrote."""
    requirements = environments.requirements_in(REQUIREMENTS / f"{command.removeprefix('target-')}.txt")
    program = environments.install(command, requirements) / command
    config = folder / f"{command}.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [program, "--config", config], input=messages, capture_output=True, check=False, timeout=TIMEOUT, env=offline()
    )
    assert done.returncode == 0, done.stderr.decode()
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_json_lines_keep_every_row_and_the_last_of_a_key_is_true(
    recording: Recording, streams: Streams, tmp_path: Path
) -> None:
    """Each run appends; a sync that is repeated writes its rows again; read last row wins, the files are the truth."""
    settings = {"destination_path": str(tmp_path), "do_timestamp_file": False}
    for name in RUNS:
        state = load("target-jsonl", settings, tmp_path, recording.output(name))
    written = [m for m in parse(recording.output(*RUNS)) if m["type"] == "RECORD"]
    rows = {stream: parse((tmp_path / f"{stream}.jsonl").read_bytes()) for stream in streams.keys}

    assert sum(map(len, rows.values())) == len(written)
    tables = streams.tables(rows, last_wins=True)
    assert_same(streams, recording.rows(*SYNCS), tables)
    assert held(Warehouse(tables=live(tables))) == recording.truths["accepted"]
    assert state == parse(recording.output("accepted"))[-1]["value"]


def test_csv_holds_every_row_and_what_is_nested_as_json(tmp_path: Path) -> None:
    """With the documented settings each run writes files of its own, with every column of every row, lists as JSON."""
    world = World.seeded(scale="small")
    with Sandbox(world, quota=None) as box:
        first = sync(box.config(stream_maps=STREAM_MAPS), tmp_path, select=RECORDED)
        world.reject(next(session for session in world.sessions.values() if session.served and session.test.in_feed))
        second = sync(box.config(stream_maps=STREAM_MAPS), tmp_path, state=first.state, select=RECORDED)
    settings = {"output_path": str(tmp_path), "file_naming_scheme": "{stream_name}-{timestamp}.csv"}
    runs = (first, first, second)
    for run in runs:
        load("target-csv", settings, tmp_path, run.stdout)
        time.sleep(1)  # the target names its files by the second

    assert {stream: tuple(maps) for stream, maps in STREAM_MAPS.items()} == NESTED
    streams = Streams.of(first.messages)
    for stream, entry in {entry["stream"]: entry for entry in catalog(())["streams"]}.items():
        if stream not in RECORDED:
            continue
        streams.schemas[stream] = entry["schema"]["properties"]  # as they were before the stream maps
        streams.schemas[stream].pop("_sdc_deleted_at", None)  # the target leaves it out; deleted_at is the same
    rows = {
        stream: [row for path in sorted(tmp_path.glob(f"{stream}-*.csv")) for row in _rows(path, schema)]
        for stream, schema in streams.schemas.items()
    }
    assert sum(map(len, rows.values())) == sum(len(run.records()) for run in runs)
    expected = last_rows([*first.messages, *second.messages])
    for stream, columns in NESTED.items():
        for row in expected[stream].values():
            row |= {column: row[column] and json.loads(row[column]) for column in columns}
    tables = streams.tables(rows, last_wins=True)
    assert_same(streams, expected, tables)
    assert held(Warehouse(tables=live(tables))) == truth(world)


def _rows(path: Path, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Read a file, each text back into what its column declares."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: _value(text, schema[name]) for name, text in row.items() if name in schema}
            for row in csv.DictReader(file)
        ]


def _value(text: str, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    types = schema["type"]
    if text == "" and "null" in types:
        return None
    return text if "string" in types else json.loads(text.lower() if "boolean" in types else text)
