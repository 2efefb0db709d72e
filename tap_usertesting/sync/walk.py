"""One source's way through its tests: rows, and after them the ledger that they make true.

It is the only impure walk over ledgers. Streams that are made from the same answers (a `source`) share it: the first of
them that is selected leads, and the rows of the others are written beside its own. Streams that stand at the same place
of a test share one ledger; those at different places each read what they lack, and one answer serves all that want it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_usertesting.api.errors import (
    ApiError,
    BadRequestError,
    NotFoundError,
    ServerFaultError,
)
from tap_usertesting.ledger.agenda import NEWS, Item, agenda
from tap_usertesting.ledger.doubt import FAULTS_IN_A_ROW, MISSING_IN_A_ROW, Doubt
from tap_usertesting.ledger.log import LISTING, Log
from tap_usertesting.ledger.settle import Outcome, close, gives_up, settle
from tap_usertesting.values.times import epoch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.ledger.policy import Policy
    from tap_usertesting.singer.ledger_stream import LedgerStream
    from tap_usertesting.sync.partition import Partition

AT_ONCE = float("-inf")  # before every history
LINES = ("waiting", "late", "news", "probe", "down", "older")


class Seat(NamedTuple):
    """One stream in one test."""

    stream: LedgerStream
    partition: Partition


class Done(NamedTuple):
    """What became of an item of a group; `line`: what to say of a fault."""

    group: Group
    item: Item
    outcome: Outcome
    line: str = ""


@dataclass(eq=False)
class Group:
    """Streams of one source that stand at the same place of a test.

    `asked`: what became of each session in this look. `was_read`: the ledger was closed when the look began, so all
    that is to be done is news.
    """

    seats: list[Seat]
    policy: Policy
    ledger: Ledger
    log: Log | None = None
    queue: deque[Item] = field(default_factory=deque)
    asked: dict[str, Outcome] = field(default_factory=dict)
    was_read: bool = False
    turned: bool = False  # asleep, or awake again, since the agenda was made

    def move(self, ledger: Ledger) -> None:
        """Set the ledger of all its streams."""
        self.ledger = ledger
        for seat in self.seats:
            seat.partition.ledger = ledger

    def drop_needless(self) -> None:
        """Drop the sessions by which a history was to be sounded that has a row."""
        while self.ledger.found and self.queue and self.queue[0].line == "probe" and self.queue[0].sounds:
            self.queue.popleft()

    def has_news(self) -> bool:
        """Tell whether the next item is news, and no history."""
        if not self.queue:
            return False
        item = self.queue[0]
        return self.was_read or item.line in NEWS or (item.line == "probe" and not item.sounds)


class Visit:
    """One test in one source."""

    def __init__(self, lead: LedgerStream, seats: list[Seat], test_id: str) -> None:
        """Nothing is read yet."""
        self._lead = lead
        self.test_id = test_id
        self.look = 0  # in which the log was read last
        self._error: ApiError | None = None  # the last one
        policy = lead.policy_of(test_id)
        self._once = policy.per_test
        self.groups: list[Group] = []
        for seat in seats:
            ledger = seat.partition.ledger
            here = next((group for group in self.groups if group.ledger.stands_with(ledger)), None)
            if here is None:
                self.groups.append(Group([seat], policy, ledger))
            else:
                here.seats.append(seat)
        self._doubt: Doubt[list[Done]] = Doubt(
            missing=1 if self._once else MISSING_IN_A_ROW, faults=1 if self._once else FAULTS_IN_A_ROW
        )

    @property
    def was_read(self) -> bool:
        """Whether any of the streams has read the test before."""
        return any(group.ledger.bookmark is not None for group in self.groups)

    @property
    def is_open(self) -> bool:
        """Whether something is left to read."""
        return any(group.queue or group.ledger.open or group.ledger.bookmark is None for group in self.groups)

    @property
    def time(self) -> float | None:
        """The time of the next session, as epoch seconds; None where the queue is empty."""
        group = self._first()
        return None if group is None else epoch(group.queue[0].time)

    @property
    def left(self) -> int:
        """How many sessions are to be asked for, as far as is known."""
        return sum(item.act == "fetch" for group in self.groups for item in group.queue)

    @property
    def known(self) -> str | None:
        """The time to which open ledgers have come down."""
        return max((group.ledger.history.at or "" for group in self.groups if group.ledger.history), default="") or None

    def read(self, look: int, *, resting: bool) -> None:
        """Read the log and see what is to be done. `resting`: the test's list is not due."""
        self.look = look
        self._doubt.drop()
        self._lead.changes.check(self.test_id)
        if self._lead.skips(self.test_id, self.groups):
            return
        for group in self.groups:
            group.asked.clear()
            group.queue.clear()
            if resting and group.ledger.source == LISTING and not (group.ledger.open or group.ledger.bookmark is None):
                group.log, group.was_read = Log(LISTING), True
            else:
                group.log = self._lead.read_log(self.test_id, group)
                group.was_read = group.ledger.bookmark is not None and not group.ledger.open
            group.queue.extend(agenda(group.ledger, group.log, group.policy, now=self._lead.run.now))
        self._lead.prepare(self.test_id, self.groups)
        self._finish()

    def news(self) -> Iterator[Record]:
        """Do what is news, of every stream."""
        while any(group.has_news() for group in self.groups):
            yield from self.step()

    def step(self) -> Iterator[Record]:
        """Do the next item, in every group whose turn it is."""
        first = self._first()
        if first is None:
            return
        head = first.queue[0]
        together = [
            group
            for group in self.groups
            if group.queue and group.queue[0].session_id == head.session_id and group.queue[0].act == head.act
        ]
        items = [(group, group.queue.popleft()) for group in together]
        yield from self._do(items)
        self._judge()
        for group in self.groups:
            if group.turned:
                self._turn(group)
            group.drop_needless()
        self._finish()

    def _finish(self) -> None:
        """Close the ledgers of which all that was known is handled; at the end of the test what was held counts."""
        if not self._queued() and self._doubt.held:
            if any(self._is_final(one) for done in self._doubt.held for one in done):
                self._confirm()  # or an outage would have them given up
            self._settle(self._doubt.release())
        for group in self.groups:
            if group.log is not None and not group.queue and not self._doubt.held:
                if group.log.source != LISTING or group.log.sessions is not None:
                    group.move(close(group.ledger, group.log, group.policy))
                group.log = None

    def _queued(self) -> bool:
        return any(group.queue for group in self.groups)

    def _first(self) -> Group | None:
        queued = [group for group in self.groups if group.queue]
        if not queued:
            return None
        line = min(_urgency(group) for group in queued)
        return max((group for group in queued if _urgency(group) == line), key=lambda group: group.queue[0].at)

    # One item

    def _do(self, items: list[tuple[Group, Item]]) -> Iterator[Record]:
        item = items[0][1]
        lead = self._lead
        if item.act == "pass":
            self._weigh(items, "passed")
        elif item.act == "remove":
            yield from self._emit(items, None, "removed")
        elif item.act == "absent" or items[0][0].asked.get(item.session_id) == "missing":
            yield from self._missing(items)
        elif all(group.asked.get(item.session_id) == "found" for group, _ in items):
            self._weigh(items, "found")
        else:
            lead.changes.check(self.test_id)  # another stream may have learned meanwhile that it does not answer
            yield from self._ask(items)

    def _ask(self, items: list[tuple[Group, Item]]) -> Iterator[Record]:
        item, lead = items[0][1], self._lead
        lead.run.activity.at = item.time
        try:
            answer = lead.fetch(self.test_id, item.session_id)
        except NotFoundError:
            yield from self._missing(items)
            return
        except (ServerFaultError, BadRequestError) as error:
            self._error = error
            line = f"{lead.name}, session {item.session_id}: {error}; it is asked for again in the next sync"
            self._weigh(items, "failed", line)
            return
        finally:
            lead.run.activity.done += 1
        lead.run.answered(self.test_id)
        yield from self._emit(items, answer, "empty" if lead.is_empty(answer) else "found")

    def _missing(self, items: list[tuple[Group, Item]]) -> Iterator[Record]:
        back = [(group, item) for group, item in items if item.back]
        if back:
            if not self._lead.run.answers(self.test_id):
                self._confirm()  # or an outage would take rows away
            yield from self._emit(back, None, "missing")
        rest = [(group, item) for group, item in items if not item.back]
        if rest:
            self._weigh(rest, "missing")

    def _emit(self, items: list[tuple[Group, Item]], answer: Any | None, outcome: Outcome) -> Iterator[Record]:  # noqa: ANN401 - as the source answers
        """Write the rows of the other streams, then emit those of the lead; the last one makes the ledger true."""
        lead, tap = self._lead, self._lead.tap
        made = []
        before = [seat.partition.rows for group, _ in items for seat in group.seats]
        for group, item in items:
            for seat in group.seats:
                cursor = item.cursor if item.line != "older" else None
                mark = item.top or group.ledger.bookmark
                placed = item._replace(cursor=cursor or (mark.cursor if mark is not None else None) or None)
                made.append((seat.stream, seat.stream.rows_of(self.test_id, seat.partition, placed, answer)))
        if before != [seat.partition.rows for group, _ in items for seat in group.seats]:
            tap.write_state()  # or after a kill no one would know which tombstones they need
        own: list[Record] = []
        for stream, rows in made:
            if stream is lead:
                own = rows
            else:
                for row in rows:
                    stream.ride(row)
        yield from own[:-1]
        lead.commit_after(lambda: self._weigh(items, outcome))
        if own:
            yield own[-1]
        else:
            lead.commit()

    # What it means

    def _weigh(self, items: list[tuple[Group, Item]], outcome: Outcome, line: str = "") -> None:
        done = [Done(group, item, outcome, line) for group, item in items]
        for group, item in items:
            if item.act == "fetch":
                group.asked[item.session_id] = outcome
        self._settle(self._doubt.weigh(done, outcome, answers=self._lead.run.answers(self.test_id)))

    def _judge(self) -> None:
        """See whether it is the test that does not answer. Raises what then is the error of the test."""
        if self._doubt.fails and self._error is not None:
            raise self._error
        if self._doubt.asks_for_list:
            self._confirm()
            self._settle(self._doubt.release())

    def _is_final(self, done: Done) -> bool:
        return gives_up(done.item, done.outcome, done.group.policy, now=self._lead.run.now)

    def _confirm(self) -> None:
        """See by one page of the list that the test is there. Raises NotFoundError."""
        try:
            self._lead.changes.sessions(self.test_id, bool)
        except NotFoundError as lost:
            message = f"none of its sessions is found, nor its list: the test can not be read ({lost})"
            raise NotFoundError(message) from lost
        self._lead.run.answered(self.test_id)

    def _settle(self, counts: list[list[Done]]) -> None:
        for group, item, outcome, line in (one for done in counts for one in done):
            before = group.ledger
            group.move(settle(before, item, outcome, group.policy, now=self._lead.run.now))
            if line:
                self._lead.run.fail(line)
            if outcome == "missing" and item.session_id not in group.ledger.waiting:
                self._lead.gave_up(self.test_id, item.session_id)
            group.turned = group.turned or group.ledger.asleep != before.asleep

    def _turn(self, group: Group) -> None:
        """See what is to be done after a test has fallen asleep or woken."""
        group.turned = False
        self._lead.say_sleep(self.test_id, asleep=group.ledger.asleep)
        if not group.ledger.asleep or group.log is None:
            group.log = self._lead.read_log(self.test_id, group)
        todo = agenda(group.ledger, group.log, group.policy, now=self._lead.run.now)
        group.queue = deque(item for item in todo if item.line not in {"waiting", "probe"})
        group.was_read = False


