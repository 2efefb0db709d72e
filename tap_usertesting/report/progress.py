"""Shows how far a sync is: one line at the bottom of a terminal, else one log line every 30 seconds.

Nothing goes to standard output. There is no thread: streams call `tick` before each call, after each row and during
waits, and most of these calls do nothing. So the display changes by time, not by the number of rows.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Protocol

from tap_usertesting.report.activity import Activity
from tap_usertesting.report.status import Status, log_line
from tap_usertesting.report.terminal import BottomLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.quota_sharing import Windows
    from tap_usertesting.report.outlook import Outlook
    from tap_usertesting.report.summary import Summary

logger = logging.getLogger("tap-usertesting")

LINE_EVERY = 30.0  # seconds
SHORTEST_NAP, LONGEST_NAP = 0.05, 1.0  # seconds; a nap that a signal cuts short does not count as waited


class View(Protocol):
    """A way to display how far a sync is."""

    every: float  # seconds from one display to the next
    delay: float  # seconds until the first

    def show(self, status: Status) -> None:
        """Show how far the sync is."""

    def close(self) -> None:
        """Remove the display."""

    def sum_up(self, summary: Summary) -> None:
        """Show the result of the sync, once the display is removed."""


class Lines:
    """Log lines."""

    every = delay = LINE_EVERY

    def show(self, status: Status) -> None:
        """Write one log line."""
        logger.info("progress: %s", log_line(status))

    def close(self) -> None:
        """Do nothing: log lines stay."""

    def sum_up(self, summary: Summary) -> None:
        """Do nothing: the log has the record."""


def has_terminal() -> bool:
    """Tell whether standard error is a terminal and standard output is another place: records would damage a line."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return False
    try:
        return not os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # standard output has no file, so it is no terminal
        return True


def default_view() -> View:
    """Return a line at the bottom of a terminal, log lines for everything else."""
    return BottomLine() if has_terminal() else Lines()


class Progress:
    """Knows what each stream is doing, and displays how far the sync is at intervals."""

    def __init__(
        self,
        *,
        windows: Windows,
        clock: Clock,
        view: View,
        outlook: Callable[[], Outlook | None],
        title: Callable[[str], str | None],
        rows: Callable[[], int],
    ) -> None:
        """Display nothing yet.

        `windows`: of the API that sets the pace. `outlook` returns how far the sync is, None while nothing is known;
        `title` that of a test; `rows` how many were written.
        """
        self._activities: dict[int, Activity] = {}  # key: the thread
        self._windows = windows
        self._clock = clock
        self._view = view
        self._outlook = outlook
        self._title = title
        self._rows = rows
        self._most = 0.0  # the greatest share that was shown
        self._due = clock.monotonic() + self._view.delay

    @property
    def activity(self) -> Activity:
        """What the stream of this thread is doing."""
        here = self._activities.get(threading.get_ident())
        if here is None:
            here = self._activities[threading.get_ident()] = Activity()
        return here

    def status(self) -> Status:
        """Return how far the sync is. The share that is done never falls, even if more sessions turn up."""
        quota, outlook = self._windows.tightest, self._outlook()
        working = sorted((one for one in self._activities.values() if not one.idle), key=lambda one: not one.test_id)
        test_id = working[0].test_id if working else ""
        self._most = max(self._most, outlook.fraction if outlook is not None else 0.0)
        return Status(
            streams=tuple(dict.fromkeys(one.stream for one in working if one.stream)),
            test_id=test_id,
            title=self._title(test_id) if test_id else None,
            outlook=outlook,
            fraction=self._most,
            waits=self._waits(working, is_used_up=quota.remaining == 0),
            next_window=quota.next_window,
            limit=quota.limit,
            remaining=quota.remaining,
            rows=self._rows(),
            wall=self._clock.wall(),
        )

    def _waits(self, working: list[Activity], *, is_used_up: bool) -> float:
        """Return the seconds that all streams still wait: 0 if one works, unless the window they share is used up."""
        now = self._clock.monotonic()
        waiting = [one.wait_ends - now for one in working if one.wait_ends > now]
        all_wait = len(waiting) == len(working) or (is_used_up and self._windows.paced_together)
        return min(waiting, default=0.0) if all_wait else 0.0

    def begin(self) -> None:
        """Start a sync of several streams side by side."""
        self._activities.clear()

    def leave(self) -> None:
        """Forget the stream of this thread, which has ended."""
        self._activities.pop(threading.get_ident(), None)

    def tick(self) -> None:
        """Display how far the sync is if an interval has passed; otherwise this costs next to nothing."""
        now = self._clock.monotonic()
        if now >= self._due:
            self._due = now + self._view.every
            self._view.show(self.status())

    def nap(self, left: float) -> float:
        """Tick during a wait that has so many seconds left; returns the seconds to sleep before the next tick."""
        self.activity.wait_ends = self._clock.monotonic() + left
        self.tick()
        return min(left, LONGEST_NAP, max(SHORTEST_NAP, self._due - self._clock.monotonic()))

    def close(self) -> None:
        """Leave the terminal as it was before the sync."""
        self._view.close()

    def sum_up(self, summary: Summary, log: logging.Logger) -> None:
        """Show and log the result of the sync. Call `close` before."""
        self._view.sum_up(summary)
        summary.log(log)
