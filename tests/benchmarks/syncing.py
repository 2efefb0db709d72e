"""Runs the real command line against a sandbox in another process and tells what it took, read and wrote.

The tap writes into a pipe, as to a target, and what arrives is counted at once: 5,000 transcripts of an hour are close
to a gigabyte of rows, which would otherwise measure the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tests.support.harness import COMMAND, arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
LAUNCHER = Path(__file__).with_name("launcher.py")


class _Key(msgspec.Struct, gc=False):
    """The columns of which some are the key of each stream."""

    test_id: str | None = None
    session_id: str | None = None
    cursor: str | None = None
    stream: str | None = None
    task_group_id: str | None = None
    workspace_id: str | None = None

    def as_text(self) -> str:
        return f"{self.test_id}/{self.session_id}/{self.cursor}/{self.task_group_id}/{self.workspace_id}/{self.stream}"


class _Message(msgspec.Struct, gc=False):
    type: str
    stream: str = ""
    record: _Key | None = None


@dataclass(frozen=True)
class Took:
    """What a sync took: wall and processor seconds, peak bytes, calls by kind and status, and what it wrote.

    `rows`: by stream. `repeated`: rows whose key had been written before. `state`: the last STATE, `state_bytes` the
    longest one.
    """

    seconds: float
    cpu: float
    peak: int
    calls: Counter[str]
    rows: Counter[str]
    repeated: int
    states: int
    state_bytes: int
    state: dict[str, Any]


class Server:
    """A sandbox in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read the settings that the process prints first."""
        self._process = process
        self.config: dict[str, Any] = json.loads(self._line())

    def calls(self) -> Counter[str]:
        """Return the calls since the last time, by kind and status."""
        assert self._process.stdin is not None
        self._process.stdin.write("calls\n")
        self._process.stdin.flush()
        return Counter(json.loads(self._line()))

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextlib.contextmanager
def serving(**data: object) -> Iterator[Server]:
    """Serve uniform data (see `serve.py`) until the context ends."""
    command = [sys.executable, "-m", "tests.benchmarks.serve", json.dumps(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield Server(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()  # tells it to end


def sync(
    server: Server,
    config: dict[str, Any],
    *,
    state: dict[str, Any] | None = None,
    select: Sequence[str] | None = None,
) -> Took:
    """Sync once, alone with the sandbox. The run must succeed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measures, pipe, log = folder / "measures.json", folder / "pipe", folder / "log.txt"
        os.mkfifo(pipe)
        options = arguments(config, folder, state=state, select=select)
        launch = [sys.executable, "-S", str(LAUNCHER), str(measures), str(pipe), str(log)]
        with subprocess.Popen([*launch, *COMMAND, *options], cwd=ROOT) as process, pipe.open("rb") as lines:
            rows, keys, states, state_bytes, last = Counter[str](), set[int](), 0, 0, b"{}"
            decoder = msgspec.json.Decoder(_Message)
            for line in lines:
                message = decoder.decode(line)
                if message.record is not None:
                    rows[message.stream] += 1
                    keys.add(hash((message.stream, message.record.as_text())))
                elif message.type == "STATE":
                    states, state_bytes, last = states + 1, max(state_bytes, len(line)), line
            process.wait()
        took = json.loads(measures.read_text(encoding="utf-8"))
        assert took["exit"] == 0, log.read_text(encoding="utf-8")
    return Took(
        seconds=took["seconds"],
        cpu=took["cpu"],
        peak=took["peak"],
        calls=server.calls(),
        rows=rows,
        repeated=rows.total() - len(keys),
        states=states,
        state_bytes=state_bytes,
        state=json.loads(last).get("value", {}),
    )
