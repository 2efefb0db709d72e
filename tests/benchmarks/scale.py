"""What large accounts cost: `make bench`, or `python -m tests.benchmarks.scale [--part 0.1] [--only WORDS]`.

The sandbox runs in a process of its own, without a quota, so seconds are what the tap adds to the quota's own time.
Calls and rows are exact and checked; seconds depend on the machine and on what else it does, processor seconds less so.
Exits with 1 when a row is missing, repeated or too many, when calls exceed the least possible by more than 2 %, or when
250,000 events take more than 300 MB.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.benchmarks.bounds import at_most
from tests.benchmarks.syncing import Server, Took, serving, sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SPOKEN, SURVEY = "THINK_OUT_LOUD", "SURVEY"
MOST_CALLS = 1.02  # times the least possible
MOST_MEMORY = 300e6  # bytes, for any number of events up to 250,000
MOST_COST = 1.5  # of one more test or session among ten times as many, over that among few
ROUNDS = 3  # of the small syncs of a cost: other work on the machine only ever adds time
LINE = "{:<42}{:>9}{:>9}{:>9}{:>9}{:>7}{:>8}{:>9}{:>10}{:>9}{:>12}  {}"


@dataclass(frozen=True)
class Job:
    """Uniform data, and how it is read: all streams unless some are named, and at most so many bytes."""

    name: str
    tests: int
    sessions: int
    events: int = 3  # per session
    product_type: str = SPOKEN
    feed: bool = True
    hour: bool = False
    select: tuple[str, ...] | None = None
    peak: float = math.inf  # bytes
    data: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        """Say what the sandbox is to hold; jobs of the same data share one."""
        data = {
            "tests": self.tests,
            "sessions": self.sessions,
            "events_per_session": self.events,
            "product_type": self.product_type,
            "transcripts": self.product_type == SPOKEN,
            "hour": self.hour,
        }
        object.__setattr__(self, "data", data)

    def config(self, server: Server) -> dict[str, Any]:
        """Return the settings: tests are discovered, so that their product types are known."""
        left_out = {"test_ids"} if self.feed else {"test_ids", "feed_url"}
        return {name: value for name, value in server.config.items() if name not in left_out}

    def rows(self) -> Counter[str]:
        """Return how many rows each stream must write in a first sync."""
        sessions = self.tests * self.sessions
        rows = Counter(
            workspaces=1,
            tests=self.tests,
            sessions=sessions,
            session_details=sessions,
            transcripts=sessions if self.product_type == SPOKEN else 0,
            result_changes=sessions * self.events if self.feed else 0,
            sync_status=self.tests * (2 + (self.product_type == SPOKEN) + self.feed),
        )
        return +Counter({name: count for name, count in rows.items() if self.select is None or name in self.select})

    def least(self) -> int:
        """Return the fewest calls of a first sync: discovery, feed, list pages, and one for each row of a session."""
        rows = self.rows()
        pages = self.tests * max(1, math.ceil(self.sessions / 500)) if rows["sessions"] else 0
        return self.least_idle() + self._feed_requests() + pages + rows["session_details"] + rows["transcripts"]

    def least_idle(self) -> int:
        """Return the fewest calls that find nothing new by feed; by list, these without its pages."""
        discovery = 1 + math.ceil(self.tests / 50) + 1  # workspaces; the tests by fifty; an empty page is the end
        return 1 + discovery + self._feed_requests()

    def _feed_requests(self) -> int:
        return math.ceil(self.tests / 100) if self.feed else 0


def jobs(part: float) -> list[Job]:
    """Return the jobs, in full or a part of them."""

    def some(count: int) -> int:
        return max(1, int(count * part))

    sessions, results = some(10_500), 1000
    per_result = max(1, some(250_000) // results)
    return [
        Job("1,000 tests", some(1000), 1),
        Job("10,500 sessions of a test, by feed", 1, sessions, 1, SURVEY),
        Job("10,500 sessions of a test, by list", 1, sessions, 1, SURVEY, feed=False),
        Job(
            "250,000 events, result_changes",
            1,
            results,
            per_result,
            SURVEY,
            select=("result_changes",),
            peak=MOST_MEMORY,
        ),
        Job("250,000 events, all streams", 1, results, per_result, SURVEY, peak=MOST_MEMORY),
        Job("5,000 transcripts of an hour", 1, some(5000), hour=True, select=("sessions", "transcripts")),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", type=float, default=1.0, help="of the sizes that the names say (default: all)")
    parser.add_argument("--only", default="", help="jobs and costs whose name holds these words")
    options = parser.parse_args(argv)
    heads = ("seconds", "cpu s", "calls", "least", "ratio", "peak MB", "STATE B", "rows", "rows/s", "rows/cpu s")
    print(LINE.format("first sync, then idle", *heads, ""))
    wrong = [complaint for job in jobs(options.part) if options.only in job.name for complaint in first_and_idle(job)]
    if options.only in "cost":
        print()
        cost("per session", [Job("", 1, int(count * options.part) or 1, 1, SURVEY) for count in (100, 1000, 10_000)])
        cost("per test", [Job("", int(count * options.part) or 1, 1) for count in (10, 100, 1000)])
    for complaint in wrong:
        print(f"WRONG: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


def first_and_idle(job: Job) -> Iterator[str]:
    """Sync a job twice and print a line for each; yield what is wrong."""
    with serving(**job.data) as server:
        config = job.config(server)
        if job.peak < math.inf:  # the sandbox takes seconds to make such an answer, and keeps it
            sync(server, config, select=("result_changes",))
        first = sync(server, config, select=job.select)
        idle = sync(server, config, state=first.state, select=job.select)
    spans = first.seconds - idle.seconds, first.cpu - idle.cpu
    rates = tuple(f"{first.rows.total() / max(span, 0.01):,.0f}" for span in spans)
    _print(job.name, first, job.least(), rates)
    _print("  idle", idle, _least_idle(job), ("", ""))
    yield from _complaints(job.name, first, job.rows(), job.least(), job.peak)
    again = +Counter({name: count for name, count in job.rows().items() if name in {"tests", "workspaces"}})
    yield from _complaints(f"{job.name}, idle", idle, again, _least_idle(job), job.peak)


def cost(name: str, sizes: Sequence[Job]) -> None:
    """Print the processor time of one more session or test, between each two sizes; flat is a ratio near 1."""
    found = []
    for job in sizes:
        with serving(**job.data) as server:
            config = job.config(server)
            rounds = ROUNDS if job is not sizes[-1] else 1
            found.append((job.tests * job.sessions, min(sync(server, config).cpu for _ in range(rounds))))
    (few, low), (some, middle), (many, high) = found
    one, two = (middle - low) / (some - few), (high - middle) / (many - some)
    print(
        f"cost {name}: {one * 1000:.2f} ms of processor from {few:,} to {some:,}, {two * 1000:.2f} ms from {some:,} to "
        f"{many:,}: a ratio of {at_most(two / one, MOST_COST, '.2f')}"
    )


def _least_idle(job: Job) -> int:
    return job.least_idle() + (0 if job.feed else job.tests)


def _print(name: str, took: Took, least: int, rates: tuple[str, ...]) -> None:
    calls = took.calls.total()
    refused = {kind: count for kind, count in took.calls.items() if not kind.endswith(" 200")}
    print(
        LINE.format(
            name,
            f"{took.seconds:.1f}",
            f"{took.cpu:.1f}",
            f"{calls:,}",
            f"{least:,}",
            f"{calls / least:.3f}",
            f"{took.peak / 1e6:.0f}",
            f"{took.state_bytes:,}",
            f"{took.rows.total():,}",
            *rates,
            refused or "",
        ),
        flush=True,
    )


def _complaints(name: str, took: Took, rows: Counter[str], least: int, peak: float) -> Iterator[str]:
    if took.rows != rows:
        yield f"{name}: rows {dict(took.rows)} instead of {dict(rows)}"
    if took.repeated:
        yield f"{name}: {took.repeated} rows were written twice"
    if took.calls.total() > MOST_CALLS * least:
        yield f"{name}: {dict(took.calls)} calls, where {least} are enough"
    if took.peak > peak:
        yield f"{name}: {took.peak / 1e6:.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
