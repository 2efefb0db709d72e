"""What differs from stream to stream, as data."""

from __future__ import annotations

from dataclasses import dataclass

from tap_usertesting.ledger.change_types import TRANSCRIPTION_UPDATED, UPDATED, VIDEO_UPDATED


@dataclass(frozen=True)
class Policy:
    """How a stream follows a log.

    ignores: the change types that say nothing about its rows.
    announced_by: the change type that announces a row. An update is then no news, unless the session was removed
        before.
    per_test: the stream has rows of the test, not of its sessions, so one item stands for all that is new in the test.
    miss_is_final: a test that answers that it has no row is not asked again.
    by_id: a listed session that was handled is known by its id, wherever it stands now; else by its place.
    sleeps_after: the test counts as one without rows once so many sessions, spread over its history, have none.
    ripe_hours: the age below which a session without a row says nothing about the test.
    patience_days: for how long a session that is missing is asked for again.
    waiting_a_sync: how many of the waiting sessions one sync asks for.
    lookback_hours: how far below the bookmark of a listing a session may still appear.
    start_date: sessions before it are not fetched.
    """

    ignores: frozenset[str] = frozenset({VIDEO_UPDATED, TRANSCRIPTION_UPDATED})
    announced_by: str | None = None
    per_test: bool = False
    miss_is_final: bool = False
    by_id: bool = True
    sleeps_after: int | None = None
    ripe_hours: float = 24
    patience_days: float = 7
    waiting_a_sync: int = 20
    lookback_hours: float = 24
    start_date: str | None = None

    def concerns(self, change_type: str, *, was_removed: bool) -> bool:
        """Tell whether a change that is no removal has the session fetched; `was_removed`: the session, before it."""
        if self.announced_by is None or change_type not in {UPDATED, self.announced_by}:
            return change_type not in self.ignores
        return was_removed == (change_type == UPDATED)
