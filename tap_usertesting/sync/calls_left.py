"""How many calls a sync has still to make: those of its agendas, and an estimate for tests that were not read yet.

Counted when the progress is displayed, not for each row: a test counts its queue only after it has changed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from tap_usertesting.api.results import PAGE
from tap_usertesting.report.outlook import CallsLeft
from tap_usertesting.sync.calls_of_test import STANDINGS, CallsOfTest, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_usertesting.changes.change_reader import ChangeReader
    from tap_usertesting.changes.facts_of_test import TestFacts
    from tap_usertesting.sync.schedule import Schedule


class CountedResource(Protocol):
    """The sync of one resource."""

    @property
    def calls(self) -> Iterable[CallsOfTest]:
        """The calls of each test that was not given up."""

    @property
    def endpoint(self) -> str | None:
        """The endpoint that is called for each session; None for none."""

    @property
    def reads_reels(self) -> bool:
        """Whether it asks for the reels of each test."""


class CallCounter:
    """Counts the calls that are left, over all resources of a sync."""

    def __init__(
        self,
        *,
        changes: Callable[[], ChangeReader],
        facts: Callable[[], TestFacts],
        schedule: Schedule,
    ) -> None:
        """Count nothing yet. `changes` and `facts` return the readers of this sync."""
        self._changes = changes
        self._facts = facts
        self._schedule = schedule
        self._resources: list[CountedResource] = []

    @property
    def is_counting(self) -> bool:
        """Whether a resource is synced whose tests the schedule has put in order."""
        return bool(self._resources) and self._schedule.round_number > 0

    def watch(self, resource: CountedResource) -> None:
        """Count the calls of this resource too."""
        self._resources.append(resource)

    def count(self) -> CallsLeft:
        """Return the calls that are left."""
        left, unlisted, without_reels = CallsLeft(), dict[str, Standing](), set[str]()
        unread = [(resource, list(self._unread(resource))) for resource in self._resources]
        totals = self._totals()
        for resource, tests in unread:
            if resource.endpoint is not None:
                self._add_queued(left, resource, resource.endpoint)
                self._add_expected(left, resource, resource.endpoint, tests, totals)
            if resource.reads_reels:
                without_reels |= {test.test_id for test in tests}
            for test in tests:
                if test.needs_list and self._changes().lists.cached_list(test.test_id) is None:
                    standing = test.standing
                    unlisted[test.test_id] = max(standing, unlisted.get(test.test_id, standing), key=STANDINGS.index)
        for test_id, standing in unlisted.items():
            pages = max(1, math.ceil(totals[test_id] / PAGE)) if standing == "new" else 1
            (left.news if standing == "closed" else left.history)["list"] += pages
        left.news["reels"] += sum(not self._facts().has_reels(test_id) for test_id in without_reels)
        return left

    def _add_queued(self, left: CallsLeft, resource: CountedResource, endpoint: str) -> None:
        for test in resource.calls:
            news, history = test.left
            left.news[endpoint] += news
            left.history[endpoint] += history

    def _add_expected(
        self,
        left: CallsLeft,
        resource: CountedResource,
        endpoint: str,
        tests: list[CallsOfTest],
        totals: Mapping[str, float],
    ) -> None:
        """Add what tests that were not read yet will probably cost."""
        expected: dict[Standing, float] = dict.fromkeys(STANDINGS, 0.0)
        for test in tests:
            expected[test.stood] += 0 if test.round else self._sessions(test, totals)
        for stood in [stood for stood in STANDINGS if expected[stood]]:
            expected[stood] *= self._share(resource, stood, totals)
        left.news[endpoint] += expected["closed"]
        left.history[endpoint] += expected["open"] + expected["new"]
        left.is_estimate = left.is_estimate or any(expected.values())

    def _share(self, resource: CountedResource, stood: Standing, totals: Mapping[str, float]) -> float:
        """Return which share of their sessions the resource fetches of tests that were as far, by those that it read.

        As long as it has read none, all sessions of a test that is new are expected, none of one that was read.
        """
        read = [test for test in resource.calls if test.round and test.stood == stood]
        sessions = sum(self._sessions(test, totals) for test in read)
        if not sessions:
            return {"closed": 0.0, "open": 0.5, "new": 1.0}[stood]
        return sum(test.fetched + sum(test.left) for test in read) / sessions

    @staticmethod
    def _sessions(test: CallsOfTest, totals: Mapping[str, float]) -> float:
        return 1.0 if test.is_per_test else totals[test.test_id]

    def _unread(self, resource: CountedResource) -> Iterator[CallsOfTest]:
        """Yield the tests that this round will read, and has not read yet."""
        order, number, lists = self._schedule.order, self._schedule.round_number, self._changes().lists
        by_list = frozenset(order.by_list)
        for test in resource.calls:
            was_read = test.round == number or (test.round and test.test_id not in by_list)
            is_left_out = test.test_id in order.not_due and test.standing == "closed"
            if not (was_read or is_left_out or lists.is_lost(test.test_id)):
                yield test

    def _totals(self) -> dict[str, float]:
        """Return how many sessions each test has: the mean of the known numbers where nothing is known."""
        known, changes = dict[str, float | None](), self._changes()
        for resource in self._resources:
            for test in resource.calls:
                if known.get(test.test_id) is None:
                    listed = changes.lists.cached_list(test.test_id)
                    before = test.sessions_before or changes.feed_logs.responses(test.test_id)
                    known[test.test_id] = before if listed is None else listed.total
        numbers = [number for number in known.values() if number is not None]
        mean = sum(numbers) / len(numbers) if numbers else 0.0
        return {test_id: mean if number is None else number for test_id, number in known.items()}
