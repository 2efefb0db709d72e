"""A sandbox with every kind of row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import Sandbox, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve a think-out-loud test with two sessions, of which one has a clip, and an interaction test with one."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    world.clip(world.add_session(test))
    world.add_session(test)
    world.edit_reel(test)
    world.add_session(world.add_test("NON_THINK_OUT_LOUD"))
    with Sandbox(world, quota=None) as served:
        yield served
