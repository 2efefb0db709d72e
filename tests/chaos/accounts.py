"""Random schedules of a whole account under a virtual clock: `python -m tests.chaos.accounts [--seeds N] [--first N]`.

Runs with budgets of any size, killed ones, streams side by side and in turn, at odd hours, by list and by feed, over
tests with and without transcripts whose type may not be known, while sessions come and are rejected. After some clean
runs every row is there, none is too many, and but for kills no answer was asked for twice.
"""
# ruff: noqa: T201, S311 - what it prints is what it is for; nothing secret is drawn

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from tap_usertesting.values.times import from_epoch
from tests.benchmarks.account import HOUR, NEVER, Hours, Session, account

if TYPE_CHECKING:
    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Call

BEGAN = 1_735_689_600.0  # 2025-01-01, epoch seconds
DAY = 24 * HOUR
SELECTED = (
    ("sessions",),
    ("sessions", "session_details"),
    ("session_details", "transcripts"),
    ("sessions", "session_details", "transcripts"),
)
MOST_CALLS = 20_000  # of a schedule; a run that makes more never ends
CLEAN = 4  # runs at the end
PATIENCE = 6 * DAY  # for which a transcript is waited for, and a little less


class Killed(BaseException):
    """What a process that is killed does not see."""


class Schedule:
    """One account, and the runs of a tap in it."""

    def __init__(self, seed: int) -> None:
        """Draw both."""
        self._rng = rng = Random(seed)
        self._by_feed = rng.random() < 0.5
        self._typed = rng.random() < 0.5
        self._streams = list(rng.choice(SELECTED))
        if self._by_feed:
            self._streams.append("result_changes")
        tests = account(days=rng.choice([10, 20]), began=BEGAN, seed=seed, a_day=rng.choice([1, 2]))
        at = BEGAN + rng.choice([5, 9]) * DAY
        for test in tests:
            silent = not self._typed and rng.random() < 0.5
            for session in test.sessions:
                late = min(session.transcribed, session.at + PATIENCE - DAY)
                session.transcribed = NEVER if silent else late
                if rng.random() < 0.15:
                    session.rejected = max(session.at, at) + rng.random() * 6 * DAY
        self._tap = Hours(tests, at=at, by_feed=self._by_feed, streams=self._streams, row=self._row)
        if not self._typed:
            self._tap.config["test_ids"] = [test.test_id for test in tests]
        self._server = self._tap.server
        self._answer = self._server.answer
        self._server.answer = self._answered  # type: ignore[method-assign]  # so that it may be killed
        self._table: set[tuple[str, str]] = set()
        self._written: Counter[tuple[str, str]] = Counter()
        self._left: int | None = None  # calls until the kill
        self._kills = 0
        self._settled = 0.0  # what happened by then has to be there

    def run(self) -> list[str]:
        """Run it, then some clean runs; return what is wrong."""
        if self._rng.random() < 0.5:
            self._tap.catch_up()
        for _ in range(self._rng.randrange(3, 14)):
            self._once()
        for _ in range(CLEAN):
            self._tap.clock.now += 9 * DAY
            self._settled = self._server.now
            self._tap.run()
        return [*self._wrong_rows(), *self._twice()]

    def _once(self) -> None:
        rng, clock = self._rng, self._tap.clock
        settings: dict[str, object] = {"parallel_streams": rng.random() < 0.6}
        if rng.random() < 0.3:
            settings["max_quiet_hours"] = 0
        begin, ends = clock.now, rng.choice(["calls", "calls", "time", "kill", "by itself"])
        if ends == "calls":
            settings["max_calls"] = rng.choice([5, 8, 12, 20, 40])
        elif ends == "time":
            settings["max_duration"] = rng.choice([70, 130, 300])
        elif ends == "kill":
            self._left = rng.randrange(1, 60)
        try:
            self._tap.run(**settings)
        except Killed:
            self._kills += 1
        self._left = None
        clock.now = max(clock.now, begin + rng.choice([0.2, 1, 1, 5, 24]) * HOUR)

    def _answered(self, call: Call) -> Answer:
        assert self._server.calls.total() < MOST_CALLS, f"a run does not end: {self._server.calls}"
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed
        return self._answer(call)

    def _row(self, stream: str, row: dict[str, Any]) -> None:
        key = stream, str(row["cursor"] if stream == "result_changes" else row["session_id"])
        if row.get("_sdc_deleted_at") is not None:
            self._table.discard(key)
            return
        self._written[key] += 1
        self._table.add(key)

    def _wrong_rows(self) -> list[str]:
        truth = {
            (stream, session.session_id)
            for session in self._server.sessions.values()
            for stream in self._streams
            if stream != "result_changes" and self._has(stream, session)
        }
        if self._by_feed:
            events = [event for test in self._server.tests.values() for event in self._server.events(test)]
            settled = from_epoch(self._settled)
            truth |= {("result_changes", event["cursor"]) for event in events if event["changedAt"] <= settled}
        fresh = {session.session_id for session in self._server.sessions.values() if session.at > self._settled}
        lost = truth - self._table
        extra = {key for key in self._table - truth if key[1] not in fresh and key[0] != "result_changes"}
        if not self._by_feed:  # a list tells of no removal
            extra.clear()
        return [
            f"{len(keys)} rows {what}, such as {min(keys)}"
            for what, keys in (("lost", lost), ("too many", extra))
            if keys
        ]

    def _has(self, stream: str, session: Session) -> bool:
        there = session.at <= self._settled < session.rejected
        return there and (stream != "transcripts" or session.transcribed <= self._settled)

    def _twice(self) -> list[str]:
        twice = [key for key, times in self._written.items() if times > 1]
        return [f"{len(twice)} rows written twice, such as {min(twice)}"] if twice and not self._kills else []


def main() -> int:
    """Run many; prints those that end wrong, and returns 1 if any did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1_000)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    wrong = 0
    for seed in range(options.first, options.first + options.seeds):
        try:
            lines = Schedule(seed).run()
        except (AssertionError, RuntimeError) as error:
            lines = [str(error)]
        wrong += len(lines)
        for line in lines:
            print(f"seed {seed}: {line}", flush=True)
    print(f"{options.seeds} schedules: {wrong} things wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
