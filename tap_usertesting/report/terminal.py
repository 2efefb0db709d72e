"""The progress bar on a terminal, by tqdm; log lines go above it.

Imported only where there is a terminal. Nothing of tqdm's is set for the whole process: lock and monitor are the
bar's own.
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

from tap_usertesting.report.standing import short_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.api.call_limit import CallLimit
    from tap_usertesting.api.quota import Quota
    from tap_usertesting.report.standing import Standing

USUAL_COLUMNS = 80
FREE = 3  # columns for the ^C that a terminal echoes: on a line of its own it would leave the bar behind
WIDTH = 12  # characters of the bar itself; the text beside it says more
WIPE = "\r\x1b[K"  # the rest of the line, as well as that ^C
FORMAT = f"{{percentage:3.0f}}%|{{bar:{WIDTH}}}| {{desc}}"


class _Line(tqdm):  # type: ignore[type-arg]  # generic in the stubs only
    """A tqdm without a thread that watches it, and without a lock shared with other processes (one more process)."""

    monitor_interval: ClassVar[int] = 0
    _lock = threading.RLock()


class Bar:
    """A bar at the bottom of the terminal; it appears with its first show, and is gone when closed."""

    every = 0.5
    delay = 0.0

    def __init__(self) -> None:
        """Leave the terminal alone until the first show."""
        self._open = contextlib.ExitStack()
        self._line: _Line | None = None

    def show(self, standing: Standing, quota: Quota | CallLimit, *, wall: float) -> None:
        """Draw the bar anew."""
        text = short_text(standing, quota, wall=wall)
        if self._line is None:
            self._open.enter_context(_log_lines_above())
            line = _Line(total=1, file=sys.stderr, leave=False, ncols=_columns(), bar_format=FORMAT, desc=text)
            self._line = self._open.enter_context(contextlib.closing(line))
        self._line.n, self._line.desc, self._line.ncols = standing.fraction, text, _columns()
        self._line.refresh()

    def close(self) -> None:
        """Wipe the bar off and give the log back its handlers."""
        self._open.close()
        if self._line is not None:
            self._line = None
            sys.stderr.write(WIPE)
            sys.stderr.flush()


def _columns() -> int:
    """Return how wide the bar may be; a terminal that does not know its width is taken to be as wide as most are."""
    return max(1, (os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS) - FREE)


@contextlib.contextmanager
def _log_lines_above() -> Iterator[None]:
    """Have the log lines that go to the terminal written above the bar, at the levels that they have."""
    known = [
        logging.root,
        *(one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)),
    ]
    consoles = {one: [handler for handler in one.handlers if _is_console(handler)] for one in known}
    loggers = [one for one, handlers in consoles.items() if handlers]
    with logging_redirect_tqdm(loggers=loggers, tqdm_class=_Line):
        for one in loggers:
            one.handlers[-1].setLevel(consoles[one][0].level)  # the one that tqdm has just added
        yield


def _is_console(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and handler.stream in {sys.stdout, sys.stderr}
