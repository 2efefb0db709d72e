"""Batches: the SDK writes their records later than the stream makes them, so STATE must not run ahead."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tap_usertesting.sandbox import QuotaRule, World
from tests.harness import COMMAND, Warehouse, arguments, assert_true, parse, sync_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_usertesting.sandbox import Sandbox

STREAMS = ["sessions", "session_details"]


def as_records(messages: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Turn BATCH messages into the RECORD messages of their files, and pass on the others."""
    for message in messages:
        if message["type"] != "BATCH":
            yield message
            continue
        for url in message["manifest"]:
            with gzip.open(Path(unquote(urlsplit(url).path)), "rt", encoding="utf-8") as lines:
                for line in lines:
                    yield {"type": "RECORD", "stream": message["stream"], "record": json.loads(line)}


def test_no_state_runs_ahead_of_its_batch(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """Case 20: `batch_config` is set and the quota makes the run wait in mid-batch.

    Whatever STATE a kill leaves as the last one, going on from it completes the tables; and the last one of a whole
    run lets the next run be idle.
    """
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    for _ in range(15):
        world.add_session(test)
    box = serve(world, QuotaRule(limit=10, window=1.2))
    config = box.config()
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
        "batch_size": 4,
    }
    messages = sync_here(config | {"batch_config": batches}, select=STREAMS).messages
    assert any(message["type"] == "BATCH" for message in messages)
    assert not any(message["type"] == "RECORD" for message in messages)

    box.set_quota(None)
    places = [n for n, message in enumerate(messages) if message["type"] == "STATE"]
    assert places, "a run that ended well must leave a STATE"
    for place in places:
        warehouse = Warehouse()
        warehouse.load(as_records(messages[: place + 1]))
        resumed = sync_here(config, state=warehouse.state, select=STREAMS)
        warehouse.load(resumed.messages)
        assert_true(warehouse, world, STREAMS)

    box.clear_calls()
    last = sync_here(config, state=messages[places[-1]]["value"], select=STREAMS)
    assert last.records() == []
    assert {call.kind for call in box.calls} <= {"token", "v1", "feed"}


def test_a_signal_in_mid_batch_leaves_no_state_ahead(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """SIGTERM while the quota is waited for, with half a batch made: the next sync makes those rows again."""
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    for _ in range(15):
        world.add_session(test)
    box = serve(world, QuotaRule(limit=8, window=60))
    config = box.config()
    batches = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": tmp_path.as_uri()}}
    options = arguments(config | {"batch_config": batches}, tmp_path, select=STREAMS)
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert any(b"no calls left" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(timeout=20)
    assert process.returncode == 143
    warehouse = Warehouse()
    warehouse.load(as_records(parse(stdout)))
    box.set_quota(None)
    warehouse.load(sync_here(config, state=warehouse.state, select=STREAMS).messages)
    assert_true(warehouse, world, STREAMS)
