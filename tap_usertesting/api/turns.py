"""Streams side by side: one thread each, under one baton.

A thread holds the baton whenever it runs Python of ours or of the SDK's, so nothing else needs a lock, no message
stands inside another, and every STATE is consistent. Only `transport` gives it up, while it waits and while a request
is on the wire. The main thread merely waits; the termination handler, which runs there, takes the baton and keeps it.

Where streams share a window that gets used up, the most urgent call goes first (`rank`: less is more urgent), and a
stream waits a moment for another whose next call may be more urgent. So sessions are completed in their order.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from tap_usertesting.api.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from tap_usertesting.api.call_limit import CallLimit
    from tap_usertesting.api.quota import Quota

Rank: TypeAlias = "tuple[float | str, ...]"

AMPLE = 100  # calls; while more are left no stream waits for another
PATIENCE = 0.05  # windows for which a stream that is busy is waited for, since its next call may be more urgent
LONGEST_PATIENCE = 3.0  # seconds
LONGEST_NAP = 900.0  # seconds; every move of another wakes a stream that lingers
FIRST: Rank = ()  # before every other rank


@dataclass
class _Stream:
    """A thread as the others see it."""

    rank: Rank = FIRST  # of the call that it wants, else of its last one
    window: Quota | CallLimit | None = None  # of that call
    wants: bool = False  # a call, and is not on the wire with it
    rests: bool = False  # for a reason of its own: no one need wait for it
    awaits: Hashable | None = None  # what another is finding out
    since: float = 0.0  # when it last moved


class Turns:
    """The baton, and who runs under it. But for `run` there is one thread, and nothing to hold."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        """Start with one thread."""
        self.active = False
        self._clock = clock or Clock()
        self._baton = threading.Lock()
        self._moved = threading.Condition(self._baton)
        self._streams: dict[threading.Thread, _Stream] = {}
        self._alone: dict[Hashable, threading.Thread] = {}  # what spans a call now, and who makes that
        self._errors: list[BaseException] = []
        self._closed = False

    # For the transport, which alone gives the baton up

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Be without the baton inside: on the wire."""
        if not self.active:
            yield
            return
        self._move()
        self._baton.release()
        try:
            yield
        finally:
            self._baton.acquire()
            self._stop_if_closed()
            self._move()

    def sleep(self, seconds: float) -> None:
        """Be without the baton for so many seconds, or until anyone has moved."""
        if not self.active:
            self._clock.sleep(seconds)
            return
        self._moved.wait(seconds)
        self._stop_if_closed()

    def rest(self, seconds: float) -> None:
        """Sleep to the end, for a reason of one's own, such as a fault: no one need wait for this stream meanwhile."""
        if not self.active:
            self._clock.sleep(seconds)
            return
        ends = self._clock.monotonic() + seconds
        with self._resting():
            while (left := ends - self._clock.monotonic()) > 0:
                self.sleep(left)

    def want(self, window: Quota | CallLimit, rank: Rank) -> None:
        """Say which call comes next, before any wait for it."""
        if not self.active:
            return
        here = self._here
        if not here.wants or here.window is not window or here.rank != rank:  # else no one need look again
            here.wants, here.window, here.rank = True, window, rank
            self._move()

    def wait(self, window: Quota | CallLimit, *, scarce: bool = False) -> float:
        """Seconds to let others go first with a call in this window, which has one left; 0 means go now.

        `scarce`: calls are counted, however many the window has.
        """
        if not self.active:
            return 0.0
        here, left = self._here, window.remaining
        if scarce or (left is not None and left <= AMPLE):
            patience = min(LONGEST_PATIENCE, PATIENCE * window.window)
            now = self._clock.monotonic()
            longest = max(_yields(here, other, patience, now=now) for other in self._streams.values())
            if longest > 0:
                return longest
        here.wants = False
        return 0.0

    def linger(self, over: Callable[[], bool]) -> None:
        """Sleep until it is over, which others' moves bring about; no one need wait for this stream meanwhile."""
        if not self.active:
            return
        with self._resting():
            while not over():
                self.sleep(LONGEST_NAP)

    # For what spans a call

    @contextmanager
    def alone(self, what: Hashable) -> Iterator[bool]:
        """Let one thread at a time inside; the others wait, without the baton, for what it finds.

        Tells whether no other was inside before, so that there is something to find.
        """
        me = threading.current_thread()
        if not self.active or self._alone.get(what) is me:
            yield True
            return
        waited = what in self._alone
        if waited:
            self._here.awaits = what
            with self._resting():
                while what in self._alone:
                    self.sleep(LONGEST_PATIENCE)
            self._here.awaits = None
        self._alone[what] = me
        try:
            yield not waited
        finally:
            del self._alone[what]
            for stream in self._streams.values():
                if stream.awaits == what:  # its next call may be more urgent than mine
                    stream.rests, stream.since = False, self._clock.monotonic()
            self._move()

    # For the tap

    def run(self, jobs: Mapping[str, Callable[[], None]], *, watch: Callable[[], None]) -> None:
        """Run each job in a thread of its own, to the end of all of them; raises the first error of any.

        An error of one lets the others finish; SystemExit and a broken pipe, which concern all, end all. `watch` is
        called in the main thread once in a while.
        """
        if not jobs:
            return
        over = threading.Lock()
        over.acquire()
        for name, job in jobs.items():
            # A daemon: the process may end while it waits for an answer.
            thread = threading.Thread(target=self._work, args=(job, over), name=name, daemon=True)
            self._streams[thread] = _Stream(since=self._clock.monotonic())
        self.active = True
        for thread in list(self._streams):
            thread.start()
        while not over.acquire(timeout=1):  # a plain lock: a handler that interrupts this finds no other half taken
            watch()
        self.active = False
        if self._errors:
            raise self._errors[0]

    def _work(self, job: Callable[[], None], over: threading.Lock) -> None:
        self._baton.acquire()
        self._stop_if_closed()
        try:
            job()
        except (SystemExit, BrokenPipeError) as error:
            self._errors.insert(0, error)
            self._closed = True
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            self._errors.append(error)
        del self._streams[threading.current_thread()]
        self._moved.notify_all()
        if self._closed or not self._streams:
            over.release()
        self._baton.release()

    def seize(self) -> None:
        """Take the baton for good: for the termination handler, in the main thread."""
        self._closed = True
        self._baton.acquire()

    def park(self) -> NoReturn:
        """Give the baton up for good: the process is about to end."""
        self._closed = True
        self._baton.release()
        while True:
            time.sleep(3600)

    @property
    def _here(self) -> _Stream:
        return self._streams[threading.current_thread()]

    @contextmanager
    def _resting(self) -> Iterator[None]:
        here = self._here
        here.rests = True
        self._move()
        try:
            yield
        finally:
            here.rests = False

    def _move(self) -> None:
        """Let the others look again whether it is their turn."""
        self._here.since = self._clock.monotonic()
        self._moved.notify_all()

    def _stop_if_closed(self) -> None:
        if self._closed:
            self.park()


def _yields(here: _Stream, other: _Stream, patience: float, *, now: float) -> float:
    """Return for how many seconds a stream lets another go first; 0 if it does not."""
    if other is here or other.rests or other.rank >= here.rank or other.window not in {None, here.window}:
        return 0.0
    return patience if other.wants else other.since + patience - now
