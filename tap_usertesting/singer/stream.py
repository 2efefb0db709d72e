"""The base of every stream: its schema file, its columns and its counts."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.schema.source import SchemaDirectory
from singer_sdk.singerlib import Schema
from typing_extensions import override

from tap_usertesting.singer.messages import MessageStream
from tap_usertesting.singer.state_writing import LedgerStateManager
from tap_usertesting.values.conform import clean, conform, snake, verbatim
from tap_usertesting.values.privacy import UNKNOWN, Privacy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog

    from tap_usertesting.sync.context import SyncContext

_PACKAGED = Path(__file__).parents[1] / "schemas"  # in a wheel
_TOP_LEVEL = Path(__file__).parents[2] / "schemas"  # in an editable install
SCHEMAS = SchemaDirectory(_PACKAGED if _PACKAGED.is_dir() else _TOP_LEVEL)
INCREMENTAL, LOG_BASED, FULL_TABLE = "INCREMENTAL", "LOG_BASED", "FULL_TABLE"
OWN_COLUMNS = frozenset({UNKNOWN, "change_cursor", "change_type", "changed_at", "deleted_at", "_sdc_deleted_at"})
MOST_NAMED = 20  # fields without a column that the log names, per stream; further ones are kept silently
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class UserTestingStream(MessageStream):
    """A stream of this tap. Each declares the first attributes, and a docstring that begins with `One row per`."""

    calls: ClassVar[str]  # what its rows cost, for the documentation
    mapped: ClassVar[frozenset[str]] = (
        frozenset()
    )  # fields of the vendor that another column holds, or that are dropped on purpose
    personal: ClassVar[
        tuple[str, ...]
    ] = ()  # columns and fields with participants' data; `extra_fields` is always personal
    harmless: ClassVar[
        Mapping[str, frozenset[str]]
    ] = {}  # of objects without a fixed shape: the fields that hold nothing personal
    setting: ClassVar[str | None] = None  # a boolean setting without which the stream does not exist
    schemas: ClassVar[SchemaDirectory] = SCHEMAS  # where its schema file is

    found = False  # whether there was anything that could have rows

    @property
    def job(self) -> str:
        """The job that reads it: streams of one job run in one thread, and an error of one concerns all of them."""
        return self.name

    @property
    def sync_context(self) -> SyncContext:
        """What the streams of this sync share."""
        return self.host.sync_context

    @property
    def is_sample(self) -> bool:
        """Whether this is `--test`: at most one record and two calls per stream."""
        return self.ABORT_AT_RECORD_COUNT is not None

    @property
    def keeps_state(self) -> bool:
        """Whether the stream continues from the state of the last sync."""
        return False

    @cached_property
    def state_manager(self) -> LedgerStateManager:
        """The state of the stream."""
        return LedgerStateManager(
            stream_name=self.name, tap_name=self.tap_name, tap_state=self.tap_state, is_kept=lambda: self.keeps_state
        )

    # The schema

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The stream's schema file, without what `exclude_personal_data` leaves out."""
        return self._privacy.schema(self._documented)

    @cached_property
    def _documented(self) -> dict[str, Any]:
        """The whole schema file. Rows are built from it, so that personal columns are recognised and left out."""
        return dict(self.schemas.get_schema(self.name, key_properties=self.primary_keys))

    @cached_property
    def _privacy(self) -> Privacy:
        return Privacy.of(self.config, personal=self.personal, harmless=self.harmless)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the catalog's columns, without personal ones that must be left out, but with all keys.

        The catalog itself is changed in the same way, because stream maps are built from it.
        """
        entry = catalog.get_stream(self.name)
        if entry is not None:
            given, whole = self._privacy.schema(entry.schema.to_dict()), self.schema
            properties = given.get("properties") or dict(whole["properties"])
            for key in (*self.primary_keys, *([self.replication_key] if self.replication_key else ())):
                properties.setdefault(key, whole["properties"][key])
            entry.schema = Schema.from_dict({**whole, **given, "properties": properties})
        super().apply_catalog(catalog)

    # Rows

    def columns(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the vendor's object as the columns of this stream; fields without a column go into `extra_fields`."""
        properties = self._documented["properties"]
        record: dict[str, Any] = dict.fromkeys(properties)
        keeps, extra = UNKNOWN in properties, {}
        for name, value in payload.items():
            column = snake(name)
            if column in properties and not (keeps and column in OWN_COLUMNS):
                record[column] = conform(value, properties[column], self._problem, column)
            elif keeps and name not in self.mapped:
                extra[clean(name)] = verbatim(value)
                self._unnamed(name)
        if extra:
            record[UNKNOWN] = extra
        return self._privacy.row(record, self._documented)

    @cached_property
    def _logged(self) -> set[str]:
        """The fields and columns that the log has named."""
        return set()

    def _unnamed(self, name: str) -> None:
        """Log once that the API sends a field without a column; name it only if the name cannot be personal data."""
        key = f"field {name}"
        if key in self._logged or sum(one.startswith("field ") for one in self._logged) >= MOST_NAMED:
            return
        self._logged.add(key)
        self.logger.warning(
            "%s: the API sends a field that has no column (%s); %s",
            self.name,
            name if _PLAIN_NAME.fullmatch(name) else "its name is not a plain word",
            f"{UNKNOWN} has it" if self._privacy.mode is None else "it is left out because of exclude_personal_data",
        )

    def _problem(self, column: str) -> None:
        """Log once per column that a value does not fit, but never the value, which may be personal."""
        if column not in self._logged:
            self._logged.add(column)
            self.logger.warning(
                "%s: a value in %s does not have the documented type and is left out", self.name, column
            )

    # Counts

    @property
    def waiting(self) -> int:
        """How many sessions later syncs will ask for again."""
        return 0

    def unfinished(self, since: str | None = None) -> int:  # noqa: ARG002 - streams with a ledger use it
        """Return how many tests have something left to read; `since` (fixed UTC form): nothing older counts."""
        return 0

    @property
    def complete_from(self) -> dict[str, str | None]:
        """From when on the table is complete, by the name of the stream; None: from the beginning.

        Empty where that cannot be told.
        """
        return {}

    # What the SDK calls

    def records(self, context: Context | None) -> Iterator[Record]:
        """Emit the rows of the stream, and move its ledger after each. Each kind of stream implements it."""
        raise NotImplementedError

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        yield from self.records(context)
        if self.found and not self.is_sample and self.sync_context.was_read_to_end(self.job):
            self.activate_version()

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Return None: a signpost would limit bookmarks to the time of the sync, and change the state every time."""
