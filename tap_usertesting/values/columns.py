"""Finds the fields that one schema lacks of another, and removes fields from rows. Pure.

The path of a field is the tuple of names from the root of a row down to it, with `[]` for each item of an array:
`("tasks", "[]", "answer")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

EACH_ITEM = "[]"
FieldPath: TypeAlias = "tuple[str, ...]"


def missing_fields(whole: Mapping[str, Any], given: Mapping[str, Any]) -> list[FieldPath]:
    """Return the paths in the schema `whole` that the schema `given` lacks, without those below another such path."""
    return list(_missing_fields(whole, given, ()))


def remove_fields(row: dict[str, Any], fields: Iterable[FieldPath]) -> None:
    """Remove the fields at these paths from a row, in place."""
    for steps in fields:
        apply_at(row, steps, remove_field)


def apply_at(node: Any, steps: FieldPath, act: Callable[[dict[str, Any], str], None]) -> None:  # noqa: ANN401 - JSON is anything
    """Call `act` for each value at a path, with the object that contains it and its name there."""
    step, rest = steps[0], steps[1:]
    if step == EACH_ITEM:
        for inner in node if isinstance(node, list) else ():
            apply_at(inner, rest, act)
    elif isinstance(node, dict) and step in node:
        if rest:
            apply_at(node[step], rest, act)
        else:
            act(node, step)


def remove_field(holder: dict[str, Any], name: str) -> None:
    """Remove a field from the object that contains it."""
    del holder[name]


def _missing_fields(whole: Mapping[str, Any], given: Mapping[str, Any], at: FieldPath) -> Iterator[FieldPath]:
    if "items" in whole and "items" in given:
        yield from _missing_fields(whole["items"], given["items"], (*at, EACH_ITEM))
    if "properties" not in given:
        return  # an object of any shape lacks nothing
    for name, inner in whole.get("properties", {}).items():
        if name not in given["properties"]:
            yield (*at, name)
        else:
            yield from _missing_fields(inner, given["properties"][name], (*at, name))
