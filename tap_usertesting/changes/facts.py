"""What is asked of a test besides its changes, once for all streams of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import ApiError, NotFoundError

if TYPE_CHECKING:
    from tap_usertesting.api.results import ResultsClient, SessionPage
    from tap_usertesting.api.turns import Turns
    from tap_usertesting.changes.reader import ChangeReader, Listener


class TestFacts:
    """The newest session of a test, for `--test`, and its highlight reels."""

    def __init__(self, *, results: ResultsClient, changes: ChangeReader, listener: Listener, turns: Turns) -> None:
        """Nothing is asked yet."""
        self._results = results
        self._changes = changes
        self._listener = listener
        self._turns = turns
        self._pages: dict[str, SessionPage | ApiError] = {}
        self._reels: dict[str, dict[str, Any] | None] = {}
        self._only_counts = False
        self.planned = 0  # calls for reels that were counted and not made

    def only_count(self) -> None:
        """Make no call for reels any more, for a plan: return none, and not whether there are clips."""
        self._only_counts = True

    def newest(self, test_id: str) -> SessionPage:
        """Return a page with the newest session alone. Raises what the client raises, and again."""
        if test_id not in self._pages:
            try:
                self._pages[test_id] = self._results.session_page(test_id, offset=0, limit=1)
            except ApiError as error:
                self._pages[test_id] = error
        page = self._pages[test_id]
        if isinstance(page, ApiError):
            raise page
        return page

    def reels(self, test_id: str) -> dict[str, Any] | None:
        """Return a test's highlight reels and whether it has clips; None on a 404.

        Raises NotFoundError where the test itself can not be read.
        """
        with self._turns.alone(("reels", test_id)):
            if test_id not in self._reels and self._only_counts:
                self.planned += 1
                self._reels[test_id] = {"reels": []}
            if test_id not in self._reels:
                try:
                    self._reels[test_id] = self._results.highlight_reels(test_id)
                except NotFoundError:
                    if not self._listener.is_reachable(
                        test_id
                    ):  # one without reels, or one that can not be read? The list tells
                        self._changes.sessions(test_id, lambda sessions: bool(sessions.by_id))
                    self._reels[test_id] = None
                self._listener.mark_reachable(test_id)
            return self._reels[test_id]
