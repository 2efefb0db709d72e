"""Rows that belong to a session: one or several of it, tombstones, and the streams that ride along with another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from tap_usertesting.streams.change_driven import ChangeDrivenStream
from tap_usertesting.streams.work import Rider, Task, Work

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.partition import Partition


class SessionRows(ChangeDrivenStream):
    """A stream whose rows each belong to a session.

    Streams of one `source` are made from the same answer. The first of them that is selected fetches it, and the others
    ride along: their rows are written beside its own, and they stand where it stands. One that does not stand at the
    same place of a test's log (as it was selected later) reads that test on its own, once.

    Where a session has several rows they are `numbered`. No one keeps how many it had, but the state keeps the most
    that any session of the test had: so far do tombstones reach.
    """

    primary_keys: ClassVar[tuple[str, ...]] = ("session_id",)
    numbered: ClassVar[str | None] = None  # the column that numbers the rows of a session

    def rows(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the columns of the session's rows, in order and without their number."""
        return [self.columns(answer)]

    def riders(self, test_id: str, partition: Partition) -> list[Rider]:
        """Take along the streams of the same source that have handled the same part of the test."""
        riders = []
        for stream in self._tap.after(self):
            if isinstance(stream, SessionRows) and stream.source == self.source and stream.applies(test_id):
                other = stream.partition(test_id)
                if stream.replication_method == self.replication_method and partition.stands_with(other):
                    stream.board(test_id)
                    riders.append(Rider(stream, other))
        return riders

    @override
    def restart(self, test_id: str, partition: Partition, log: str) -> None:
        """Remember, until the test is read to its end, that rows of the former reading are there."""
        again = partition.again or partition.bookmark is not None
        super().restart(test_id, partition, log)
        if again:
            partition.set("again", value=True)

    def emit(
        self,
        work: Work,
        task: Task,
        rows: Callable[[SessionRows, str, Partition, Task], list[Record]],
        commit: Callable[[], None],
    ) -> Iterator[Record]:
        """Write the riders' rows, then emit this stream's own; the last one makes the commit true."""
        partitions = [work.partition, *(rider.partition for rider in work.riders)]
        most = [partition.most_rows for partition in partitions]
        own = rows(self, work.test_id, work.partition, task)
        ridden = [(rider, rows(rider.stream, work.test_id, rider.partition, task)) for rider in work.riders]
        if most != [partition.most_rows for partition in partitions]:
            self._tap.write_state()  # or after a kill no one would know which tombstones they need
        for rider, rider_rows in ridden:
            for row in rider_rows:
                rider.stream.ride(row)
        yield from own[:-1]
        self._commit = commit
        if own:
            yield own[-1]
        else:
            self._increment_stream_state({})

    def live_rows(self, test_id: str, partition: Partition, task: Task, answer: dict[str, Any]) -> list[Record]:
        """Return the rows of a session as it is now, and tombstones of those that it may have had beyond them."""
        rows = self.rows(answer)
        before = partition.most_rows
        if self.numbered is not None:
            rows = [{**row, self.numbered: number} for number, row in enumerate(rows, start=1)]
            if len(rows) > before:
                partition.set("most_rows", len(rows))
        live = [row | self._shared(test_id, task, deleted_at=None) for row in rows]
        if not task.again or self.numbered is None:
            return live
        return live + self._tombstones(test_id, task, range(len(rows) + 1, before + 1), self.run.now)

    def tombstones(self, test_id: str, partition: Partition, task: Task) -> list[Record]:
        """Return the tombstones of a session: of each row that it may have had, as no one keeps how many it had."""
        return self._tombstones(test_id, task, range(1, partition.most_rows + 1), task.changed_at)

    def _tombstones(self, test_id: str, task: Task, numbers: range, deleted_at: str) -> list[Record]:
        empty = dict.fromkeys(self.schema["properties"]) | self._shared(test_id, task, deleted_at=deleted_at)
        return [empty] if self.numbered is None else [{**empty, self.numbered: number} for number in numbers]

    def _shared(self, test_id: str, task: Task, *, deleted_at: str | None) -> dict[str, Any]:
        """Return the columns that every row of such a stream has."""
        return {
            "test_id": test_id,
            "session_id": task.session_id,
            "change_cursor": task.cursor,
            "change_type": task.change_type,
            "changed_at": task.changed_at,
            "deleted_at": deleted_at,
            "_sdc_deleted_at": deleted_at,
        }

    def sample_rows(self, test_id: str, session_id: str, answer: dict[str, Any]) -> Iterator[Record]:
        """Emit the first row of a session for `--test`."""
        for row in self.rows(answer)[:1]:
            number = {} if self.numbered is None else {self.numbered: 1}
            yield row | number | {"test_id": test_id, "session_id": session_id}

    def sample_session(self, test_id: str) -> str | None:
        """Return the newest session of a test, for `--test`; one call, shared by the streams."""
        return next((item["sessionId"] for item in self._tap.beside.newest(test_id).sessions), None)
