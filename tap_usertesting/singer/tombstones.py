"""Tombstones: rows that say that a session, or a row of it, is no longer there. Pure.

A tombstone has its key, its test and the columns of the change; everything else is null. `deleted_at` says when; the
same stands in `_sdc_deleted_at`, on which Singer targets act.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tap_usertesting.ledger.agenda_items import Item


def change_columns(test_id: str, item: Item, *, deleted_at: str | None, columns: Collection[str]) -> dict[str, Any]:
    """Return what a row says of its change, as far as its stream has such columns; `deleted_at` None: it is alive."""
    values = {
        "test_id": test_id,
        "session_id": item.session_id,
        "change_cursor": item.cursor,
        "change_type": item.change_type,
        "changed_at": item.at,
        "deleted_at": deleted_at,
        "_sdc_deleted_at": deleted_at,
    }
    return {name: value for name, value in values.items() if name in columns}


def tombstones(
    change: Mapping[str, Any], columns: Iterable[str], *, numbered: str | None, numbers: Iterable[int]
) -> list[dict[str, Any]]:
    """Return one tombstone, or one for each number of a session whose rows are `numbered`.

    `change`: from `change_columns`.
    """
    empty = {**dict.fromkeys(columns), **change}
    return [empty] if numbered is None else [{**empty, numbered: number} for number in numbers]


def is_tombstone(row: Mapping[str, Any]) -> bool:
    """Tell a tombstone from a row that is alive."""
    return row.get("_sdc_deleted_at") is not None
