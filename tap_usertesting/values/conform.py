"""Converts the vendor's JSON to the columns of a stream, by its schema: names, scalars, times, text. Pure.

An object or array whose schema does not describe its content passes unchanged, except for characters that databases
refuse.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REPLACEMENT = "\ufffd"
_REFUSED = re.compile("[\x00\ud800-\udfff]")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=1024)  # every session has the same few names; bounded, because a server may send any
def snake(name: str) -> str:
    """Return a vendor's camelCase name as a column name."""
    return _WORD_START.sub("_", name).lower()


def clean(text: str) -> str:
    """Replace U+0000 and lone surrogates, which JSON may carry and databases refuse."""
    return text if text.isascii() and "\x00" not in text else _REFUSED.sub(REPLACEMENT, text)


def verbatim(value: Any) -> Any:  # noqa: ANN401 - JSON is anything, here and below
    """Return a JSON value unchanged, except that its text is cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): verbatim(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [verbatim(inner) for inner in value]
    return value


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects in an array, [] if the value is no array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def conform(value: Any, schema: Mapping[str, Any], problem: Callable[[str], None], at: str = "") -> Any:  # noqa: ANN401
    """Return a JSON value converted to the type of a schema's node, None if it cannot be converted.

    `problem` is called with the path of each value that cannot, such as `.tasks[].start_time_ms`; `at` is the path of
    this value.
    """
    if value is None:
        return None
    kind = _kind(schema)
    if kind == "object":
        return _object(value, schema, problem, at)
    if kind == "array":
        return _array(value, schema, problem, at)
    if isinstance(value, (dict, list)):
        if kind == "string" and "format" not in schema:
            return clean(json.dumps(value, ensure_ascii=False))
        result = None
    elif kind == "string":
        result = utc(value) if schema.get("format") == "date-time" else clean(as_text(value))
    else:
        result = _number(value, kind)
    if result is None:
        problem(at)
    return result


def _kind(schema: Mapping[str, Any]) -> str:
    types = schema["type"]
    if isinstance(types, str):
        return types
    return str(types[0] if types[0] != "null" else types[1])


def _object(value: Any, schema: Mapping[str, Any], problem: Callable[[str], None], at: str) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        problem(at)
        return {"value": verbatim(value)} if "properties" not in schema else None
    properties = schema.get("properties")
    if properties is None:
        return verbatim(value)
    result: dict[str, Any] = dict.fromkeys(properties)
    for name, inner in value.items():
        column = snake(name)
        if column in properties:
            result[column] = conform(inner, properties[column], problem, f"{at}.{column}")
        else:
            result[clean(name)] = verbatim(inner)
    return result


def _array(value: Any, schema: Mapping[str, Any], problem: Callable[[str], None], at: str) -> Any:  # noqa: ANN401
    if not isinstance(value, list):
        problem(at)
        return None
    items = schema.get("items")
    if items is None:
        return verbatim(value)
    found = [conform(inner, items, problem, f"{at}[]") for inner in value]
    if _kind(items) == "number":  # targets refuse arrays with both 1 and 2.5, and null in an array
        return [float(inner) for inner in found if inner is not None]
    return [inner for inner in found if inner is not None]


def as_text(value: Any) -> str:  # noqa: ANN401
    """Return a JSON value as text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: Any, kind: str) -> Any:  # noqa: ANN401
    if kind == "boolean":
        words = {"true": True, "false": False, "1": True, "0": False}
        return words.get(str(value).lower())
    if isinstance(value, bool):
        return int(value)
    try:
        number = value if isinstance(value, (int, float)) else float(value)
        if kind == "integer":
            return int(number) if number == int(number) else None
        float(number)  # an integer beyond the range of floats loads in no target
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number - number == 0 else None  # None for infinity and NaN
