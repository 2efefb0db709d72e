"""What differs from stream to stream, as data."""

from __future__ import annotations

from dataclasses import dataclass

from tap_usertesting.ledger.log import REMOVALS, TRANSCRIBED, UPDATED, VIDEO_UPDATED


@dataclass(frozen=True)
class Policy:
    """How a stream follows a log.

    `ignores`: change types that say nothing of its rows. `announced_by`: the change type that says that its row is
    there; an update is then no news, but for a session that was removed before. `per_test`: one item stands for all
    that is new in a test. `by_id`: a listed thing that was handled is known by its id, wherever it stands now.
    `miss_is_final`: a test that answers that it has no row is not asked again. `sleeps_after`: so many sessions, spread
    over a history, without a row, and the test counts as one that has none.
    """

    ignores: frozenset[str] = frozenset({VIDEO_UPDATED, TRANSCRIBED})
    announced_by: str | None = None
    per_test: bool = False
    miss_is_final: bool = False
    by_id: bool = True
    sleeps_after: int | None = None
    ripe_hours: float = 24  # before that a miss says nothing of the test
    patience_days: float = 7  # for which what is missing is asked for again
    waiting_a_sync: int = 20
    lookback_hours: float = 24  # below the bookmark of a listing, in which sessions may still appear
    start_date: str | None = None  # sessions before it are not fetched

    def concerns(self, change_type: str, *, gone: bool) -> bool:
        """Tell whether a change, which is no removal, has the session fetched; `gone`: it was removed before."""
        if self.announced_by is None or change_type not in {UPDATED, self.announced_by}:
            return change_type not in self.ignores
        return gone == (change_type == UPDATED)


def is_removal(change_type: str) -> bool:
    """Tell whether a change takes a session away."""
    return change_type in REMOVALS
