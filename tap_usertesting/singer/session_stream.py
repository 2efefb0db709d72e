"""A stream that follows the log of each test with a ledger. Streams that share answers are read together."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.ledger.completeness import table_complete_from
from tap_usertesting.singer.per_test_stream import PerTestStream
from tap_usertesting.singer.stream import FULL_TABLE
from tap_usertesting.singer.tombstones import change_columns, tombstones
from tap_usertesting.sync.completeness_of_tests import newest_unread
from tap_usertesting.sync.sync_of_resource import ResourceSync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.changes.session_list import SessionList
    from tap_usertesting.ledger.agenda_items import Item
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.resource import Resource


class SessionStream(PerTestStream):
    """A stream whose rows are fetched again after a change.

    Streams of one resource are made from the same answers: the first selected one leads, which means that it fetches
    and has the rows of its followers written with its own.

    If a session has several rows, they are `numbered`. Nothing keeps how many rows a session had, but the state keeps
    the most that any session of the test had, and tombstones cover that many.
    """

    replication_key = bookmark_key = "change_cursor"
    primary_keys: ClassVar[tuple[str, ...]] = ("session_id",)
    resource_class: ClassVar[type[Resource]]
    numbered: ClassVar[str | None] = None  # the column with the number of a row in its session, from 1 on
    _schema_written = False  # its SCHEMA was written while the lead ran
    _has_lead = False  # the lead has its rows written

    # To be declared by each stream

    def rows(self, test_id: str, answer: Any) -> list[dict[str, Any]]:  # noqa: ANN401, ARG002 - as the API answers
        """Return the rows that an answer makes, in order, without their number and shared columns."""
        return [self.columns(answer)]

    # The sync

    @property
    @override
    def job(self) -> str:
        return self.resource_class.name

    @cached_property
    def resource(self) -> Resource:
        """The resource from whose answers the rows are made."""
        return self.resource_class(self.sync_context, self.name)

    @cached_property
    def resource_sync(self) -> ResourceSync:
        """The sync of the resource, with this stream as the lead."""
        return ResourceSync(self.resource, [self, *self.sync_context.streams.followers(self)], self.test_ids())

    @override
    def sync_tests(self, tests: list[str]) -> Iterator[Record]:
        if self._has_lead or not tests:
            return
        for follower in self.sync_context.streams.followers(self):
            follower.follow_lead()
        with self.sync_context.turns.single_flight("round"):
            self.sync_context.schedule.start_first_round()
        yield from self.resource_sync.records()

    @override
    def applies(self, test_id: str) -> bool:
        return self.resource.applies(test_id)

    @override
    def asks(self, test_id: str) -> Iterable[Ask]:
        return self.resource.asks(test_id, self.partition(test_id).ledger)

    @override
    def list_need(self, test_id: str) -> Callable[[SessionList], bool] | None:
        return self.resource.list_need(test_id, self.partition(test_id).ledger)

    @override
    def calls_left(self, test_id: str) -> int | None:
        return self.resource.calls_left(self.partition(test_id).ledger)

    @property
    @override
    def waiting(self) -> int:
        return sum(len(ledger.waiting) for _, ledger in self._ledgers())

    @override
    def unfinished(self, since: str | None = None) -> int:
        return sum(self._is_unfinished(test_id, ledger, since) for test_id, ledger in self._ledgers())

    @property
    @override
    def complete_from(self) -> dict[str, str | None]:
        context = self.sync_context
        ledgers = [
            replace(ledger, newest=newest_unread(context, test_id, ledger)) for test_id, ledger in self._ledgers()
        ]
        return {self.name: table_complete_from(ledgers, now=context.now)} if ledgers else {}

    def _ledgers(self) -> Iterator[tuple[str, Ledger]]:
        """Yield the ledgers of this sync's tests."""
        for test_id, partition in self._states.items():
            if self.applies(test_id) and not partition.ledger.has_none:
                yield test_id, partition.ledger

    def _is_unfinished(self, test_id: str, ledger: Ledger, since: str | None) -> bool:
        if ledger.bookmark is not None and ledger.history is None:
            return False
        newest = ledger.newest or self.sync_context.directory.launched(test_id)
        left = ledger.history.at if ledger.history is not None else newest  # what is left to read is as old or older
        return since is None or left is None or left > since

    # As a follower

    def follow_lead(self) -> None:
        """Leave the rows to the lead, and write the SCHEMA now, because it must precede them."""
        self._has_lead = True
        self._write_schema_message()
        self._schema_written = True
        if self.replication_method == FULL_TABLE and self.emit_activate_version_messages:
            self._stream_version = self._initialized_at // 1000  # the version that the SDK will give it later

    def write_for_lead(self, row: Record) -> None:
        """Write a row while the lead runs."""
        self._write_record_message(row)

    @override
    def _write_schema_message(self) -> None:
        """Write the SCHEMA, unless it was written while the lead ran."""
        if self._schema_written:
            self._schema_written = False
            return
        super()._write_schema_message()

    # Rows

    def rows_of(self, test_id: str, item: Item, answer: Any | None) -> list[Record]:  # noqa: ANN401 - as above
        """Return the rows of an answer, and tombstones for former rows that it lacks; `answer` None: for all."""
        partition = self.partition(test_id)
        if answer is None:
            deleted_at = item.at if item.act == "remove" else self.sync_context.now
            return self._tombstones(test_id, item, range(1, partition.rows + 1), deleted_at)
        if item.line == "waiting" and self.resource.is_empty(answer):
            return []  # its tombstones were written when it began to wait
        rows, before = self._numbered(test_id, answer), partition.rows
        if self.numbered is not None and len(rows) > before:
            partition.rows = len(rows)
        change = change_columns(test_id, item, deleted_at=None, columns=self.schema["properties"])
        live = [row | change for row in rows]
        if not item.reread or self.numbered is None:
            return live
        return live + self._tombstones(test_id, item, range(len(rows) + 1, before + 1), self.sync_context.now)

    def _tombstones(self, test_id: str, item: Item, numbers: range, deleted_at: str) -> list[Record]:
        columns = self.schema["properties"]
        change = change_columns(test_id, item, deleted_at=deleted_at, columns=columns)
        return tombstones(change, columns, numbered=self.numbered, numbers=numbers)

    def _numbered(self, test_id: str, answer: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as above
        rows = self.rows(test_id, answer)
        if self.numbered is None:
            return rows
        return [{**row, self.numbered: number} for number, row in enumerate(rows, start=1)]

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        """Emit the first row of the newest session."""
        resource = self.resource
        try:
            found = resource.sample(test_id)
        except NotFoundError:
            if not resource.often_none:
                raise
            of = "" if resource.policy.per_test else "the newest session of "
            self.logger.info("%s: %stest %s has no rows%s", self.name, of, test_id, " yet" if of else "")
            return
        if found is not None:
            session_id, answer = found
            ids = {"test_id": test_id, "session_id": session_id}
            for row in self._numbered(test_id, answer)[:1]:
                yield row | {name: value for name, value in ids.items() if name in row}
