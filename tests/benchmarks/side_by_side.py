"""Streams side by side and in turn, on the same sandbox: what the quota's windows and the latency of answers allow.

`python -m tests.benchmarks.side_by_side` prints, for a server with one quota window, with one per endpoint, and without
a limit but with 100 ms an answer: the calls of a first sync, the seconds from the first to the last of them both ways,
the ratio, and the seconds over what the server's own quota takes for the fullest window.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.harness import SESSION_STREAMS, sync

LATENCY = 0.1  # seconds of an answer, where the quota sets no limit
LIMIT, WINDOW = 100, 1.0  # calls in seconds: compressed time
UNDER_QUOTA = frozenset({"list", "details_v3", "transcript"})


@dataclass(frozen=True)
class First:
    """A first sync: calls by endpoint, answers 429, and seconds from the first call to the last."""

    calls: Counter[str]
    refused: int
    seconds: float

    def over_quota(self, *, shared: bool) -> float:
        """Return the seconds over what the quota takes alone: for all calls, or for the endpoint asked most."""
        fullest = self.calls.total() if shared else max(self.calls.values())
        return self.seconds / (WINDOW * ((fullest - 1) // LIMIT))


def first_sync(
    sessions: int, *, scope: Literal["shared", "endpoint"] | None, side_by_side: bool = True, latency: float = 0.0
) -> First:
    """Sync one test of so many sessions with transcripts. `scope`: what has a quota window; None for no quota."""
    world = World(seed=5)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(sessions):
        world.add_session(test)
    rule = None if scope is None else QuotaRule(limit=LIMIT, window=WINDOW, scope=scope)
    with Sandbox(world, quota=rule) as box, tempfile.TemporaryDirectory() as folder:
        if latency:
            box.before("any", lambda _call: time.sleep(latency), times=None)
        config = box.config(test_ids=[test.test_id], parallel_streams=side_by_side)
        done = sync(config, Path(folder), select=SESSION_STREAMS, timeout=200)
        calls = [call for call in box.calls if call.kind in UNDER_QUOTA]
    assert done.exit == 0, done.log
    refused = sum(call.status == 429 for call in calls)
    return First(Counter(call.kind for call in calls), refused, calls[-1].at - calls[0].at)


def main() -> None:
    """Print the table."""
    print("server                     sessions  calls  429s  side by side  in turn  ratio  over the quota")
    cases: tuple[tuple[str, int, Literal["shared", "endpoint"] | None, float], ...] = (
        ("one window", 1_000, "shared", 0.0),
        ("a window per endpoint", 1_000, "endpoint", 0.0),
        ("no limit, 100 ms an answer", 60, None, LATENCY),
    )
    for title, sessions, scope, latency in cases:
        both = [first_sync(sessions, scope=scope, side_by_side=how, latency=latency) for how in (True, False)]
        at_once, in_turn = both
        over = f"{at_once.over_quota(shared=scope == 'shared'):.3f}" if scope else ""
        print(
            f"{title:26} {sessions:8} {at_once.calls.total():6} {at_once.refused:5} {at_once.seconds:11.1f} s "
            f"{in_turn.seconds:6.1f} s {in_turn.seconds / at_once.seconds:6.2f} {over:>15}"
        )


if __name__ == "__main__":
    main()
