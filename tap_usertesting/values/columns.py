"""Fields that a schema has and another lacks, and rows without them. Pure.

A field is a path of names from the root of a row; `[]` stands for each item of an array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

EACH_ITEM = "[]"
FieldPath: TypeAlias = "tuple[str, ...]"


def missing_fields(whole: Mapping[str, Any], given: Mapping[str, Any]) -> list[FieldPath]:
    """Return the fields that `given` lacks of `whole`, the outermost of each branch; what neither names is none."""
    return list(_missing_fields(whole, given, ()))


def remove_fields(row: dict[str, Any], fields: Iterable[FieldPath]) -> None:
    """Take fields out of a row, in place."""
    for steps in fields:
        apply_at(row, steps, remove_field)


def apply_at(node: Any, steps: FieldPath, act: Callable[[dict[str, Any], str], None]) -> None:  # noqa: ANN401 - JSON is anything
    """Call `act` with the holder and the name of each value that stands at a path."""
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
    """Take a value away."""
    del holder[name]


def _missing_fields(whole: Mapping[str, Any], given: Mapping[str, Any], at: FieldPath) -> Iterator[FieldPath]:
    if "items" in whole and "items" in given:
        yield from _missing_fields(whole["items"], given["items"], (*at, EACH_ITEM))
    if "properties" not in given:
        return  # it is open to anything
    for name, inner in whole.get("properties", {}).items():
        if name not in given["properties"]:
            yield (*at, name)
        else:
            yield from _missing_fields(inner, given["properties"][name], (*at, name))
