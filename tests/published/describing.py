"""What the tap says of itself, in words for a page: its schemas, its streams, its settings."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

from tap_usertesting.streams.catalog import STREAMS
from tests.support.harness import COMMAND, catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.singer.stream import UserTestingStream


@cache
def about() -> str:
    """What `--about` prints, as markdown."""
    command = [*COMMAND, "--about", "--format=markdown"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def capabilities() -> str:
    """The capabilities as --about lists them."""
    return about().partition("## Capabilities\n")[2].partition("\n## ")[0].strip()


def settings() -> str:
    """The table of settings as --about prints it."""
    section = about().partition("## Settings\n")[2]
    return "\n".join(line for line in section.splitlines() if line.startswith("|"))


def schema_of(stream: str) -> dict[str, Any]:
    """One schema file."""
    [found] = (found for found in STREAMS if found.name == stream)
    return dict(found.schemas.get_schema(stream))


def kind_of(node: dict[str, Any]) -> str:
    """A node's type in words."""
    types = [node["type"]] if isinstance(node["type"], str) else [t for t in node["type"] if t != "null"]
    if "format" in node:
        return str(node["format"])
    if types == ["array"]:
        return f"array of {kind_of(node['items'])}s"
    return str(types[0])


def declared() -> Iterator[tuple[type[UserTestingStream], dict[str, Any]]]:
    """Each stream in its order, with its entry in the catalog."""
    entries = {entry["stream"]: entry for entry in catalog(())["streams"]}
    for stream in STREAMS:
        yield stream, entries[str(vars(stream)["name"])]


def subject_of(stream: type[UserTestingStream]) -> str:
    """What a row of a stream is, from the first sentence of its declaration."""
    return " ".join(str(stream.__doc__).partition("\n\n")[0].split()).removeprefix("One row per ").rstrip(".")


def streams() -> str:
    """The table of streams, by their declarations."""
    rows = ["| stream | key | one row per | replication | cost under the quota |", "|---|---|---|---|---|"]
    for stream, entry in declared():
        by = f" by `{entry['replication_key']}`" if entry.get("replication_key") else ""
        keys, method = ", ".join(entry["key_properties"]), entry["replication_method"]
        rows.append(f"| `{entry['stream']}` | {keys} | {subject_of(stream)} | {method}{by} | {stream.calls} |")
    return "\n".join(rows)


def streams_in_short() -> str:
    """The streams with their keys, and whether they are selected unless a catalog says otherwise."""
    rows = ["| stream | key | by default |", "|---|---|---|"]
    for stream, entry in declared():
        keys = ", ".join(f"`{key}`" for key in entry["key_properties"])
        default = "selected" if stream.selected_by_default else "not selected"
        default = f"needs `{stream.setting}`" if stream.setting else default
        rows.append(f"| `{entry['stream']}` | {keys} | {default} |")
    return "\n".join(rows)
