"""The schemas load in every common target: one table of rules, walked over every node of each."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from jsonschema import Draft4Validator, Draft7Validator, Draft202012Validator

from tests.support.harness import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMAS = Path(__file__).parents[2] / "schemas"

CHANGE_COLUMNS = ("change_cursor", "change_type", "changed_at")
DELETION_COLUMNS = ("deleted_at", "_sdc_deleted_at")

KEYS: dict[str, tuple[str, ...]] = {entry["stream"]: tuple(entry["key_properties"]) for entry in catalog(())["streams"]}

# What a node may say. Whatever is not named here stopped a target or made one drop data: enum, bounds,
# pattern and required among them.
ALLOWED_WORDS = {"type", "title", "description", "properties", "additionalProperties", "items", "format"}
SCALARS = ("string", "number", "integer", "boolean")


class Node(NamedTuple):
    """One schema node: where it stands and what its place asks of it."""

    path: str
    body: dict[str, Any]
    place: str  # "stream", "key", "column", "field", "item" or "number item"

    @property
    def kind(self) -> str | None:
        """The type without null; None when it is not one type."""
        types = self.body.get("type")
        named = [types] if isinstance(types, str) else [t for t in types or [] if t != "null"]
        return named[0] if len(named) == 1 else None


def walk(schema: dict[str, Any], keys: tuple[str, ...]) -> Iterator[Node]:
    """Every node of a stream's schema, the stream itself first."""
    yield Node("", schema, "stream")
    for name, body in schema.get("properties", {}).items():
        yield from _walk(Node(name, body, "key" if name in keys else "column"))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for name, body in node.body.get("properties", {}).items():
        yield from _walk(Node(f"{node.path}.{name}", body, "field"))
    if isinstance(items := node.body.get("items"), dict):
        place = "number item" if items.get("type") == "number" else "item"
        yield from _walk(Node(f"{node.path}[]", items, place))


def _type_fits_place(node: Node) -> bool:
    if node.place == "stream":
        return node.body.get("type") == "object"
    if node.place == "key":
        return node.body.get("type") == ("integer" if node.path.endswith("_number") else "string")
    if node.place == "number item":
        return node.body.get("type") == "number"
    return node.kind is not None and node.body.get("type") == [node.kind, "null"]


def _object_is_open(node: Node) -> bool:
    """Declared objects keep unknown fields; free-form ones must not have a `properties` key at all."""
    if node.kind != "object":
        return "properties" not in node.body and "additionalProperties" not in node.body
    return node.body.get("additionalProperties") is True and node.body.get("properties") != {}


def _array_says_its_items(node: Node) -> bool:
    if node.kind != "array":
        return "items" not in node.body
    items = node.body.get("items")
    if not isinstance(items, dict):
        return False
    if items.get("type") == ["object", "null"]:
        return bool(items.get("properties"))
    return items.get("type") == "number"


RULES: dict[str, Callable[[Node], bool]] = {
    "only words that every target reads": lambda node: set(node.body) <= ALLOWED_WORDS,
    "one type, nullable but for keys": _type_fits_place,
    "a known type": lambda node: node.kind in (*SCALARS, "object", "array"),
    "title and description": lambda node: all(
        isinstance(node.body.get(word), str) and node.body[word].strip() for word in ("title", "description")
    ),
    "date-time is the only format, and of strings": lambda node: (
        "format" not in node.body or (node.kind == "string" and node.body["format"] == "date-time")
    ),
    "objects are open": _object_is_open,
    "arrays hold declared objects or floats": _array_says_its_items,
    "snake_case": lambda node: node.path == node.path.lower() and " " not in node.path,
}


def broken_rules(schema: dict[str, Any], keys: tuple[str, ...]) -> set[str]:
    """The names of all rules that some node of the schema breaks."""
    return {name for node in walk(schema, keys) for name, holds in RULES.items() if not holds(node)}


def load(stream: str) -> dict[str, Any]:
    """One schema file."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))
    return schema


def test_one_file_per_stream() -> None:
    """A schema nobody knows, or a stream without one, is a mistake."""
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{stream}.json" for stream in KEYS}


@pytest.mark.parametrize("stream", KEYS)
def test_schema_keeps_every_rule(stream: str) -> None:
    """No node of a schema file breaks a rule; the message names each that does."""
    broken = [
        f"{node.path or stream}: {name}"
        for node in walk(load(stream), KEYS[stream])
        for name, holds in RULES.items()
        if not holds(node)
    ]
    assert broken == []


@pytest.mark.parametrize("stream", KEYS)
@pytest.mark.parametrize("draft", [Draft4Validator, Draft7Validator, Draft202012Validator])
def test_schema_is_valid_in_every_draft_that_targets_use(
    stream: str, draft: type[Draft4Validator | Draft7Validator | Draft202012Validator]
) -> None:
    """target-jsonl validates with draft 4, the SDK's targets with newer ones."""
    draft.check_schema(load(stream))


@pytest.mark.parametrize("stream", KEYS)
def test_key_columns_exist(stream: str) -> None:
    """Every stream has a key, since target-duckdb needs one."""
    assert set(KEYS[stream]) <= load(stream)["properties"].keys()


