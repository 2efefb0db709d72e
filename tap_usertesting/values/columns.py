"""Fields that a schema has and another lacks, and rows without them. Pure.

A field is a path of names from the root of a row; `[]` stands for each item of an array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ALL = "[]"
Steps: TypeAlias = "tuple[str, ...]"


def lacking(whole: Mapping[str, Any], given: Mapping[str, Any]) -> list[Steps]:
    """Return the fields that `given` lacks of `whole`, the outermost of each branch; what neither names is none."""
    return list(_lacking(whole, given, ()))


def trim(row: dict[str, Any], fields: Iterable[Steps]) -> None:
    """Take fields out of a row, in place."""
    for steps in fields:
        walk(row, steps, drop)


def walk(node: Any, steps: Steps, act: Callable[[dict[str, Any], str], None]) -> None:  # noqa: ANN401 - JSON is anything
    """Call `act` with the holder and the name of each value that stands at a path."""
    step, rest = steps[0], steps[1:]
    if step == ALL:
        for inner in node if isinstance(node, list) else ():
            walk(inner, rest, act)
    elif isinstance(node, dict) and step in node:
        if rest:
            walk(node[step], rest, act)
        else:
            act(node, step)


def drop(holder: dict[str, Any], name: str) -> None:
    """Take a value away."""
    del holder[name]


def _lacking(whole: Mapping[str, Any], given: Mapping[str, Any], at: Steps) -> Iterator[Steps]:
    if "items" in whole and "items" in given:
        yield from _lacking(whole["items"], given["items"], (*at, ALL))
    if "properties" not in given:
        return  # it is open to anything
    for name, inner in whole.get("properties", {}).items():
        if name not in given["properties"]:
            yield (*at, name)
        else:
            yield from _lacking(inner, given["properties"][name], (*at, name))
