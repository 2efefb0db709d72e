"""The pages about the data, written from the schema files: docs/data-dictionary.md and docs/entities.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_usertesting.streams.catalog import STREAMS
from tests.published.describing import declared, kind_of, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES = tuple(stream.name for stream in STREAMS)
KEYS = {stream.name: tuple(stream.primary_keys) for stream in STREAMS}

# Where a description says this, the column leads to another table.
JOIN = re.compile(r"join it to (\w+)\.(\w+)", re.IGNORECASE)

DICTIONARY_HEAD = """\
# Data dictionary

This page lists every table that the tap fills, and every column. `python -m tests.published` generates it from
[`schemas/`](https://github.com/tap-usertesting/tap-usertesting/tree/main/schemas). [Entities](entities.md) shows how
the tables join, [Warehouses](warehouses.md#what-columns-become) lists the column types in each warehouse, and
[Personal data](personal-data.md) the columns that contain it.

Key columns are bold; every other column can be null. A dot separates an object from its field, and `[]` stands for each
element of an array. Times are UTC. If the vendor adds a field inside an object, the tap passes it on, so objects can
have more fields than this page lists.
"""

ENTITIES_HEAD = """\
# Entities

This diagram shows the keys of the tables and how the tables join. `python -m tests.published` generates it from the
schema files. The [data dictionary](data-dictionary.md) lists all other columns.

"""

ENTITIES_TAIL = """
The tap does not declare foreign keys, and some joins find no row: `tests` and `workspaces` are empty with the setting
`test_ids`, and `result_changes` can name sessions that the Results API does not have. In `session_details`, the
`task_groups[].uuid` of a task group of type `QX_SCORE` is expected to equal the `task_group_id` of a row of
`qx_scores`.
"""


class Join(NamedTuple):
    """A column of one table that holds the key of another."""

    table: str
    column: str
    to_table: str
    to_column: str


def properties(stream: str) -> dict[str, dict[str, Any]]:
    """The columns of a stream."""
    found: dict[str, dict[str, Any]] = schema_of(stream)["properties"]
    return found


def rows_of(columns: dict[str, Any], keys: Sequence[str] = (), path: str = "") -> Iterator[str]:
    """A table row per column and, below it, per declared field inside."""
    for name, node in columns.items():
        full = f"`{path}{name}`"
        full = f"**{full}**" if name in keys else full
        text = node["description"].replace("|", "\\|")
        yield f"| {full} | {node['title']} | {kind_of(node)} | {text} |"
        inner = node.get("items", node)
        if "properties" in inner:
            yield from rows_of(inner["properties"], path=f"{path}{name}{'[]' if 'items' in node else ''}.")


def dictionary() -> str:
    """The page with every column."""
    entries = {entry["stream"]: entry for _, entry in declared()}
    parts = [DICTIONARY_HEAD, "| table | one row is identified by | columns |\n|---|---|---|"]
    parts += [
        f"| [`{name}`](#{name}) | {', '.join(f'`{key}`' for key in KEYS[name])} | {len(properties(name))} |"
        for name in NAMES
    ]
    for name in NAMES:
        key = entries[name].get("replication_key")
        replication = f"incremental, by `{key}`" if key else "full table"
        description = schema_of(name)["description"]
        parts.append(f"\n## {name}\n\n{description}\n\nReplication: {replication}.\n")
        parts.append("| column | title | type | description |\n|---|---|---|---|")
        parts += rows_of(properties(name), KEYS[name])
    return "\n".join(parts) + "\n"


def joins() -> list[Join]:
    """Every join that a column's description names, to a table other than its own."""
    return [
        Join(name, column, found[1], found[2])
        for name in NAMES
        for column, node in properties(name).items()
        for found in [JOIN.search(node["description"])]
        if found
    ]


def entities() -> str:
    """The page with the diagram."""
    lines = ["```mermaid", "erDiagram"]
    for join in joins():
        # A key of its own that is also the other's: at most one row for one.
        many = "o|" if KEYS[join.table] == (join.column,) else "o{"
        lines.append(f"    {join.to_table} ||--{many} {join.table} : {join.column}")
    for name in NAMES:
        lines.append(f"    {name} {{")
        led = {join.column for join in joins() if join.table == name}
        for column, node in properties(name).items():
            marks = [mark for mark, holds in (("PK", column in KEYS[name]), ("FK", column in led)) if holds]
            if marks:
                lines.append(f"        {kind_of(node)} {column} {', '.join(marks)}")
        lines.append("    }")
    return ENTITIES_HEAD + "\n".join([*lines, "```", ENTITIES_TAIL])
