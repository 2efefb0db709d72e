"""The checks of this folder on the real services, for `.github/workflows/live.yml`; a run by hand is the same.

    python -m tests.e2e.warehouses.live --source sandbox --into snowflake
    python -m tests.e2e.warehouses.live --source api --into none

`--source sandbox` loads the recording of the tests, and its truth is the sandbox's. `--source api` reads the tests in
TAP_USERTESTING_TEST_IDS with the tap's own environment settings, twice, and its truth is what the tap wrote: nobody
else knows what the live API holds. Values of columns, and logs of the programs, are never shown.

The target's settings are the JSON object in TARGET_SNOWFLAKE_CONFIG or TARGET_BIGQUERY_CONFIG, without a schema or
dataset: a new one is made for each run and dropped at its end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.warehouses.loaders import BIGQUERY, HERE, SNOWFLAKE, Loader, environment
from tests.e2e.warehouses.recorded import RUNS, SYNCS, last_rows, live, record
from tests.e2e.warehouses.tables import Streams, assert_same
from tests.support.harness import COMMAND, Warehouse, parse, sync
from tests.support.tables import held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.e2e.warehouses.recorded import Tables, Truth

SYNC_TIMEOUT = 3000.0  # seconds: 10 calls a minute
LOAD_TIMEOUT = 900.0


@dataclass(frozen=True)
class Load:
    """What one run of a target is given, and what the warehouse must hold after it."""

    output: bytes
    expected: Tables
    truth: Truth | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.warehouses.live", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--source", choices=("sandbox", "api"), required=True, help="where the rows come from")
    parser.add_argument("--into", choices=("snowflake", "bigquery", "none"), required=True, help="where they go")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="live-check-") as name:
        folder = Path(name)
        try:
            loader = None if chosen.into == "none" else _loader(chosen.into, folder)
            loads = list(from_api(folder) if chosen.source == "api" else from_sandbox(folder))
            _say(f"{chosen.source}: {_counted(loads[-1].expected)}")
            if loader is not None:
                loader = replace(loader, quiet=chosen.source == "api")
                try:
                    check(loader, loads, null_arrays=chosen.into != "bigquery")
                finally:
                    loader.drop()
        except AssertionError as error:
            _say(f"failed: {error}")
            return 1
    _say("every row and every column is right")
    return 0


def from_sandbox(folder: Path) -> Iterator[Load]:
    """Record three syncs of a sandbox."""
    recording = record(folder)
    for run in RUNS:
        expected = recording.rows(*SYNCS[: SYNCS.index(run[-1]) + 1])
        yield Load(recording.output(*run), expected, recording.truths[run[-1]])


def from_api(folder: Path) -> Iterator[Load]:
    """Try the live API with `--test`, then sync twice, the second time from the state of the first."""
    assert os.environ.get("TAP_USERTESTING_TEST_IDS"), "set TAP_USERTESTING_TEST_IDS: a check is not to read them all"
    outputs: list[bytes] = []
    state: dict[str, Any] | None = None
    for name, options in (("--test", ["--test"]), ("first sync", []), ("second sync", [])):
        kept = None if name == "--test" else state
        done = sync({}, folder, state=kept, args=["--config=ENV", *options], timeout=SYNC_TIMEOUT)
        assert done.exit == 0, f"{COMMAND[-1]}, {name}, ended with status {done.exit}"
        Warehouse().load(done.messages)  # every record fits its schema
        if name == "--test":
            continue
        state = done.state
        outputs.append(done.stdout)
        yield Load(b"".join(outputs), last_rows(parse(b"".join(outputs))))


def check(loader: Loader, loads: Sequence[Load], *, null_arrays: bool) -> None:
    """Load and compare, once per load. Raises AssertionError with stream, key and column of the first difference."""
    streams = Streams.of(parse(loads[0].output))
    for load in loads:
        loader.load(load.output)
        found = streams.tables(loader.dump(list(streams.keys)).rows)
        assert_same(streams, load.expected, found, null_arrays=null_arrays)
        # Not compared by the assertion itself: it would show values.
        assert load.truth is None or bool(held(Warehouse(tables=live(found))) == load.truth), "not the sandbox's truth"


def _loader(into: str, folder: Path) -> Loader:
    """Return the real target with its settings from the environment and a schema of its own."""
    variable = f"TARGET_{into.upper()}_CONFIG"
    given = os.environ.pop(variable, "")
    assert given, f"set {variable}: the target's settings as a JSON object"
    settings = {**json.loads(given), **(SNOWFLAKE if into == "snowflake" else BIGQUERY)}
    place = f"USERTESTING_CHECK_{datetime.now(tz=timezone.utc):%Y%m%d_%H%M%S}"
    settings |= {"default_target_schema": place} if into == "snowflake" else {"dataset": place.lower()}
    config = folder / "target.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps(settings), encoding="utf-8")
    programs = environment(into)
    reader = [str(programs / "python"), str(HERE / f"{into}_rows.py")]
    own = {name: value for name, value in os.environ.items() if not name.startswith("TAP_USERTESTING_")}
    return Loader([str(programs / f"target-{into}")], config, reader, own, timeout=LOAD_TIMEOUT)


def _counted(tables: Tables) -> str:
    return ", ".join(f"{len(rows)} {stream}" for stream, rows in tables.items())


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the check's report


if __name__ == "__main__":
    sys.exit(main())
