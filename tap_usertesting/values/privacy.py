"""Leaves out or hashes the personal data of participants before it leaves the tap. Pure.

A stream declares the paths of its personal data as text: a column, then `.name` for a field of an object and `[]` for
each item of an array, as in `tasks[].answer`.
"""

from __future__ import annotations

import hashlib
import hmac
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_usertesting.values.columns import EACH_ITEM, apply_at, remove_field
from tap_usertesting.values.conform import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_usertesting.values.columns import FieldPath

OMIT, HASH = "omit", "hash"
UNKNOWN = "extra_fields"  # left out even if the rest is hashed: undocumented fields may contain anything


class Privacy:
    """What happens to the personal data of a stream: nothing (`mode` None), OMIT, or HASH with a salt."""

    def __init__(
        self,
        mode: str | None,
        salt: str | None,
        *,
        personal: Iterable[str] = (),
        harmless: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """`personal`: the paths with personal data; UNKNOWN is always one of them.

        `harmless`: the paths of objects of any shape that stay, each with its documented fields. All other fields of
        these objects are left out.
        """
        self.mode = mode
        self._salt = (salt or "").encode("utf-8", "surrogatepass")
        self._paths = (*personal, UNKNOWN)
        self._harmless = harmless or {}

    @classmethod
    def of(
        cls, config: Mapping[str, Any], *, personal: Iterable[str], harmless: Mapping[str, frozenset[str]]
    ) -> Privacy:
        """Take mode and salt from a checked config."""
        mode, salt = config.get("exclude_personal_data"), config.get("personal_data_salt")
        return cls(mode, salt, personal=personal, harmless=harmless)

    def schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema without the fields that are left out. Hashed fields stay, as they stay strings."""
        if self.mode is None:
            return schema
        pruned = deepcopy(schema)
        for path in self._paths:
            if self._omits(path):
                _prune(pruned, _steps(path))
        return pruned

    def _omits(self, path: str) -> bool:
        return self.mode == OMIT or path == UNKNOWN

    def row(self, row: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
        """Return a row with its personal data left out or hashed; changes it in place.

        Fields that the schema does not name are left out as well, because they may contain anything.
        """
        if self.mode is None:
            return row
        _drop_unknown(row, schema)
        for path, names in self._harmless.items():
            apply_at(row, _steps(path), partial(_keep, names=names))
        for path in self._paths:
            apply_at(row, _steps(path), remove_field if self._omits(path) else self._hash)
        return row

    def _hash(self, holder: dict[str, Any], name: str) -> None:
        holder[name] = self._hashed(holder[name])

    def _hashed(self, value: Any) -> Any:  # noqa: ANN401 - JSON is anything
        """Return a value with each scalar in it as a hash of 64 hexadecimal digits. Null, keys and shape stay."""
        if isinstance(value, dict):
            return {key: self._hashed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._hashed(inner) for inner in value]
        if value is None:
            return None
        return hmac.new(self._salt, as_text(value).encode(), hashlib.sha256).hexdigest()


def _steps(path: str) -> FieldPath:
    return tuple(path.replace(EACH_ITEM, f".{EACH_ITEM}").split("."))


def _keep(holder: dict[str, Any], name: str, *, names: frozenset[str]) -> None:
    """Keep only the fields of an object that have these names and are neither objects nor arrays."""
    value = holder[name]
    if isinstance(value, dict):
        holder[name] = {
            field: inner for field, inner in value.items() if field in names and not isinstance(inner, (dict, list))
        }


def _drop_unknown(node: Any, schema: Mapping[str, Any]) -> None:  # noqa: ANN401 - as above
    properties = schema.get("properties")
    if isinstance(node, list) and "items" in schema:
        for inner in node:
            _drop_unknown(inner, schema["items"])
    elif isinstance(node, dict) and properties is not None:
        for name in [name for name in node if name not in properties]:
            del node[name]
        for name, inner in node.items():
            _drop_unknown(inner, properties[name])


def _prune(schema: dict[str, Any], steps: FieldPath) -> None:
    step, rest = steps[0], steps[1:]
    if step == EACH_ITEM:
        _prune(schema.get("items", {}), rest)
    elif step in schema.get("properties", {}):  # the catalog may have removed it already
        if rest:
            _prune(schema["properties"][step], rest)
        else:
            del schema["properties"][step]
