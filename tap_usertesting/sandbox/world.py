"""The world of the sandbox: what there is, and everything that can happen to it.

A world is made from a seed, and the same seed and the same calls give the same ids, texts, times and cursors.
Times hang on ``now``, a fixed moment unless one is given; each happening without a time of its own moves it
on by a minute (or takes the real time, with ``real_time``). All methods may be called from any thread while
the world is served.

What there is stands in ``world_contents.py``, what can happen in ``world_changes.py``; here is how a world is
made, and its truth.
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
    """A world to serve: made empty, or filled."""

    @classmethod
    def seeded(
        cls,
        seed: int = 7,
        scale: Scale = "small",
        *,
        now: datetime | None = None,
        real_time: bool = False,
    ) -> World:
        """Make a world of realistic data; ``seed.py`` says what is in it."""
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
        """Make uniform data for load tests; details cost nothing until they are read."""
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
        """Return what a correct warehouse holds now (see ``truth.py``)."""
        with self.lock:
            return truth(self)
