"""One resource's way through its tests: news first, then everybody's history, the newest session first.

It is the only impure walk over ledgers. Streams that are made from the same answers share it: the first of them that is
selected leads, and the rows of the others ride along.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from tap_usertesting.sync.group import Seat
from tap_usertesting.sync.visit import Visit
from tap_usertesting.values.times import epoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_usertesting.sync.resource import Resource
    from tap_usertesting.sync.streams import Record, StreamOfSessions

AT_ONCE = float("-inf")  # before every history


class Walk:
    """All tests of one resource, in the order of the schedule."""

    def __init__(self, resource: Resource, streams: Sequence[StreamOfSessions], test_ids: Iterable[str]) -> None:
        """`streams`: the one that leads, then those that ride."""
        self._resource = resource
        self._context = resource.context
        self._schedule = self._context.schedule
        self._visits: dict[str, Visit] = {}
        for test_id in test_ids:
            if resource.applies(test_id):
                seats = [Seat(stream, stream.partition(test_id)) for stream in streams]
                self._visits[test_id] = Visit(resource, seats, test_id)
        self._look = 0
        self._history: list[tuple[float, int, str]] = []

    def records(self) -> Iterator[Record]:
        """Emit the news of the tests that were read before, then everybody's history, the newest session first.

        Once a budget is used up, what costs no further call.
        """
        while not self._context.spent:
            if self._look != self._schedule.number:
                self._look = self._schedule.number
                yield from self._news()
                self._schedule.looked()
            elif self._history:
                yield from self._next()
                self._schedule.look_if_due()
            else:
                self._schedule.look_before_end()
                if self._look == self._schedule.number:
                    self._context.write_state()
                    self._context.activity.idle = True
                    self._schedule.wait_for_news(self._context.turns.wait_until)
                    self._context.activity.idle = False
                if self._look == self._schedule.number:
                    return
        yield from self._rest()

    def _news(self) -> Iterator[Record]:
        order = self._schedule.order
        listed = frozenset(order.listed)
        self._history.clear()
        for test_id in order.news:
            visit = self._visits.get(test_id)
            # A list that is read anyway tells a stream that has not read the test what its history begins with.
            if visit is not None and (visit.was_read or test_id in listed):
                yield from self._guarded(visit, self._look_at(visit))
                if self._context.spent:
                    return
        for test_id, visit in list(self._visits.items()):
            if test_id in order.resting and visit.was_read and any(group.ledger.waiting for group in visit.groups):
                yield from self._guarded(visit, self._look_at(visit, resting=True))
        for visit in self._visits.values():
            if visit.is_open:
                self._push(visit)

    def _rest(self) -> Iterator[Record]:
        """Handle what the lists have shown that other streams have asked for, or the next sync would ask again."""
        for test_id, visit in list(self._visits.items()):
            is_free = visit.was_read or self._resource.endpoint is None
            if is_free and visit.look != self._schedule.number and self._context.lists.cached_list(test_id) is not None:
                yield from self._guarded(visit, self._look_at(visit))

    def _look_at(self, visit: Visit, *, resting: bool = False) -> Iterator[Record]:
        self._context.activity.go_to(visit.test_id)
        self._read(visit, resting=resting)
        yield from visit.news()
        yield from self._for_free(visit)

    def _next(self) -> Iterator[Record]:
        """Do the next step of the test whose next session is the newest."""
        key, _, test_id = heappop(self._history)
        visit = self._visits.get(test_id)
        if visit is None:
            return
        self._context.activity.go_to(test_id, key)
        yield from self._guarded(visit, self._history_of(visit))
        if test_id in self._visits and visit.time is not None:
            self._push(visit)

    def _history_of(self, visit: Visit) -> Iterator[Record]:
        if visit.time is None and visit.look != self._look:
            self._read(visit, resting=False)
            yield from self._for_free(visit)
        else:
            yield from visit.step()

    def _for_free(self, visit: Visit) -> Iterator[Record]:
        """Go through a test whose rows cost no further call; a budget that is used up does not keep them back."""
        while self._resource.endpoint is None and visit.time is not None:
            yield from visit.step()

    def _push(self, visit: Visit) -> None:
        time = visit.time
        if time is None:
            known = visit.known or self._context.standings.newest_known(visit.test_id)
            time = None if known is None else epoch(known)
        heappush(self._history, (AT_ONCE if time is None else -time, len(self._history), visit.test_id))

    def _read(self, visit: Visit, *, resting: bool) -> None:
        before, is_new = visit.left, visit.look == 0
        visit.read(self._look, resting=resting)
        self._context.activity.expect(visit.left - before, tests=int(is_new))

    def _guarded(self, visit: Visit, records: Iterator[Record]) -> Iterator[Record]:
        """Emit; a test that fails is left alone for the rest of the run."""
        failed = True
        with self._context.guarded(visit.test_id):
            yield from records
            failed = False
        if failed and not self._context.spent:
            del self._visits[visit.test_id]
