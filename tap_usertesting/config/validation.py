"""Converts a config to the types of the schema and checks it, the same for a file and for variables. Pure."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tap_usertesting.config.schema import SECRETS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from jsonschema import ValidationError

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
LONGEST_SHOWN = 40  # characters of an invalid value in a message
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a JSON object",
}


class SettingsError(Exception):
    """A setting or a file is invalid or missing. The message is one line that names it and says what to do."""


def tidy(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are set, converted from text to the types of the schema.

    Null and an empty text count as unset, and so does an empty list or object if the schema expects one. A value that
    cannot be converted stays as it is: `violations` reports it.
    """
    nodes = schema["properties"]
    found = {name: _converted(value, nodes.get(name, {})) for name, value in config.items()}
    return {name: value for name, value in found.items() if not _is_unset(value, nodes.get(name, {}).get("type", ()))}


def _is_unset(value: object, kinds: Collection[str]) -> bool:
    return value is None or value == "" or (value == [] and "array" in kinds) or (value == {} and "object" in kinds)


def violations(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return one line for each value that violates the schema. No line contains the value of a secret."""
    from jsonschema import Draft7Validator  # noqa: PLC0415 - slow to import, and --about does not need it

    found: dict[str, str] = {}
    for name, node in schema["properties"].items():
        alone = {"type": "object", "properties": {name: node}}
        try:
            for error in Draft7Validator(alone).iter_errors({name: config[name]} if name in config else {}):
                # The message about an enum lists the allowed values; that about a type does not.
                if error.json_path not in found or error.validator == "enum":
                    found[error.json_path] = describe(error)
        except AttributeError:  # the SDK's node for `__else__` is no valid schema, which shows once a value reaches it
            found[name] = f"{name}: __else__ must be __NULL__ or null"
    return list(found.values())


def unknown(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield one line for each name that is no setting. Extras of Meltano, such as `_select`, pass."""
    for name in config:
        if name not in schema["properties"] and not name.startswith(("_", "$")):
            near = get_close_matches(name, schema["properties"], n=1)
            yield f"{name} is not a setting and is ignored" + (f"; did you mean {near[0]}?" if near else "")


def describe(error: ValidationError) -> str:
    """Return a schema violation as one line, which starts with the setting as a user writes it: `test_ids[0]`."""
    path = list(error.absolute_path)
    name = "".join(f"[{part}]" if isinstance(part, int) else f"{'.' if n else ''}{part}" for n, part in enumerate(path))
    wanted: Any = error.validator_value
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        said = " or ".join(_KINDS.get(kind, kind) for kind in kinds if kind != "null")
    elif error.validator == "enum":
        said = " or ".join(str(word) for word in wanted if word is not None)
    elif error.validator in {"minimum", "maximum"}:
        said = f"{wanted} or {'more' if error.validator == 'minimum' else 'less'}"
    else:
        return f"{name or 'config'}: {error.message}"
    shown = not SECRETS & set(path) and said not in {_KINDS["string"], _KINDS["object"], _KINDS["array"]}
    return f"{name or 'config'}: must be {said}" + (f", not {_short(error.instance)}" if shown else "")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("utf-8", "backslashreplace").decode()  # a variable may contain bytes that are not UTF-8
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _converted(value: Any, node: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON is anything
    kinds = node.get("type", ())
    if isinstance(value, str):
        return _from_text(_stripped(value), kinds, node.get("enum", ()))
    if isinstance(value, list) and "array" in kinds:
        return [_stripped(part) if isinstance(part, str) else part for part in value]
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        return int(value)
    return value


def _from_text(text: str, kinds: Any, words: list[Any]) -> Any:  # noqa: ANN401 - as above
    if "boolean" in kinds:
        return BOOLEANS.get(text.lower(), text)
    if "integer" in kinds:
        return int(text) if _WHOLE.fullmatch(text) else text
    if "array" in kinds and text and not text.startswith("["):
        return [_stripped(part) for part in text.split(",")]
    if "array" in kinds or "object" in kinds:
        return _json(text)
    return next((word for word in words if isinstance(word, str) and word.lower() == text.lower()), text)


def _json(text: str) -> Any:  # noqa: ANN401 - as above
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return [_stripped(part) if isinstance(part, str) else part for part in read] if isinstance(read, list) else read


def _stripped(text: str) -> str:
    """Return a text without white space around it, and without the byte order mark at the start of Windows files."""
    return text.strip().strip("\ufeff").strip()
