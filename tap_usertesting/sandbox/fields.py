"""JSON bodies as the fields of dataclasses: what a body may contain, in words, and reading one.

The words come from the types of the fields, from ``Allowed`` and from the class's docstring, in which a line such as
``name: text`` explains a field or one of its values.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tap_usertesting.sandbox.requests_and_replies import Json

_LONGEST = 80  # characters of a value that a message repeats
_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    dict: "an object",
    NoneType: "null",
}


class Refused(Exception):  # noqa: N818 - it is an answer to a client, not an error of the sandbox
    """A request that makes no sense. The message says what is wrong, in which field, and what is allowed."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Sample(Enum):
    """Stands for an id of the served world in an example."""

    SESSION = "session"
    TEST = "test"
    TEST_UUID = "test_uuid"


@dataclass(frozen=True)
class Allowed:
    """In ``Annotated``: which values of the type are allowed.

    alone: the words need not name the type.
    or_null: a body may have null, although the type has no None: who reads the body sees to it.
    """

    words: str
    test: Callable[[Any], bool]
    alone: bool = False
    or_null: bool = False


def between(least: float, most: float) -> Allowed:
    """Allow the numbers between two, both included."""
    return Allowed(f"from {least} to {most}", lambda value: least <= value <= most)


def at_least(least: int, *, or_null: bool = False) -> Allowed:
    """Allow a number and all that are greater."""
    return Allowed(f"of at least {least}", lambda value: value >= least, or_null=or_null)


def one_of(names: Collection[str]) -> Allowed:
    """Allow the named strings."""
    return Allowed(_listed([json.dumps(name) for name in names]), lambda value: value in names, alone=True)


def examples(*values: object, **together: object) -> dict[str, Any]:
    """Return the metadata of a field: values to try, and what else the body needs for an effect."""
    return {"examples": values, "together": together}


def explained(cls: type) -> dict[str, str]:
    """Return what the docstring of a class says about each name that starts a line and is followed by a colon."""
    text = inspect.cleandoc(cls.__doc__ or "")
    found = re.findall(r"^(\w+): (.+(?:\n    .+)*)", text, flags=re.MULTILINE)
    said = {name: re.sub(r"\s+", " ", words) for name, words in found}
    return {name: re.sub(r"\bNone\b", "null", words) for name, words in said.items()}


def hints(cls: type) -> dict[str, Any]:
    """Return the types of the fields of a dataclass."""
    return get_type_hints(cls, include_extras=True)


