"""Shows how far a sync is: a bar if standard error is a terminal, else one log line every 30 seconds.

Nothing goes to standard output. There is no thread: streams call `tick` before each call, after each row and during
waits, and most of these calls do nothing. So the display changes by time, not by the number of rows.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Protocol

from tap_usertesting.report.activity import Activity, Standing, long_text

if TYPE_CHECKING:
    from tap_usertesting.api.call_limit import CallLimit
    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.quota import Quota
    from tap_usertesting.api.quota_sharing import Windows

logger = logging.getLogger("tap-usertesting")

LINE_EVERY = 30.0  # seconds
SHORTEST_NAP, LONGEST_NAP = 0.05, 1.0  # seconds; a nap that a signal cuts short does not count as waited


class View(Protocol):
    """A way to display how far a sync is."""

    every: float  # seconds from one display to the next
    delay: float  # seconds until the first

    def show(self, standing: Standing, quota: Quota | CallLimit, *, wall: float) -> None:
        """Show how far the sync is at the epoch seconds `wall`."""

    def close(self) -> None:
        """Remove the display."""


class Lines:
    """Log lines."""

    every = delay = LINE_EVERY

    def show(self, standing: Standing, quota: Quota | CallLimit, *, wall: float) -> None:
        """Write one log line."""
        logger.info("progress: %s", long_text(standing, quota, wall=wall))

    def close(self) -> None:
        """Do nothing: log lines stay."""


def has_terminal() -> bool:
    """Tell whether standard error is a terminal and standard output is another place: records would damage a bar."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return False
    try:
        return not os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # standard output has no file, so it is no terminal
        return True


def default_view() -> View:
    """Return a bar for a terminal, log lines for everything else."""
    if not has_terminal():
        return Lines()
    from tap_usertesting.report.terminal import Bar  # noqa: PLC0415 - slow, and most runs have no terminal

    return Bar()


class Progress:
    """Knows how far each stream is, and displays it at intervals."""

    def __init__(self, *, windows: Windows, clock: Clock, view: View) -> None:
        """Display nothing yet. `windows`: of the API that sets the pace."""
        self._activities: dict[int, Activity] = {}  # key: the thread
        self._ended, self._all = 0, 1
        self._windows = windows
        self._clock = clock
        self._view = view
        self._due = clock.monotonic() + self._view.delay

    @property
    def activity(self) -> Activity:
        """How far the stream of this thread is."""
        here = self._activities.get(threading.get_ident())
        if here is None:
            here = self._activities[threading.get_ident()] = Activity()
        return here

    def standing(self) -> Standing:
        """Return how far all streams are."""
        working = [stream for stream in self._activities.values() if not stream.idle]
        begun = [stream for stream in working if stream.stream] or [Activity()]
        ended = self._ended + len(self._activities) - len(working)
        first = min((stream.wait_ends for stream in working), default=0.0)
        waiting = max(0.0, first - self._clock.monotonic())
        return Standing(begun, self._windows.paced_together, ended, self._all, waiting)

    def begin(self, streams: int) -> None:
        """Start a sync of so many streams side by side."""
        self._activities.clear()
        self._ended, self._all = 0, max(1, streams)

    def leave(self) -> None:
        """Count the stream of this thread as ended."""
        self._activities.pop(threading.get_ident(), None)
        self._ended += 1

    def tick(self) -> None:
        """Display how far the sync is if an interval has passed; otherwise this costs next to nothing."""
        now = self._clock.monotonic()
        if now >= self._due:
            self._due = now + self._view.every
            self._view.show(self.standing(), self._windows.tightest, wall=self._clock.wall())

    def nap(self, left: float) -> float:
        """Tick during a wait that has so many seconds left; returns the seconds to sleep before the next tick."""
        self.activity.wait_ends = self._clock.monotonic() + left
        self.tick()
        return min(left, LONGEST_NAP, max(SHORTEST_NAP, self._due - self._clock.monotonic()))

    def close(self) -> None:
        """Leave the terminal as it was before the sync."""
        self._view.close()
