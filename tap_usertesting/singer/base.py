"""What every stream shares: its schema file, its columns, its errors; and one bookmark per test.

State is moved by the streams themselves, in `_increment_stream_state`, which the SDK calls right after a record was
written. The SDK's own way (the record's replication key becomes the bookmark) can not tell a row of the log from one
that is late, pending or backfilled.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.schema.source import SchemaDirectory
from singer_sdk.singerlib import RecordMessage, Schema
from typing_extensions import override

from tap_usertesting.sync.partition import Partition
from tap_usertesting.values.columns import lacking, trim
from tap_usertesting.values.conform import clean, conform, snake, verbatim
from tap_usertesting.values.privacy import UNKNOWN, Privacy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.metrics import Counter
    from singer_sdk.singerlib import Catalog

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.changes.listing import SessionList
    from tap_usertesting.changes.reader import ChangeReader
    from tap_usertesting.config.settings import Settings
    from tap_usertesting.sync.context import Run
    from tap_usertesting.tap import TapUserTesting

_PACKAGED = Path(__file__).parents[1] / "schemas"  # in a wheel
_TOP_LEVEL = Path(__file__).parents[2] / "schemas"  # in an editable install
SCHEMAS = SchemaDirectory(_PACKAGED if _PACKAGED.is_dir() else _TOP_LEVEL)
INCREMENTAL, LOG_BASED, FULL_TABLE = "INCREMENTAL", "LOG_BASED", "FULL_TABLE"
OWN = frozenset({UNKNOWN, "change_cursor", "change_type", "changed_at", "deleted_at", "_sdc_deleted_at"})
MOST_NAMED = 20  # fields of a stream that no column names; further ones are kept without a word
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class UserTestingStream(Stream):
    """A stream of this tap."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.ROOT_ONLY  # `columns` has done the rest
    STATE_MSG_FREQUENCY = sys.maxsize  # STATE is written by time, not by count
    _tap: TapUserTesting
    _problems: set[str]
    source: ClassVar[str]  # what it is made from; streams of one source run in one thread
    found = False  # anything of which there could be rows
    mapped: ClassVar[frozenset[str]] = frozenset()  # the vendor's fields that another column holds, or none on purpose
    emitted = tombstoned = left_out = 0  # rows of this run; what was sent and made none

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The stream's schema file, without what `exclude_personal_data` leaves out."""
        return self._privacy.schema(self.name, self._documented)

    @cached_property
    def _documented(self) -> dict[str, Any]:
        """The whole schema file. Rows are made by it: only what it names can be found again and left out."""
        return dict(SCHEMAS.get_schema(self.name, key_properties=self.primary_keys))

    @cached_property
    def _privacy(self) -> Privacy:
        return Privacy.of(self.config)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the catalog's columns, but for personal ones that are left out; keys stay, whatever it lacks.

        The catalog itself loses and gains the same, as stream maps are made from it.
        """
        entry = catalog.get_stream(self.name)
        if entry is not None:
            given, whole = self._privacy.schema(self.name, entry.schema.to_dict()), self.schema
            properties = given.get("properties") or dict(whole["properties"])
            for key in (*self.primary_keys, *([self.replication_key] if self.replication_key else ())):
                properties.setdefault(key, whole["properties"][key])
            entry.schema = Schema.from_dict({**whole, **given, "properties": properties})
        super().apply_catalog(catalog)

    @property
    def run(self) -> Run:
        """What this sync shares."""
        return self._tap.run

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        return self._tap.run.settings

    @property
    def sampling(self) -> bool:
        """Whether this is `--test`: at most one record and two calls per stream."""
        return self.ABORT_AT_RECORD_COUNT is not None

    def columns(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the vendor's object as this stream's columns; what none of them names is kept in `extra_fields`."""
        properties = self._documented["properties"]
        record: dict[str, Any] = dict.fromkeys(properties)
        keeps, extra = UNKNOWN in properties, {}
        for name, value in payload.items():
            column = snake(name)
            if column in properties and not (keeps and column in OWN):
                record[column] = conform(value, properties[column], self._problem, column)
            elif keeps and name not in self.mapped:
                extra[clean(name)] = verbatim(value)
                self._unnamed(name)
        if extra:
            record[UNKNOWN] = extra
        return self._privacy.row(self.name, record, self._documented)

    def _unnamed(self, name: str) -> None:
        """Say once that the API sends a field that no column names; the name only where it can be no one's data."""
        if name in self._news or len(self._news) >= MOST_NAMED:
            return
        self._news.add(name)
        self.logger.warning(
            "%s: the API sends a field that no column names, %s; %s",
            self.name,
            name if _PLAIN_NAME.fullmatch(name) else "whose name is not a plain word",
            f"{UNKNOWN} has it" if self._privacy.mode is None else "it is left out, as exclude_personal_data is set",
        )

    @cached_property
    def _news(self) -> set[str]:
        return set()

    def _problem(self, column: str) -> None:
        """Say once per column that a value did not fit; never the value, which may be personal."""
        self._problems = getattr(self, "_problems", set())
        if column not in self._problems:
            self._problems.add(column)
            self.logger.warning("%s: a value in %s is not of the documented type and was left out", self.name, column)

    def leave_out(self, test_id: str, what: str) -> None:
        """Count what was sent and makes no row."""
        self.left_out += 1
        self.logger.warning("%s: test %s has %s, which was left out", self.name, test_id, what)

    @property
    def waiting(self) -> int:
        """How many sessions the next syncs ask for again."""
        return 0

    def unfinished(self, since: str | None = None) -> int:  # noqa: ARG002 - streams with a ledger look at it
        """Return of how many tests something is left to read (that is not older than a time)."""
        return 0

    def count(self, row: Record) -> None:
        """Count a row for the summary."""
        if row.get("_sdc_deleted_at") is None:
            self.emitted += 1
        else:
            self.tombstoned += 1

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Count the row; the SDK calls this for each that it writes."""
        self.count(row)
        return row

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
    def _write_record_message(self, record: Record) -> None:
        """Write a row with exactly the columns of its SCHEMA, null where it has none of them.

        A row that was made by our own schema is not made to fit again: a third of the SDK's time.
        """
        if self._whole_rows:
            now = datetime.now(tz=timezone.utc)
            alias, version = self.stream_maps[0].stream_alias, self._stream_version
            self._tap.write_message(RecordMessage(stream=alias, record=record, version=version, time_extracted=now))
            return
        trim(record, self._lacking)
        try:
            messages = list(self._generate_record_messages(record))
        except Exception as error:  # noqa: BLE001 - whatever an expression of the user's may raise
            hint = "; this row is a tombstone, which has null in most columns" if record.get("deleted_at") else ""
            self._tap.refuse(f"stream_maps: {self.name}: {in_words(error, of_row=True)}{hint}")
        for message in messages:
            columns = self._columns[message.stream]
            message.record = {column: message.record.get(column) for column in columns}
            self._tap.write_message(message)

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        """The columns that each stream written has in its SCHEMA."""
        return {message.stream: list(message.schema["properties"]) for message in self._generate_schema_messages()}

    # ACTIVATE_VERSION makes a target drop the rows that this run did not write: it must have read them all

    @override
    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Wait with it until the stream was read: the SDK would write it before."""

    def _activate_version(self) -> None:
        if self._stream_version is not None and self.was_read_whole:
            super()._write_activate_version_message(self._stream_version)

    @property
    def was_read_whole(self) -> bool:
        """Whether this run has read all that there is of the stream, and that is something."""
        failing = {stream.source for stream in self._tap.chosen if stream.name in self.run.failing}
        return self.found and not self._tap.spent and self.source not in failing

    @override
    def _process_record(self, record: Record, *contexts: Context | None, **more: Context | None) -> None:
        """Do nothing: there are no child streams, and every row names its test."""

    @override
    def _write_state_message(self) -> None:
        """Write STATE through the tap, which knows when it may be written."""
        self._tap.write_state()

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End the stream: the last STATE of it; there are no progress markers to finalize."""
        self._activate_version()
        self._tap.write_state()


class PerTestStream(UserTestingStream):
    """A stream with one partition and one bookmark per test."""

    is_sorted = True
    check_sorted = False
    bookmark_key: ClassVar[str]  # the replication key, also where a catalog takes that away
    _commit: Callable[[], None] | None = None
    _announced = False  # its SCHEMA was written before its turn
    _rides = False  # another stream of its source writes its rows
    _rode = 0  # rows
    _tests = 0

    def __init__(self, tap: TapUserTesting) -> None:
        """Start without any partition looked up."""
        super().__init__(tap)
        self._states: dict[str, dict[str, Any]] | None = None
        self._partitions: dict[str, Partition] = {}
        self._sampled = False

    @property
    def tap(self) -> TapUserTesting:
        """The tap that it belongs to."""
        return self._tap

    @property
    def changes(self) -> ChangeReader:
        """The change logs, shared by every stream."""
        return self._tap.changes

    # To be declared by each stream

    def sync_test(self, test_id: str) -> Iterator[Record]:
        """Emit what is new in a test; set `_commit` before each record to what its writing makes true."""
        raise NotImplementedError

    def sample(self, test_id: str) -> Iterator[Record]:
        """Emit at most one record with at most two calls, without touching the state."""
        raise NotImplementedError

    def applies(self, test_id: str) -> bool:  # noqa: ARG002 - some streams look at it
        """Tell whether tests of this product type have such rows at all."""
        return True

    def asks(self, test_id: str) -> Iterable[Ask]:
        """What this stream will ask of the feed for a test."""
        raise NotImplementedError

    def list_need(self, test_id: str) -> Callable[[SessionList], bool] | None:  # noqa: ARG002
        """Return how deep the stream will need a test's list; None when it will not, or can not tell yet."""
        return None

    def foresee(self, test_id: str) -> int:  # noqa: ARG002 - result_changes looks there
        """Return how many records a sync would write, for a plan."""
        return 0

    # The SDK's side

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        tests = self.test_ids()
        self._tests = len(tests)
        return [{"test_id": test_id} for test_id in tests]

    def test_ids(self) -> list[str]:
        """Return the tests of this run; ends the run with one line when they can not be read."""
        tests: list[str] = []
        with self._tap.discovering():
            tests += self.run.directory.product_types
        return tests

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Emit one test."""
        if context is None or self._sampled:
            return
        test_id = str(context["test_id"])
        self.found = True
        self.run.activity.begin(self.name, test_id, tests=self._tests)
        if self._tap.spent:
            return
        with self._tap.guarded(test_id):
            if self.sampling:
                self._sampled = self.applies(test_id)
                yield from self.sample(test_id) if self._sampled else ()
            else:
                yield from self.sync_test(test_id)

    # Riding along with another stream

    def board(self) -> None:
        """Leave its rows to a stream that fetches what this one needs too; they need the SCHEMA before them."""
        self._rides = True
        self._write_schema_message()
        self._announced = True
        if self.replication_method == FULL_TABLE and self.emit_activate_version_messages:
            self._stream_version = self._initialized_at // 1000  # as the SDK will say when it is this one's turn

    def ride(self, record: Record) -> None:
        """Write a row out of turn; its state follows that of the other stream."""
        self._write_record_message(record)
        self.count(record)
        self._rode += 1

    @override
    def _write_schema_message(self) -> None:
        """Write the SCHEMA, unless it stands already before rows that rode along."""
        if self._announced:
            self._announced = False
            return
        super()._write_schema_message()

    @override
    def get_record_counter(self, *, endpoint: str | None = None, log_interval: float = 60.0) -> Counter:
        """Return the counter of the METRIC line; rows that rode along count too."""
        counter = super().get_record_counter(endpoint=endpoint, log_interval=log_interval)
        counter.increment(self._rode)
        return counter

    def partition(self, test_id: str) -> Partition:
        """Return what is known of a test in this stream; under FULL_TABLE nothing, and it is never written."""
        if test_id not in self._partitions:
            self._partitions[test_id] = Partition(
                self.get_context_state({"test_id": test_id}),
                replication_key=self.bookmark_key,
                moved=(lambda _: None) if self._stateless else self._tap.moved,
                warn=self._tap.warn_once,
            )
        return self._partitions[test_id]

    @override
    def get_context_state(self, context: Context | None) -> dict[str, Any]:
        """Return a partition's state by its test. An index keeps a thousand tests from a quadratic search."""
        if context is None:
            return {}
        if self._states is None:
            self._states = {
                str(state.get("context", {}).get("test_id", "")): state
                for state in self.stream_state.get("partitions", [])
            }
        test_id = str(context["test_id"])
        if test_id not in self._states:
            self._states[test_id] = {"context": {"test_id": test_id}}
            if not self._stateless:
                super().stream_state.setdefault("partitions", []).append(self._states[test_id])
        return self._states[test_id]

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """Return what the state holds of this stream, without making an entry; nothing under FULL_TABLE."""
        held: dict[str, Any] = {} if self._stateless else self.tap_state.get("bookmarks", {}).get(self.name, {})
        return held

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take LOG_BASED, which a catalog names without a replication key, for what this tap calls INCREMENTAL."""
        super().apply_catalog(catalog)
        if self.forced_replication_method == LOG_BASED:
            self.forced_replication_method, self.replication_key = INCREMENTAL, self.bookmark_key

    @property
    @override
    def replication_method(self) -> str:
        """FULL_TABLE also where a catalog names INCREMENTAL but no replication key."""
        return super().replication_method if self.replication_key else FULL_TABLE

    @property
    def _stateless(self) -> bool:
        return self.replication_method != INCREMENTAL or self.sampling

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Do nothing: the SDK would make `start_date` the starting value of an opaque cursor."""

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Return none: no bookmark is held back by the time of the run, which would also change the state each time."""

    @override
    def _finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """Do nothing: there are no progress markers."""

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Make true what the record just written makes true, then look whether to write STATE or to stop."""
        commit, self._commit = self._commit, None
        if commit is not None:
            commit()
        self._tap.after_record()


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
