"""DuckDB beside the upserts: a run that breaks off, and why the settings and the version are what they are."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.e2e.warehouses import loaders
from tests.e2e.warehouses.recorded import RECORDED, Recording, live
from tests.e2e.warehouses.tables import Streams
from tests.support.environments import install
from tests.support.harness import Warehouse, sync
from tests.support.tables import held, truth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.warehouses.loaders import Loader

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]  # the first run installs

BATCH = 40  # rows: so that a sync of the sandbox fills several
CUTS = 4


def break_off(loader: Loader, messages: list[bytes]) -> dict[str, Any] | None:
    """Load until a line that is no message ends the target; return the last STATE that it has handed on."""
    command = [*loader.target, "--config", str(loader.config)]
    given = b"".join([*messages, b"{\n"])
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=loader.timeout)
    assert done.returncode != 0
    states = done.stdout.splitlines()
    return dict(json.loads(states[-1])) if states else None


def resumed(folder: Path, **settings: object) -> list[tuple[dict[str, Any] | None, bool]]:
    """Break a first sync off at several places, each followed by a sync from the state that the target handed on.

    Returns for each that state, and whether the warehouse then held the sandbox's truth.
    """
    results = []
    with Sandbox(World.seeded(scale="small"), quota=None) as box:
        whole = sync(box.config(), folder, select=RECORDED)
        streams = Streams.of(whole.messages)
        lines = whole.stdout.splitlines(keepends=True)
        for cut in range(1, CUTS + 1):
            place = folder / str(cut)
            place.mkdir()
            with loaders.duckdb(place, batch_size_rows=BATCH, **settings) as loader:
                state = break_off(loader, lines[: len(lines) * cut // (CUTS + 1)])
                loader.load(sync(box.config(), folder, state=state, select=RECORDED).stdout)
                found = live(streams.tables(loader.dump(list(streams.keys)).rows))
            results.append((state, bool(held(Warehouse(tables=found)) == truth(box.world))))
    return results


def test_a_run_that_breaks_off_loses_nothing(tmp_path: Path) -> None:
    """With `flush_all_streams` no state is handed on before every row that it stands for is in the file."""
    results = resumed(tmp_path)
    assert sum(state is not None for state, _ in results) > 1
    assert all(complete for _, complete in results)


def test_without_flush_all_streams_it_does(tmp_path: Path) -> None:
    """The first state goes out while rows of other streams wait: docs/duckdb.md warns of it."""
    assert not all(complete for _, complete in resumed(tmp_path, flush_all_streams=False))


def test_release_0_8_loses_the_first_row_of_each_stream(recording: Recording, streams: Streams, tmp_path: Path) -> None:
    """Why meltano.yml has an older one: a batch is read from a file whose first row is taken for a header."""
    programs = install("duckdb-0.8", ["target-duckdb>=0.8,<0.9", "duckdb<3"])
    with loaders.duckdb(tmp_path) as loader:
        later = replace(loader, target=[str(programs / "target-duckdb")])
        later.load(recording.output("first"))
        found = streams.tables(later.dump(list(streams.keys)).rows)
    expected = recording.rows("first")
    assert {stream: len(rows) - len(found[stream]) for stream, rows in expected.items()} == dict.fromkeys(expected, 1)


def test_an_empty_text_is_null(recording: Recording, streams: Streams, tmp_path: Path) -> None:
    """The one value that is another one in the file; what is nested keeps its empty texts."""
    messages = [json.loads(line) for line in recording.output("first").splitlines()]
    kept = [m for m in messages if m.get("stream") == "qx_scores" or m["type"] == "STATE"]
    record = next(m["record"] for m in kept if m["type"] == "RECORD")
    record |= {"label": "", "raw": {"label": ""}}
    with loaders.duckdb(tmp_path) as loader:
        loader.load(b"".join(json.dumps(message).encode() + b"\n" for message in kept))
        rows = loader.dump(["qx_scores"]).rows["qx_scores"]
    key = {name: record[name] for name in streams.keys["qx_scores"]}
    (row,) = (row for row in rows if key.items() <= row.items())
    assert row["label"] is None
    assert row["raw"] == {"label": ""}
