"""Fixtures that serve worlds and set the tap's clock."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.clock import Clock
from tap_usertesting.sandbox import Sandbox
from tap_usertesting.tap import TapUserTesting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_usertesting.sandbox import QuotaRule, World


@pytest.fixture
def serve() -> Iterator[Callable[..., Sandbox]]:
    """Serve worlds until the test ends."""
    with ExitStack() as running:

        def start(world: World, quota: QuotaRule | None = None) -> Sandbox:
            return running.enter_context(Sandbox(world, quota=quota))

        yield start


@pytest.fixture
def present() -> datetime:
    """The real time in whole seconds, for tests of what counts as recent."""
    return datetime.now(timezone.utc).replace(microsecond=0)


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the wall clock of the tap in this process."""

    def to(moment: datetime) -> None:
        monkeypatch.setattr(TapUserTesting, "clock", Clock(wall=moment.timestamp))

    return to
