"""How far a sync is: a bar where standard error is a terminal, else one log line every 30 seconds.

Nothing of it goes to standard output, and it has no thread: whoever works asks it before each call, after each row
and in the midst of waits. It shows itself when its time has come, however many rows have gone by.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tap_usertesting.api.call import Clock
    from tap_usertesting.api.lid import Lid
    from tap_usertesting.api.quota import Quota
    from tap_usertesting.api.windows import Windows

logger = logging.getLogger("tap-usertesting")

LINE_EVERY = 30.0  # seconds
SHORTEST_NAP, LONGEST_NAP = 0.05, 1.0  # seconds; what a signal cuts short is not counted as waited
MINUTE, HOUR, DAY = 60, 3_600, 86_400
IN_MINUTES_FROM = 90  # seconds, or minutes for hours: below it the smaller unit says more


@dataclass
class Activity:
    """Where a stream stands: for the progress, for the line that a long wait writes, and for whose turn it is."""

    stream: str = ""
    test_id: str = ""
    place: int = 0  # of this test among the stream's
    tests: int = 0
    done: int = 0  # sessions
    total: int = 0
    wait_ends: float = 0.0  # the present wait or the last one, by the monotonic clock
    key: float | None = None  # in the history: how far back, as negative epoch seconds; None: news
    at: str = ""  # the time of the session that is asked for
    turn: int = 0  # of the streams side by side
    most: float = 0.0  # of `fraction` so far
    idle: bool = False  # nothing is left to do, unless there is news

    def begin(self, stream: str, test_id: str = "", *, tests: int = 0) -> None:
        """Go on to the next test of the stream, or to the first of the next; none of its sessions is done."""
        if stream != self.stream:
            self.place, self.most = 0, 0.0
        self.place += 1
        self.stream, self.test_id, self.tests = stream, test_id, tests
        self.done = self.total = 0
        self.key = None
        self.at = ""

    def go_to(self, test_id: str, key: float | None = None) -> None:
        """Go on to a test, whose sessions are counted with those of the others."""
        self.test_id, self.key = test_id, key
        self.at = ""

    def expect(self, sessions: int, *, tests: int = 0) -> None:
        """Learn of more sessions, or of fewer, and of how many more tests they are."""
        self.total += sessions
        self.place += tests

    @property
    def left(self) -> int:
        """How many sessions are still to be asked for."""
        return max(0, self.total - self.done)

    @property
    def fraction(self) -> float:
        """How much of the stream is done, from 0 to 1; it never falls, though more turns out to be there."""
        if self.tests:
            known = min(1.0, self.done / self.total) if self.total else 1.0
            self.most = max(self.most, min(1.0, self.place / self.tests) * known)
        return self.most

    def __str__(self) -> str:
        """Return stream, test and how far, as far as there is any."""
        parts = [self.stream or "starting"]
        if self.test_id:
            parts.append(f"test {self.test_id}")
        if self.total:
            parts.append(f"{self.done} of {self.total} sessions done")
        return ", ".join(parts)


@dataclass
class Standing:
    """Where the sync stands: its streams side by side, and whether they take their calls from one window."""

    streams: list[Activity]
    together: bool = True
    ended: int = 0  # streams, of `all`
    all: int = 1
    waiting: float = 0.0  # seconds, for which all of them wait

    @property
    def left(self) -> int:
        """How many calls for sessions are still to be made one after another."""
        left = [stream.left for stream in self.streams]
        return sum(left) if self.together else max(left, default=0)

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1: each stream counts alike."""
        return (sum(stream.fraction for stream in self.streams) + self.ended) / max(self.all, len(self.streams))

    def __str__(self) -> str:
        """Return each stream with its test and how far."""
        return "; ".join(map(str, self.streams))


def seconds_for(calls: int, quota: Quota | Lid) -> float | None:
    """Return how long so many calls take at the quota's pace; None while no limit is known."""
    if quota.limit is None:
        return None
    left = quota.remaining or 0
    wait, at_once = (0.0, left) if left else (quota.wait(), quota.limit)
    return wait + math.ceil(max(0, calls - at_once) / quota.limit) * quota.window


def duration(seconds: float) -> str:
    """Return a time span as a person says it, in one or two units."""
    whole = math.ceil(seconds)
    if whole < IN_MINUTES_FROM:
        return f"{whole} s"
    minutes = round(whole / MINUTE)
    if minutes < IN_MINUTES_FROM:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def ends_at(seconds: float, *, wall: float) -> str:
    """Return the local time of day in so many seconds from `wall`, with the day of the week if it is far off."""
    return time.strftime("%H:%M" if seconds < DAY / 2 else "%a %H:%M", time.localtime(wall + seconds))


