"""Reads what changed in a test, from the feed or from the session list, and tells whether the feed may be trusted."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import UnknownCursorError, UnknownTestError
from tap_usertesting.api.feed import Ask
from tap_usertesting.api.feed_ids import TEST_PREFIX, session_of
from tap_usertesting.changes.session_list import whole
from tap_usertesting.ledger.change_log import FEED, LISTING, Change, Log
from tap_usertesting.ledger.change_types import REMOVALS
from tap_usertesting.ledger.needs import is_deep_enough, needs
from tap_usertesting.values.conform import clean
from tap_usertesting.values.times import earlier, utc

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_usertesting.api.feed import FeedEvent
    from tap_usertesting.api.turns import Turns
    from tap_usertesting.changes.feed_reader import FeedReader
    from tap_usertesting.changes.list_reader import Listener, ListReader
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.ledger.stream_policy import Policy

logger = logging.getLogger("tap-usertesting.changes")

UNLISTED_FOR_PROOF = 10  # responses, and none listed, prove that the feed describes something else


class ChangeReader:
    """The change logs of all tests, for one sync, over the `lists` and the `feed_logs` that they are read from."""

    def __init__(
        self, *, lists: ListReader, feed_logs: FeedReader, listener: Listener, turns: Turns, lookback_hours: int
    ) -> None:
        """Make no call."""
        self.lists = lists
        self.feed_logs = feed_logs
        self._listener = listener
        self._turns = turns
        self._lookback_hours = lookback_hours
        self._described: dict[str, bool | None] = {}  # what `feed_describes` has found, by test id
        self._replayed: set[str] = set()  # test UUIDs, each of which is warned of once

    def start_forecast(self) -> None:
        """From now on read no more than a forecast needs: of the feed no counts, of each list the first page."""
        self.lists.start_forecast()
        self.feed_logs.start_forecast()

    def read(self, test_id: str, ledger: Ledger, policy: Policy) -> Log:
        """Return what a ledger that has begun needs: the feed's changes, the session list, or both.

        Raises what the feed or the Results API raises.
        """
        need = needs(ledger)
        log = self._read_feed(test_id, ledger) if need.feed else Log(LISTING)
        if need.depth == "none":
            return log
        sessions = self.lists.read(test_id, lambda sessions: is_deep_enough(ledger, need.depth, sessions, policy))
        self._listener.mark_reachable(test_id)
        return replace(log, sessions=sessions.so_far(), listed_at=sessions.now)

    def look_again(self, *, now: str, due: Collection[str]) -> None:
        """Forget what the feed has answered, and the lists of the tests that are due, so that they are read anew.

        `now`: when this look for news began, in the fixed UTC form.
        """
        self.lists.now = now  # first, for the lists that are read while `forget` waits
        self.feed_logs.forget()
        self._described = {test_id: found for test_id, found in self._described.items() if found is not None}
        self.lists.forget(due)

    def feed_describes(self, test_id: str, test_uuid: str) -> bool | None:
        """Tell whether the feed describes this test: True, False (proven not to), None (not known yet).

        The ids of the feed's whole log are compared with those of the whole session list. A proof holds for the sync,
        None for one look for news. A test that the feed does not know is None, as the feed may learn it with its first
        response. Raises what else the feed raises, or the list.
        """
        with self._turns.single_flight(("source", test_id)):
            if test_id not in self._described:
                self._described[test_id] = self._compare_ids(test_id, test_uuid)
            return self._described[test_id]

    def _compare_ids(self, test_id: str, test_uuid: str) -> bool | None:
        try:
            events = self.feed_logs.read(Ask(test_uuid, None)).events
        except UnknownTestError:
            return None
        if not events:
            return True
        listed = self.lists.read(test_id, whole).by_id
        first_change: dict[str, str] = {}  # of each response that was not removed
        for event in events:
            change = as_change(event)
            if change.session_id in listed:
                return True
            if change.change_type in REMOVALS:
                first_change.pop(event.response_uuid or "", None)
            else:
                first_change.setdefault(event.response_uuid or "", change.changed_at or self.lists.now)
        limit = earlier(self.lists.now, hours=self._lookback_hours)  # a younger response may not be listed yet
        return False if sum(at < limit for at in first_change.values()) >= UNLISTED_FOR_PROOF else None

    def _read_feed(self, test_id: str, ledger: Ledger) -> Log:
        """Return what the feed has for a ledger; where it refuses the ledger's cursor, the whole log is replayed."""
        test_uuid, since = TEST_PREFIX + test_id, needs(ledger).since
        is_replay = False
        try:
            log = self.feed_logs.read(Ask(test_uuid, since))
        except UnknownCursorError as error:
            log = self.feed_logs.read(Ask(test_uuid, None))  # if that fails too, it was not the cursor
            is_replay = True
            if test_uuid not in self._replayed:
                self._replayed.add(test_uuid)
                logger.warning(
                    "feed test %s: the feed rejected the bookmark (%s); the tap replays the log once, and does not "
                    "fetch unchanged sessions again",
                    test_uuid,
                    error,
                )
        changes = [as_change(event) for event in log.events]
        if since is not None and not is_replay and log.certain:
            # `sinceCursor` is exclusive by the vendor's page; a server may include it all the same.
            place = next((n for n, change in enumerate(changes) if change.cursor == since), None)
            changes = changes if place is None else changes[place + 1 :]
        return Log(FEED, changes, whole=since is None, replayed=is_replay, certain=log.certain, newest=log.newest)


def as_change(event: FeedEvent) -> Change:
    """Return a feed event as a change of a session; its time is in the fixed UTC form, None where it has none.

    The session id is None where the response UUID has no prefix, or no id behind it.
    """
    return Change(
        event.cursor or "", session_of(event.response_uuid), clean(event.change_type or ""), utc(event.changed_at)
    )
