"""Syncs all tests of one resource: news first, then the history of all tests together, the newest session first.

This is the only code that moves ledgers as calls are made. Streams that are made from the same answers share it: the
first selected one leads, and the rows of its followers are written with its own.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from tap_usertesting.sync.ledger_group import Member
from tap_usertesting.sync.sync_of_test import TestSync
from tap_usertesting.values.times import epoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_usertesting.sync.calls_of_test import CallsOfTest
    from tap_usertesting.sync.resource import Resource
    from tap_usertesting.sync.stream_protocols import Record, StreamOfSessions

BEFORE_ALL = float("-inf")  # the sort key of a test whose history has no known time yet


class ResourceSync:
    """The sync of all tests of one resource, in the order of the schedule."""

    def __init__(self, resource: Resource, streams: Sequence[StreamOfSessions], test_ids: Iterable[str]) -> None:
        """Make no call. `streams`: the lead, then its followers."""
        self._resource = resource
        self._context = resource.context
        self._schedule = self._context.schedule
        self._tests: dict[str, TestSync] = {}
        for test_id in test_ids:
            if resource.applies(test_id):
                members = [Member(stream, stream.partition(test_id)) for stream in streams]
                self._tests[test_id] = TestSync(resource, members, test_id)
        self._round = 0  # the last one whose news was emitted here
        self._history: list[tuple[float, int, str]] = []  # a heap: the test with the newest next session comes first
        self._context.calls_left.watch(self)

    # For the progress

    @property
    def calls(self) -> Iterator[CallsOfTest]:
        """The calls of each test that was not given up."""
        return (test.calls for test in self._tests.values())

    @property
    def endpoint(self) -> str | None:
        """The endpoint that is called for each session; None for none."""
        return self._resource.endpoint

    @property
    def reads_reels(self) -> bool:
        """Whether it asks for the reels of each test."""
        return self._resource.reads_reels

    # The sync

    def records(self) -> Iterator[Record]:
        """Emit the news of the tests that were read before, then the history of all tests, the newest session first.

        Once a budget is used up, emit only what costs no further call.
        """
        while not self._context.spent:
            if self._round != self._schedule.round_number:
                self._round = self._schedule.round_number
                yield from self._news()
                self._schedule.note_news_ended()
            elif self._history:
                yield from self._next_of_history()
                self._schedule.start_round_if_due()
            else:
                self._schedule.start_last_round_if_due()
                if self._round == self._schedule.round_number:
                    self._context.write_state()
                    self._context.activity.idle = True
                    self._schedule.wait_for_next_round(self._context.turns.wait_until)
                    self._context.activity.idle = False
                if self._round == self._schedule.round_number:
                    return
        yield from self._lists_of_others()

    def _news(self) -> Iterator[Record]:
        order = self._schedule.order
        by_list = frozenset(order.by_list)
        self._history.clear()
        for test_id in order.news:
            test = self._tests.get(test_id)
            # A stream that has not read the test learns where its history begins from a list that is read anyway.
            if test is not None and (test.was_read or test_id in by_list):
                yield from self._guarded(test, self._news_of(test))
                if self._context.spent:
                    return
        for test_id, test in list(self._tests.items()):
            if test_id in order.not_due and test.was_read and any(group.ledger.waiting for group in test.groups):
                yield from self._guarded(test, self._news_of(test, not_due=True))
        for test in self._tests.values():
            if test.is_open:
                self._push(test)

    def _lists_of_others(self) -> Iterator[Record]:
        """Emit what lists tell that other streams have read; otherwise the next sync would ask for them again."""
        for test_id, test in list(self._tests.items()):
            costs_no_call = test.was_read or self._resource.endpoint is None
            is_unread = test.round != self._schedule.round_number
            if costs_no_call and is_unread and self._context.lists.cached_list(test_id) is not None:
                yield from self._guarded(test, self._news_of(test))

    def _news_of(self, test: TestSync, *, not_due: bool = False) -> Iterator[Record]:
        self._context.activity.go_to(test.test_id)
        test.read(self._round, not_due=not_due)
        yield from test.news()
        yield from self._without_calls(test)

    def _next_of_history(self) -> Iterator[Record]:
        """Do the next step of the test whose next session is the newest."""
        key, _, test_id = heappop(self._history)
        test = self._tests.get(test_id)
        if test is None:
            return
        self._context.activity.go_to(test_id, key)
        yield from self._guarded(test, self._history_of(test))
        if test_id in self._tests and test.next_time is not None:
            self._push(test)

    def _history_of(self, test: TestSync) -> Iterator[Record]:
        if test.next_time is None and test.round != self._round:
            test.read(self._round, not_due=False)
            yield from self._without_calls(test)
        else:
            yield from test.step()

    def _without_calls(self, test: TestSync) -> Iterator[Record]:
        """Emit all rows of a test if they cost no further call: a budget that is used up need not hold them back."""
        while self._resource.endpoint is None and test.next_time is not None:
            yield from test.step()

    def _push(self, test: TestSync) -> None:
        time = test.next_time
        if time is None:
            newest = test.history_time or self._context.priorities.newest_change(test.test_id)
            time = None if newest is None else epoch(newest)
        heappush(self._history, (BEFORE_ALL if time is None else -time, len(self._history), test.test_id))

    def _guarded(self, test: TestSync, records: Iterator[Record]) -> Iterator[Record]:
        """Emit records; a test that fails is not asked again in this sync."""
        failed = True
        with self._context.guarded(test.test_id):
            yield from records
            failed = False
        if failed and not self._context.spent:
            del self._tests[test.test_id]