def long_text(standing: Standing, quota: Quota | Lid, *, wall: float) -> str:
    """Return all there is to say, for a log line."""
    streams = [
        f"{stream}, test {stream.place} of {stream.tests}" if stream.tests > 1 else str(stream)
        for stream in standing.streams
    ]
    parts = ["; ".join(streams)]
    if quota.remaining is not None:
        parts.append(f"{quota.remaining} calls left in this window")
    seconds = seconds_for(standing.left, quota)
    if standing.left and seconds is not None:
        these = "this test" if len(streams) == 1 else "these tests"
        parts.append(f"{these} until about {ends_at(seconds, wall=wall)} ({duration(seconds)})")
    return ", ".join(parts)


def short_text(standing: Standing, quota: Quota | Lid, *, wall: float) -> str:
    """Return the same for one line of a terminal, what matters most first: the end may be cut off."""
    parts = [
        f"{stream.stream} {stream.done}/{stream.total}" if stream.total else stream.stream or "starting"
        for stream in standing.streams
        if stream.total or len(standing.streams) == 1
    ]
    seconds = seconds_for(standing.left, quota)
    if standing.left and seconds is not None:
        parts.append(f"until {ends_at(seconds, wall=wall)}")
    if standing.waiting:
        parts.append(f"waiting {math.ceil(standing.waiting)} s")
    if quota.remaining is not None:
        parts.append(f"{quota.remaining} calls left")
    for stream in standing.streams[:1]:
        if stream.test_id:
            of = f" {stream.place}/{stream.tests}" if stream.tests > 1 else ""
            parts.append(f"test{of} {stream.test_id[:8]}")
    return ", ".join(parts)


class View(Protocol):
    """A way to show how far a sync is."""

    every: float  # seconds from one show to the next
    delay: float  # seconds to the first

    def show(self, standing: Standing, quota: Quota | Lid, *, wall: float) -> None:
        """Show how far the sync is at the epoch seconds `wall`."""

    def close(self) -> None:
        """Leave no trace of it."""


class Lines:
    """One log line at a time."""

    every = delay = LINE_EVERY

    def show(self, standing: Standing, quota: Quota | Lid, *, wall: float) -> None:
        """Write the line."""
        logger.info("progress: %s", long_text(standing, quota, wall=wall))

    def close(self) -> None:
        """Do nothing: lines stay."""


def has_terminal() -> bool:
    """Tell whether standard error is a terminal of its own: records on the same one would run into a bar."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return False
    try:
        return not os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # standard output is no file, so it is no terminal either
        return True


def fitting_view() -> View:
    """Return the bar or the lines."""
    if not has_terminal():
        return Lines()
    from tap_usertesting.report.terminal import Bar  # noqa: PLC0415 - slow to import, and most runs have no terminal

    return Bar()


class Progress:
    """Shows where the sync stands when its time has come."""

    def __init__(self, *, windows: Windows, clock: Clock, view: View | None = None) -> None:
        """Show nothing yet. `windows`: those of the API which sets the pace; `view`: by default what fits."""
        self._activities: dict[int, Activity] = {}  # by thread
        self._ended, self._all = 0, 1
        self._windows = windows
        self._clock = clock
        self._view = view or fitting_view()
        self._due = clock.monotonic() + self._view.delay

    @property
    def activity(self) -> Activity:
        """Where the stream of this thread stands."""
        here = self._activities.get(threading.get_ident())
        if here is None:
            here = self._activities[threading.get_ident()] = Activity()
        return here

    def standing(self) -> Standing:
        """Return where all streams stand."""
        working = [stream for stream in self._activities.values() if not stream.idle]
        begun = [stream for stream in working if stream.stream] or [Activity()]
        ended = self._ended + len(self._activities) - len(working)
        first = min((stream.wait_ends for stream in working), default=0.0)
        waiting = max(0.0, first - self._clock.monotonic())
        return Standing(begun, self._windows.paced_together, ended, self._all, waiting)

    def begin(self, streams: int) -> None:
        """Begin anew, with so many streams side by side."""
        self._activities.clear()
        self._ended, self._all = 0, max(1, streams)

    def leave(self) -> None:
        """Count the stream of this thread as done."""
        self._activities.pop(threading.get_ident(), None)
        self._ended += 1

    def tick(self) -> None:
        """Show how far the sync is, if it is time; otherwise this costs next to nothing."""
        now = self._clock.monotonic()
        if now >= self._due:
            self._due = now + self._view.every
            self._view.show(self.standing(), self._windows.tightest, wall=self._clock.wall())

    def nap(self, left: float) -> float:
        """Do the same in a wait with so many seconds left; returns how long to sleep until it is time again."""
        self.activity.wait_ends = self._clock.monotonic() + left
        self.tick()
        return min(left, LONGEST_NAP, max(SHORTEST_NAP, self._due - self._clock.monotonic()))

    def close(self) -> None:
        """Leave the terminal as it was found."""
        self._view.close()
