"""How fast the tap reads a long history: `python -m tests.benchmarks.events [--events N] [--rounds N]`.

Two numbers. The first is a ratio, so it holds on a slow machine as well: writing the same rows of `result_changes` by
the tap's own way and by the SDK's default one (its JSON writer, each row made to fit the schema), in turns A B A B in
one process, the median over all rounds. The second is a whole sync of one feed answer by the real command line, from a
sandbox in another process: wall time less that of a sync which finds nothing new, the best of all rounds, since other
work on the machine only ever adds time.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib.encoding import SimpleSingerWriter

from tap_usertesting.tap import TapUserTesting
from tests.shows.measured import bulk_sandbox, measured

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM = "result_changes"
ROWS = 20_000  # written in one turn: some tenths of a second


class SdkWriterTap(TapUserTesting):
    """The tap with the SDK's default writer."""

    message_writer_class = SimpleSingerWriter  # type: ignore[assignment]  # the SDK's own type allows any writer


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=170_000, help="events of the whole sync (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default: %(default)s)")
    options = parser.parse_args()
    ratios = writing(options.rounds)
    print(
        f"writing {ROWS:,} rows: {statistics.median(ratios):.1f} times as fast as the SDK's default way "
        f"({min(ratios):.1f} to {max(ratios):.1f} in {len(ratios)} pairs)"
    )
    events, rate, peak = whole_sync(options.events, options.rounds)
    print(f"a sync of {events:,} events: {rate:,.0f} events a second, {peak / 1e6:.0f} MB at its peak")
    return 0


def writing(rounds: int) -> list[float]:
    """Return by how much the tap's own way is faster, pair by pair; the first pair only warms up."""
    ours, theirs = _stream(TapUserTesting), _stream(SdkWriterTap)
    theirs.TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.RECURSIVE  # the SDK's default
    rows = [_row(number) for number in range(ROWS)]
    pairs = [
        (
            _seconds(rows, ours._write_record_message),  # noqa: SLF001 - the hook of the SDK that the tap overrides
            _seconds(rows, lambda row: Stream._write_record_message(theirs, row)),  # noqa: SLF001 - and what it replaces
        )
        for _ in range(rounds + 1)
    ]
    return [slow / fast for fast, slow in pairs[1:]]


def whole_sync(events: int, rounds: int) -> tuple[int, float, int]:
    """Read one feed answer of about so many events; return how many, events a second, and the peak memory in bytes."""
    sessions = max(1, events // 170)
    with (
        tempfile.TemporaryDirectory() as name,
        bulk_sandbox(tests=1, sessions=sessions, events_per_session=events // sessions) as config,
    ):
        warm = measured(config, Path(name), select=[STREAM])  # has the sandbox make its answer
        whole = [measured(config, Path(name), select=[STREAM]) for _ in range(rounds)]
        idle = [measured(config, Path(name), select=[STREAM], state=warm.state) for _ in range(rounds)]
    seconds = min(one.seconds for one in whole) - min(one.seconds for one in idle)
    found = warm.messages["RECORD"]
    return found, found / seconds, max(one.peak for one in whole)


def _stream(tap: type[TapUserTesting]) -> Stream:
    return tap(config={}, validate_config=False).streams[STREAM]


def _row(number: int) -> dict[str, Any]:
    session_id = f"{number:08x}-0000-4000-8000-000000000000"
    return {
        "test_id": "3f0c2a52-6b57-4a7e-9f53-0d7c4f7b9a11",
        "test_uuid": "ut_3f0c2a52-6b57-4a7e-9f53-0d7c4f7b9a11",
        "cursor": f"ut_{number:032x}",
        "response_uuid": f"ut_response_{session_id}",
        "session_id": session_id,
        "test_result_id": 833_001 + number,
        "change_type": "UPDATED",
        "changed_at": "2026-01-15T11:58:02.000000Z",
    }


def _seconds(rows: list[dict[str, Any]], write: Callable[[dict[str, Any]], None]) -> float:
    """Write copies of the rows, as a writer may change its own, to nowhere."""
    copies = [dict(row) for row in rows]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        began = time.perf_counter()
        for row in copies:
            write(row)
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
