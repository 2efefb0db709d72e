"""A local stand-in for the UserTesting Results API and the change feed: real HTTP, invented data.

It serves people who try the tap, and the tests. It imports nothing from the tap. The feed needs the extra ``sandbox``.
Use ``with Sandbox(World.seeded()) as box`` in Python, or the command ``tap-usertesting-sandbox``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox.model import Event, Session, Test, Workspace
from tap_usertesting.sandbox.quota import QuotaRule
from tap_usertesting.sandbox.requests_and_replies import ServedCall
from tap_usertesting.sandbox.world import World

if TYPE_CHECKING:
    from tap_usertesting.sandbox.server import Sandbox

__all__ = ["Event", "QuotaRule", "Sandbox", "ServedCall", "Session", "Test", "Workspace", "World"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the signature Python gives it
    """Import the server only when it is used, so that the command can report a missing extra in one line."""
    if name == "Sandbox":
        from tap_usertesting.sandbox.server import Sandbox  # noqa: PLC0415 - see above

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
