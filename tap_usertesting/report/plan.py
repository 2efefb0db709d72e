"""What a sync will cost: calls per test and stream, and the time that the quota makes them take."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_usertesting.report.wording import LARGE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_usertesting.api.quota_sharing import LimitSource

DISCOVERY = ("workspaces", "studies")


class Cost(NamedTuple):
    """Calls of the Results API.

    news: for what has changed since the last sync.
    newest: for the news and for the sessions of the newest 30 days, at most.
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
    """One stream of one test: its calls by endpoint, and its records (an update may bring none).

    records: None if the number is unknown before the sync, because they are parts of another stream's responses.
    """

    stream: str
    test_id: str
    endpoints: Counter[str] = field(default_factory=Counter)
    records: int | None = 0
    cost: Cost = NOTHING

    @property
    def calls(self) -> int:
        """Calls of the Results API, at most."""
        return self.cost.all

    @property
    def records_at_least(self) -> int:
        """Records that certainly come: none where only the sync finds out whether there are any."""
        return 0 if self.cost.at_least < self.cost.all else self.records or 0


@dataclass(frozen=True)
class Quota:
    """The quota that a sync meets.

    limit: calls in `window` seconds; None if no limit is known.
    source: who says so.
    windows: how many windows the server has shown; 1 if, as far as is known, all endpoints share one.
    together: whether calls of all endpoints count against one window.
    """

    limit: int | None
    window: float
    source: LimitSource = "server"
    windows: int = 1
    together: bool = True

    @property
    def is_met(self) -> bool:
        """Whether there is a limit that makes a sync wait."""
        return self.limit is not None and self.limit < LARGE_LIMIT

    def seconds(self, calls: int) -> float:
        """Return the seconds that one window takes for so many calls. Nothing waits for the end of the last window."""
        if self.limit is None:
            return 0.0
        return max(0, math.ceil(calls / self.limit) - 1) * self.window

    def share_of_time(self, calls: int) -> float:
        """Return the seconds that so many calls among others take."""
        return round(calls * self.window / self.limit, 1) if self.limit and self.is_met else 0.0


@dataclass(frozen=True)
class Plan:
    """The calls of a sync and the quota that they meet.

    discovery: calls to find the tests. titles: those that discovery has told, by test id.
    """

    rows: list[Row]
    discovery: int
    quota: Quota
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Calls of the Results API in the whole sync, at most."""
        return self.cost.all

    @property
    def cost(self) -> Cost:
        """Calls in the whole sync; each number includes discovery."""
        return Cost(*(self.discovery + number for number in cost_of(self.rows)))

    @property
    def newest_at_least(self) -> int:
        """Calls for the news and the newest 30 days, at least."""
        return self.discovery + sum(min(row.cost.newest, row.cost.at_least) for row in self.rows)

    @property
    def busiest(self) -> int:
        """Calls of the busiest endpoint: they set the time if each endpoint has a window of its own."""
        endpoints = sum((row.endpoints for row in self.rows), Counter({"discovery": self.discovery}))
        return max(endpoints.values(), default=0)

    @property
    def total_seconds(self) -> float:
        """Seconds of the whole sync, at most, according to what is known about the windows."""
        return self.quota.seconds(self.calls if self.quota.together else self.busiest)

    @property
    def seconds_at_least(self) -> float:
        """Seconds of the whole sync, at least."""
        return min(self.total_seconds, self.quota.seconds(self.cost.at_least))

    @property
    def tests(self) -> dict[str, list[Row]]:
        """The rows of each test."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.test_id, []).append(row)
        return found

    def as_json(self) -> str:
        """Return a JSON object: `calls`, `seconds`, the quota, an object for each test, and one for each row."""
        quota, cost = self.quota, self.cost
        plan: dict[str, Any] = {
            "calls": cost.all,
            "calls_at_least": cost.at_least,
            "seconds": self.total_seconds,
            "seconds_at_least": self.seconds_at_least,
            "news": {"calls": cost.news, "seconds": quota.seconds(cost.news)},
            "newest_30_days": {"calls": cost.newest, "seconds": quota.seconds(cost.newest)},
            "seconds_if_each_endpoint_has_its_window": quota.seconds(self.busiest),
            "discovery_calls": self.discovery,
            "quota": {
                "limit": quota.limit if quota.is_met else None,
                "window_seconds": quota.window,
                "windows": quota.windows,
                "source": quota.source,
            },
            "tests": [
                {"test_id": test_id, "title": self.titles.get(test_id), **self._numbers(rows)}
                for test_id, rows in self.tests.items()
            ],
            "rows": [
                {
                    "test_id": row.test_id,
                    "stream": row.stream,
                    **self._numbers([row]),
                    "records": row.records,
                    "endpoints": dict(row.endpoints),
                }
                for row in self.rows
            ],
        }
        return json.dumps(plan)

    def _numbers(self, rows: list[Row]) -> dict[str, float]:
        cost = cost_of(rows)
        return {
            "records": sum(row.records or 0 for row in rows),
            "calls": cost.all,
            "calls_at_least": cost.at_least,
            "seconds": self.quota.share_of_time(cost.all),
        }


def cost_of(rows: Iterable[Row]) -> Cost:
    """Return the cost of several rows together."""
    costs = [row.cost for row in rows]
    return Cost(*(sum(cost[number] for cost in costs) for number in range(len(NOTHING))))
