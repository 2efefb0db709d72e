"""Reads what streams need of a test besides its changes, once per sync, for all streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import ApiError, NotFoundError

if TYPE_CHECKING:
    from tap_usertesting.api.results import ResultsClient, SessionPage
    from tap_usertesting.api.turns import Turns
    from tap_usertesting.changes.list_reader import Listener, ListReader


class TestFacts:
    """The newest session of each test, for `--test`, and its highlight reels."""

    def __init__(self, *, client: ResultsClient, lists: ListReader, listener: Listener, turns: Turns) -> None:
        """Make no call."""
        self._client = client
        self._lists = lists
        self._listener = listener
        self._turns = turns
        self._pages: dict[str, SessionPage | ApiError] = {}
        self._reels: dict[str, dict[str, Any] | None] = {}
        self._is_forecast = False
        self.forecast_reels = 0  # calls that a forecast has counted instead of made

    def start_forecast(self) -> None:
        """From now on make no call for reels: `reels` returns none, and does not say whether there are clips."""
        self._is_forecast = True

    def newest_session(self, test_id: str) -> SessionPage:
        """Return a page with the newest session alone, or no session. Raises what the client raised, each time."""
        if test_id not in self._pages:
            try:
                self._pages[test_id] = self._client.session_page(test_id, offset=0, limit=1)
            except ApiError as error:
                self._pages[test_id] = error
        page = self._pages[test_id]
        if isinstance(page, ApiError):
            raise page
        return page

    def has_reels(self, test_id: str) -> bool:
        """Tell whether `reels` needs no call for a test, because it was asked for them before."""
        return test_id in self._reels

    def reels(self, test_id: str) -> dict[str, Any] | None:
        """Return a test's highlight reels and whether it has clips, as the API sends them; None on a 404.

        Raises NotFoundError where the test itself cannot be read, and what else the client raises.
        """
        with self._turns.single_flight(("reels", test_id)):
            if test_id not in self._reels and self._is_forecast:
                self.forecast_reels += 1
                self._reels[test_id] = {"reels": []}
            if test_id not in self._reels:
                try:
                    self._reels[test_id] = self._client.highlight_reels(test_id)
                except NotFoundError:
                    if not self._listener.is_reachable(test_id):
                        # The test has no reels, or cannot be read: then its list answers 404 too.
                        self._lists.read(test_id, lambda sessions: bool(sessions.by_id))
                    self._reels[test_id] = None
                self._listener.mark_reachable(test_id)
            return self._reels[test_id]
