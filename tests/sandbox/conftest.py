"""A served world, and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.sandbox.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> World:
    """The small realistic world."""
    return World.seeded(seed=7, scale="small")


@pytest.fixture
def box(world: World) -> Iterator[Sandbox]:
    """The small world, served without a quota."""
    with Sandbox(world) as running:
        yield running


@pytest.fixture
def client(box: Sandbox) -> Iterator[Client]:
    """A client of the served world; the log starts empty."""
    made = Client(box)
    box.clear_calls()
    with made.session:
        yield made
