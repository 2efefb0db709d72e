"""What the code declares as personal data, as rows for the pages: stream, column, what it holds, what becomes of it.

The declaration is that of the streams (`personal`, `harmless`) and of `values/privacy.py`; the words are those of the
schema files. Nothing here names a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.values.columns import EACH_ITEM
from tap_usertesting.values.privacy import HASH, OMIT, UNKNOWN, Privacy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.singer.stream import UserTestingStream

SALT = "the salt of an example"
SAMPLE = "what somebody said"
LEFT_OUT, HASHED, KEPT = "left out", "a hash", "kept"


class PersonalColumn(NamedTuple):
    """A column, or a field inside one, that the tap treats as personal data."""

    stream: str
    path: str
    holds: str
    omit: str
    hash: str


class KeptInPart(NamedTuple):
    """An object of any shape of which only these fields stay when personal data is excluded."""

    stream: str
    path: str
    fields: tuple[str, ...]


def personal_columns() -> list[PersonalColumn]:
    """Return all of them, in the order of the streams and of their declarations."""
    found = []
    for stream in STREAMS:
        schema = stream.schemas.get_schema(stream.name)
        for path in (*stream.personal, *((UNKNOWN,) if UNKNOWN in schema["properties"] else ())):
            holds = node_at(schema, path)["description"]
            omit, hashed = (_becomes(stream, schema, path, mode) for mode in (OMIT, HASH))
            found.append(PersonalColumn(stream.name, path, holds, omit, hashed))
    return found


def kept_in_part() -> list[KeptInPart]:
    """Return the objects of which only harmless fields stay."""
    return [
        KeptInPart(stream.name, path, tuple(sorted(names)))
        for stream in STREAMS
        for path, names in stream.harmless.items()
    ]


def table() -> str:
    """Return the Markdown table of `personal_columns`. A column that several streams have alike is one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for column in personal_columns():
        rows.setdefault((column.path, *column[2:]), []).append(f"`{column.stream}`")
    lines = ["| stream | column | holds | `omit` | `hash` |", "|---|---|---|---|---|"]
    lines += [
        f"| {', '.join(streams)} | `{path}` | {holds.replace('|', chr(92) + '|')} | {omit} | {hashed} |"
        for (path, holds, omit, hashed), streams in rows.items()
    ]
    return "\n".join(lines) + "\n"


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every column of a schema and every declared field in it, with its path."""
    for name, node in schema.get("properties", {}).items():
        yield f"{path}{name}", node
        yield from nodes(node, f"{path}{name}.")
        yield from nodes(node.get("items", {}), f"{path}{name}{EACH_ITEM}.")


def node_at(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the schema of a path. Raises KeyError if it declares no such field."""
    return dict(nodes(schema))[path]


def steps(path: str) -> list[str]:
    """Return a path's parts, `[]` for each item of an array being one."""
    return path.replace(EACH_ITEM, f".{EACH_ITEM}").split(".")


def _becomes(stream: type[UserTestingStream], schema: dict[str, Any], path: str, mode: str) -> str:
    """Say what a value there becomes: a row that holds nothing else goes the way of every row."""
    config = {"exclude_personal_data": mode, "personal_data_salt": SALT}
    privacy = Privacy.of(config, personal=stream.personal, harmless=stream.harmless)
    row: Any = SAMPLE
    for step in reversed(steps(path)):
        row = [row] if step == EACH_ITEM else {step: row}
    rest: Any = privacy.row(row, schema)
    for step in steps(path):
        if isinstance(rest, dict) and step not in rest:
            return LEFT_OUT
        rest = rest[0] if step == EACH_ITEM else rest[step]
    return KEPT if rest == SAMPLE else HASHED
