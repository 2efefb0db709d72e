"""What a sync will cost: calls per test and stream, and the time that the quota makes them take."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tap_usertesting.report.wording import counts_text, exact_duration, windows_text

DISCOVERY = ("workspaces", "studies")


class Cost(NamedTuple):
    """Calls of the Results API.

    news: for what has changed since the last sync.
    newest: for the news and for the sessions of the newest 30 days.
    all: for the whole sync, at most.
    at_least: for the whole sync, at least. It is less than `all` if only the sync can find out whether a test has
        transcripts.
    """

    news: int = 0
    newest: int = 0
    all: int = 0
    at_least: int = 0


NOTHING = Cost()


@dataclass(frozen=True)
class Row:
    """One stream of one test: its calls by endpoint, and its records (an update may bring none)."""

    stream: str
    test_id: str
    endpoints: Counter[str] = field(default_factory=Counter)
    records: int = 0
    cost: Cost = NOTHING

    @property
    def calls(self) -> int:
        """Calls of the Results API, at most."""
        return self.cost.all


@dataclass(frozen=True)
class Plan:
    """The calls of a sync and the quota that they meet.

    discovery: calls to find the tests.
    limit: calls in `window` seconds; None if no limit is known.
    windows: how many windows the server has shown; 1 if, as far as is known, all endpoints share one.
    together: whether calls of all endpoints count against one window.
    """

    rows: list[Row]
    discovery: int
    limit: int | None
    window: float
    windows: int = 1
    together: bool = True

    @property
    def calls(self) -> int:
        """Calls of the Results API in the whole sync, at most."""
        return self.cost.all

    @property
    def cost(self) -> Cost:
        """Calls in the whole sync; each number includes discovery."""
        return Cost(*(self.discovery + sum(row.cost[n] for row in self.rows) for n in range(len(NOTHING))))

    @property
    def busiest(self) -> int:
        """Calls of the busiest endpoint: they set the time if each endpoint has a window of its own."""
        endpoints = sum((row.endpoints for row in self.rows), Counter({"discovery": self.discovery}))
        return max(endpoints.values(), default=0)

    @property
    def total_seconds(self) -> float:
        """Seconds of the whole sync, according to what is known about the windows."""
        return self.seconds(self.calls if self.together else self.busiest)

    def seconds(self, calls: int) -> float:
        """Return the seconds that one window takes for so many calls. Nothing waits for the end of the last window."""
        if self.limit is None:
            return 0.0
        return max(0, math.ceil(calls / self.limit) - 1) * self.window

    def as_json(self) -> str:
        """Return a JSON object: `calls`, `seconds`, the quota, and a row for each stream of each test."""
        rows = [
            {
                "test_id": row.test_id,
                "stream": row.stream,
                "calls": row.calls,
                "calls_at_least": row.cost.at_least,
                "endpoints": dict(row.endpoints),
                "records": row.records,
                "seconds": self._share_of_time(row),
            }
            for row in self.rows
        ]
        plan: dict[str, Any] = {
            "calls": self.calls,
            "calls_at_least": self.cost.at_least,
            "seconds": self.total_seconds,
            "news": {"calls": self.cost.news, "seconds": self.seconds(self.cost.news)},
            "newest_30_days": {"calls": self.cost.newest, "seconds": self.seconds(self.cost.newest)},
            "seconds_if_each_endpoint_has_its_window": self.seconds(self.busiest),
            "discovery_calls": self.discovery,
            "quota": {"limit": self.limit, "window_seconds": self.window, "windows": self.windows},
            "rows": rows,
        }
        return json.dumps(plan)

    def as_table(self) -> str:
        """Return a table for people. Rows without calls are left out and only counted."""
        costly = [row for row in self.rows if row.calls]
        lines = [("test", "stream", "calls", "time", "endpoints")]
        if self.discovery:
            lines.append(
                ("", "discovery", f"{self.discovery}", exact_duration(self._paced_seconds(self.discovery)), "")
            )
        lines += [
            (
                row.test_id,
                row.stream,
                f"{row.calls}",
                exact_duration(self._share_of_time(row)),
                counts_text(row.endpoints),
            )
            for row in costly
        ]
        cost = self.cost
        lines += [
            ("news", "", f"{cost.news}", exact_duration(self.seconds(cost.news)), ""),
            ("newest 30 days", "", f"{cost.newest}", exact_duration(self.seconds(cost.newest)), ""),
            ("in all", "", f"{self.calls}", exact_duration(self.total_seconds), ""),
        ]
        widths = [max(len(line[n]) for line in lines) for n in range(4)]
        table = "\n".join(
            f"{test:{widths[0]}}  {stream:{widths[1]}}  {calls:>{widths[2]}}  {time:>{widths[3]}}  {rest}".rstrip()
            for test, stream, calls, time, rest in lines
        )
        idle = {row.test_id for row in self.rows} - {row.test_id for row in costly}
        quota = "no quota is known" if self.limit is None else f"{self.limit} calls in {self.window:.0f} s"
        notes = [f"Quota: {quota}; {windows_text(self.windows)}. Tests without anything to fetch: {len(idle)}."]
        if cost.at_least < cost.all:
            least = f"{cost.at_least} calls, {exact_duration(self.seconds(cost.at_least))}"
            notes.append(f"At least {least}: whether some tests have transcripts, only the sync finds out.")
        if self.limit is not None and self.windows == 1 and self.seconds(self.busiest) < self.total_seconds:
            sooner = exact_duration(self.seconds(self.busiest))
            notes.append(f"Should each endpoint have a window of its own, which a sync finds out: {sooner}.")
        return "\n".join([table, "", *notes])

    def _paced_seconds(self, calls: int) -> float:
        return calls * self.window / self.limit if self.limit else 0.0

    def _share_of_time(self, row: Row) -> float:
        return round(self._paced_seconds(row.calls), 1)
