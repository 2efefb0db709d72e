"""Where a sync stands: each stream, all of them together, and that in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_usertesting.report.words import duration, ends_at

if TYPE_CHECKING:
    from tap_usertesting.api.call_limit import CallLimit
    from tap_usertesting.api.quota import Quota


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


def seconds_for(calls: int, quota: Quota | CallLimit) -> float | None:
    """Return how long so many calls take at the quota's pace; None while no limit is known."""
    if quota.limit is None:
        return None
    left = quota.remaining or 0
    wait, at_once = (0.0, left) if left else (quota.wait(), quota.limit)
    return wait + math.ceil(max(0, calls - at_once) / quota.limit) * quota.window


def long_text(standing: Standing, quota: Quota | CallLimit, *, wall: float) -> str:
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


def short_text(standing: Standing, quota: Quota | CallLimit, *, wall: float) -> str:
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