@pytest.mark.parametrize(
    ("stream", "columns"),
    [
        pytest.param("sessions", CHANGE_COLUMNS + DELETION_COLUMNS, id="sessions"),
        pytest.param("session_details", CHANGE_COLUMNS + DELETION_COLUMNS, id="session_details"),
        pytest.param("transcripts", CHANGE_COLUMNS + DELETION_COLUMNS, id="transcripts"),
        pytest.param("qx_scores", CHANGE_COLUMNS, id="qx_scores"),
    ],
)
def test_change_columns(stream: str, columns: tuple[str, ...]) -> None:
    """What a change writes on each row has the same schema in every stream."""
    properties = load(stream)["properties"]
    assert [properties[name] for name in columns] == [load("sessions")["properties"][name] for name in columns]


@pytest.mark.parametrize("stream", [stream for stream, keys in KEYS.items() if keys[0] == "session_id"])
def test_tombstone_is_valid(stream: str) -> None:
    """A removed result is its key, its test and its change; everything else is null."""
    time = "2026-01-15T12:00:00.000000Z"
    properties = load(stream)["properties"]
    tombstone = dict.fromkeys(properties) | {
        "session_id": "41f72104-5f84-44fa-a16a-03f5751596ec",
        **dict.fromkeys(KEYS[stream][1:], 1),
        "test_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "change_type": "REJECTED",
        "changed_at": time,
        "deleted_at": time,
        "_sdc_deleted_at": time,
    }
    Draft7Validator(load(stream)).validate(tombstone)


def _set(*path: str, **words: object) -> Callable[[dict[str, Any]], None]:
    """A change that sets words of the node at `path`; the word `drop` names one to take away instead."""

    def apply(schema: dict[str, Any]) -> None:
        node = schema
        for step in path:
            node = node[step]
        node.update({word: value for word, value in words.items() if word != "drop"})
        if "drop" in words:
            del node[str(words["drop"])]

    return apply


STATUS = ("properties", "status")
PARTICIPANT = ("properties", "session_participant")
TASKS = ("properties", "tasks")
ANSWER = (*TASKS, "items", "properties", "response", "properties", "answer")


@pytest.mark.parametrize(
    ("stream", "damage", "rule"),
    [
        pytest.param("sessions", _set(*STATUS, enum=["COMPLETE"]), "only words", id="enum"),
        pytest.param("sessions", _set(*STATUS, pattern="^[A-Z]+$"), "only words", id="pattern"),
        pytest.param("sessions", _set(*STATUS, maxLength=10), "only words", id="max length"),
        pytest.param("sessions", _set(required=["session_id"]), "only words", id="required"),
        pytest.param("qx_scores", _set("properties", "qx_score", minimum=0), "only words", id="bound"),
        pytest.param("sessions", _set(*STATUS, drop="type"), "one type", id="no type"),
        pytest.param("sessions", _set(*STATUS, type="string"), "one type", id="not nullable"),
        pytest.param("sessions", _set(*STATUS, type=["string", "integer", "null"]), "one type", id="two types"),
        pytest.param("sessions", _set("properties", "session_id", type=["string", "null"]), "one type", id="null key"),
        pytest.param("session_details", _set(*ANSWER, type="object"), "one type", id="deep, not nullable"),
        pytest.param("sessions", _set(*STATUS, type=["text", "null"]), "a known type", id="unknown type"),
        pytest.param("sessions", _set(*STATUS, drop="description"), "title and", id="no description"),
        pytest.param("session_details", _set(*ANSWER, title=" "), "title and", id="deep, blank title"),
        pytest.param("sessions", _set("properties", "session_id", format="uuid"), "date-time", id="uuid"),
        pytest.param("tests", _set("properties", "title", format="uri"), "date-time", id="uri"),
        pytest.param(
            "qx_scores",
            _set("properties", "qx_score", format="date-time"),
            "date-time",
            id="number with format",
        ),
        pytest.param("session_details", _set(additionalProperties=False), "objects are", id="closed stream"),
        pytest.param("session_details", _set(*PARTICIPANT, drop="additionalProperties"), "objects are", id="closed"),
        pytest.param("session_details", _set(*ANSWER, properties={}), "objects are", id="free with properties"),
        pytest.param("session_details", _set(*TASKS, drop="items"), "arrays hold", id="array without items"),
        pytest.param("session_details", _set(*TASKS, "items", drop="properties"), "arrays hold", id="bare items"),
        pytest.param(
            "qx_scores",
            _set("properties", "values_behavioral", "items", type=["number", "null"]),
            "arrays hold",
            id="null in an array of numbers",
        ),
        pytest.param(
            "sessions",
            _set("properties", finishTime={"type": ["string", "null"], "title": "t", "description": "d"}),
            "snake_case",
            id="camel case",
        ),
    ],
)
def test_damage_is_seen(stream: str, damage: Callable[[dict[str, Any]], None], rule: str) -> None:
    """Each rule notices a schema that breaks it, so that a green test means something."""
    schema = deepcopy(load(stream))
    damage(schema)
    assert any(name.startswith(rule) for name in broken_rules(schema, KEYS[stream]))