def in_words(hint: Any) -> str:  # noqa: ANN401 - a type of any form
    """Return the values that a type allows."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return _listed([in_words(part) for part in parts])
    if origin is Literal:
        return _listed([json.dumps(part) for part in parts])
    if origin is Annotated:
        base, limit = parts
        words = limit.words if limit.alone else f"{in_words(base)} {limit.words}"
        return f"{words} or null" if limit.or_null else words
    if origin in {set, list}:
        return f"a list of {in_words(parts[0])}"
    if is_dataclass(hint):
        return f"objects with {', '.join(field.name for field in fields(hint))}"
    return _NAMES.get(origin or hint, "any JSON value")


def _listed(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def described(cls: Any) -> list[Json]:  # noqa: ANN401 - a dataclass
    """Return ``name``, ``says``, ``allowed`` and, if it is not required, ``default`` of each field of a dataclass."""
    says, types = explained(cls), hints(cls)
    found = []
    for field in fields(cls):
        told = {"name": field.name, "says": says[field.name], "allowed": in_words(types[field.name])}
        found.append(told if required(field) else told | {"default": default(field)})
    return found


def required(field: Field[Any]) -> bool:
    """Tell whether a body must have a field."""
    return field.default is MISSING and field.default_factory is MISSING


def default(field: Field[Any]) -> Any:  # noqa: ANN401 - of any type
    """Return the default of a field as JSON has it."""
    value = field.default if field.default_factory is MISSING else field.default_factory()
    return sorted(value) if isinstance(value, set) else value


def put_back(target: object, cls: Any) -> None:  # noqa: ANN401 - a dataclass
    """Give each field of a dataclass its default again, in place."""
    fresh = cls()
    for field in fields(cls):
        setattr(target, field.name, getattr(fresh, field.name))


def parse(body: bytes) -> Json:
    """Return a body as an object; nothing at all is an empty one."""
    try:
        read = json.loads(body or b"{}")
        # Python reads numbers that are none, and halves of characters, which no reply could send again.
        json.dumps(read, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise Refused("the body is nested too deeply") from None
    except ValueError as error:
        raise Refused(f"the body is not JSON: {error}") from None
    if not isinstance(read, dict):
        raise Refused(f'the body is {shown(read)}; allowed: a JSON object, such as {{"kind": "session"}}')
    return read


def read(cls: Any, body: Json, place: str = "") -> Json:  # noqa: ANN401 - a dataclass
    """Return the fields that a body has, at least one, each of its type. ``place``: where it stands in a whole body."""
    types = hints(cls)
    known = ", ".join(types) or "no field at all"
    for name in body:
        if name not in types:
            raise Refused(f"unknown field {place}{shown(name)[1:-1]}; allowed: {known}")
    if types and not body and not any(required(field) for field in fields(cls)):
        raise Refused(f"the body has no field; allowed: {known}")
    for field in fields(cls):
        if required(field) and field.name not in body:
            raise Refused(f"field {place}{field.name} is missing; allowed: {in_words(types[field.name])}")
    return {name: _field(value, types[name], f"{place}{name}") for name, value in body.items()}


def _field(value: Any, hint: Any, place: str) -> Any:  # noqa: ANN401 - JSON and a type
    try:
        return _value(value, hint, place)
    except _UnfitError:
        raise Refused(f"field {place} is {shown(value)}; allowed: {in_words(hint)}") from None


class _UnfitError(Exception):
    """A value is not of a type."""


def _value(value: Any, hint: Any, place: str) -> Any:  # noqa: ANN401 - JSON and a type
    """Return a JSON value as a type has it. Raises ``_UnfitError``."""
    reader = _READERS.get(get_origin(hint))
    if reader is not None:
        return reader(value, get_args(hint), place)
    if is_dataclass(hint) and isinstance(value, dict):
        cls: Any = hint
        return cls(**read(cls, value, f"{place}."))
    if hint in {Any, object} or type(value) in ({int, float} if hint is float else {hint}):
        return value
    raise _UnfitError


def _one_of_types(value: Any, parts: tuple[Any, ...], place: str) -> Any:  # noqa: ANN401 - JSON and types
    if len(parts) == 1:
        return _value(value, parts[0], place)
    try:
        return _value(value, parts[0], place)
    except _UnfitError:
        return _one_of_types(value, parts[1:], place)


def _one_of_values(value: Any, parts: tuple[Any, ...], _place: str) -> Any:  # noqa: ANN401 - JSON
    if any(type(part) is type(value) and part == value for part in parts):
        return value
    raise _UnfitError


def _limited(value: Any, parts: tuple[Any, ...], place: str) -> Any:  # noqa: ANN401 - JSON, a type and what limits it
    base, limit = parts
    if value is None and limit.or_null:
        return None
    if limit.test(fitting := _value(value, base, place)):
        return fitting
    raise _UnfitError


def _object(value: Any, parts: tuple[Any, ...], place: str) -> Any:  # noqa: ANN401 - JSON and types
    if isinstance(value, dict):
        return {name: _value(one, parts[1], place) for name, one in value.items()}
    raise _UnfitError


def _list(value: Any, parts: tuple[Any, ...], place: str) -> Any:  # noqa: ANN401 - JSON and a type
    if isinstance(value, list):
        return [_value(one, parts[0], f"{place}[{number}]") for number, one in enumerate(value)]
    raise _UnfitError


_READERS: dict[Any, Callable[[Any, tuple[Any, ...], str], Any]] = {
    Union: _one_of_types,
    UnionType: _one_of_types,
    Literal: _one_of_values,
    Annotated: _limited,
    dict: _object,
    list: _list,
    set: lambda value, parts, place: set(_list(value, parts, place)),
}


def shown(value: object) -> str:
    """Return a value as JSON for a message, cut if it is long."""
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
