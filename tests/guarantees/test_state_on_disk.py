"""Killing and stopping the real process: nothing is lost, hardly anything twice, and the exit status says which."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.support.harness import COMMAND, LONG, Synced, Warehouse, arguments, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.simulated_time import SimulatedTime

ENDLESS = QuotaRule(limit=10, window=170.0)  # who waits for its end hangs
LISTING = {"change_source": "listing"}
SOURCES = [pytest.param({}, id="feed"), pytest.param(LISTING, id="listing")]


@dataclass
class Process:
    """A run of the command line whose output is read as it comes; after `most` records only once it was told to end."""

    popen: subprocess.Popen[bytes]
    most: int | None = None
    lines: list[bytes] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    readers: list[Thread] = field(default_factory=list)
    told: Event = field(default_factory=Event)

    @classmethod
    def start(
        cls,
        config: dict[str, Any],
        folder: Path,
        *,
        command: list[str] = COMMAND,
        most: int | None = None,
    ) -> Process:
        """Start a sync."""
        popen = subprocess.Popen([*command, *arguments(config, folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process = cls(popen, most)
        process.readers = [Thread(target=process._read_out), Thread(target=process._read_log)]
        for reader in process.readers:
            reader.start()
        return process

    def _read_out(self) -> None:
        assert self.popen.stdout is not None
        with self.popen.stdout as stdout:
            for line in stdout:
                self.lines.append(line)
                if self.most is not None and records(self) >= self.most:
                    self.told.wait(LONG)

    def _read_log(self) -> None:
        assert self.popen.stderr is not None
        with self.popen.stderr as stderr:
            for line in stderr:
                self.log.append(line.decode())

    def wait_for(self, what: Callable[[Process], bool]) -> None:
        """Wait until something is seen."""
        end = time.monotonic() + LONG
        while not what(self):
            assert time.monotonic() < end, "".join(self.log)
            assert self.popen.poll() is None, "".join(self.log)
            time.sleep(0.002)

    def stop(self, number: int) -> Synced:
        """Send a signal, wait for the end, and return what was written in whole lines."""
        self.popen.send_signal(number)
        self.told.set()
        return self.ended()

    def ended(self) -> Synced:
        """Wait for the end and return what was written in whole lines."""
        code = self.popen.wait(LONG)
        for reader in self.readers:
            reader.join(LONG)
        whole = [json.loads(line) for line in self.lines if line.endswith(b"\n")]
        return Synced(code, whole, "".join(self.log), b"".join(self.lines))


def records(process: Process) -> int:
    """Return how many records have come."""
    return sum(b'"type":"RECORD"' in line for line in process.lines)


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
    """The world, without a quota."""
    with Sandbox(world, quota=None) as running:
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
@pytest.mark.parametrize("call", [6, 13, 22])
def test_a_killed_run_loses_nothing_and_repeats_what_no_state_has_told(
    box: Sandbox, tmp_path: Path, call: int, source: dict[str, Any]
) -> None:
    """A run is killed at some call, torn last line or not. The next run completes the tables."""
    config = box.config(**source)
    came, killed = Event(), Event()

    def hold(_call: object) -> None:
        came.set()
        killed.wait(LONG)

    box.before("any", hold, skip=call)
    process = Process.start(config, tmp_path)
    assert came.wait(LONG)
    ended = process.stop(signal.SIGKILL)
    killed.set()
    assert ended.exit == -signal.SIGKILL
    resumed = assert_resumes(ended, box, config)
    stated = max((n for n, message in enumerate(ended.messages) if message["type"] == "STATE"), default=-1)
    since = Synced(0, ended.messages[stated + 1 :], "")
    assert set(rows(ended)) & set(rows(resumed)) <= set(rows(since))


@pytest.mark.parametrize("source", SOURCES)
def test_state_is_at_most_a_second_of_activity_behind(
    world: World, simulated_time: SimulatedTime, source: dict[str, Any]
) -> None:
    """Where each call takes a quarter of a second, a kill repeats the rows of four calls, and that of the fifth."""
    simulated_time.latency = 0.25
    with simulated_time.serve(world) as box:
        run = sync_here(box.config(**source, parallel_streams=False), state_every=1.0)
    behind = [0]
    for message in run.messages:
        if message["type"] == "STATE":
            behind.append(0)
        elif message["type"] == "RECORD" and message["stream"] in {"session_details", "transcripts"}:
            behind[-1] += message["record"]["deleted_at"] is None  # these are made of a call each
    assert 1 < max(behind) <= 5


def test_a_run_killed_in_a_quota_wait_repeats_nothing(box: Sandbox, tmp_path: Path) -> None:
    """STATE is written before a wait for quota, so a kill in it repeats no call of the log and loses none."""
    box.set_quota(ENDLESS)
    config = box.config()
    process = Process.start(config, tmp_path)
    process.wait_for(lambda running: "no calls left in this window" in "".join(running.log))
    process.wait_for(lambda running: b'"type":"STATE"' in running.lines[-1])
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
    box.set_quota(ENDLESS)
    config = box.config(**source)
    process = Process.start(config, tmp_path)
    process.wait_for(lambda running: "no calls left in this window" in "".join(running.log))
    stopped = process.stop(number)
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
        process = Process.start(config, tmp_path, most=after)
        process.wait_for(lambda running: records(running) >= after)
        stopped = process.stop(number)
        assert stopped.exit == status
        assert len(stopped.lines("incomplete: ")) == 1
        assert "Traceback" not in stopped.log
        assert stopped.stdout.endswith(b"\n")
        assert stopped.messages[-1]["type"] == "STATE"
        # The stopped run may have come to sessions, and then it says in sync_status how many it had read.
        select = ["sessions", "sync_status"]
        resumed = sync_here(config, state=stopped.state, select=select, state_every=1.0)
        assert not set(rows(stopped)) & set(rows(resumed))
        warehouse = Warehouse()
        warehouse.load(stopped.messages)
        warehouse.load(resumed.messages)
        assert_true(warehouse, world, ["sessions"])
