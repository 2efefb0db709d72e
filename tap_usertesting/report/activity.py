"""How far a sync is: one stream, all streams together, and both in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_usertesting.report.wording import duration, ends_at

if TYPE_CHECKING:
    from tap_usertesting.api.call_limit import CallLimit
    from tap_usertesting.api.quota import Quota


@dataclass
class Activity:
    """How far a stream is: for the progress, for the log line of a long wait, and to choose the next stream."""

    stream: str = ""
    test_id: str = ""
    place: int = 0  # number of this test among the stream's tests, from 1 on
    tests: int = 0
    done: int = 0  # sessions
    total: int = 0  # sessions
    wait_ends: float = 0.0  # end of the current or latest wait, by the monotonic clock
    key: float | None = None  # in the history: its time as negative epoch seconds; None: news
    at: str = ""  # time of the session that is being fetched
    turn: int = 0  # number of this stream; the lower one goes first among equals
    most: float = 0.0  # the highest `fraction` so far
    idle: bool = False  # nothing is left to do until news arrives

    def begin(self, stream: str, test_id: str = "", *, tests: int = 0) -> None:
        """Go on to the next test, of this stream or of another; its sessions are counted from 0."""
        if stream != self.stream:
            self.place, self.most = 0, 0.0
        self.place += 1
        self.stream, self.test_id, self.tests = stream, test_id, tests
        self.done = self.total = 0
        self.key = None
        self.at = ""

    def go_to(self, test_id: str, key: float | None = None) -> None:
        """Go on to another test, and count its sessions together with those before."""
        self.test_id, self.key = test_id, key
        self.at = ""

    def expect(self, sessions: int, *, tests: int = 0) -> None:
        """Add sessions and tests to the totals; negative numbers take away."""
        self.total += sessions
        self.place += tests

    @property
    def left(self) -> int:
        """Sessions that are still to be fetched."""
        return max(0, self.total - self.done)

    @property
    def fraction(self) -> float:
        """The share of the stream that is done, from 0 to 1. It never falls, even if more sessions turn up."""
        if self.tests:
            known = min(1.0, self.done / self.total) if self.total else 1.0
            self.most = max(self.most, min(1.0, self.place / self.tests) * known)
        return self.most

    def __str__(self) -> str:
        """Return stream, test and sessions, as far as they are known."""
        parts = [self.stream or "starting"]
        if self.test_id:
            parts.append(f"test {self.test_id}")
        if self.total:
            parts.append(f"{self.done} of {self.total} sessions done")
        return ", ".join(parts)


@dataclass
class Standing:
    """How far the sync is. `together`: whether calls of all streams count against one window."""

    streams: list[Activity]
    together: bool = True
    ended: int = 0  # streams
    all: int = 1  # streams
    waiting: float = 0.0  # seconds that all streams still wait

    @property
    def left(self) -> int:
        """Calls for sessions that are still to be made, one after another."""
        left = [stream.left for stream in self.streams]
        return sum(left) if self.together else max(left, default=0)

    @property
    def fraction(self) -> float:
        """The share of the sync that is done, from 0 to 1. All streams have the same weight."""
        return (sum(stream.fraction for stream in self.streams) + self.ended) / max(self.all, len(self.streams))

    def __str__(self) -> str:
        """Return all streams, each with its test and sessions."""
        return "; ".join(map(str, self.streams))


def seconds_for(calls: int, quota: Quota | CallLimit) -> float | None:
    """Return the seconds that the quota makes so many calls take; None while no limit is known."""
    if quota.limit is None:
        return None
    left = quota.remaining or 0
    wait, at_once = (0.0, left) if left else (quota.wait(), quota.limit)
    return wait + math.ceil(max(0, calls - at_once) / quota.limit) * quota.window


def long_text(standing: Standing, quota: Quota | CallLimit, *, wall: float) -> str:
    """Return everything that is known, for a log line."""
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
    """Return the most important of it for one line of a terminal, which may cut off the end."""
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
