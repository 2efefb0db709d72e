"""One test of one resource: its log is read, its agenda is worked off, and rows move the ledgers that they make true.

Streams that stand at the same place of the test share one ledger; those at different places each read what they lack,
and one answer serves all that want it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import ApiError, BadRequestError, NotFoundError, ServerFaultError
from tap_usertesting.ledger.agenda import agenda
from tap_usertesting.ledger.doubt import FAULTS_IN_A_ROW, MISSING_IN_A_ROW, Doubt
from tap_usertesting.ledger.log import LISTING, Log
from tap_usertesting.ledger.settle import Outcome, close, gives_up, settle
from tap_usertesting.sync.group import Done, Group, Seat
from tap_usertesting.values.times import epoch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.ledger.items import Item
    from tap_usertesting.sync.resource import Resource
    from tap_usertesting.sync.streams import Record


class Visit:
    """One test of one resource."""

    def __init__(self, resource: Resource, seats: list[Seat], test_id: str) -> None:
        """Nothing is read yet. `seats`: of the stream that leads, then of the riders."""
        self._resource = resource
        self._context = resource.context
        self._lead = seats[0].stream
        self.test_id = test_id
        self.look = 0  # in which the log was read last
        self._error: ApiError | None = None  # the last one
        policy = resource.policy_of(test_id)
        self._once = policy.per_test
        self.groups: list[Group] = []
        for seat in seats:
            ledger = seat.partition.ledger
            here = next((group for group in self.groups if group.ledger.same_position(ledger)), None)
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
        self._context.lists.raise_if_lost(self.test_id)
        if self._resource.skips(self.test_id, self.groups):
            return
        for group in self.groups:
            group.asked.clear()
            group.queue.clear()
            if resting and group.ledger.source == LISTING and not (group.ledger.open or group.ledger.bookmark is None):
                group.log, group.was_read = Log(LISTING), True
            else:
                group.log = self._resource.read_log(self.test_id, group)
                group.was_read = group.ledger.bookmark is not None and not group.ledger.open
            group.queue.extend(agenda(group.ledger, group.log, group.policy, now=self._context.now))
        self._resource.prepare(self.test_id, self.groups)
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
        line = min(group.urgency for group in queued)
        return max((group for group in queued if group.urgency == line), key=lambda group: group.queue[0].at)

    # One item

    def _do(self, items: list[tuple[Group, Item]]) -> Iterator[Record]:
        item = items[0][1]
        if item.act == "pass":
            self._weigh(items, "passed")
        elif item.act == "remove":
            yield from self._emit(items, None, "removed")
        elif item.act == "absent" or items[0][0].asked.get(item.session_id) == "missing":
            yield from self._missing(items)
        elif all(group.asked.get(item.session_id) == "found" for group, _ in items):
            self._weigh(items, "found")
        else:
            self._context.lists.raise_if_lost(self.test_id)  # another stream may have learned that it is gone
            yield from self._ask(items)

    def _ask(self, items: list[tuple[Group, Item]]) -> Iterator[Record]:
        item, activity = items[0][1], self._context.activity
        activity.at = item.time
        try:
            answer = self._resource.fetch(self.test_id, item.session_id)
        except NotFoundError:
            yield from self._missing(items)
            return
        except (ServerFaultError, BadRequestError) as error:
            self._error = error
            line = f"{self._lead.name}, session {item.session_id}: {error}; it is asked for again in the next sync"
            self._weigh(items, "failed", line)
            return
        finally:
            activity.done += 1
        self._context.mark_reachable(self.test_id)
        yield from self._emit(items, answer, "empty" if self._resource.is_empty(answer) else "found")

    def _missing(self, items: list[tuple[Group, Item]]) -> Iterator[Record]:
        back = [(group, item) for group, item in items if item.was_removed]
        if back:
            if not self._context.is_reachable(self.test_id):
                self._confirm()  # or an outage would take rows away
            yield from self._emit(back, None, "missing")
        rest = [(group, item) for group, item in items if not item.was_removed]
        if rest:
            self._weigh(rest, "missing")

    def _emit(self, items: list[tuple[Group, Item]], answer: Any | None, outcome: Outcome) -> Iterator[Record]:  # noqa: ANN401 - as the API answers
        """Write the rows of the riders, then emit those of the lead; once the last one is out, the ledger moves."""
        seats = [seat for group, _ in items for seat in group.seats]
        before = [seat.partition.rows for seat in seats]
        made = [
            (seat.stream, seat.stream.rows_of(self.test_id, _placed(item, group), answer))
            for group, item in items
            for seat in group.seats
        ]
        if before != [seat.partition.rows for seat in seats]:
            self._context.write_state()  # or after a kill no one would know which tombstones they need
        own: list[Record] = []
        for stream, rows in made:
            if stream is self._lead:
                own = rows
            else:
                for row in rows:
                    stream.ride(row)
        for row in own[:-1]:
            yield row
            self._context.after_row()
        yield from own[-1:]
        self._weigh(items, outcome)
        self._context.after_row()

    # What it means

    def _weigh(self, items: list[tuple[Group, Item]], outcome: Outcome, line: str = "") -> None:
        done = [Done(group, item, outcome, line) for group, item in items]
        for group, item in items:
            if item.act == "fetch":
                group.asked[item.session_id] = outcome
        self._settle(self._doubt.weigh(done, outcome, is_reachable=self._context.is_reachable(self.test_id)))

    def _judge(self) -> None:
        """See whether it is the test that does not answer. Raises what then is the error of the test."""
        if self._doubt.fails and self._error is not None:
            raise self._error
        if self._doubt.asks_for_list:
            self._confirm()
            self._settle(self._doubt.release())

    def _is_final(self, done: Done) -> bool:
        return gives_up(done.item, done.outcome, done.group.policy, now=self._context.now)

    def _confirm(self) -> None:
        """See by one page of the list that the test is there. Raises NotFoundError."""
        try:
            self._context.lists.read(self.test_id, bool)
        except NotFoundError as lost:
            message = f"none of its sessions is found, nor its list: the test can not be read ({lost})"
            raise NotFoundError(message) from lost
        self._context.mark_reachable(self.test_id)

    def _settle(self, counts: list[list[Done]]) -> None:
        for group, item, outcome, line in (one for done in counts for one in done):
            before = group.ledger
            group.move(settle(before, item, outcome, group.policy, now=self._context.now))
            if line:
                self._context.fail(line)
            if outcome == "missing" and item.session_id not in group.ledger.waiting:
                self._resource.gave_up(self.test_id, item.session_id)
            group.turned = group.turned or group.ledger.asleep != before.asleep

    def _turn(self, group: Group) -> None:
        """See what is to be done after a test has fallen asleep or woken."""
        group.turned = False
        self._resource.say_sleep(self.test_id, asleep=group.ledger.asleep)
        if not group.ledger.asleep or group.log is None:
            group.log = self._resource.read_log(self.test_id, group)
        todo = agenda(group.ledger, group.log, group.policy, now=self._context.now)
        group.queue = deque(item for item in todo if item.line not in {"waiting", "probe"})
        group.was_read = False


def _placed(item: Item, group: Group) -> Item:
    """Return an item with the place that its rows name: its own, else that of the bookmark."""
    mark = item.top or group.ledger.bookmark
    own = item.cursor if item.line != "older" else None
    return item._replace(cursor=own or (mark.cursor if mark is not None else None) or None)
