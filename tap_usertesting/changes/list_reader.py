"""Reads the session list of each test once per sync, for all streams, and keeps the errors of the tests that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tap_usertesting.api.errors import ApiError
from tap_usertesting.changes.session_list import SessionList, contains, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from tap_usertesting.api.results import ResultsClient
    from tap_usertesting.api.turns import Turns
    from tap_usertesting.changes.session_list import StopWhen


class Listener(Protocol):
    """Keeps what was learned of a test, for the whole sync."""

    def fail(self, error: str) -> None:
        """Write one error line; the sync goes on, and ends with status 1."""

    def is_reachable(self, test_id: str) -> bool:
        """Tell whether the Results API has answered anything of this test."""

    def mark_reachable(self, test_id: str) -> None:
        """Remember that the Results API has answered something of this test."""


class ListReader:
    """The session lists of all tests, for one sync. Methods that read a list raise what the Results API raises."""

    def __init__(
        self,
        *,
        client: ResultsClient,
        now: str,
        list_needs: Callable[[str], Iterable[StopWhen]],
        listener: Listener,
        turns: Turns,
    ) -> None:
        """Make no call.

        `now`: when the look for news began, in the fixed UTC form. `list_needs` returns, for a test id, how deep each
        selected stream needs the list.
        """
        self.now = now
        self._client = client
        self._list_needs = list_needs
        self._listener = listener
        self._turns = turns
        self._lists: dict[str, SessionList] = {}
        self._errors: dict[str, ApiError] = {}  # of lost tests, which are not asked for again
        self._is_forecast = False

    def start_forecast(self) -> None:
        """From now on read only the first page of each list, and count the others."""
        self._is_forecast = True

    @property
    def forecast_pages(self) -> int:
        """How many pages a sync would have read by now."""
        return sum(sessions.forecast_pages for sessions in self._lists.values())

    def read(self, test_id: str, stop_when: StopWhen) -> SessionList:
        """Return the test's list, read until `stop_when` is true or the list ends.

        The first time it is read as deep as every selected stream needs, so that one pass over the pages serves all.
        """
        with self._turns.single_flight(("list", test_id)):
            self.raise_if_lost(test_id)
            sessions = self._lists.get(test_id)
            try:
                if sessions is None:
                    sessions = SessionList(
                        client=self._client, test_id=test_id, now=self.now, is_forecast=self._is_forecast
                    )
                    needs = [stop_when, *self._list_needs(test_id)]
                    sessions.read(lambda so_far: all(need(so_far) for need in needs))
                    self._lists[test_id] = sessions
                sessions.read(stop_when)
            except ApiError as error:
                self._errors[test_id] = error
                raise
            if sessions.missing:
                self._listener.fail(
                    f"test {test_id}: the session list reports {len(sessions.by_id) + sessions.missing} sessions but "
                    f"returned {len(sessions.by_id)}, even on a second read; the next sync looks for the rest"
                )
            return sessions

    def read_whole(self, test_id: str) -> SessionList:
        """Return the test's whole list, and mark the test as reachable."""
        sessions = self.read(test_id, whole)
        self._listener.mark_reachable(test_id)
        return sessions

    def find(self, test_id: str, session_ids: Collection[str], *, since: str, stop_at_total: int | None) -> None:
        """Read the test's list until these sessions are in it, and mark the test as reachable.

        A list from before `since` (fixed UTC form) is read anew. Where the list still names a total of `stop_at_total`
        sessions, its first page is enough.
        """
        cached = self._lists.get(test_id)
        if cached is not None and cached.now < since:
            del self._lists[test_id]
        contains_all = contains(session_ids)

        def stop_when(sessions: SessionList) -> bool:
            return contains_all(sessions) or (sessions.counted and sessions.total == stop_at_total)

        self.read(test_id, stop_when)
        self._listener.mark_reachable(test_id)

    def cached_list(self, test_id: str) -> SessionList | None:
        """Return the test's list as far as it was read, None where it was not."""
        return self._lists.get(test_id)

    def forget(self, test_ids: Collection[str]) -> None:
        """Forget the lists of these tests, so that they are read anew."""
        self._lists = {test_id: sessions for test_id, sessions in self._lists.items() if test_id not in test_ids}

    # Lost tests

    def mark_lost(self, test_id: str, error: ApiError) -> None:
        """Remember that the test does not answer, for the streams that follow."""
        self._errors[test_id] = error

    def is_lost(self, test_id: str) -> bool:
        """Tell whether the test was lost to an earlier stream, so that it is not asked for again."""
        return test_id in self._errors

    def raise_if_lost(self, test_id: str) -> None:
        """Raise the error with which the test was lost to an earlier stream, if it was."""
        if error := self._errors.get(test_id):
            raise error
