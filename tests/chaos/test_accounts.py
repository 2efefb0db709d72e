"""A few random schedules of a whole account; `python -m tests.chaos.accounts` runs as many as there is time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.chaos.accounts import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", range(16))
def test_whatever_the_runs_are_every_row_is_there_and_none_too_many(seed: int) -> None:
    """Budgets, kills, odd hours, many tests, removals: nothing is lost, and each run ends."""
    assert Schedule(seed).run() == []
