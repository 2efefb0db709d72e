"""How long a new session takes to its row: `python -m tests.benchmarks.freshness [--days N] [--tests N]`.

A simulated account of a year of tests, the real tap under a virtual clock, hourly runs of 55 minutes at ten calls a
minute, by list and by feed; then a first sync of 1,000 tests. Beside it the same account under other ways to spend the
calls: the tests in order (the oldest first), in rotation, and by an oracle that knows where the news is. Exits with 1
when a row is missing.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.benchmarks.account import HOUR, Hours, account, first_sync, quantile, simulate
from tests.benchmarks.bounds import at_least, at_most

BEGAN = 1_735_689_600.0  # 2025-01-01, epoch seconds
BUDGET = 550  # calls of a run
AFTER = (1, 3, 10)  # hours of a first sync
NEWEST = 1_000  # sessions


def main() -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=3, help="for which hourly runs are watched")
    parser.add_argument("--tests", type=int, default=1_200, help="of a year")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    wrong = _news(options.days, options.tests)
    wrong |= _first(min(1_000, options.tests))
    return 1 if wrong else 0


def _line(name: str, rows: list[float], texts: list[float], calls: float, lists: float, more: str = "") -> None:
    figures = [quantile(values, share) for values in (rows, texts) for share in (0.5, 0.95)]
    shown = "  ".join(f"{figure:8.2f}" for figure in figures)
    print(f"{name:16} {len(rows):6}  {shown}  {calls:9.0f}  {lists:9.0f}  {more}", flush=True)


def _news(days: int, tests: int) -> bool:
    """Print how fresh the rows are once everything was read."""
    a_day = max(1, round(tests / 260))
    whole = account(days=365, began=BEGAN, a_day=a_day)
    at = BEGAN + 336 * 24 * HOUR  # the begin of a week
    print(f"{len(whole)} tests of a year, {days} days of hourly runs, hours from completion to row\n")
    print("way                rows  median      95 %   text 50 %  text 95 %  calls/day  lists/day")
    simulated = {
        name: simulate(name, whole, at=at, hours=days * 24, budget=BUDGET)
        for name in ("in order", "rotation", "oracle")
    }
    for name, (rows, texts, lists) in simulated.items():
        _line(name, rows, texts, (lists + len(rows) + len(texts)) / days, lists / days)
    oracle, rotation = simulated["oracle"], simulated["rotation"]
    wrong = False
    for by_feed in (False, True):
        began = time.monotonic()
        here = account(days=365, began=BEGAN, a_day=a_day)
        tap = Hours(here, at=at, by_feed=by_feed)
        tap.catch_up()
        known = {session.session_id for session in tap.server.sessions.values() if session.detailed_at}
        for _ in tap.hourly(days * 24):
            pass
        made = tap.server.calls
        new = [one for one in tap.server.sessions.values() if one.session_id not in known and one.detailed_at]
        rows = [((one.detailed_at or 0) - one.at) / HOUR for one in new]
        texts = [((one.text_at or 0) - one.transcribed) / HOUR for one in new if one.text_at]
        late = at + (days * 24 - 25) * HOUR
        missing = sum(at < one.at < late and one.detailed_at is None for one in tap.server.sessions.values())
        wrong |= missing > 0
        kept = at_most(quantile(rows, 0.5) / quantile(oracle[0], 0.5), 1.1, ".2f")
        if not by_feed:
            kept += f"; lists {at_most(made['list'] / max(1, rotation[2]), 1 / 7, '.2f')}"
        took = f"{time.monotonic() - began:.0f} s to run"
        _line(
            "tap by feed" if by_feed else "tap by list",
            rows,
            texts,
            made.total() / days,
            made["list"] / days,
            f"{kept}; {missing} missing; {took}",
        )
    return wrong


def _first(tests: int) -> bool:
    """Print how much of the newest sessions a first sync has after some hours."""
    whole = account(days=365, began=BEGAN, a_day=max(1, round(tests / 260)))[-tests:]
    at = BEGAN + 365 * 24 * HOUR
    there = sorted((s for t in whole for s in t.sessions[: t.finished(at)]), key=lambda session: -session.at)
    newest = {session.session_id for session in there[:NEWEST] if session.transcribed <= at}
    print(f"\nA first sync of {len(whole)} tests: share of the newest {NEWEST} sessions that is whole\n")
    print(f"way              {'  '.join(f'after {hours:2} h' for hours in AFTER)}")
    shares = {
        name: [first_sync(name, whole, at=at, newest=newest, calls=hours * BUDGET) for hours in AFTER]
        for name in ("in order", "oracle")
    }
    for name, share in shares.items():
        print(f"{name:16} {'  '.join(f'{one:10.1%}' for one in share)}")
    for by_feed in (False, True):
        here = account(days=365, began=BEGAN, a_day=max(1, round(tests / 260)))[-tests:]
        tap = Hours(here, at=at, by_feed=by_feed)
        found = []
        for number in tap.hourly(max(AFTER)):
            if number + 1 in AFTER:
                whole_now = {s.session_id for s in tap.server.sessions.values() if s.detailed_at and s.text_at}
                found.append(len(whole_now & newest) / len(newest))
        kept = [
            at_least(mine / best if best else 1.0, 0.9, ".2f")
            for mine, best in zip(found, shares["oracle"], strict=True)
        ]
        name = "tap by feed" if by_feed else "tap by list"
        print(f"{name:16} {'  '.join(f'{one:10.1%}' for one in found)}  of the oracle: {', '.join(kept)}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
