"""Tables as BigQuery would have them, for the server that stands in its place: JSON load rules, and SQL run by DuckDB.

Rules: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json
and https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from threading import RLock
from typing import Any

import duckdb  # type: ignore[import-not-found]  # in an environment of its own
import sqlglot  # type: ignore[import-not-found]  # as above
from sqlglot import exp

Field = dict[str, Any]
SCALARS = {
    "STRING": "VARCHAR",
    "INTEGER": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT": "DOUBLE",
    "FLOAT64": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP",
}
_RESERVED = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,299}")
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RefusedError(Exception):
    """What BigQuery would answer 400 to; its text says why."""


@dataclass
class Table:
    """A table's resource as the API keeps it, and the name of its rows in DuckDB."""

    resource: dict[str, Any]
    name: str

    @property
    def fields(self) -> list[Field]:
        """The columns."""
        found: list[Field] = self.resource.get("schema", {}).get("fields", [])
        return found


@dataclass
class Tables:
    """Every table of the stand-in."""

    by_name: dict[str, Table] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    database: Any = field(default_factory=duckdb.connect)

    def create(self, resource: dict[str, Any]) -> Table:
        """Make an empty table. Raises RefusedError for columns that BigQuery has not."""
        reference = resource["tableReference"]
        table = Table(resource, f"{reference['datasetId']}.{reference['tableId']}")
        _check(table.fields)
        self._check_layout(table)
        columns = ", ".join(f'"{column["name"]}" {_stored(column)}' for column in table.fields)
        self.database.execute(f'CREATE TABLE "{table.name}" ({columns})')
        self.by_name[table.name] = table
        return table

    def extend(self, table: Table, fields: list[Field]) -> None:
        """Give a table the columns it lacks."""
        known = {column["name"].lower() for column in table.fields}
        for column in [column for column in fields if column["name"].lower() not in known]:
            _check([column])
            self.database.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{column["name"]}" {_stored(column)}')
            table.fields.append(column)

    def load(self, table: Table, lines: list[bytes], *, ignore_unknown: bool) -> int:
        """Append rows of JSON, all or none. Raises RefusedError with the row that does not fit."""
        rows: list[list[Any]] = []
        try:
            rows.extend(_row(json.loads(line), table.fields, ignore_unknown=ignore_unknown) for line in lines)
        except RefusedError as error:
            raise RefusedError(f"{table.name}, row {len(rows) + 1}: {error}") from None
        if rows:
            marks = ", ".join("?" for _ in table.fields)
            self.database.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', rows)  # noqa: S608 - a test's table
        return len(rows)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """Return the rows in the API's own form: `{"f": [{"v": ...}]}`, every scalar a string."""
        found = self.database.execute(f'SELECT * FROM "{table.name}"').fetchall()  # noqa: S608 - a test's table
        return [
            {"f": [{"v": _answer(value, column)} for value, column in zip(row, table.fields, strict=True)]}
            for row in found
        ]

    def query(self, sql: str) -> None:
        """Run a script of BigQuery's SQL, translated."""
        for statement in sqlglot.parse(sql, read="bigquery"):
            if statement is not None:
                self._run(statement)

    def _run(self, statement: Any) -> None:  # noqa: ANN401 - an expression of sqlglot
        names = []
        for table in list(statement.find_all(exp.Table)):
            names.append(".".join(part.name for part in table.parts[-2:]))
            table.set("this", exp.to_identifier(names[-1], quoted=True))
            table.set("db", None)
            table.set("catalog", None)
        for update in statement.find_all(exp.Update):
            for assigned in update.expressions:
                assigned.this.set("table", None)  # DuckDB wants the bare column on the left
        self.database.execute(statement.sql(dialect="duckdb"))
        if isinstance(statement, exp.Drop):
            self.by_name.pop(names[0], None)

    @staticmethod
    def _check_layout(table: Table) -> None:
        types = {column["name"]: column["type"].upper() for column in table.fields}
        clustered = table.resource.get("clustering", {}).get("fields", [])
        partitioned = table.resource.get("timePartitioning", {}).get("field")
        if partitioned is not None and types.get(partitioned) != "TIMESTAMP":
            raise RefusedError(f"{table.name} is partitioned by {partitioned}, which is no timestamp")
        if len(clustered) > 4 or any(types.get(name, "FLOAT") in {"FLOAT", "JSON", "RECORD"} for name in clustered):
            raise RefusedError(f"{table.name} cannot be clustered by {clustered}")


