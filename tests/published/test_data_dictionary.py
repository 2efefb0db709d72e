"""The pages about the data are those of the schema files.

`python -m tests.published.test_data_dictionary` writes docs/data-dictionary.md and docs/entities.md anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tap_usertesting.streams.catalog import STREAMS
from tests.published.test_readme import kind_of, schema_of
from tests.support.harness import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DOCS = Path(__file__).parents[2] / "docs"
NAMES = tuple(stream.name for stream in STREAMS)
KEYS = {stream.name: tuple(stream.primary_keys) for stream in STREAMS}

# Where a description says this, the column leads to another table.
JOIN = re.compile(r"join it to (\w+)\.(\w+)", re.IGNORECASE)

DICTIONARY_HEAD = """\
# Data dictionary

Every table that the tap fills and every column in it, written from the files in
[`schemas/`](https://github.com/tap-usertesting/tap-usertesting/tree/main/schemas) by
`python -m tests.published.test_data_dictionary`. [entities.md](entities.md) shows how the tables belong together,
[warehouses.md](warehouses.md) what the types become in a warehouse.

Key columns are in bold; every other column can be null. A dot leads into an object, `[]` into the elements of an
array. Times are UTC. Fields that the vendor adds inside an object are kept, so there may be more of them than stand
here.
"""

ENTITIES_HEAD = """\
# Entities

How the tables belong together, drawn from the key columns and from the joins that the schema files name, by
`python -m tests.published.test_data_dictionary`. Columns that are neither keys nor joins are in
[data-dictionary.md](data-dictionary.md).

"""

ENTITIES_TAIL = """
No database enforces these joins, and some lead nowhere: `tests` and `workspaces` are empty where the setting
`test_ids` is given, and `result_changes` knows sessions that the Results API does not have. Inside `session_details`, a
task group of type `QX_SCORE` is expected to have the id of a row of `qx_scores`: `task_groups[].uuid` is its
`task_group_id`.
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
    entries = {entry["stream"]: entry for entry in catalog(())["streams"]}
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


PAGES = {"data-dictionary.md": dictionary, "entities.md": entities}


@pytest.mark.parametrize("page", PAGES)
def test_page_is_current(page: str) -> None:
    """The pages say what the schema files say; if not: python -m tests.test_data_dictionary."""
    write: Callable[[], str] = PAGES[page]
    assert (DOCS / page).read_text(encoding="utf-8") == write()


@pytest.mark.parametrize("join", joins(), ids=lambda join: f"{join.table}.{join.column}")
def test_a_named_join_leads_to_the_whole_key_of_a_table(join: Join) -> None:
    """What a description tells readers to join is there, has the same type, and finds at most one row."""
    assert KEYS[join.to_table] == (join.to_column,)
    there = properties(join.to_table)[join.to_column]
    assert kind_of(properties(join.table)[join.column]) == kind_of(there)


@pytest.mark.parametrize("stream", NAMES)
def test_every_table_is_joined(stream: str) -> None:
    """No table stands alone in the diagram."""
    assert any(stream in {join.table, join.to_table} for join in joins())


@pytest.mark.parametrize("stream", NAMES)
def test_a_column_that_is_named_like_another_tables_key_says_that_it_joins(stream: str) -> None:
    """`test_id`, `session_id` and `workspace_id` mean the same everywhere, and their descriptions say so."""
    owners = {"workspace_id": "workspaces", "test_id": "tests", "session_id": "sessions"}
    named = {join.column: join.to_table for join in joins() if join.table == stream}
    alike = {column: owner for column, owner in owners.items() if column in properties(stream) and owner != stream}
    assert alike.items() <= named.items()


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    for name, write in PAGES.items():
        (DOCS / name).write_text(write(), encoding="utf-8")
    sys.exit(0)
