"""Three taps on one set of credentials, each with a third of the tests: `python -m tests.benchmarks.shared`.

They know nothing of each other but what the server's headers say. First the real processes: time is compressed, windows
of a second instead of a minute, and every wait is told to the millisecond (a `Retry-After`, in whole seconds, would be
as coarse here as rounding a minute's to whole minutes). The start of a process is not compressed, so it counts from the
moment that all three are on; other work on the machine only ever takes away, so the best round counts. Then the same at
the real scale, on a simulated clock, headers rounded as the server does.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.benchmarks.bounds import at_least, at_most
from tests.benchmarks.simulated import share_used, simulate
from tests.support.harness import COMMAND, Synced, Warehouse, arguments, parse
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from tap_usertesting.sandbox.requests_and_replies import ServedCall

TAPS = 3
TESTS_EACH = 2
CALLS = 300  # of a simulation: half an hour
SEEDS = 30
STREAMS = ("sessions", "session_details", "transcripts", "result_changes")
NO_RESULTS = frozenset({"token", "feed", "v1"})
LEAST_USED = 0.95  # of the quota, by all of them
MOST_SLOWEST = 1.3  # times the mean: none starves


@dataclass(frozen=True)
class Shared:
    """How three taps shared a quota.

    `used`: the calls that were let through over what the quota allows, from when all three are on to the first that is
    done. `slowest`: the longest time that one took, from its own first call to its last, over the mean. `refused`:
    429s. `windows`: how long all of it took.
    """

    used: float
    slowest: float
    refused: int
    calls: int
    windows: float
    runs: tuple[Synced, ...]

    def check_tables(self, world: World) -> None:
        """Assert that the three together hold the truth, and that none failed."""
        warehouse = Warehouse()
        for run in self.runs:
            assert run.exit == 0, run.log
            warehouse.load(run.messages)
        assert_true(warehouse, world, STREAMS)


def world_of(sessions: int) -> World:
    """Make the tests of all three taps, each with so many sessions and their transcripts."""
    return World.bulk(
        tests=TAPS * TESTS_EACH,
        sessions=sessions,
        events_per_session=3,
        transcripts=True,
        product_type="THINK_OUT_LOUD",
    )


def compressed(window: float) -> QuotaRule:
    """Return the quota in compressed time."""
    return QuotaRule(limit=10, window=window, retry_after=None, limit_headers=True)


def share(world: World, rule: QuotaRule) -> Shared:
    """Run three taps at once until the last is done."""
    ids = list(world.tests)
    with Sandbox(world, quota=rule) as box, tempfile.TemporaryDirectory() as name:
        started = []
        for number in range(TAPS):
            folder = Path(name) / str(number)
            folder.mkdir()
            config = box.config(test_ids=ids[number::TAPS])
            command = [*COMMAND, *arguments(config, folder, select=STREAMS)]
            with (folder / "out").open("wb") as out, (folder / "log").open("wb") as log:
                started.append((folder, subprocess.Popen(command, stdout=out, stderr=log)))
        runs = tuple(
            Synced(process.wait(), parse((folder / "out").read_bytes()), (folder / "log").read_text(encoding="utf-8"))
            for folder, process in started
        )
        calls = [call for call in box.calls if call.kind not in NO_RESULTS]
    return _judged(rule, runs, calls, [set(ids[number::TAPS]) for number in range(TAPS)])


def _judged(rule: QuotaRule, runs: tuple[Synced, ...], calls: list[ServedCall], shares: list[set[str]]) -> Shared:
    """Take the figures from the sandbox's call log."""
    times = [[call.at for call in calls if call.test_id in share] for share in shares]
    all_on, first_done = max(own[0] for own in times), min(own[-1] for own in times)
    passed = [call.at for call in calls if call.status != 429]
    together = [at for at in passed if all_on <= at <= first_done]
    took = [own[-1] - own[0] for own in times]
    return Shared(
        used=share_used(together, limit=rule.limit, window=rule.window),
        slowest=max(took) / statistics.mean(took),
        refused=len(calls) - len(passed),
        calls=len(passed),
        windows=(calls[-1].at - calls[0].at) / rule.window,
        runs=runs,
    )


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of each kind of window (default: %(default)s)")
    parser.add_argument("--sessions", type=int, default=20, help="per test, six tests (default: %(default)s)")
    parser.add_argument("--window", type=float, default=1.0, help="seconds (default: %(default)s)")
    options = parser.parse_args()
    for _ in range(options.rounds):
        world = world_of(options.sessions)
        shared = share(world, compressed(options.window))
        shared.check_tables(world)
        assert shared.calls == TAPS * TESTS_EACH * (1 + 2 * options.sessions)  # none twice
        print(
            f"processes: of the quota used by {TAPS} taps {at_least(shared.used, LEAST_USED, '.1%')}, {shared.calls} "
            f"calls in {shared.windows:.1f} windows, {shared.refused} refused; the slowest over the mean "
            f"{at_most(shared.slowest, MOST_SLOWEST, '.2f')}; every table right",
            flush=True,
        )
    kinds: tuple[Literal["fixed", "sliding"], ...] = ("fixed", "sliding")
    for kind, taps in itertools.product(kinds, (1, 2, TAPS, 6)):
        found = [simulate(QuotaRule(kind=kind), taps=taps, calls=CALLS // taps, seed=seed) for seed in range(SEEDS)]
        print(
            f"simulated, {kind} windows of a minute, {taps} taps: of the quota used "
            f"{at_least(min(one.used for one in found), LEAST_USED, '.1%')}, the slowest over the mean "
            f"{at_most(max(one.slowest for one in found), MOST_SLOWEST, '.2f')}, "
            f"{statistics.mean(one.refused for one in found):.0f} refused beside {CALLS} calls"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
