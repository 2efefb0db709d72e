"""The long suite: `python -m tests.chaos --seeds 200`, or one seed with the logs of its runs: `--seed 17`."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING

from tests.chaos.ledger import Spent
from tests.chaos.story import Story, end_with_parent, run_quietly

if TYPE_CHECKING:
    from tests.chaos.story import Report

HEAD = "  seed scene        runs  -9 TERM INT torn faults happened calls again ratio clean  rows lost extra     s"


def main() -> int:
    """Run the seeds that the command line names; 1 when any ends wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone and print the logs of its runs")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to run (default: 200)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="seeds side by side")
    options = parser.parse_args()
    if options.seed is not None:
        logging.disable(logging.CRITICAL)  # the clean runs log in this process
        report = Story(options.seed, tell=_say).run()
        _say(f"\n{HEAD}\n{_line(report)}")
        return _conclude([report])
    began = time.monotonic()
    reports = []
    _say(HEAD)
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn"), end_with_parent) as pool:
        seeds = range(options.first, options.first + options.seeds)
        for done in as_completed([pool.submit(run_quietly, seed) for seed in seeds]):
            reports.append(done.result())
            _say(_line(reports[-1]))
    _say(f"{time.monotonic() - began:.0f} s in all")
    return _conclude(reports)


def _line(report: Report) -> str:
    blows = [report.blows[name] for name in ("SIGKILL", "SIGTERM", "SIGINT")]
    return (
        f"{report.seed:6} {report.kind:12} {report.runs:4} {blows[0]:3} {blows[1]:4} {blows[2]:3} {report.torn:4} "
        f"{report.faults.total():6} {report.happened:8} {report.spent.calls:5} {report.spent.again:5} "
        f"{report.spent.ratio:5.2f} {report.clean:5} {report.rows:5} {report.lost:4} {report.extra:5} "
        f"{report.seconds:5.1f}{'  WRONG: ' if report.wrong else ''}{'; '.join(report.wrong)}"
    )


def _conclude(reports: list[Report]) -> int:
    """Print the sums, and each seed that ended wrong with the command that repeats it."""
    blows: Counter[str] = Counter()
    moments: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for report in reports:
        blows += report.blows
        moments += report.moments
        faults += report.faults
    spent = Spent(*(sum(column) for column in zip(*(report.spent for report in reports), strict=True)))
    wrong = [report for report in reports if report.wrong]
    _say(
        f"\n{len(reports)} seeds, {sum(report.runs for report in reports)} runs; "
        f"struck: {_listed(blows)}, in {_listed(moments)}; lines torn: {sum(report.torn for report in reports)}\n"
        f"{faults.total()} faults: {_listed(faults)}\n"
        f"{spent.calls} calls of the Results API: {spent.faulted} met a fault, {spent.again} asked again what had been "
        f"answered, {spent.refused} over the quota: {spent.ratio:.3f} times the least possible\n"
        f"{sum(report.happened for report in reports)} happenings; {sum(report.rows for report in reports)} rows "
        f"compared, lost or stale: {sum(report.lost for report in reports)}, "
        f"too many: {sum(report.extra for report in reports)}; seeds that ended wrong: {len(wrong)}"
    )
    for report in wrong:
        _say("\n  ".join([f"\nseed {report.seed} ended wrong; repeat it with: {report.repeat}", *report.wrong]))
    return 1 if wrong else 0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
