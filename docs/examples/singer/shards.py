#!/usr/bin/env python3
"""Splits tests into shards that stay the same from run to run: `shards.py COUNT [MESSAGES]`.

Prints a JSON list such as `[{"shard": "0", "test_ids": ["f2ee4e45-19f9-419c-895f-d7b326b94c7f"]}]`, without the shards
that have no test: to the tap, no `test_ids` are all tests. A test is in the shard that its id alone decides, so a new
test moves no other one, and no bookmark is left behind in another shard's state.

The tests are those of TAP_USERTESTING_TEST_IDS. Where that is not set, the tap (TAP, by default
`tap-usertesting --config=ENV`) discovers them, and MESSAGES is a file for what it emits meanwhile: the streams
`workspaces` and `tests`, which stay empty in a sync with `test_ids`. Load it: `target-jsonl < MESSAGES`.

Standard library only; Python 3.10 or newer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

DIRECTORY = ("workspaces", "tests")
READABLE = "STUDYV2"  # tests of another type are older, and their results are not in the Results API


def discovered(messages: Path, choice: Path) -> list[str]:
    """Let the tap write the streams of its discovery; return the ids of the tests that it can read.

    `choice` is a file for the catalog that selects these streams and no other.
    """
    tap = os.environ.get("TAP", "tap-usertesting --config=ENV").split()
    catalog = json.loads(subprocess.run([*tap, "--discover"], check=True, stdout=subprocess.PIPE).stdout)
    for stream in catalog["streams"]:
        (root,) = (item for item in stream["metadata"] if not item["breadcrumb"])
        root["metadata"]["selected"] = stream["tap_stream_id"] in DIRECTORY
    choice.write_text(json.dumps(catalog), encoding="utf-8")
    with messages.open("wb") as out:
        subprocess.run([*tap, "--catalog", str(choice)], check=True, stdout=out)
    with messages.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    tests = [message["record"] for message in found if message["type"] == "RECORD" and message["stream"] == "tests"]
    return [test["test_id"] for test in tests if (test["type"] or "").upper() == READABLE]


def shards(test_ids: list[str], count: int) -> list[dict[str, Any]]:
    """Return the shards that have a test, each with its name and its tests."""
    split: dict[int, list[str]] = {}
    for test_id in sorted(test_ids):
        split.setdefault(UUID(test_id.removeprefix("ut_")).int % count, []).append(test_id)
    return [{"shard": str(number), "test_ids": split[number]} for number in sorted(split)]


def main() -> None:
    """Run the command."""
    count, *files = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        named = json.loads(os.environ.get("TAP_USERTESTING_TEST_IDS") or "null")
        if named is None:
            messages = Path(files[0]) if files else Path(folder, "messages.jsonl")
            named = discovered(messages, Path(folder, "catalog.json"))
    print(json.dumps(shards(named, int(count))))


if __name__ == "__main__":
    main()
