"""What the answers about single sessions mean for their test.

A 404 may concern one session or the whole test, and a fault one session or the server. Until that is known, the ledger
does not move past them: if the test turns out to be at fault, nothing is lost.
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
        """`missing`, `faults`: so many in a row cast doubt on the test."""
        self._most_missing, self._most_faults = missing, faults
        self._held: list[T] = []
        self._missing = self._faults = 0

    def weigh(self, done: T, outcome: Outcome, *, is_reachable: bool) -> list[T]:
        """Take what was done; return what counts now. `is_reachable`: the test has answered something in this run."""
        self._held.append(done)
        if outcome == "failed":
            self._faults += 1
            return []
        if outcome == "missing" and not is_reachable:
            self._missing += 1
            return []
        if outcome in {"removed", "passed"} and len(self._held) > 1:
            return []  # it took no call, so it says nothing of the test: it waits behind what is held
        self._faults = 0
        return self.release()

    @property
    def held(self) -> Sequence[T]:
        """What does not count yet."""
        return self._held

    @property
    def asks_for_list(self) -> bool:
        """Whether so many sessions are missing that a page of the list must show whether the test is there."""
        return self._missing >= self._most_missing

    @property
    def fails(self) -> bool:
        """Whether so many faults came in a row that the test cannot be read."""
        return self._faults >= self._most_faults

    def drop(self) -> None:
        """Forget what was held: it will be done again."""
        self._held, self._missing, self._faults = [], 0, 0

    def release(self) -> list[T]:
        """Return what was held: after a success, and at the end of the test."""
        held, self._held, self._missing = self._held, [], 0
        return held
