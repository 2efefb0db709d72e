"""The tables as a data contract in the Open Data Contract Standard, of the schema files and the streams' declarations.

`python -m tests.published` writes it.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tap_usertesting import __version__
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.values.privacy import UNKNOWN
from tests.support.completeness import query
from tests.support.harness import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.singer.stream import UserTestingStream

STANDARD = "v3.2.0"
PERSONAL = "personal"
REPOSITORY = "https://github.com/tap-usertesting/tap-usertesting"
# As `values/times.py` writes them, in the notation of the standard.
TIME = {"format": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX", "timezone": True, "defaultTimezone": "UTC"}
DESCRIPTION = {
    "purpose": "Results of UserTesting as tables: sessions, answers, transcripts, scores, and how complete they are.",
    "usage": "Join tables by the columns whose descriptions say so. A row with a value in deleted_at is a tombstone.",
    "limitations": (
        "These are the tables that the tap writes, before stream maps, and without the columns that a target adds. "
        "Which types they get is up to the target. "
        f"What is classified as {PERSONAL} holds, or may hold in some field, what participants are and say: "
        "the setting exclude_personal_data leaves that out, or puts hashes in its place."
    ),
}


class Element:
    """Makes properties of the nodes of one stream's schema."""

    def __init__(self, stream: type[UserTestingStream], keys: list[str]) -> None:
        """`keys`: the key columns, in their order."""
        self._keys = keys
        # Of objects without a fixed shape only some fields are known to be harmless.
        self._personal = [_steps(path) for path in (*stream.personal, *stream.harmless, UNKNOWN)]

    def of(self, name: str, node: dict[str, Any], path: str) -> dict[str, Any]:
        """Return the property of a node, with those inside it."""
        [kind] = {node["type"]} if isinstance(node["type"], str) else {*node["type"]} - {"null"}
        found: dict[str, Any] = {"name": name} if name else {}
        found |= {"businessName": node["title"]} if "title" in node else {}
        if path in self._keys:
            found |= {"primaryKey": True, "primaryKeyPosition": self._keys.index(path) + 1}
        if node.get("format") == "date-time":
            found |= {"logicalType": "timestamp", "logicalTypeOptions": dict(TIME)}
        else:
            found["logicalType"] = kind
        if node["type"] == kind:
            found["required"] = True
        if "description" in node:
            found["description"] = node["description"]
        if self._holds_personal(path):
            found["classification"] = PERSONAL
        if "properties" in node:
            found["properties"] = list(self.all_of(node["properties"], f"{path}."))
        if "items" in node:
            found["items"] = self.of("", node["items"], f"{path}[]")
        return found

    def all_of(self, nodes: dict[str, Any], path: str = "") -> Iterator[dict[str, Any]]:
        """Yield the properties of an object."""
        for name, node in nodes.items():
            yield self.of(name, node, f"{path}{name}")

    def _holds_personal(self, path: str) -> bool:
        """Tell whether it is personal, part of something that is, or has such a part."""
        steps = _steps(path)
        return any(steps[: len(one)] == one[: len(steps)] for one in self._personal)


def _steps(path: str) -> list[str]:
    return re.findall(r"\w+|\[\]", path)


def data_contract() -> dict[str, Any]:
    """The whole contract."""
    return {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": "tap-usertesting",
        "name": "UserTesting results",
        "version": __version__,
        "status": "active",
        "description": dict(DESCRIPTION),
        "authoritativeDefinitions": [
            {"type": "implementation", "url": f"{REPOSITORY}/tree/main/schemas"},
            {"type": "documentation", "url": f"{REPOSITORY}/blob/main/docs/data-dictionary.md"},
        ],
        "schema": [_table(stream, stream.name) for stream in STREAMS],
    }


def _table(stream: type[UserTestingStream], name: str) -> dict[str, Any]:
    entry = next(entry for entry in catalog(())["streams"] if entry["stream"] == name)
    schema = stream.schemas.get_schema(name)
    replication = {"replicationMethod": entry["replication_method"], "replicationKey": entry.get("replication_key")}
    found = {
        "name": name,
        "businessName": schema["title"],
        "logicalType": "object",
        "physicalType": "table",
        "description": schema["description"],
        "customProperties": [{"property": one, "value": value} for one, value in replication.items() if value],
        "properties": list(Element(stream, entry["key_properties"]).all_of(schema["properties"])),
    }
    return found | ({"quality": [completeness()]} if name == "sync_status" else {})


def completeness() -> dict[str, Any]:
    """The promise of docs/completeness.md: each session that the source has named is accounted for."""
    body = textwrap.indent(query().rstrip(), "    ")
    return {
        "name": "every_session_is_accounted_for",
        "description": "How many pairs of test and stream have other rows than sync_status says. It also reads the "
        "tables sessions, session_details and transcripts, so all of them have to be loaded, and refreshed together.",
        "type": "sql",
        "dimension": "completeness",
        "query": f"select count(*) as disagreements\nfrom (\n{body}\n) as disagreeing\n",
        "mustBe": 0,
    }


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # see above
    """Writes text of several lines as a block, and indents lists as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml() -> str:
    """The contract as the file has it."""
    head = f"# Written by `python -m tests.published`; see {REPOSITORY}/blob/main/docs/contract/README.md\n"
    body = yaml.dump(data_contract(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return head + str(body)
