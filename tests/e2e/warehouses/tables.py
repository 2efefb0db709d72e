"""Rows as the tap wrote them against rows as a warehouse gives them back, column by column."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.e2e.warehouses.recorded import Tables

Row = dict[str, Any]


@dataclass(frozen=True)
class Dump:
    """What a warehouse holds: the columns' types and the rows of every table."""

    types: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, list[Row]]


@dataclass(frozen=True)
class Streams:
    """Schemas and keys of the streams, from SCHEMA messages."""

    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, messages: Iterable[dict[str, Any]]) -> Streams:
        """Collect them."""
        found = cls()
        for message in messages:
            if message["type"] == "SCHEMA":
                found.schemas[message["stream"]] = message["schema"]["properties"]
                found.keys[message["stream"]] = message["key_properties"]
        return found

    def tables(self, rows: Mapping[str, list[Row]], *, last_wins: bool = False) -> Tables:
        """Return rows by their keys, times as the tap writes them.

        A key that is there twice is an error unless `last_wins`.
        """
        tables: Tables = {}
        for stream, keys in self.keys.items():
            times = [name for name, kind in self.schemas[stream].items() if kind.get("format") == "date-time"]
            found = [
                (tuple(row[name] for name in keys), row | {name: row[name] and moment(row[name]) for name in times})
                for row in rows.get(stream, [])
            ]
            tables[stream] = dict(found)
            assert last_wins or len(tables[stream]) == len(found), f"{stream}: a row is there twice"
        return tables


def assert_same(streams: Streams, expected: Tables, found: Tables, *, null_arrays: bool = True) -> None:
    """Assert that a warehouse holds these rows and no others, every column that the tap declares in its own value.

    `null_arrays`: whether the warehouse knows an array that is null (BigQuery does not; it is an empty one there).
    """
    for stream, schema in streams.schemas.items():
        lost, extra = expected[stream].keys() - found[stream].keys(), found[stream].keys() - expected[stream].keys()
        assert not lost, f"{stream}: {len(lost)} rows lost, such as {min(lost)}"
        assert not extra, f"{stream}: {len(extra)} rows too many, such as {min(extra)}"
        for key, row in expected[stream].items():
            for column, kind in schema.items():
                wanted = _plain(row.get(column), kind, null_arrays=null_arrays)
                given = _plain(found[stream][key][column], kind, null_arrays=null_arrays)
                # Without the values: a live check's log is no place for what participants said.
                assert same(wanted, given), f"{stream} {key}: {column} has another value"


def same(wanted: Any, given: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether two JSON values are one, 66 and 66.0 included, true and 1 not."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return wanted.keys() == given.keys() and all(same(wanted[name], given[name]) for name in wanted)
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(map(same, wanted, given))
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    if isinstance(wanted, float) and isinstance(given, float):
        return math.isclose(wanted, given, rel_tol=1e-15)
    return bool(wanted == given)


def moment(text: str) -> str:
    """Return a time in UTC as the tap writes it, `2026-01-15T12:00:00.000000Z`, whichever way it was shown."""
    clock = text.replace(" ", "T").removesuffix("Z").removesuffix("+00:00")
    whole, _, decimals = clock.partition(".")
    return f"{whole}.{decimals:0<6}Z"


def _plain(value: Any, schema: Mapping[str, Any], *, null_arrays: bool) -> Any:  # noqa: ANN401 - JSON
    """Return a value with its declared fields all there."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "array" in types and (value is not None or not null_arrays):
        items = schema.get("items")
        return [_plain(item, items, null_arrays=null_arrays) if items else item for item in value or []]
    if value is None:
        return None
    if "object" in types and "properties" in schema:
        inner = {
            name: _plain(value.get(name), kind, null_arrays=null_arrays) for name, kind in schema["properties"].items()
        }
        return {**value, **inner}
    return value
