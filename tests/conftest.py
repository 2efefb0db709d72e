"""What every test can ask for."""

from __future__ import annotations

import pytest

from tests.simulated_time import SimulatedTime


@pytest.fixture
def simulated_time(monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    """Time that jumps, by which the taps of this process live."""
    return SimulatedTime().install(monkeypatch)
