"""What descriptions tell readers to join can be joined."""

from __future__ import annotations

import pytest

from tests.published.describing import kind_of
from tests.published.dictionary import KEYS, NAMES, Join, joins, properties


@pytest.mark.parametrize("join", joins(), ids=lambda join: f"{join.table}.{join.column}")
def test_a_named_join_leads_to_the_whole_key_of_a_table(join: Join) -> None:
    """What a description tells readers to join is there, has the same type, and finds at most one row."""
    assert KEYS[join.to_table] == (join.to_column,)
    there = properties(join.to_table)[join.to_column]
    assert kind_of(properties(join.table)[join.column]) == kind_of(there)


@pytest.mark.parametrize("stream", NAMES)
def test_every_table_is_joined(stream: str) -> None:
    """No table stands alone in the diagram."""
    assert any(stream in {join.table, join.to_table} for join in joins())


@pytest.mark.parametrize("stream", NAMES)
def test_a_column_that_is_named_like_another_tables_key_says_that_it_joins(stream: str) -> None:
    """`test_id`, `session_id` and `workspace_id` mean the same everywhere, and their descriptions say so."""
    owners = {"workspace_id": "workspaces", "test_id": "tests", "session_id": "sessions"}
    named = {join.column: join.to_table for join in joins() if join.table == stream}
    alike = {column: owner for column, owner in owners.items() if column in properties(stream) and owner != stream}
    assert alike.items() <= named.items()