def _check(fields: list[Field]) -> None:
    names = [column["name"].lower() for column in fields]
    for column in fields:
        name = column["name"].lower()
        if not _NAME.fullmatch(name) or name.startswith(_RESERVED) or names.count(name) > 1:
            raise RefusedError(f"no name for a column here: {column['name']}")
        kind = column["type"].upper()
        if kind in {"RECORD", "STRUCT"}:
            if not column.get("fields"):
                raise RefusedError(f"a record without fields: {column['name']}")
            _check(column["fields"])
        elif kind != "JSON" and kind not in SCALARS:
            raise RefusedError(f"{column['name']} is of an unknown type {kind}")


def _stored(column: Field) -> str:
    """Return DuckDB's type: what is nested is kept as its JSON text."""
    return "VARCHAR" if column.get("mode") == "REPEATED" else SCALARS.get(column["type"].upper(), "VARCHAR")


def _row(record: Any, fields: list[Field], *, ignore_unknown: bool) -> list[Any]:  # noqa: ANN401 - JSON
    fitted = _record(record, fields, ignore_unknown=ignore_unknown)
    values: list[Any] = []
    for column in fields:
        value = fitted[column["name"]]
        nested = column.get("mode") == "REPEATED" or column["type"].upper() in {"RECORD", "STRUCT", "JSON"}
        values.append(json.dumps(value) if nested and value is not None else value)
    return values


def _record(value: Any, fields: list[Field], *, ignore_unknown: bool) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        raise RefusedError(f"{type(value).__name__} for a record")
    given = {name.lower(): inner for name, inner in value.items()}
    unknown = given.keys() - {column["name"].lower() for column in fields}
    if unknown and not ignore_unknown:
        raise RefusedError(f"no such field: {min(unknown)}")
    return {
        column["name"]: _named(given.get(column["name"].lower()), column, ignore_unknown=ignore_unknown)
        for column in fields
    }


def _named(value: Any, column: Field, *, ignore_unknown: bool) -> Any:  # noqa: ANN401 - JSON
    try:
        return _fit(value, column, ignore_unknown=ignore_unknown)
    except RefusedError as error:
        raise RefusedError(f"{column['name']}: {error}") from None


def _fit(value: Any, column: Field, *, ignore_unknown: bool) -> Any:  # noqa: ANN401 - JSON
    if column.get("mode") == "REPEATED":
        if not isinstance(value, list | None):
            raise RefusedError(f"{type(value).__name__} for an array")
        if any(item is None for item in value or []):
            raise RefusedError("a null inside an array")
        return [_fit(item, column | {"mode": "NULLABLE"}, ignore_unknown=ignore_unknown) for item in value or []]
    kind = column["type"].upper()
    if value is None or kind == "JSON":
        return value
    if kind in {"RECORD", "STRUCT"}:
        return _record(value, column["fields"], ignore_unknown=ignore_unknown)
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Any:  # noqa: ANN401 - JSON
    fits = {
        "STRING": isinstance(value, str),
        "INTEGER": isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63,
        "FLOAT": isinstance(value, int | float) and not isinstance(value, bool),
        "BOOLEAN": isinstance(value, bool),
        "TIMESTAMP": isinstance(value, str) and _TIMESTAMP.fullmatch(value) is not None,
    }
    if not fits[{"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}.get(kind, kind)]:
        raise RefusedError(f"{value!r} for {kind}")
    return _utc(value).replace(tzinfo=None) if kind == "TIMESTAMP" else value


def _utc(text: str) -> datetime:
    match = _TIMESTAMP.fullmatch(text)
    assert match is not None
    day, clock, decimals, zone = match.groups()
    offset = "+00:00" if zone in {None, "Z"} else zone
    return datetime.fromisoformat(f"{day}T{clock}.{(decimals or '0'):0<6}{offset}").astimezone(timezone.utc)


def _answer(value: Any, column: Field) -> Any:  # noqa: ANN401 - JSON
    """Return a stored value as `tabledata.list` writes it."""
    nested = column.get("mode") == "REPEATED" or column["type"].upper() in {"RECORD", "STRUCT"}
    if nested and value is not None:
        value = json.loads(value)
    return _cell(value, column)


def _cell(value: Any, column: Field) -> Any:  # noqa: ANN401 - JSON
    if column.get("mode") == "REPEATED":
        return [{"v": _cell(item, column | {"mode": "NULLABLE"})} for item in value or []]
    kind = column["type"].upper()
    if value is None:
        return None
    if kind in {"RECORD", "STRUCT"}:
        return {"f": [{"v": _cell(value[inner["name"]], inner)} for inner in column["fields"]]}
    if kind == "TIMESTAMP":
        return str((value.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1))
    if kind == "JSON":
        return value if isinstance(value, str) else json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
