"""What the answers about single sessions mean for their test.

A 404 may be of one session or of the whole test; a fault may be of one session or of the server. Until that is known
the ledger stays before them, so that nothing is lost when the test turns out to be at fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.ledger.settle import Outcome

T = TypeVar("T")

MISSING_IN_A_ROW = 10
FAULTS_IN_A_ROW = 3


class Doubt(Generic[T]):
    """What was done in one test and does not count yet, in its order."""

    def __init__(self, *, missing: int = MISSING_IN_A_ROW, faults: int = FAULTS_IN_A_ROW) -> None:
        """Nothing is in doubt. `missing`, `faults`: so many in a row are a question of the test."""
        self._most_missing, self._most_faults = missing, faults
        self._held: list[T] = []
        self._missing = self._faults = 0

    def weigh(self, done: T, outcome: Outcome, *, answers: bool) -> list[T]:
        """Take what was done; return what counts now. `answers`: whether the test has answered anything in this run."""
        self._held.append(done)
        if outcome == "failed":
            self._faults += 1
            return []
        if outcome == "missing" and not answers:
            self._missing += 1
            return []
        if outcome in {"removed", "passed"} and len(self._held) > 1:
            return []  # no answer: it only keeps its place behind what is held
        self._faults = 0
        return self.release()

    @property
    def held(self) -> Sequence[T]:
        """What does not count yet."""
        return self._held

    @property
    def asks_for_list(self) -> bool:
        """Whether so many sessions are missing that one page of the list has to tell whether the test is there."""
        return self._missing >= self._most_missing

    @property
    def fails(self) -> bool:
        """Whether so many faults came in a row that the test can not be read."""
        return self._faults >= self._most_faults

    def drop(self) -> None:
        """Forget what was held: it will be done again."""
        self._held, self._missing, self._faults = [], 0, 0

    def release(self) -> list[T]:
        """Return what was held: at a success, and at the end of the test."""
        held, self._held, self._missing = self._held, [], 0
        return held
