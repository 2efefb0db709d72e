"""The shape of a JSON value: types, names of known fields, how long lists and texts are, and no value. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_usertesting.doctor.vocabulary import Namer

MOST_FIELDS = 60  # of one object, known or not
DEEPEST = 12  # levels
LENGTHS = (0, 1, 10, 100, 1_000, 10_000)  # upper ends of the buckets of lengths


class Shape:
    """The shape of one value, or of several values that stand in the same place."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._kinds: Counter[str] = Counter()
        self._fields: dict[str, Shape] = {}
        self._items: Shape | None = None
        self._longest: dict[str, int] = {}  # by kind

    def add(self, value: object, namer: Namer, level: int = 0) -> Shape:
        """Take in a value, and return this shape."""
        kind = _kind(value)
        self._kinds[kind] += 1
        if isinstance(value, (str, list)):
            self._longest[kind] = max(self._longest.get(kind, 0), len(value))
        if level >= DEEPEST:
            return self
        if isinstance(value, dict):
            for name, inner in value.items():
                known = namer.field(str(name))
                if known not in self._fields and len(self._fields) >= MOST_FIELDS:
                    continue
                self._fields.setdefault(known, Shape()).add(inner, namer, level + 1)
        elif isinstance(value, list):
            self._items = self._items or Shape()
            for inner in value:
                self._items.add(inner, namer, level + 1)
        return self

    def as_json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the shape: a text for plain values, an object for an object, a list of one shape for a list."""
        found: list[Any] = []
        for kind in sorted(self._kinds):
            if kind == "object":
                found.append({name: shape.as_json() for name, shape in sorted(self._fields.items())})
            elif kind == "list":
                items = [self._items.as_json()] if self._items is not None and self._longest[kind] else []
                found.append([f"{bucket(self._longest[kind])} of", *items])
            else:
                found.append(f"text of {bucket(self._longest[kind])}" if kind == "text" else kind)
        if len(found) == 1:
            return found[0]
        texts = [one for one in found if isinstance(one, str)]
        others = [one for one in found if not isinstance(one, str)]
        joined = " or ".join(texts)
        return {"one of": [*([joined] if joined else []), *others]} if others else joined or "nothing"


def bucket(length: int) -> str:
    """Return a length as a range."""
    for low, high in pairwise(LENGTHS):
        if length <= low:
            return str(low)
        if length <= high:
            return str(high) if high - low == 1 else f"{low + 1} to {high}"
    return f"over {LENGTHS[-1]}"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"
