"""How a row becomes RECORD messages: the catalog's columns, the user's stream maps, and when ACTIVATE_VERSION comes."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, Protocol

from singer_sdk import Stream
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_usertesting.values.columns import lacking, trim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Message

    from tap_usertesting.singer.state import LedgerStateWriter
    from tap_usertesting.sync.context import SyncContext


class Host(Protocol):
    """What a stream asks of the tap."""

    state_writer: LedgerStateWriter

    @property
    def sync_context(self) -> SyncContext:
        """What the streams of a sync share. Ends the run where a setting is wrong."""

    def write_message(self, message: Message) -> None:
        """Write a Singer message."""

    def refuse(self, message: str) -> NoReturn:
        """End the run over a wrong setting or file, with one line that names it."""


class MessageStream(Stream):
    """Writes rows with exactly the columns of their SCHEMA."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.ROOT_ONLY  # rows are made by our own schema
    STATE_MSG_FREQUENCY = sys.maxsize  # STATE is written by time, not by count

    @property
    def host(self) -> Host:
        """The tap, as far as streams know it."""
        return self._tap  # type: ignore[return-value]  # the SDK knows it as any tap

    @cached_property
    def _lacking(self) -> list[tuple[str, ...]]:
        """The fields inside columns that the catalog's schema lacks."""
        return lacking(self.schema, self.effective_schema)

    @cached_property
    def _whole_rows(self) -> bool:
        """Whether rows leave as they were made: every column selected, the catalog's schema ours, no stream map."""
        return (
            len(self.stream_maps) == 1
            and type(self.stream_maps[0]) is SameRecordTransform
            and not self.stream_maps[0].flattening_enabled
            and not self._lacking
            and self.effective_schema["properties"].keys() == self.schema["properties"].keys()
            and all(self.mask.values())
        )

    @property
    def aliases(self) -> list[str]:
        """The names under which stream maps have this stream written."""
        return [one.stream_alias for one in self.stream_maps if not isinstance(one, RemoveRecordTransform)]

    @property
    def is_mapped_away(self) -> bool:
        """Whether stream maps leave nothing of this stream, so that reading it would be in vain."""
        return all(isinstance(stream_map, RemoveRecordTransform) for stream_map in self.stream_maps)

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """Return none: there are no child streams."""
        return ()

    @override
    def _write_record_message(self, record: Record) -> None:
        """Write a row with exactly the columns of its SCHEMA, null where it has none of them.

        A row that was made by our own schema is not made to fit again: a third of the SDK's time.
        """
        if self._whole_rows:
            now = datetime.now(tz=timezone.utc)
            alias, version = self.stream_maps[0].stream_alias, self._stream_version
            self.host.write_message(RecordMessage(stream=alias, record=record, version=version, time_extracted=now))
            return
        trim(record, self._lacking)
        try:
            messages = list(self._generate_record_messages(record))
        except Exception as error:  # noqa: BLE001 - whatever an expression of the user's may raise
            hint = "; this row is a tombstone, which has null in most columns" if record.get("deleted_at") else ""
            self.host.refuse(f"stream_maps: {self.name}: {in_words(error, of_row=True)}{hint}")
        for message in messages:
            columns = self._columns[message.stream]
            message.record = {column: message.record.get(column) for column in columns}
            self.host.write_message(message)

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        """The columns that each stream written has in its SCHEMA."""
        return {message.stream: list(message.schema["properties"]) for message in self._generate_schema_messages()}

    def write_schema(self) -> None:
        """Write the SCHEMA."""
        self._write_schema_message()

    # ACTIVATE_VERSION makes a target drop the rows that this sync did not write: it must have read them all

    @override
    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Wait with it until the stream was read: the SDK would write it before."""

    def activate_version(self) -> None:
        """Write ACTIVATE_VERSION if there is one to write; call it once all rows are out."""
        if self._stream_version is not None:
            super()._write_activate_version_message(self._stream_version)


def in_words(error: Exception, *, of_row: bool = False) -> str:
    """Return what an expression raised, with the cause that the SDK wraps, on one line.

    `of_row`: the expression was given a row. The SDK quotes the expression only; of other errors, which may quote a
    value, the type is told.
    """
    said = []
    for one in (error, error.__cause__):
        quote = "" if of_row and not isinstance(one, MapExpressionError) else str(one).rstrip(".")
        said += [quote or type(one).__name__] if one is not None else []
    return " ".join(": ".join(said).split())
