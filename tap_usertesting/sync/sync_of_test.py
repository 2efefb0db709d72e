"""Syncs one test of one resource: reads its log, works off its agenda, and moves ledgers once their rows are out.

Streams that have come to the same position share one ledger. Streams at different positions each read what they lack,
and one answer serves every stream that needs it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import ApiError, BadRequestError, NotFoundError, ServerFaultError
from tap_usertesting.ledger.agenda import agenda
from tap_usertesting.ledger.change_log import LISTING, Log
from tap_usertesting.ledger.counting import count, tombstoned
from tap_usertesting.ledger.doubt import FAULTS_IN_A_ROW, MISSING_IN_A_ROW, Doubt
from tap_usertesting.ledger.settle import Outcome, close, gives_up, settle
from tap_usertesting.sync.calls_of_test import CallsOfTest
from tap_usertesting.sync.ledger_group import ItemOutcome, LedgerGroup, Member
from tap_usertesting.values.times import epoch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.ledger.agenda_items import Item
    from tap_usertesting.sync.resource import Resource
    from tap_usertesting.sync.stream_protocols import Record


class TestSync:
    """The sync of one test of one resource."""

    def __init__(self, resource: Resource, members: list[Member], test_id: str) -> None:
        """Make no call. `members`: the lead, then its followers."""
        self._resource = resource
        self._context = resource.context
        self._lead = members[0].stream
        self.test_id = test_id
        self.round = 0  # the one in which the log was last read; 0: it was not read yet
        self._error: ApiError | None = None  # the last one of a session
        policy = resource.policy_of(test_id)
        self.groups: list[LedgerGroup] = []
        for member in members:
            ledger = member.partition.ledger
            shared = next((group for group in self.groups if group.ledger.same_position(ledger)), None)
            if shared is None:
                self.groups.append(LedgerGroup([member], policy, ledger))
            else:
                shared.members.append(member)
        is_per_test = policy.per_test
        self.calls = CallsOfTest(test_id, self.groups, is_per_test=is_per_test, reads_list=resource.reads_list)
        self._doubt: Doubt[list[ItemOutcome]] = Doubt(
            missing=1 if is_per_test else MISSING_IN_A_ROW, faults=1 if is_per_test else FAULTS_IN_A_ROW
        )

    @property
    def was_read(self) -> bool:
        """Whether any of the streams has a bookmark in the test."""
        return any(group.ledger.bookmark is not None for group in self.groups)

    @property
    def is_open(self) -> bool:
        """Whether something is left to read."""
        return any(group.queue or group.ledger.open or group.ledger.bookmark is None for group in self.groups)

    @property
    def next_time(self) -> float | None:
        """The time of the next session in epoch seconds; None if no item is queued."""
        group = self._next_group()
        return None if group is None else epoch(group.queue[0].time)

    @property
    def history_time(self) -> str | None:
        """How far down open ledgers have come in the history, in the fixed UTC form."""
        return max((group.ledger.history.at or "" for group in self.groups if group.ledger.history), default="") or None

    def read(self, number: int, *, not_due: bool) -> None:
        """Read the log and queue what is to be done in this round. `not_due`: do not read the session list.

        Raises what the APIs raise.
        """
        self.round = number
        self._doubt.drop()
        self._context.lists.raise_if_lost(self.test_id)
        if self._resource.skips(self.test_id, self.groups):
            self.calls.round = number
            return
        for group in self.groups:
            group.outcomes.clear()
            group.queue.clear()
            if not_due and group.ledger.source == LISTING and not (group.ledger.open or group.ledger.bookmark is None):
                group.log, group.only_news = Log(LISTING), True
            else:
                group.log = self._resource.read_log(self.test_id, group)
                group.only_news = group.ledger.bookmark is not None and not group.ledger.open
            self._queue(group, agenda(group.ledger, group.log, group.policy, now=self._context.now))
        self._resource.prepare(self.test_id, self.groups)
        self.calls.round = number
        self._close_ledgers()

    def _queue(self, group: LedgerGroup, items: list[Item]) -> None:
        """Queue what is to be done, and count it."""
        group.queue = deque(items)
        if group.log is not None and not (group.log.source == LISTING and group.log.sessions is None):
            group.set_ledger(count(group.ledger, group.log, items, group.policy, now=self._context.now))

    def news(self) -> Iterator[Record]:
        """Emit the news of every stream."""
        while any(group.has_news() for group in self.groups):
            yield from self.step()

    def step(self) -> Iterator[Record]:
        """Do the next item, for every group in which it is next."""
        first = self._next_group()
        if first is None:
            return
        self.calls.queue_changed()
        head = first.queue[0]
        groups = [
            group
            for group in self.groups
            if group.queue and group.queue[0].session_id == head.session_id and group.queue[0].act == head.act
        ]
        items = [(group, group.queue.popleft()) for group in groups]
        yield from self._do(items)
        self._resolve_doubt()
        for group in self.groups:
            if group.sleep_changed:
                self._apply_sleep_change(group)
            group.drop_needless_samples()
        self._close_ledgers()

    def _close_ledgers(self) -> None:
        """Close the ledgers whose known sessions are all handled; at the end of the test, held outcomes count."""
        self.calls.queue_changed()
        if not self._has_items() and self._doubt.held:
            if any(self._gives_up(one) for outcomes in self._doubt.held for one in outcomes):
                self._confirm_test()  # otherwise an outage would make the tap give these sessions up
            self._settle(self._doubt.release())
        for group in self.groups:
            if group.log is not None and not group.queue and not self._doubt.held:
                if group.log.source != LISTING or group.log.sessions is not None:
                    group.set_ledger(close(group.ledger, group.log, group.policy))
                group.log = None

    def _has_items(self) -> bool:
        return any(group.queue for group in self.groups)

    def _next_group(self) -> LedgerGroup | None:
        queued = [group for group in self.groups if group.queue]
        if not queued:
            return None
        urgency = min(group.urgency for group in queued)
        return max((group for group in queued if group.urgency == urgency), key=lambda group: group.queue[0].at)

    # One item

    def _do(self, items: list[tuple[LedgerGroup, Item]]) -> Iterator[Record]:
        item = items[0][1]
        if item.act == "pass":
            self._record(items, "passed")
        elif item.act == "remove":
            yield from self._emit(items, None, "removed")
        elif item.act == "absent" or items[0][0].outcomes.get(item.session_id) == "missing":
            yield from self._handle_missing(items)
        elif all(group.outcomes.get(item.session_id) == "found" for group, _ in items):
            self._record(items, "found")
        else:
            self._context.lists.raise_if_lost(self.test_id)  # another stream may have lost the test meanwhile
            yield from self._fetch(items)

    def _fetch(self, items: list[tuple[LedgerGroup, Item]]) -> Iterator[Record]:
        item = items[0][1]
        self._context.activity.at = item.time
        try:
            with self.calls.asking(is_news=items[0][0].is_news(item)):
                answer = self._resource.fetch(self.test_id, item.session_id)
        except NotFoundError:
            yield from self._handle_missing(items)
            return
        except (ServerFaultError, BadRequestError) as error:
            self._error = error
            error_line = f"{self._lead.name}, session {item.session_id}: {error}; the next sync tries again"
            self._record(items, "failed", error_line)
            return
        self._context.mark_reachable(self.test_id)
        yield from self._emit(items, answer, "empty" if self._resource.is_empty(answer) else "found")

    def _handle_missing(self, items: list[tuple[LedgerGroup, Item]]) -> Iterator[Record]:
        removed = [(group, item) for group, item in items if item.was_removed]
        if removed:
            if not self._context.is_reachable(self.test_id):
                self._confirm_test()  # otherwise an outage would remove rows
            yield from self._emit(removed, None, "missing")
        rest = [(group, item) for group, item in items if not item.was_removed]
        if rest:
            self._record(rest, "failed" if self._resource.keeps_back(self.test_id) else "missing")

    def _emit(self, items: list[tuple[LedgerGroup, Item]], answer: Any | None, outcome: Outcome) -> Iterator[Record]:  # noqa: ANN401 - as the API answers
        """Write the rows of the followers, then emit those of the lead; move the ledgers once the last row is out."""
        members = [member for group, _ in items for member in group.members]
        before = [member.partition.rows for member in members]
        rows_by_stream = [
            (member.stream, member.stream.rows_of(self.test_id, _with_cursor(item, group), answer))
            for group, item in items
            for member in group.members
        ]
        if before != [member.partition.rows for member in members]:
            self._context.write_state()  # otherwise a kill would lose the number of rows that tombstones must cover
        own: list[Record] = []
        for stream, rows in rows_by_stream:
            if stream is self._lead:
                own = rows
            else:
                for row in rows:
                    stream.write_for_lead(row)
        for row in own[:-1]:
            yield row
            self._context.after_row()
        yield from own[-1:]
        if outcome != "found":
            for group, item in items:
                group.set_ledger(tombstoned(group.ledger, item.session_id))
        self._record(items, outcome)
        self._context.after_row()

    # What an outcome means

    def _record(self, items: list[tuple[LedgerGroup, Item]], outcome: Outcome, error_line: str = "") -> None:
        outcomes = [ItemOutcome(group, item, outcome, error_line) for group, item in items]
        for group, item in items:
            if item.act == "fetch":
                group.outcomes[item.session_id] = outcome
        self._settle(self._doubt.weigh(outcomes, outcome, is_reachable=self._context.is_reachable(self.test_id)))

    def _resolve_doubt(self) -> None:
        """Decide whether the test itself does not answer; if so, raise the last error of its sessions."""
        if self._doubt.fails and self._error is not None:
            raise self._error
        if self._doubt.asks_for_list:
            self._confirm_test()
            self._settle(self._doubt.release())

    def _gives_up(self, one: ItemOutcome) -> bool:
        return gives_up(one.item, one.outcome, one.group.policy, now=self._context.now)

    def _confirm_test(self) -> None:
        """Read one page of the list to confirm that the test exists. Raises NotFoundError if it does not."""
        try:
            self._context.lists.read(self.test_id, bool)
        except NotFoundError as lost:
            message = f"cannot read the test: neither its sessions nor its session list are found ({lost})"
            raise NotFoundError(message) from lost
        self._context.mark_reachable(self.test_id)

    def _settle(self, counted: list[list[ItemOutcome]]) -> None:
        """Move the ledgers by the outcomes that count."""
        for group, item, outcome, error_line in (one for outcomes in counted for one in outcomes):
            before = group.ledger
            group.set_ledger(settle(before, item, outcome, group.policy, now=self._context.now))
            if error_line:
                self._context.fail(error_line)
            if outcome == "missing" and item.session_id not in group.ledger.waiting:
                self._resource.note_given_up(self.test_id, item.session_id)
            group.sleep_changed = group.sleep_changed or group.ledger.asleep != before.asleep

    def _apply_sleep_change(self, group: LedgerGroup) -> None:
        """Queue what is to be done now that the test has fallen asleep or woken up."""
        group.sleep_changed = False
        self._resource.log_sleep(self.test_id, asleep=group.ledger.asleep)
        if not group.ledger.asleep or group.log is None:
            group.log = self._resource.read_log(self.test_id, group)
        todo = agenda(group.ledger, group.log, group.policy, now=self._context.now)
        self._queue(group, [item for item in todo if item.line not in {"waiting", "probe"}])
        group.only_news = False


def _with_cursor(item: Item, group: LedgerGroup) -> Item:
    """Return an item with the cursor that its rows name: its own, else that of the bookmark."""
    mark = item.top or group.ledger.bookmark
    own = item.cursor if item.line != "older" else None
    return item._replace(cursor=own or (mark.cursor if mark is not None else None) or None)
