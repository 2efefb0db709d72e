"""How far a sync is, in calls of the Results API, and when it will end."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_usertesting.api.call_limit import CallLimit
    from tap_usertesting.api.quota import Quota
    from tap_usertesting.api.quota_sharing import Windows

ENOUGH_SEEN = 20  # calls; from then on the pace so far says something about the pace to come


@dataclass
class CallsLeft:
    """Calls that a sync has still to make, by endpoint. `is_estimate`: some are for what was not read yet."""

    news: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    history: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    is_estimate: bool = False

    @property
    def all(self) -> dict[str, float]:
        """News and history together."""
        return {name: self.news[name] + self.history[name] for name in {*self.news, *self.history}}


@dataclass(frozen=True)
class Outlook:
    """How far a sync is.

    made: calls so far. news, history: calls that are left in this sync. seconds: until its end; None if that cannot be
    told. is_estimate: whether the calls that are left are partly an estimate. budget: the one that will end the sync
    before everything is read, "" for none.
    """

    made: int
    news: int
    history: int
    seconds: float | None
    is_estimate: bool = False
    budget: str = ""

    @property
    def fraction(self) -> float:
        """The share of the calls of this sync that were made, from 0 to 1."""
        calls = self.made + self.news + self.history
        return self.made / calls if calls else 0.0


@dataclass(frozen=True)
class Spent:
    """What a sync has spent, and may spend: calls and seconds; None for no bound."""

    calls: int
    seconds: float
    max_calls: int | None = None
    max_seconds: float | None = None


def outlook(left: CallsLeft, windows: Windows, spent: Spent) -> Outlook:
    """Return how far a sync is: within its budget, news before history."""
    news, history = round(sum(left.news.values())), round(sum(left.history.values()))
    seconds, budget = seconds_left(left.all, windows, spent), ""
    if news + history and spent.max_calls is not None and spent.calls + news + history > spent.max_calls:
        budget, allowed = "max_calls", max(0, spent.max_calls - spent.calls)
        share = allowed / (news + history)
        news, history = min(news, allowed), min(history, max(0, allowed - news))
        seconds = seconds_left({name: calls * share for name, calls in left.all.items()}, windows, spent)
    if seconds and spent.max_seconds is not None and spent.seconds + seconds > spent.max_seconds:
        budget, allowed_seconds = "max_duration", max(0.0, spent.max_seconds - spent.seconds)
        share = allowed_seconds / seconds
        calls, seconds = math.ceil((news + history) * share), allowed_seconds
        news, history = min(news, calls), min(history, max(0, calls - news))
    return Outlook(spent.calls, news, history, seconds, left.is_estimate, budget)


def seconds_left(calls: Mapping[str, float], windows: Windows, spent: Spent) -> float | None:
    """Return the seconds that so many calls take, by endpoint; None while nothing tells.

    They take as long as the quota makes them, or longer if the calls so far did: an answer takes its time, and others
    may use the same quota.
    """
    if windows.paced_together:
        by_quota = seconds_for(sum(calls.values()), windows.tightest)
    else:  # an endpoint that was never called has a full window, as wide as the others
        quotas = {name: windows.of(name) if windows.knows(name) else windows.tightest for name in calls}
        each = [seconds for name in calls if (seconds := seconds_for(calls[name], quotas[name])) is not None]
        by_quota = max(each, default=0.0 if windows.limit is not None else None)
    if spent.calls < ENOUGH_SEEN or not windows.paced_together:
        return by_quota
    return max(by_quota or 0.0, sum(calls.values()) * spent.seconds / spent.calls)


def seconds_for(calls: float, quota: Quota | CallLimit) -> float | None:
    """Return the seconds that a quota makes so many calls take; None while no limit is known."""
    if quota.limit is None:
        return None
    now = quota.remaining or 0
    if calls <= now:
        return 0.0
    first = quota.next_window or quota.wait() or quota.window
    return first + max(0, math.ceil((calls - now) / quota.limit) - 1) * quota.window
