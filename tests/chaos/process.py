"""One run of the real command line, struck by a signal at a drawn moment; what it wrote, checked for form."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.harness import COMMAND, SESSION_STREAMS, arguments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LONGEST = 90.0  # seconds; a run that takes longer hangs
WAITING = 0.05  # seconds without a call: the tap waits for quota, for its next try or for an answer
STOPPED = {signal.SIGTERM: 143, signal.SIGINT: 130}


@dataclass(frozen=True)
class Blow:
    """A signal, so many seconds after the nth call of the run came in; `twice`: by an impatient user."""

    signal: signal.Signals
    call: int
    seconds: float
    twice: bool = False

    def __str__(self) -> str:
        """Return it as the log of a repeated seed shows it."""
        return f"{self.signal.name}{' twice' if self.twice else ''} {self.seconds:.3f} s after call {self.call}"


@dataclass
class Ended:
    """How a run ended: exit status, what it was struck in ("" if in nothing), log, messages, and faults of form."""

    exit: int
    moment: str
    torn: bool
    log: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """The log lines at ERROR and above."""
        return [line for line in self.log.splitlines() if " | ERROR " in line or " | CRITICAL " in line]


class TapProcess:
    """Runs the tap once. `seen` is told of each call by the sandbox, and strikes when its moment has come."""

    def __init__(self, blow: Blow | None, *, slowly: bool = False, unbuffered: bool = False) -> None:
        """`slowly`: the target reads less than the tap writes, so that writes block.

        `unbuffered`: as in many container images, where a signal then cuts a blocked write short.
        """
        self._blow = blow
        self._slowly = slowly
        self._unbuffered = unbuffered
        self._calls = 0
        self._called = 0.0  # when the last call came in
        self._moment = ""
        self._process: subprocess.Popen[bytes] | None = None

    def seen(self) -> None:
        """Count a call of this run, before it is answered."""
        self._calls += 1
        self._called = time.monotonic()
        if self._blow is None or self._calls != self._blow.call:
            return
        if self._blow.seconds:
            timer = threading.Timer(self._blow.seconds, self._strike)
            timer.daemon = True
            timer.start()
        else:
            self._strike()

    def run(
        self, config: dict[str, Any], folder: Path, *, state: dict[str, Any] | None, select: Sequence[str]
    ) -> Ended:
        """Run to the end, whatever that is."""
        options = arguments(config, folder, state=state, select=select)
        log = folder / "log.txt"
        env = {**os.environ, "TAP_USERTESTING_LOGLEVEL": "INFO", "PYTHONUNBUFFERED": "1" if self._unbuffered else ""}
        with (
            log.open("wb") as errors,
            subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=errors, env=env) as process,
        ):
            self._process = process
            overdue = threading.Timer(LONGEST, process.kill)
            overdue.start()
            began = time.monotonic()
            try:
                written = self._read(process)
                exit_code = process.wait(LONGEST)
            finally:
                overdue.cancel()
                process.kill()
        ended = Ended(exit_code, self._moment, torn=False, log=log.read_text(encoding="utf-8"))
        if time.monotonic() - began >= LONGEST:
            ended.wrong.append(f"it did not end in {LONGEST:.0f} s")
        self._parse(ended, written)
        self._check(ended)
        return ended

    def _read(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        if not self._slowly:
            return process.stdout.read()
        written = bytearray()
        while chunk := process.stdout.read1(8192):  # type: ignore[attr-defined]  # a pipe is buffered
            written += chunk
            time.sleep(0.003)
        return bytes(written)

    def _strike(self) -> None:
        process, blow = self._process, self._blow
        if process is None or blow is None or process.poll() is not None:
            return
        quiet = time.monotonic() - self._called
        self._moment = "on the wire" if not blow.seconds else "a wait" if quiet > WAITING else "between calls"
        process.send_signal(blow.signal)
        if blow.twice:
            time.sleep(0.01)
            process.send_signal(blow.signal)

    def _parse(self, ended: Ended, written: bytes) -> None:
        lines = written.splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            lines.pop()
            ended.torn = True
            if ended.exit != -signal.SIGKILL:
                ended.wrong.append("it left a torn line without having been killed")
        try:
            ended.messages += [json.loads(line) for line in lines]
        except ValueError as error:
            ended.wrong.append(f"a line is no message: {error}")

    def _check(self, ended: Ended) -> None:
        """See that exit status, log and last messages say one and the same."""
        blow = self._blow
        possible = {0, 1}
        if ended.moment and blow is not None:
            possible.add(STOPPED.get(blow.signal, -blow.signal))
        if ended.exit not in possible:
            ended.wrong.append(f"exit status {ended.exit}, not one of {sorted(possible)}")
        if "Traceback" in ended.log:
            ended.wrong.append("there is a traceback in its log")
        lines = ended.log.splitlines()
        failed = bool(ended.errors)
        if ended.exit in {0, 1} and failed != (ended.exit == 1):
            ended.wrong.append(f"exit status {ended.exit}, {'an' if failed else 'no'} error line")
        stopped = ended.exit in STOPPED.values()
        if sum("incomplete:" in line for line in lines) != stopped:
            ended.wrong.append("the line `incomplete:` belongs to a stopped run, and to no other")
        if stopped and _unsaved(ended.messages):
            ended.wrong.append("it stopped without a STATE of its last records")


def _unsaved(messages: list[dict[str, Any]]) -> bool:
    """Tell whether a live session row stands after the last STATE; each of those moves something."""
    for message in reversed(messages):
        if message["type"] == "STATE":
            return False
        if message["type"] == "RECORD" and message["stream"] in SESSION_STREAMS:
            return message["record"]["deleted_at"] is None
    return False


def end_with_parent() -> None:
    """Have this process of a pool end when the pool's own does, however that ends."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
