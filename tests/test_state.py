"""Killing and stopping the real process: nothing is lost, hardly anything twice, and the exit status says which."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.harness import COMMAND, Synced, Warehouse, arguments, assert_true, sync_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHORT = QuotaRule(limit=10, window=1.0)
LISTING = {"change_source": "listing"}
SOURCES = [pytest.param({}, id="feed"), pytest.param(LISTING, id="listing")]


@dataclass
class Process:
    """A run of the command line whose output is read as it comes, each line with the moment of its arrival."""

    popen: subprocess.Popen[bytes]
    lines: list[tuple[float, bytes]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    readers: list[Thread] = field(default_factory=list)

    @classmethod
    def start(cls, config: dict[str, Any], folder: Path, *, state: dict[str, Any] | None = None) -> Process:
        """Start a sync."""
        options = arguments(config, folder, state=state)
        popen = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process = cls(popen)
        process.readers = [Thread(target=process._read_out), Thread(target=process._read_log)]
        for reader in process.readers:
            reader.start()
        return process

    def _read_out(self) -> None:
        assert self.popen.stdout is not None
        with self.popen.stdout as stdout:
            for line in stdout:
                self.lines.append((time.monotonic(), line))

    def _read_log(self) -> None:
        assert self.popen.stderr is not None
        with self.popen.stderr as stderr:
            for line in stderr:
                self.log.append(line.decode())

    def wait_for(self, what: Callable[[Process], bool], *, seconds: float = 10.0) -> None:
        """Wait until something is seen, at most so many seconds."""
        end = time.monotonic() + seconds
        while not what(self):
            assert time.monotonic() < end, "".join(self.log)
            assert self.popen.poll() is None, "".join(self.log)
            time.sleep(0.002)

    def stop(self, number: int) -> Synced:
        """Send a signal, wait for the end, and return what was written in whole lines."""
        self.popen.send_signal(number)
        return self.ended()

    def ended(self) -> Synced:
        """Wait for the end and return what was written in whole lines."""
        code = self.popen.wait(timeout=10)
        for reader in self.readers:
            reader.join(timeout=10)
        whole = [json.loads(line) for _, line in self.lines if line.endswith(b"\n")]
        return Synced(code, whole, "".join(self.log), b"".join(line for _, line in self.lines))


def records(process: Process) -> int:
    """Return how many records have come."""
    return sum(b'"type":"RECORD"' in line for _, line in process.lines)


@pytest.fixture
def world() -> World:
    """Two tests with rows of every stream, and a removal."""
    world = World(seed=3)
    for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD"):
        test = world.add_test(product_type)
        for _ in range(7):
            world.add_session(test)
        world.reject(next(iter(test.sessions.values())))
    return world


@pytest.fixture
def box(world: World) -> Iterator[Sandbox]:
    """The world under a quota of ten calls a second: most of a run is waiting."""
    with Sandbox(world, quota=SHORT) as running:
        yield running


def assert_resumes(run: Synced, box: Sandbox, config: dict[str, Any]) -> Synced:
    """Assert that going on from the last STATE completes the tables; returns that run."""
    warehouse = Warehouse()
    warehouse.load(run.messages)
    box.set_quota(None)
    resumed = sync_here(config, state=warehouse.state, state_every=1.0)
    assert resumed.exit == 0
    warehouse.load(resumed.messages)
    assert_true(warehouse, box.world)
    return resumed


def rows(run: Synced) -> list[tuple[str, str, str]]:
    """Return what identifies the rows of the bookmarked streams, with the change that each is of."""
    keys = {
        "sessions": "session_id",
        "session_details": "session_id",
        "transcripts": "session_id",
        "qx_scores": "task_group_id",
        "result_changes": "cursor",
    }
    return [
        (message["stream"], message["record"][keys[message["stream"]]], message["record"]["change_type"])
        for message in run.messages
        if message["type"] == "RECORD" and message["stream"] in keys
    ]


# kill -9


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", range(3))
def test_a_killed_run_loses_nothing_and_repeats_at_most_a_second(
    box: Sandbox, tmp_path: Path, seed: int, source: dict[str, Any]
) -> None:
    """A run is killed at a random moment, torn last line or not.

    The next run completes the tables; what it repeats had come less than a second of activity before the kill. (A wait
    for quota is no activity: STATE is written before it.)
    """
    config = box.config(**source)
    process = Process.start(config, tmp_path)
    process.wait_for(lambda running: records(running) > 0)
    time.sleep(random.Random(seed).uniform(0.0, 3.2))  # noqa: S311 - a reproducible moment
    killed = process.stop(signal.SIGKILL)
    resumed = assert_resumes(killed, box, config)

    came = [at for at, line in process.lines if b'"type":"RECORD"' in line]
    stated = [at for at, line in process.lines if b'"type":"STATE"' in line]
    repeated = set(rows(killed)) & set(rows(resumed))
    if killed.exit == -signal.SIGKILL and came:
        since = [at for at in came if not stated or at >= stated[-1]]
        assert len(repeated) <= len(since)
        assert not since or since[-1] - since[0] <= 1.5  # a second, and the noise of a busy machine


def test_a_run_killed_in_a_quota_wait_repeats_nothing(box: Sandbox, tmp_path: Path) -> None:
    """STATE is written before a wait for quota, so a kill in it repeats no call of the log and loses none."""
    box.set_quota(QuotaRule(limit=10, window=8.0))
    config = box.config()
    process = Process.start(config, tmp_path)
    process.wait_for(lambda running: "no calls left in this window" in "".join(running.log))
    process.wait_for(lambda running: b'"type":"STATE"' in running.lines[-1][1], seconds=4.0)
    killed = process.stop(signal.SIGKILL)
    resumed = assert_resumes(killed, box, config)
    assert killed.exit == -signal.SIGKILL
    assert records(process) > 0
    assert not set(rows(killed)) & set(rows(resumed))


# SIGTERM and Ctrl-C


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_stopped_in_a_quota_wait_ends_at_once_with_a_last_state(
    box: Sandbox, tmp_path: Path, number: int, status: int, source: dict[str, Any]
) -> None:
    """A signal in a wait ends the run at once: a last STATE from which nothing is repeated, and one line."""
    box.set_quota(QuotaRule(limit=10, window=30.0))
    config = box.config(**source)
    process = Process.start(config, tmp_path)
    process.wait_for(lambda running: "no calls left in this window" in "".join(running.log))
    began = time.monotonic()
    stopped = process.stop(number)
    assert time.monotonic() - began < 3
    assert stopped.exit == status
    assert len(stopped.lines("incomplete: ")) == 1
    assert "Traceback" not in stopped.log
    assert stopped.messages[-1]["type"] == "STATE"
    resumed = assert_resumes(stopped, box, config)
    assert not set(rows(stopped)) & set(rows(resumed))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("after", [5, 40, 90])  # the first four are of full tables, which have no state
def test_a_run_stopped_while_it_emits_ends_with_a_last_state(
    tmp_path: Path, number: int, status: int, after: int
) -> None:
    """A signal while records are written tears no line: a last STATE that covers every record, and one line."""
    world = World.bulk(tests=3, sessions=400)
    with Sandbox(world) as box:
        config = box.config()
        process = Process.start(config, tmp_path)
        process.wait_for(lambda running: records(running) >= after)
        stopped = process.stop(number)
        assert stopped.exit == status
        assert len(stopped.lines("incomplete: ")) == 1
        assert "Traceback" not in stopped.log
        assert stopped.stdout.endswith(b"\n")
        assert stopped.messages[-1]["type"] == "STATE"
        select = ["sessions"]
        resumed = sync_here(config, state=stopped.state, select=select, state_every=1.0)
        assert not set(rows(stopped)) & set(rows(resumed))
        warehouse = Warehouse()
        warehouse.load(stopped.messages)
        warehouse.load(resumed.messages)
        assert_true(warehouse, world, select)
