"""How fast the tap reads a long history: `python -m tests.benchmarks.events [--events N] [--rounds N]`.

The first figure compares two ways to write the same rows of `result_changes`: the tap's own and the SDK's default one
(its JSON writer, each row made to fit the schema), in turns A B A B in one process, the median over all rounds. The
others are of whole syncs of one feed answer by the real command line, from a sandbox in another process, less a sync
which finds nothing new, the best of all rounds: events a second; the processor time, start to end, over what the `json`
module takes to read and write each event once, measured beside it; the peak memory; and by how much the processor time
grows where the history doubles. Exits with 1 when rows are missing or too many, or when memory exceeds its bound.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib.encoding import SimpleSingerWriter

from tap_usertesting.tap import TapUserTesting
from tests.benchmarks.bounds import at_most
from tests.benchmarks.syncing import serving, sync

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM = "result_changes"
ROWS = 20_000  # written in one turn: some tenths of a second
SESSIONS = 1000
MOST_OF_JSON = 4.0  # times what the `json` module takes for as many events
MOST_MEMORY = 220  # MB, for 170,000 events
MOST_GROWTH = 3.0  # of the time, where the history doubles


class SdkWriterTap(TapUserTesting):
    """The tap with the SDK's default writer."""

    message_writer_class = SimpleSingerWriter  # type: ignore[assignment]  # the SDK's own type allows any writer


@dataclass(frozen=True)
class History:
    """What a sync of one feed answer took: events, seconds and processor seconds beyond an idle sync, peak bytes."""

    events: int
    seconds: float
    cpu: float
    peak: int


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
    whole = history(options.events, options.rounds)
    of_json = whole.cpu / min(seconds_of_json(whole.events) for _ in range(options.rounds))
    memory = at_most(whole.peak / 1e6, MOST_MEMORY, ".0f")
    print(f"a sync of {whole.events:,} events: {whole.events / whole.seconds:,.0f} events a second")
    print(f"its processor time over that of `json` alone: {at_most(of_json, MOST_OF_JSON, '.2f')}")
    print(f"MB at its peak: {memory}")
    sizes = [options.events // part for part in (8, 4, 2)]
    grows = max(two.cpu / one.cpu for one, two in pairwise([history(size, options.rounds) for size in sizes]))
    print(f"the growth of its processor time where the history doubles: {at_most(grows, MOST_GROWTH, '.2f')}")
    return 1 if whole.peak / 1e6 > MOST_MEMORY else 0


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


def history(events: int, rounds: int) -> History:
    """Read one feed answer of about so many events, again and again."""
    with serving(tests=1, sessions=SESSIONS, events_per_session=max(1, events // SESSIONS)) as server:
        warm = sync(server, server.config, select=[STREAM])  # has the sandbox make its answer
        whole = [sync(server, server.config, select=[STREAM]) for _ in range(rounds)]
        idle = [sync(server, server.config, select=[STREAM], state=warm.state) for _ in range(rounds)]
    found = SESSIONS * max(1, events // SESSIONS)
    assert {(one.rows.total(), one.repeated) for one in whole} == {(found, 0)}
    assert {one.rows.total() for one in idle} == {0}
    return History(
        found,
        min(one.seconds for one in whole) - min(one.seconds for one in idle),
        min(one.cpu for one in whole) - min(one.cpu for one in idle),
        max(one.peak for one in whole),
    )


def seconds_of_json(events: int) -> float:
    """Return the processor seconds that the standard library takes to read and to write as many records."""
    event = {
        "cursor": "ut_801c0cb2d10043b4bc37a3c29df54a1d",
        "responseUuid": "ut_response_25e1df40-f6cc-436e-abe3-ac7d1b6dc533",
        "testResultId": 833433,
        "changeType": "VIDEO_TRANSCRIPTION_UPDATED",
        "changedAt": "2025-10-01T10:37:17.365122+00:00",
    }
    text = json.dumps(event)
    began = time.process_time()
    for _ in range(events):
        json.dumps(json.loads(text))
    return time.process_time() - began


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
