"""The long suite: `python -m tests.chaos --seeds 200`, or one seed with the logs of its runs: `--seed 17`."""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING

from tests.chaos.ledger import NOTHING, Spent
from tests.chaos.mirror import NoTargetError, postgres_target
from tests.chaos.process import end_with_parent
from tests.chaos.trial import Trial, run_quietly
from tests.support.environments import CannotInstallError

if TYPE_CHECKING:
    from tests.chaos.mirror import Target
    from tests.chaos.report import Report

EVERY = 8
HEAD = (
    "  seed scene        weather windows  runs  -9 TERM INT torn faults happened calls again ratio first least loads "
    " rows lost extra     s"
)


def main() -> int:
    """Run the seeds that the command line names; 1 when any ends wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone and print the logs of its runs")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to run (default: 200)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="seeds side by side")
    parser.add_argument(
        "--postgres",
        type=int,
        default=EVERY,
        metavar="N",
        help=f"load every Nth seed into a real PostgreSQL too, 0: none (default: {EVERY}; installs it beside)",
    )
    options = parser.parse_args()
    try:
        with postgres_target() if options.postgres else contextlib.nullcontext() as target:
            return _alone(options.seed, target) if options.seed is not None else _together(options, target)
    except (CannotInstallError, NoTargetError) as error:
        _say(f"there is no PostgreSQL: {error}\n--postgres 0 does without")
        return 2


def _alone(seed: int, target: Target | None) -> int:
    logging.disable(logging.CRITICAL)  # the clean runs log in this process
    report = Trial(seed, _say, target).run()
    _say(f"\n{HEAD}\n{_line(report)}")
    return _conclude([report])


def _together(options: argparse.Namespace, target: Target | None) -> int:
    began = time.monotonic()
    reports = []
    _say(HEAD)
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn"), end_with_parent) as pool:
        seeds = range(options.first, options.first + options.seeds)
        chosen = {seed: target for seed in seeds if options.postgres and seed % options.postgres == 0}
        for done in as_completed([pool.submit(run_quietly, seed, chosen.get(seed)) for seed in seeds]):
            reports.append(done.result())
            _say(_line(reports[-1]))
    _say(f"{time.monotonic() - began:.0f} s in all")
    return _conclude(reports)


def _line(report: Report) -> str:
    blows = [report.blows[name] for name in ("SIGKILL", "SIGTERM", "SIGINT")]
    return (
        f"{report.seed:6} {report.kind:12} {report.weather:7} {report.windows:8} {report.runs:4} "
        f"{blows[0]:3} {blows[1]:4} {blows[2]:3} {report.torn:4} "
        f"{report.faults.total():6} {report.happened:8} {report.spent.calls:5} {report.spent.again:5} "
        f"{report.spent.ratio:5.2f} {report.first:5} {report.least:5} {report.loads:5} {report.rows:5} "
        f"{report.lost:4} {report.extra:5} "
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
    wrong = [report for report in reports if report.wrong]
    _say(
        f"\n{len(reports)} seeds, {sum(report.runs for report in reports)} runs; "
        f"struck: {_listed(blows)}, in {_listed(moments)}; lines torn: {sum(report.torn for report in reports)}\n"
        f"{faults.total()} faults: {_listed(faults)}\n"
        f"{_calls(reports)}\n"
        f"{sum(report.loads > 0 for report in reports)} seeds also in PostgreSQL, by "
        f"{sum(report.loads for report in reports)} loads\n"
        f"{sum(report.happened for report in reports)} happenings; {sum(report.rows for report in reports)} rows "
        f"compared, lost or stale: {sum(report.lost for report in reports)}, "
        f"too many: {sum(report.extra for report in reports)}; seeds that ended wrong: {len(wrong)}"
    )
    for report in wrong:
        _say("\n  ".join([f"\nseed {report.seed} ended wrong; repeat it with: {report.repeat}", *report.wrong]))
    return 1 if wrong else 0


def _calls(reports: list[Report]) -> str:
    """Return what the calls of the Results API were spent on: where nothing, only kills, or faults too went wrong."""
    groups = {
        "calm seeds": [report.spent for report in reports if report.weather == "calm"],
        "seeds with kills only": [report.spent for report in reports if report.weather == "kills"],
        "seeds with faults": [report.spent for report in reports if report.weather not in {"calm", "kills"}],
    }
    lines = []
    for name, spents in groups.items():
        if not spents:
            continue
        spent = Spent(*(sum(column) for column in zip(NOTHING, *spents, strict=True)))
        lines.append(
            f"{len(spents)} {name}: {spent.calls} calls, {spent.faulted} met a fault, {spent.again} asked again what "
            f"had been answered, {spent.refused} over the quota: {spent.ratio:.3f} times the least possible"
        )
    first, fewest = sum(report.first for report in reports), sum(report.least for report in reports)
    lines.append(
        f"{len(reports)} first syncs without faults: {first} calls, {first / fewest:.3f} times the least possible"
    )
    return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
