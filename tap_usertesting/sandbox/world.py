"""The world that a sandbox serves: its contents, and all changes that can be made to it.

The same seed and the same calls give the same ids, texts, times and cursors. Times depend on ``now``, a fixed moment by
default. Each change without a time of its own advances it by a minute, or, with ``real_time``, to the real time. All
methods are thread-safe, also while the world is served.

``world_contents.py`` has the contents, ``world_changes.py`` the changes. This module creates worlds and tells the truth
about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.seed import fill, fill_evenly
from tap_usertesting.sandbox.truth import truth
from tap_usertesting.sandbox.world_changes import ChangingWorld

if TYPE_CHECKING:
    from datetime import datetime

    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.seed import Scale


class World(ChangingWorld):
    """A world to serve, empty or filled with data."""

    @classmethod
    def seeded(
        cls,
        seed: int = 7,
        scale: Scale = "small",
        *,
        now: datetime | None = None,
        real_time: bool = False,
    ) -> World:
        """Create a world of realistic data, which ``seed.py`` describes."""
        world = cls(seed, now=now, real_time=real_time)
        fill(world, scale)
        return world

    @classmethod
    def bulk(
        cls,
        *,
        tests: int = 400,
        sessions: int = 1,
        events_per_session: int = 1,
        product_type: str = "NON_THINK_OUT_LOUD",
        transcripts: bool = False,
        seed: int = 1,
        now: datetime | None = None,
    ) -> World:
        """Create a world of uniform data for load tests. Details cost nothing until they are read."""
        world = cls(seed, now=now)
        fill_evenly(
            world,
            tests=tests,
            sessions=sessions,
            events_per_session=events_per_session,
            product_type=product_type,
            transcripts=transcripts,
        )
        return world

    def truth(self) -> Json:
        """Return what a correct warehouse contains now; see ``truth.py``."""
        with self.lock:
            return truth(self)
