"""What the answers about single sessions mean for their test. No I/O.

A 404 may be of one session or of the whole test; a fault may be of one session or of the server. Until that is known
the bookmark stays before them, so that nothing is lost when the test turns out to be at fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.api.errors import ApiError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_FOUND_IN_A_ROW = 10
FAULTS_IN_A_ROW = 3


class Outcomes:
    """The answers of one test in one stream, in their order."""

    def __init__(self, *, answers: Callable[[], bool], missed: Callable[[], int]) -> None:
        """`answers`: whether the test has answered anything in this run; `missed`: counts its 404s, in any stream."""
        self._answers = answers
        self._missed = missed
        self._held: list[Callable[[], None]] = []
        self._faults = 0

    def succeeded(self) -> None:
        """A session was answered: what was held concerned single sessions."""
        self._faults = 0
        self.release()

    def passed(self, move: Callable[[], None]) -> None:
        """A place of the log was passed without a call; its move keeps its order."""
        if self._held:
            self._held.append(move)
        else:
            move()

    def missing(self, give_way: Callable[[], None], error: NotFoundError) -> None:
        """A session answers 404. Raises NotFoundError when that is how the whole test answers."""
        if self._answers():
            self._faults = 0
            self.release()
            give_way()
            return
        self._held.append(give_way)
        if self._missed() >= NOT_FOUND_IN_A_ROW:
            message = (
                f"{NOT_FOUND_IN_A_ROW} sessions in a row are not found and none is: the test can not be read ({error})"
            )
            raise NotFoundError(message)

    def failed(self, give_way: Callable[[], None], error: ApiError) -> None:
        """A session could not be read. Raises the error when that is so for three in a row."""
        self._faults += 1
        self._held.append(give_way)
        if self._faults >= FAULTS_IN_A_ROW:
            raise error

    def release(self) -> None:
        """Let what was held take effect: at a success, and at the end of the test."""
        held, self._held = self._held, []
        for move in held:
            move()
