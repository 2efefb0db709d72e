"""Streams side by side: one thread for each, under one lock.

A thread holds the lock whenever it runs Python code of ours or of the SDK's. So nothing else needs a lock, no message
is written into another, and each STATE is consistent. A thread releases the lock only while it waits and while its
request is on the wire. The main thread does nothing but wait; the termination handler runs there, takes the lock and
keeps it.

Where streams share a quota window that gets used up, the most urgent call goes first (`rank`: less is more urgent). A
stream also waits a moment for another whose next call may be more urgent. So sessions are completed in their order.
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
PATIENCE = 0.05  # of a window; how long to wait for a busy stream whose next call may be more urgent
LONGEST_PATIENCE = 3.0  # seconds
LONGEST_NAP = 900.0  # seconds; `wait_until` checks at least this often, and whenever another stream moves
FIRST: Rank = ()  # before every other rank


@dataclass
class _Stream:
    """A thread as the others see it."""

    rank: Rank = FIRST  # of the call that it wants, or else of its last one
    window: Quota | CallLimit | None = None  # of the same call
    wants: bool = False  # whether it wants a call that is not on the wire yet
    skipped: bool = False  # whether the others do not wait for it, because it waits for something else than quota
    awaits: Hashable | None = None  # the single flight of another stream
    moved_at: float = 0.0  # when its call, its wait or its single flight last began or ended


class Turns:
    """The lock, and the threads under it. Outside `run` there is only one thread, and nothing is locked."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        """Start with one thread."""
        self.active = False
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)
        self._streams: dict[threading.Thread, _Stream] = {}
        self._flights: dict[Hashable, threading.Thread] = {}  # the single flights under way, and who makes each
        self._errors: list[BaseException] = []
        self._ending = False

    # For the transport

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the lock inside, while a request is on the wire."""
        if not self.active:
            yield
            return
        self._move()
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
            self._stop_if_ending()
            self._move()

    def sleep(self, seconds: float) -> None:
        """Release the lock for so many seconds, or until another stream moves."""
        if not self.active:
            self._clock.sleep(seconds)
            return
        self._moved.wait(seconds)
        self._stop_if_ending()

    def sleep_through(self, seconds: float) -> None:
        """Release the lock for all of these seconds, for example after a fault. The others do not wait meanwhile."""
        if not self.active:
            self._clock.sleep(seconds)
            return
        ends = self._clock.monotonic() + seconds
        with self._skipped():
            while (left := ends - self._clock.monotonic()) > 0:
                self.sleep(left)

    def want(self, window: Quota | CallLimit, rank: Rank) -> None:
        """Tell the others which call this stream makes next. Must come before any wait for that call."""
        if not self.active:
            return
        mine = self._mine
        if not mine.wants or mine.window is not window or mine.rank != rank:  # else the others need not wake up
            mine.wants, mine.window, mine.rank = True, window, rank
            self._move()

    def wait(self, window: Quota | CallLimit, *, scarce: bool = False) -> float:
        """Return for how many seconds other streams go first with a call in this window; 0 means: send now.

        The window must have a call left. `scarce`: the run has a budget of calls, so the order matters even if the
        window has many left.
        """
        if not self.active:
            return 0.0
        mine, left = self._mine, window.remaining
        if scarce or (left is not None and left <= AMPLE):
            patience = min(LONGEST_PATIENCE, PATIENCE * window.window)
            now = self._clock.monotonic()
            longest = max(_yields(mine, other, patience, now=now) for other in self._streams.values())
            if longest > 0:
                return longest
        mine.wants = False
        return 0.0

    # For what takes several calls

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Sleep until a condition holds that other streams bring about. The others do not wait meanwhile."""
        if not self.active:
            return
        with self._skipped():
            while not holds():
                self.sleep(LONGEST_NAP)

    @contextmanager
    def single_flight(self, what: Hashable) -> Iterator[bool]:
        """Let one thread at a time inside; the others release the lock and wait for what it finds out.

        Yields whether this thread came without a wait: only then has it something to find out.
        """
        me = threading.current_thread()
        if not self.active or self._flights.get(what) is me:
            yield True
            return
        waited = what in self._flights
        if waited:
            self._mine.awaits = what
            with self._skipped():
                while what in self._flights:
                    self.sleep(LONGEST_PATIENCE)
            self._mine.awaits = None
        self._flights[what] = me
        try:
            yield not waited
        finally:
            del self._flights[what]
            for stream in self._streams.values():
                if stream.awaits == what:  # its next call may be more urgent than mine
                    stream.skipped, stream.moved_at = False, self._clock.monotonic()
            self._move()

    # For the tap

    def run(self, jobs: Mapping[str, Callable[[], None]], *, watch: Callable[[], None]) -> None:
        """Run each job in a thread of its own until all have ended; raises the first error of any job.

        If one job fails, the others finish. SystemExit and a broken pipe concern all jobs, so they end all.
        `watch` is called in the main thread once a second.
        """
        if not jobs:
            return
        over = threading.Lock()
        over.acquire()
        for name, job in jobs.items():
            # A daemon, so that the process can end while the thread waits for an answer.
            thread = threading.Thread(target=self._work, args=(job, over), name=name, daemon=True)
            self._streams[thread] = _Stream(moved_at=self._clock.monotonic())
        self.active = True
        for thread in list(self._streams):
            thread.start()
        while not over.acquire(timeout=1):  # a plain lock: a handler that interrupts this finds no other half taken
            watch()
        self.active = False
        if self._errors:
            raise self._errors[0]

    def _work(self, job: Callable[[], None], over: threading.Lock) -> None:
        self._lock.acquire()
        self._stop_if_ending()
        try:
            job()
        except (SystemExit, BrokenPipeError) as error:
            self._errors.insert(0, error)
            self._ending = True
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            self._errors.append(error)
        del self._streams[threading.current_thread()]
        self._moved.notify_all()
        if self._ending or not self._streams:
            over.release()
        self._lock.release()

    def lock_for_good(self) -> None:
        """Take the lock and never release it: for the termination handler, in the main thread."""
        self._ending = True
        self._lock.acquire()

    def release_for_good(self) -> NoReturn:
        """Release the lock and never run again: the process is about to end."""
        self._ending = True
        self._lock.release()
        while True:
            time.sleep(3600)

    @property
    def _mine(self) -> _Stream:
        return self._streams[threading.current_thread()]

    @contextmanager
    def _skipped(self) -> Iterator[None]:
        mine = self._mine
        mine.skipped = True
        self._move()
        try:
            yield
        finally:
            mine.skipped = False

    def _move(self) -> None:
        """Note that this stream has moved, and wake the others: it may be their turn now."""
        self._mine.moved_at = self._clock.monotonic()
        self._moved.notify_all()

    def _stop_if_ending(self) -> None:
        if self._ending:
            self.release_for_good()


def _yields(mine: _Stream, other: _Stream, patience: float, *, now: float) -> float:
    """Return for how many seconds a stream lets another go first; 0 if it does not."""
    if other is mine or other.skipped or other.rank >= mine.rank or other.window not in {None, mine.window}:
        return 0.0
    return patience if other.wants else other.moved_at + patience - now
