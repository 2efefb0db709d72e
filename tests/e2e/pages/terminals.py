"""Terminals of a reader: one that blocks are pasted into, and others in which something keeps running."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

BASH = ("bash", "--noprofile", "--norc", "-euo", "pipefail")
TIMEOUT = 600.0  # seconds, for one block: it may install, on a machine that has other work
PATIENCE = 30.0  # seconds, for something that was told to end
EXPORT = re.compile(r"^\s*export \w+=.*$", flags=re.MULTILINE)


class PasteError(AssertionError):
    """Raised when a block does not do what a reader expects; its text says which, and what was on the screen."""


@dataclass(frozen=True)
class Printed:
    """What a block wrote to its output and to its log, and how long it took."""

    output: str
    log: str
    seconds: float


class Terminal:
    """One bash, in which commands are pasted one after the other and find what the former ones left."""

    def __init__(self, folder: Path, env: Mapping[str, str], scratch: Path) -> None:
        """Open it in a folder. `scratch`: where it keeps what is pasted and printed."""
        self._scratch = scratch
        self._scratch.mkdir(parents=True)
        self._pasted = 0
        self._bash = subprocess.Popen(
            BASH,
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._bash)

    def paste(self, commands: str) -> Printed:
        """Run commands to their end. Raises PasteError if one fails, or never ends."""
        self._pasted += 1
        files = [self._scratch / f"{self._pasted}.{name}" for name in ("sh", "out", "err")]
        script, output, log = files
        script.write_text(commands, encoding="utf-8")
        began = time.monotonic()
        alarm = threading.Timer(TIMEOUT, os.killpg, (self._bash.pid, signal.SIGKILL))
        alarm.start()
        try:
            ended = self._said(f'. "{script}" < /dev/null > "{output}" 2> "{log}"\necho done\n')
        finally:
            alarm.cancel()
        seconds = time.monotonic() - began
        printed = Printed(_read(output), _read(log), seconds)
        if not ended:
            how = f"it had not ended after {TIMEOUT:.0f} s" if seconds >= TIMEOUT else f"exit {self._bash.wait()}"
            raise PasteError(f"{how}\n{commands}\n--- output\n{tail(printed.output)}\n--- log\n{tail(printed.log)}")
        return printed

    def _said(self, line: str) -> bool:
        """Whether bash answers a line, that is, whether it is still there afterwards."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._bash.stdin.write(line)
            self._bash.stdin.flush()
        return self._bash.stdout.readline() == "done\n"


class Background:
    """Commands that keep running in a terminal of their own, until they are stopped with Ctrl-C."""

    def __init__(self, commands: str, folder: Path, env: Mapping[str, str], scratch: Path) -> None:
        """Start them and wait until they have said what to export. Raises PasteError if they end before."""
        scratch.mkdir(parents=True)
        self._screen = scratch / "screen"
        with self._screen.open("wb") as screen:
            self._bash = subprocess.Popen(
                [*BASH, "-c", commands],
                cwd=folder,
                env=env,
                stdin=subprocess.PIPE,
                stdout=screen,
                stderr=screen,
                start_new_session=True,
            )
        began = time.monotonic()
        self.exports = ""
        try:
            self.exports = self._wait_for_exports()
        finally:
            self.seconds = time.monotonic() - began
            if not self.exports:
                end(self._bash)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._bash)

    def _wait_for_exports(self) -> str:
        """Return the lines to paste, once something else follows them: then they are complete."""
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            ended = self._bash.poll() is not None
            text = _read(self._screen)
            found = list(EXPORT.finditer(text))
            if found and text[found[-1].end() :].strip():
                return "\n".join(line[0].strip() for line in found)
            if ended:
                break
            time.sleep(0.1)
        raise PasteError(f"it printed no `export` lines, or nothing after them:\n{tail(text)}")


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """End a shell and what runs in it, by Ctrl-C if that is enough."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
            process.wait(PATIENCE)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever outlived the shell
    if process.stdout is not None:
        process.stdout.close()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def tail(text: str) -> str:
    """The end of what was on the screen."""
    return text[-6_000:]
