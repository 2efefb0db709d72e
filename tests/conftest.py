"""What every test can ask for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.support.serving import present, serve, travel
from tests.support.simulated_time import SimulatedTime
from tests.support.story import days_later, tell

__all__ = ["days_later", "present", "serve", "tell", "travel"]

# A busy machine is no finding: how long an example takes is not what the properties are about.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture
def simulated_time(monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    """Time that jumps, by which the taps of this process live."""
    return SimulatedTime().install(monkeypatch)
