"""The lock itself: one thread at a time, what spans a call is done once, and how a run of threads ends."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from tap_usertesting.api.quota import Quota
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.api.turns import Turns
from tests.support.simulated_time import SimulatedTime, SimulatedTurns

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 100  # seconds: what takes longer hangs


def run(turns: Turns, **jobs: object) -> None:
    """Run these functions side by side."""
    turns.run({name: job for name, job in jobs.items() if callable(job)}, watch=lambda: None)


def test_one_thread_runs_at_a_time_unless_it_releases_the_lock() -> None:
    """Threads take turns wherever one is on the wire or asleep, and nowhere else."""
    turns, inside, most, met = Turns(), [0], [0], [0]
    together = threading.Barrier(3, timeout=LONG)

    def work() -> None:
        for _ in range(20):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.0005)  # a thread switch would show
            inside[0] -= 1
            with turns.released():
                together.wait()  # passes only if all three have released it at once
                met[0] = 1
            turns.sleep(0.001)

    run(turns, a=work, b=work, c=work)
    assert (most[0], met[0]) == (1, 1)


def test_what_spans_a_call_is_done_once() -> None:
    """The first makes the call; who comes meanwhile waits without the lock, and finds what it found."""
    turns, calls, found = Turns(), [0], {}
    came: list[str] = []

    def fetch(name: str) -> None:
        came.append(name)
        with turns.single_flight("list") as first:
            if "list" not in found:
                calls[0] += 1
                with turns.released():
                    until(lambda: len(came) == 3)
                found["list"] = 1
            found[name] = int(first)

    run(turns, a=lambda: fetch("a"), b=lambda: fetch("b"), c=lambda: fetch("c"))
    assert calls == [1]
    assert sorted(found[name] for name in "abc") == [0, 0, 1]


def test_what_spans_a_call_may_ask_for_itself() -> None:
    """A thread does not wait for itself."""
    turns = Turns()

    def fetch() -> None:
        with turns.single_flight("feed"), turns.single_flight("feed"), turns.released():
            pass

    run(turns, a=fetch, b=fetch)


def test_one_that_fails_lets_the_others_finish() -> None:
    """Its exception comes out in the main thread, after all."""
    turns, done = Turns(), []

    def fail() -> NoReturn:
        raise KeyError("bug")

    def work() -> None:
        for _ in range(3):
            with turns.released():
                time.sleep(0.01)
        done.append(True)

    with pytest.raises(KeyError, match="bug"):
        run(turns, a=fail, b=work)
    assert done == [True]
    assert not turns.active


def test_the_end_of_the_run_ends_all() -> None:
    """What concerns every stream, such as bad credentials, lets no other go on."""
    parked, ended = threading.Event(), threading.Event()
    done: list[bool] = []

    class Parking(Turns):
        def release_for_good(self) -> NoReturn:
            parked.set()
            super().release_for_good()

    def end() -> NoReturn:
        raise SystemExit(1)

    def work() -> None:
        with turns.released():
            ended.wait(LONG)
        done.append(True)

    turns = Parking()
    with pytest.raises(SystemExit):
        run(turns, a=work, b=end)
    ended.set()
    assert parked.wait(LONG)
    assert done == []


def test_nothing_to_run_is_done_at_once() -> None:
    """No thread, no wait."""
    run(Turns())


def test_the_handler_takes_the_lock_for_good() -> None:
    """Once the main thread has it, no other runs again, not even one that comes off the wire."""
    turns, ran = Turns(), []
    on_the_wire, seized = threading.Event(), threading.Event()

    def work() -> None:
        with turns.released():
            on_the_wire.set()
            seized.wait(LONG)
        ran.append(True)

    def handler() -> None:
        on_the_wire.wait(LONG)
        turns.lock_for_good()
        seized.set()
        time.sleep(0.1)  # the other would run now
        raise InterruptedError

    with pytest.raises(InterruptedError):
        turns.run({"a": work}, watch=handler)
    assert ran == []


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    while not holds():
        time.sleep(0.001)


# Whose turn it is, in simulated time


def test_the_more_urgent_call_of_a_window_goes_first() -> None:
    """Of two that share a window, each with a list of calls, the merged order is kept."""
    at = SimulatedTime()
    turns, window, order = SimulatedTurns(at), Quota(clock=at.monotonic), []

    def work(ranks: list[float]) -> None:
        for rank in ranks:
            turns.want(window, (rank,))
            while (seconds := turns.wait(window)) > 0:
                turns.sleep(seconds)
            order.append(rank)
            turns.pass_by(0.3)

    run(turns, a=lambda: work([1, 4, 5]), b=lambda: work([2, 3, 6]))
    assert order == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("why", ["another window", "it rests", "it hangs", "many are left"])
def test_no_one_waits_for_nothing(why: str) -> None:
    """Not for a stream with another window, nor for one that waits for itself or hangs, nor where calls abound."""
    at = SimulatedTime()
    turns, window = SimulatedTurns(at), Quota(clock=at.monotonic, limit=1000 if why == "many are left" else 10)
    window.answered(window.sent(), RateHeaders())
    waited = []

    def urgent() -> None:
        mine = Quota(clock=at.monotonic) if why == "another window" else window
        turns.want(mine, (1,))
        while (seconds := turns.wait(mine)) > 0:
            turns.sleep(seconds)
        if why == "it rests":
            turns.sleep_through(20)
        else:
            turns.pass_by(20)

    def other() -> None:
        turns.pass_by(1)
        turns.want(window, (2,))
        began = at.now
        while (seconds := turns.wait(window)) > 0:
            turns.sleep(seconds)
        waited.append(at.now - began)

    run(turns, a=urgent, b=other)
    # One that is on the wire is waited for, for a twentieth of the window, and not as long as it takes.
    assert waited == [3.0 if why == "it hangs" else 0.0]
