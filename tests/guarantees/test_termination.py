"""SIGTERM while the target does not keep up."""

from __future__ import annotations

import fcntl
import json
import signal
import struct
import subprocess
import termios
import threading
import time
from typing import TYPE_CHECKING

from tap_usertesting.sandbox import Sandbox, World
from tests.settings.conftest import command
from tests.support.harness import COMMAND, LONG, Warehouse, arguments, sync
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

__all__ = ["command"]

FULL = 32 * 1024  # a pipe holds 64 kB, and the next record does not fit
STILL = 5  # looks in a row that find no more in it


def test_sigterm_with_a_full_pipe_tears_no_line(tmp_path: Path) -> None:
    """The line that is being written is finished, STATE follows, and the exit status tells what happened.

    A slow target, a full pipe, records of 20 kB, SIGTERM.
    """
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(40):
        cue = f"00:00:01.000 --> 00:00:09.000\n{number} " + "and then I looked for it " * 260
        world.add_session(test, vtt=f"WEBVTT\n\n{cue}\n")
    with Sandbox(world) as box:
        options = arguments(box.config(), tmp_path, select=["transcripts"])
        with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            log: list[bytes] = []
            reader = threading.Thread(target=lambda: log.append(process.stderr.read()), daemon=True)  # type: ignore[union-attr]
            reader.start()
            wait_until_stuck(process.stdout)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            assert process.poll() is None, "it left a line unfinished"
            received = b""
            while chunk := process.stdout.read1(4096):  # type: ignore[attr-defined]  # a pipe is buffered
                received += chunk
                time.sleep(0.001)
            assert process.wait(LONG) == 143
            reader.join()

        assert received.endswith(b"\n")
        messages = [json.loads(line) for line in received.splitlines()]
        assert max(len(line) for line in received.splitlines()) > 20_000
        assert messages[-1]["type"] == "STATE"
        assert log[0].decode().count("incomplete:") == 1

        warehouse = Warehouse()
        warehouse.load(messages)
        assert 0 < len(warehouse.tables["transcripts"]) < 40
        rest = sync(box.config(), tmp_path, select=["transcripts"], state=warehouse.state)
    assert len(rest.records()) == 40 - len(warehouse.tables["transcripts"])
    warehouse.load(rest.messages)
    assert_true(warehouse, world, ["transcripts"])


def wait_until_stuck(pipe: IO[bytes]) -> None:
    """Wait until a pipe that nobody reads has filled and its writer is stuck in the next line."""
    before, same, deadline = -1, 0, time.monotonic() + LONG
    while same < STILL:
        assert time.monotonic() < deadline, f"the pipe does not fill: {before} bytes"
        (held,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))
        same = same + 1 if held > FULL and held == before else 0
        before = held
        time.sleep(0.1)


def test_a_signal_on_the_way_out_changes_no_exit_status(command: Callable[..., int], tmp_path: Path) -> None:
    """The status is settled, and the interpreter takes a while to end: from then on no signal is heard."""
    with Sandbox(World(seed=7), quota=None) as box:
        assert command(*arguments(box.config(), tmp_path)) == 0
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == [signal.SIG_IGN] * 2
