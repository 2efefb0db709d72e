"""How fast streams are side by side: every quota window filled, and latency spent together."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.benchmarks.side_by_side import LATENCY, first_sync

pytestmark = [pytest.mark.timing, pytest.mark.timeout(300)]

SESSIONS = 1_000


@pytest.mark.parametrize(
    ("scope", "most"),
    [pytest.param("endpoint", 1.05, id="a window per endpoint"), pytest.param("shared", 1.02, id="one window")],
)
def test_windows_are_filled(scope: Literal["endpoint", "shared"], most: float) -> None:
    """1,000 sessions with transcripts: the time of the fuller endpoint alone, or of the shared quota; no 429."""
    first = first_sync(SESSIONS, scope=scope)
    assert first.calls == {"list": 2, "details_v3": SESSIONS, "transcript": SESSIONS}
    assert first.refused == 0
    assert first.over_quota(shared=scope == "shared") <= most


def test_latency_is_spent_together() -> None:
    """With 100 ms an answer and no quota, a first sync is at least 1.8 times as fast as with streams in turn."""
    at_once, in_turn = (first_sync(60, scope=None, side_by_side=how, latency=LATENCY) for how in (True, False))
    assert at_once.calls == in_turn.calls
    assert in_turn.seconds >= 1.8 * at_once.seconds
