"""Streams side by side and in turn, on the same sandbox: what the quota's windows and the latency of answers allow.

`python -m tests.benchmarks.side_by_side` prints, for a server with one quota window, with one per endpoint, and without
a limit but with 100 ms an answer: the calls of a first sync, the seconds from the first to the last of them both ways,
the ratio, and the seconds over what the server's own quota takes for the fullest window, each with its bound. Exits
with 1 when a call is missing, repeated or refused.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.benchmarks.bounds import at_least, at_most
from tests.support.harness import SESSION_STREAMS, sync

LATENCY = 0.1  # seconds of an answer, where the quota sets no limit
UNDER_QUOTA = frozenset({"list", "details_v3", "transcript"})
PAGE = 500  # sessions
ROUNDS = 3  # other work on the machine only ever adds time: the best round is the tap's own


@dataclass(frozen=True)
class Case:
    """A server, and the bound of one figure: of seconds over the quota, or of how much faster side by side is."""

    title: str
    sessions: int
    bound: float
    rule: QuotaRule | None = None  # in compressed time
    latency: float = 0.0


CASES = (
    Case("one window", 1_000, 1.02, QuotaRule(limit=100, window=1.0, scope="shared")),
    Case("a window per endpoint", 1_000, 1.05, QuotaRule(limit=100, window=1.0, scope="endpoint")),
    Case("10 calls a window, fixed", 90, 1.05, QuotaRule(limit=10, window=0.5, kind="fixed")),
    Case("10 calls a window, sliding", 90, 1.05, QuotaRule(limit=10, window=0.5, kind="sliding")),
    Case("no limit, 100 ms an answer", 60, 1.8, latency=LATENCY),
)


@dataclass(frozen=True)
class First:
    """A first sync: calls by endpoint, answers 429, and seconds from the first call to the last."""

    calls: Counter[str]
    refused: int
    seconds: float

    def over_quota(self, rule: QuotaRule) -> float:
        """Return the seconds over what the quota takes alone: for all calls, or for the endpoint asked most."""
        fullest = self.calls.total() if rule.scope == "shared" else max(self.calls.values())
        return self.seconds / (rule.window * ((fullest - 1) // rule.limit))


def first_sync(case: Case, *, side_by_side: bool = True) -> First:
    """Sync one test of so many sessions with transcripts."""
    world = World(seed=5)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(case.sessions):
        world.add_session(test)
    with Sandbox(world, quota=case.rule) as box, tempfile.TemporaryDirectory() as folder:
        if case.latency:
            box.before("any", lambda _call: time.sleep(case.latency), times=None)
        config = box.config(test_ids=[test.test_id], parallel_streams=side_by_side)
        done = sync(config, Path(folder), select=SESSION_STREAMS, timeout=200)
        calls = [call for call in box.calls if call.kind in UNDER_QUOTA]
    assert done.exit == 0, done.log
    refused = sum(call.status == 429 for call in calls)
    return First(Counter(call.kind for call in calls), refused, calls[-1].at - calls[0].at)


def main() -> int:
    """Print the table; return the exit status."""
    print("server                      sessions  calls  429s  side by side  in turn  ratio  over the quota")
    wrong = False
    for case in CASES:
        pairs = []
        for _ in range(ROUNDS):
            pairs.append((first_sync(case), first_sync(case, side_by_side=False)))
            if _is_kept(case, *pairs[-1]):
                break
        at_once, in_turn = min(pairs, key=lambda pair: pair[0].seconds)
        print(
            f"{case.title:27} {case.sessions:8} {at_once.calls.total():6} {at_once.refused:5} "
            f"{at_once.seconds:11.1f} s {in_turn.seconds:6.1f} s  {_figure(case, at_once, in_turn)}",
            flush=True,
        )
        expected = {"list": -(-case.sessions // PAGE), "details_v3": case.sessions, "transcript": case.sessions}
        wrong |= any(one.refused or one.calls != expected for pair in pairs for one in pair)
    if wrong:
        print("WRONG: calls are missing, repeated or refused", file=sys.stderr)
    return 1 if wrong else 0


def _is_kept(case: Case, at_once: First, in_turn: First) -> bool:
    if case.rule is not None:
        return at_once.over_quota(case.rule) <= case.bound
    return in_turn.seconds / at_once.seconds >= case.bound


def _figure(case: Case, at_once: First, in_turn: First) -> str:
    ratio = in_turn.seconds / at_once.seconds
    if case.rule is not None:
        return f"{ratio:5.2f}  {at_most(at_once.over_quota(case.rule), case.bound)}"
    return f" {at_least(ratio, case.bound, '.2f')}"


if __name__ == "__main__":
    sys.exit(main())
