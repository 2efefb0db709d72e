"""The progress bar on a terminal, drawn by tqdm, with log lines above it.

Imported only if there is a terminal. Nothing of tqdm is changed for the whole process: the bar has a lock of its own,
and no monitor.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, ClassVar

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from tap_usertesting.report.activity import short_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.api.call_limit import CallLimit
    from tap_usertesting.api.quota import Quota
    from tap_usertesting.report.activity import Standing

USUAL_COLUMNS = 80
FREE = 3  # columns for the ^C that a terminal echoes: if it wrapped, a part of the bar would stay
WIDTH = 12  # characters of the bar; the text beside it says more
WIPE = "\r\x1b[K"  # clears the whole line, and the ^C with it
FORMAT = f"{{percentage:3.0f}}%|{{bar:{WIDTH}}}| {{desc}}"


class _Line(tqdm):  # type: ignore[type-arg]  # generic in the stubs only
    """A tqdm without a monitor thread and without the lock that is shared between processes, which starts a process."""

    monitor_interval: ClassVar[int] = 0
    _lock = threading.RLock()


class Bar:
    """A bar at the bottom of the terminal, from the first `show` to `close`."""

    every = 0.5
    delay = 0.0

    def __init__(self) -> None:
        """Write nothing yet."""
        self._open = contextlib.ExitStack()
        self._line: _Line | None = None

    def show(self, standing: Standing, quota: Quota | CallLimit, *, wall: float) -> None:
        """Draw the bar, or redraw it."""
        text = short_text(standing, quota, wall=wall)
        if self._line is None:
            self._open.enter_context(_log_lines_above())
            line = _Line(total=1, file=sys.stderr, leave=False, ncols=_columns(), bar_format=FORMAT, desc=text)
            self._line = self._open.enter_context(contextlib.closing(line))
        self._line.n, self._line.desc, self._line.ncols = standing.fraction, text, _columns()
        self._line.refresh()

    def close(self) -> None:
        """Remove the bar and restore the handlers of the loggers."""
        self._open.close()
        if self._line is not None:
            self._line = None
            sys.stderr.write(WIPE)
            sys.stderr.flush()


def _columns() -> int:
    """Return the columns for the bar. A terminal that does not know its width gets the usual 80."""
    return max(1, (os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS) - FREE)


@contextlib.contextmanager
def _log_lines_above() -> Iterator[None]:
    """Write the log lines of the terminal above the bar, and keep their levels."""
    known = [
        logging.root,
        *(one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)),
    ]
    consoles = {one: [handler for handler in one.handlers if _is_console(handler)] for one in known}
    loggers = [one for one, handlers in consoles.items() if handlers]
    with logging_redirect_tqdm(loggers=loggers, tqdm_class=_Line):
        for one in loggers:
            one.handlers[-1].setLevel(consoles[one][0].level)  # tqdm has just added this handler, without a level
        yield


def _is_console(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and handler.stream in {sys.stdout, sys.stderr}
