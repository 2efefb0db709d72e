"""What a peer's warehouse holds stands in for the sandbox's truth, whatever tables that has."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tests.benchmarks.peers.peer import TABLES, Holdings
from tests.support.tables import truth

if TYPE_CHECKING:
    from tap_usertesting.sandbox import World


def test_an_empty_warehouse_has_every_table_and_no_row() -> None:
    """Those of the tap that no peer has included."""
    tables = truth(cast("World", Holdings()))
    assert set(TABLES) <= tables.keys()
    assert not any(tables.values())
