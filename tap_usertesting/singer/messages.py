"""Turns a row into RECORD messages: selected columns, the user's stream maps, and the time of ACTIVATE_VERSION."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, Protocol

from singer_sdk import Stream
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.metrics import Metric, Tag
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_usertesting.singer.row_metrics import StreamTimer, WrittenRows
from tap_usertesting.singer.tombstones import is_tombstone
from tap_usertesting.values.columns import missing_fields, remove_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Message

    from tap_usertesting.singer.state_writing import LedgerStateWriter
    from tap_usertesting.sync.context import SyncContext


class Host(Protocol):
    """What a stream needs from the tap."""

    state_writer: LedgerStateWriter

    @property
    def sync_context(self) -> SyncContext:
        """What the streams of a sync share. Ends the run if a setting is wrong."""

    def write_message(self, message: Message) -> None:
        """Write a Singer message."""

    def refuse(self, message: str) -> NoReturn:
        """End the run because of a wrong setting or file, with one line that names it."""


class MessageStream(Stream):
    """A stream that writes rows with exactly the columns of their SCHEMA."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.ROOT_ONLY  # rows are built from our own schema
    STATE_MSG_FREQUENCY = sys.maxsize  # STATE is written by time, not by count

    @property
    def host(self) -> Host:
        """The tap, as streams know it."""
        return self._tap  # type: ignore[return-value]  # the SDK knows it as any tap

    @cached_property
    def _missing_fields(self) -> list[tuple[str, ...]]:
        """The fields inside columns that the catalog's schema lacks."""
        return missing_fields(self.schema, self.effective_schema)

    @cached_property
    def _whole_rows(self) -> bool:
        """Whether rows are written unchanged: every column is selected, the catalog's schema is ours, no stream map."""
        return (
            len(self.stream_maps) == 1
            and type(self.stream_maps[0]) is SameRecordTransform
            and not self.stream_maps[0].flattening_enabled
            and not self._missing_fields
            and self.effective_schema["properties"].keys() == self.schema["properties"].keys()
            and all(self.mask.values())
        )

    @property
    def aliases(self) -> list[str]:
        """The names under which this stream is written; stream maps may change or add some."""
        return [one.stream_alias for one in self.stream_maps if not isinstance(one, RemoveRecordTransform)]

    @property
    def is_mapped_away(self) -> bool:
        """Whether stream maps leave nothing of this stream, so that it need not be read."""
        return all(isinstance(stream_map, RemoveRecordTransform) for stream_map in self.stream_maps)

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """Return none: there are no child streams."""
        return ()

    @override
    def _write_record_message(self, record: Record) -> None:
        """Write a row with exactly the columns of its SCHEMA; a column that it lacks is null.

        A row built from our own schema is not conformed to it again, which would take a third of the SDK's time.
        """
        is_removal = is_tombstone(record)
        counts = self.tombstones_written if is_removal else self.rows_written
        if self._whole_rows:
            now = datetime.now(tz=timezone.utc)
            alias, version = self.stream_maps[0].stream_alias, self._stream_version
            self.host.write_message(RecordMessage(stream=alias, record=record, version=version, time_extracted=now))
            counts[alias] += 1
            return
        remove_fields(record, self._missing_fields)
        try:
            messages = list(self._generate_record_messages(record))
        except Exception as error:  # noqa: BLE001 - a user's expression may raise anything
            hint = "; this row is a tombstone, which has null in most columns" if is_removal else ""
            self.host.refuse(f"stream_maps: {self.name}: {describe_error(error, of_row=True)}{hint}")
        for message in messages:
            columns = self._columns[message.stream]
            message.record = {column: message.record.get(column) for column in columns}
            self.host.write_message(message)
            counts[message.stream] += 1

    @cached_property
    def rows_written(self) -> Counter[str]:
        """The rows that were written, by the name they were written under: what stream maps leave, no tombstones."""
        return Counter()

    @cached_property
    def tombstones_written(self) -> Counter[str]:
        """The tombstones that were written, as above."""
        return Counter()

    @property
    def written(self) -> int:
        """How many rows and tombstones were written."""
        return self.rows_written.total() + self.tombstones_written.total()

    @override
    def get_record_counter(self, *, endpoint: str | None = None, log_interval: float = 60.0) -> WrittenRows:
        """Return the counter of the METRIC line."""
        return WrittenRows(self.name, lambda: self.written, log_interval=log_interval)

    @override
    def get_sync_timer(self) -> StreamTimer:
        """Return the timer of the METRIC line."""
        return StreamTimer(Metric.SYNC_DURATION, {Tag.STREAM: self.name})

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        """The columns in the SCHEMA of each alias."""
        return {message.stream: list(message.schema["properties"]) for message in self._generate_schema_messages()}

    def write_schema(self) -> None:
        """Write the SCHEMA."""
        self._write_schema_message()

    # ACTIVATE_VERSION makes a target drop every row that this sync did not write, so the sync must have read them all

    @override
    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Do nothing: the SDK calls this before the rows, and `activate_version` writes the message after them."""

    def activate_version(self) -> None:
        """Write ACTIVATE_VERSION if the stream has a version. Call it once all rows are written."""
        if self._stream_version is not None:
            super()._write_activate_version_message(self._stream_version)


def describe_error(error: Exception, *, of_row: bool = False) -> str:
    """Return on one line what an expression raised, with the cause that the SDK wraps.

    `of_row`: the expression was evaluated for a row. Then only errors of the SDK, which quote just the expression, are
    quoted. Of others, which may quote a value, only the type is named.
    """
    said = []
    for one in (error, error.__cause__):
        quote = "" if of_row and not isinstance(one, MapExpressionError) else str(one).rstrip(".")
        said += [quote or type(one).__name__] if one is not None else []
    return " ".join(": ".join(said).split())
