"""Serves uniform data in a process of its own: `python -m tests.benchmarks.serve '{"sessions": 500}'`.

The first line of stdout is the tap's settings. Then each line of stdin is answered by a line with the calls since the
last one, counted by kind and status; the end of stdin ends it.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import timedelta

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.sandbox.texts import SENTENCES

CUES = 700  # what people say in an hour
CUE_MS = 5100


def transcript_of_an_hour() -> str:
    """Return a WebVTT document of one hour, some 70 kB."""
    lines = ["WEBVTT", ""]
    for number in range(CUES):
        start = number * CUE_MS
        words = SENTENCES[number % len(SENTENCES)].replace("&", "&amp;")
        speaker = "Participant" if number % 7 else "Moderator"
        lines += [f"{_clock(start)} --> {_clock(start + CUE_MS - 400)}", f"<v {speaker}>{words}</v>", ""]
    return "\n".join(lines)


def _clock(milliseconds: int) -> str:
    return f"0{timedelta(milliseconds=milliseconds, microseconds=1)}"[:12]


def main(data: dict[str, object]) -> None:
    """Serve `World.bulk(**data)`; with `hour`, every transcript is the same one of an hour."""
    hour = data.pop("hour", False)
    world = World.bulk(**data)  # type: ignore[arg-type]  # given as JSON
    if hour:
        text = transcript_of_an_hour()  # one object for all: 5,000 of them would fill the memory
        for session in world.sessions.values():
            session.given_vtt = text
    with Sandbox(world, quota=None) as box:
        print(json.dumps(box.config(test_ids=list(world.tests))), flush=True)
        for _ in sys.stdin:
            counts = Counter(f"{call.kind} {call.status}" for call in box.calls)
            box.clear_calls()
            print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