def _urgency(group: Group) -> int:
    return LINES.index(group.queue[0].line)


class Walk:
    """All tests of one source, in the order of the run's schedule."""

    def __init__(self, lead: LedgerStream, riders: list[LedgerStream], test_ids: list[str]) -> None:
        """`lead`: the stream that runs; `riders`: the others that are made from the same answers."""
        self._lead = lead
        self._schedule = lead.tap.schedule
        self._visits: dict[str, Visit] = {}
        for test_id in test_ids:
            if lead.applies(test_id):
                seats = [Seat(stream, stream.partition(test_id)) for stream in (lead, *riders)]
                self._visits[test_id] = Visit(lead, seats, test_id)
        self._look = 0
        self._history: list[tuple[float, int, str]] = []

    def records(self) -> Iterator[Record]:
        """Emit the news of the tests that were read before, then everybody's history, the newest session first.

        Once a budget is used up, what costs no further call.
        """
        while not self._lead.tap.spent:
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
                    self._lead.tap.write_state()
                    self._lead.run.activity.idle = True
                    self._schedule.wait_for_news(self._lead.run.turns.linger)
                    self._lead.run.activity.idle = False
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
                if self._lead.tap.spent:
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
            is_free = visit.was_read or self._lead.endpoint is None
            if is_free and visit.look != self._schedule.number and self._lead.changes.listed(test_id) is not None:
                yield from self._guarded(visit, self._look_at(visit))

    def _look_at(self, visit: Visit, *, resting: bool = False) -> Iterator[Record]:
        self._lead.run.activity.go_to(visit.test_id)
        self._read(visit, resting=resting)
        yield from visit.news()
        yield from self._for_free(visit)

    def _next(self) -> Iterator[Record]:
        """Do the next step of the test whose next session is the newest."""
        key, _, test_id = heappop(self._history)
        visit = self._visits.get(test_id)
        if visit is None:
            return
        self._lead.run.activity.go_to(test_id, key)
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
        while self._lead.endpoint is None and visit.time is not None:
            yield from visit.step()

    def _push(self, visit: Visit) -> None:
        time = visit.time
        if time is None:
            known = visit.known or self._lead.tap.standings.newest_known(visit.test_id)
            time = None if known is None else epoch(known)
        heappush(self._history, (AT_ONCE if time is None else -time, len(self._history), visit.test_id))

    def _read(self, visit: Visit, *, resting: bool) -> None:
        before, is_new = visit.left, visit.look == 0
        visit.read(self._look, resting=resting)
        self._lead.run.activity.expect(visit.left - before, tests=int(is_new))

    def _guarded(self, visit: Visit, records: Iterator[Record]) -> Iterator[Record]:
        """Emit; a test that fails is left alone for the rest of the run."""
        failed = True
        with self._lead.tap.guarded(visit.test_id):
            yield from records
            failed = False
        if failed and not self._lead.tap.spent:
            del self._visits[visit.test_id]
