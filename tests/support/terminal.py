"""Runs the tap in a pseudo-terminal, which is also its controlling terminal, as for a person."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from threading import Thread
from typing import TYPE_CHECKING, Any

from tests.support.harness import COMMAND, LONG, Synced, arguments, parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WIDE = 300  # columns; no log line wraps
# Makes standard error the controlling terminal, so that ^C typed there is a signal; then becomes the command.
LAUNCHER = (
    "import fcntl, os, sys, termios\n"
    "os.setsid()\n"
    "fcntl.ioctl(2, termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)


class Terminal:
    """One run of the tap. `to`: where standard output goes: a `pipe`, another `terminal`, or the `same` terminal."""

    def __init__(
        self,
        config: dict[str, Any],
        folder: Path,
        *,
        command: list[str] = COMMAND,
        to: str = "pipe",
        columns: int = WIDE,
        term: str = "xterm",
    ) -> None:
        """Start the sync."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._before = termios.tcgetattr(slave)
        other, stdout = (None, slave) if to == "same" else pty.openpty() if to == "terminal" else os.pipe()
        self.popen = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, *command, *arguments(config, folder)],
            stdin=slave,
            stdout=stdout,
            stderr=slave,
            env={**os.environ, "TERM": term},
        )
        self._slave = slave  # kept open, so that the last output can be read after the end
        self._seen, self._out = bytearray(), bytearray()
        self._readers = [Thread(target=self._read, args=(self._master, self._seen), daemon=True)]
        if other is not None:
            os.close(stdout)
            self._readers.append(Thread(target=self._read, args=(other, self._out), daemon=True))
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(source: int, into: bytearray) -> None:
        with contextlib.suppress(OSError):  # EIO: the other side of a terminal is closed
            while got := os.read(source, 1 << 16):
                into += got
        os.close(source)

    @property
    def text(self) -> str:
        """What was written to the terminal, control characters included."""
        return self._seen.decode(errors="replace")

    @property
    def screen(self) -> list[str]:
        """The lines that a person sees after all writes, without the empty ones at the end."""
        lines, column = [""], 0
        for piece in re.findall(r"\x1b\[K|[^\x1b]", self.text, flags=re.DOTALL):
            line = lines[-1]
            if piece == "\r":
                column = 0
            elif piece == "\n":
                lines.append("")
            elif piece == "\x1b[K":
                lines[-1] = line[:column]
            else:
                lines[-1] = line[:column].ljust(column) + piece + line[column + 1 :]
                column += 1
        lines = [line.rstrip() for line in lines]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait_for(self, what: Callable[[Terminal], object]) -> None:
        """Wait until `what` returns something true."""
        end = time.monotonic() + LONG
        while not what(self):
            if time.monotonic() > end or self.popen.poll() is not None:
                self.popen.kill()
                raise AssertionError(self.text)
            time.sleep(0.005)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def ended(self) -> Synced:
        """Wait for the end, and assert that the terminal has its former settings."""
        code = self.popen.wait(LONG)
        assert termios.tcgetattr(self._slave) == self._before
        os.close(self._slave)
        for reader in self._readers:
            reader.join(LONG)
        return Synced(code, parse(bytes(self._out)), "\n".join(self.screen), bytes(self._out))
