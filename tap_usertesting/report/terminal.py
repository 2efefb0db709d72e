"""One line at the bottom of the terminal, and warnings and errors above it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from tap_usertesting.report.status import terminal_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.report.status import Status
    from tap_usertesting.report.summary import Summary

USUAL_COLUMNS = 80
FREE = 3  # columns for the ^C that a terminal echoes: if it wrapped, a part of the line would stay
WIPE = "\r\x1b[K"  # clears the whole line, and the ^C with it


def quiet_console(prefix: str) -> None:
    """Show only warnings and errors on the console, unless the user has configured the log.

    `prefix`: of the tap's environment variables. What the SDK says of its work, and its metrics, go nowhere then.
    """
    if not any(os.environ.get(name) for name in ("SINGER_SDK_LOG_CONFIG", f"{prefix}LOGLEVEL", "LOGLEVEL")):
        for handler in _console_handlers():
            handler.setLevel(max(handler.level, logging.WARNING))


class BottomLine:
    """The line, from the first `show` to `close`. Meanwhile console log handlers write above it."""

    every = 0.5
    delay = 0.0

    def __init__(self) -> None:
        """Write nothing yet."""
        self._above: _Above | None = None
        self._handlers: list[tuple[logging.StreamHandler[TextIO], TextIO]] = []

    def show(self, status: Status) -> None:
        """Draw the line, or redraw it."""
        if self._above is None:
            self._above = _Above(sys.stderr)
            for handler in _console_handlers():
                self._handlers.append((handler, handler.stream))
                handler.setStream(self._above)  # type: ignore[arg-type]  # it has what a handler uses
        self._above.draw(terminal_line(status, _columns()))

    def close(self) -> None:
        """Remove the line and give the log handlers their streams back."""
        for handler, stream in self._handlers:
            handler.setStream(stream)
        self._handlers.clear()
        if self._above is not None:
            self._above.draw("")
            self._above = None

    def sum_up(self, summary: Summary) -> None:
        """Write the table of a sync."""
        sys.stderr.write(f"{summary.table()}\n")
        sys.stderr.flush()


class _Above:
    """Writes text above the line, and the line anew below it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""
        self._lock = threading.RLock()  # a signal may come while the main thread logs

    def draw(self, line: str) -> None:
        with self._lock:
            self._line = line
            self._stream.write(WIPE + line)
            self._stream.flush()

    def write(self, text: str) -> int:
        with self._lock:
            return self._stream.write(f"{WIPE}{text}{self._line if text.endswith(chr(10)) else ''}")

    def flush(self) -> None:
        self._stream.flush()


def _columns() -> int:
    """Return the columns for the line. A terminal that does not know its width gets the usual 80."""
    return max(1, (os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS) - FREE)


def _console_handlers() -> Iterator[logging.StreamHandler[TextIO]]:
    """Yield the handlers of all loggers that write to standard output or standard error."""
    known = [
        logging.root,
        *(one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)),
    ]
    for one in known:
        for handler in one.handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream in {sys.stdout, sys.stderr}:
                yield handler
