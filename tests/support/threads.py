"""Simulates streams side by side: each calls its endpoint again as soon as the last call is answered."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tap_usertesting.api.rate_headers import RateHeaders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_usertesting.api.quota_sharing import Windows
    from tap_usertesting.sandbox.quota import ServedQuota
    from tests.support.fakes import FakeClock

SCOPES: dict[str, Callable[[str], str]] = {
    "shared": lambda _endpoint: "all",
    "endpoint": lambda endpoint: endpoint,
    "version": lambda endpoint: "v3" if endpoint == "details_v3" else "v2",
    "pair": lambda endpoint: "pair" if endpoint in {"details_v3", "transcript"} else endpoint,
}


@dataclass
class SideBySideRun:
    """The result of `call_side_by_side`. `changes_of_mind`: how often `windows.separate` changed."""

    refused: int = 0
    changes_of_mind: int = 0
    seconds: float = 0.0
    answered: dict[str, int] = field(default_factory=dict)


def call_side_by_side(
    calls: Mapping[str, int],
    windows: Windows,
    clock: FakeClock,
    rule: ServedQuota,
    *,
    scope: str,
    latency: Callable[[], float] = lambda: 0.1,
    begins: Callable[[], float] = lambda: 0.0,
    work: Callable[[], float] = lambda: 0.001,
) -> SideBySideRun:
    """Make the given number of calls to each endpoint. The server counts by `rule`, whose scope must be `endpoint`.

    `scope`: a key of SCOPES. `latency`: seconds of a call. `begins`: seconds until the first call of a stream. `work`:
    seconds from an answer to the next call of the stream.
    """
    told, started, order = SideBySideRun(answered=dict.fromkeys(calls, 0)), clock.now, count()
    events: list[tuple[float, int, str, str, tuple[int, RateHeaders, bool] | int]] = []

    def at(moment: float, what: str, endpoint: str, more: tuple[int, RateHeaders, bool] | int = 0) -> None:
        heapq.heappush(events, (moment, next(order), what, endpoint, more))

    for endpoint, number in calls.items():
        if number:
            at(clock.now + begins(), "ask", endpoint)
    while events:
        moment, _, what, endpoint, more = heapq.heappop(events)
        clock.now = max(clock.now, moment)
        before = windows.separate
        if what == "ask":
            wait = windows.wait(endpoint)
            if wait > 0:
                at(clock.now + wait, "ask", endpoint)
            else:
                at(clock.now + latency() / 2, "count", endpoint, windows.sent(endpoint))
        elif what == "count":
            assert isinstance(more, int)
            verdict = rule.take(endpoint=SCOPES[scope](endpoint), version="v2")
            headers = {name.lower(): value for name, value in verdict.headers}
            said = RateHeaders.parse(headers, wall=clock.wall())
            at(clock.now + latency() / 2, "answer", endpoint, (more, said, verdict.allowed))
        else:
            assert isinstance(more, tuple)
            ticket, said, allowed = more
            windows.answered(ticket, said)
            if allowed:
                told.answered[endpoint] += 1
            else:
                told.refused += 1
                windows.refused(endpoint, said)
            if told.answered[endpoint] < calls[endpoint]:
                at(clock.now + work(), "ask", endpoint)
        told.changes_of_mind += before != windows.separate
    told.seconds = clock.now - started
    return told
