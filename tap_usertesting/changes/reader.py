"""Reads each test's changes and session list once per run, for whichever streams ask; remembers failures too.

The feed is asked for up to 100 tests in one request: first the counts, at the first need of any stream, then the
changes of as many tests together as count at most 5,000 results.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tap_usertesting.api.errors import (
    ApiError,
    FeedError,
    NotFoundError,
    UnknownCursorError,
    UnknownTestError,
)
from tap_usertesting.api.feed import TESTS_A_REQUEST, Ask, ChangeFeed, Count, FeedEvent, Received
from tap_usertesting.api.ids import is_id
from tap_usertesting.api.turns import Turns
from tap_usertesting.changes.feed_log import FeedLog, whole_log
from tap_usertesting.changes.session_list import SessionList, contains, whole
from tap_usertesting.ledger.log import FEED, LISTING, REMOVALS, Change, Log
from tap_usertesting.ledger.needs import is_enough, needs
from tap_usertesting.values.conform import clean
from tap_usertesting.values.times import earlier, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from tap_usertesting.api.results import ResultsClient
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.ledger.policy import Policy

logger = logging.getLogger("tap-usertesting.changes")

RESULTS_A_REQUEST = 5_000
EVENTS_KEPT = 250_000  # over all tests; beyond that a later stream asks again
ENOUGH_TO_JUDGE = 10  # responses none of which is listed prove that the feed describes something else
RESPONSE_PREFIX = "ut_response_"
TEST_PREFIX = "ut_"
CHECK_FEED = (
    "check that feed_url and its token belong to these tests; until then auto reads them by their session lists"
)


class Listener(Protocol):
    """Who is told what was learned of a test."""

    def fail(self, error: str) -> None:
        """Take one line that makes the run end with status 1, though it goes on."""

    def is_reachable(self, test_id: str) -> bool:
        """Tell whether the test has answered anything."""

    def mark_reachable(self, test_id: str) -> None:
        """Take it that the test answers."""


class ChangeReader:
    """The change logs of every test, for one run."""

    def __init__(
        self,
        *,
        results: ResultsClient,
        feed: ChangeFeed | None,
        now: str,
        lookback_hours: int,
        wanted: Callable[[], Sequence[Sequence[Ask]]],
        needs: Callable[[str], Iterable[Callable[[SessionList], bool]]],
        listener: Listener,
        turns: Turns | None = None,
    ) -> None:
        """`wanted`: what the selected streams will ask of the feed, per test; `needs`: of a test's list."""
        self._listener = listener
        self._turns = turns or Turns()
        self._results = results
        self._feed = feed
        self._now = now
        self._lookback_hours = lookback_hours
        self._wanted = wanted
        self._needs = needs
        self._chunks: list[list[Ask]] | None = None
        self._counts: dict[Ask, Count | ApiError] = {}
        self._logs: OrderedDict[Ask, FeedLog] = OrderedDict()
        self._failed: dict[Ask, ApiError] = {}
        self._lists: dict[str, SessionList] = {}
        self._lost: dict[str, ApiError] = {}
        self._judged: dict[str, bool | None] = {}
        self._replayed: set[str] = set()
        self._newest: dict[Ask, str | None] = {}
        self._plans = False
        self._received: dict[Ask, Received] = {}
        self._said_known = False

    def only_first_pages(self) -> None:
        """Read no more than a plan needs: of each list the first page, of the feed the changes without their count."""
        self._plans = True

    @property
    def planned_pages(self) -> int:
        """How many pages the lists would have taken so far."""
        return sum(listed.forecast_pages for listed in self._lists.values())

    # The session list

    def sessions(self, test_id: str, enough: Callable[[SessionList], bool]) -> SessionList:
        """Return the test's list, read as deep as `enough` and, the first time, every selected stream need."""
        with self._turns.alone(("list", test_id)):
            if error := self._lost.get(test_id):
                raise error
            listed = self._lists.get(test_id)
            try:
                if listed is None:
                    listed = SessionList(client=self._results, test_id=test_id, now=self._now, is_forecast=self._plans)
                    needs = [enough, *self._needs(test_id)]
                    listed.read(lambda sessions: all(need(sessions) for need in needs))
                    self._lists[test_id] = listed
                listed.read(enough)
            except ApiError as error:
                self._lost[test_id] = error
                raise
            if listed.missing:
                self._listener.fail(
                    f"test {test_id}: the session list names {len(listed.by_id) + listed.missing} sessions and gave "
                    f"{len(listed.by_id)}, although it was read again"
                )
            return listed

    def listed(self, test_id: str) -> SessionList | None:
        """Return the list as far as it was read in this run, None when it was not."""
        return self._lists.get(test_id)

    def lost(self, test_id: str, error: NotFoundError) -> None:
        """Remember that the test does not answer, for the streams that follow."""
        self._lost[test_id] = error

    def check(self, test_id: str) -> None:
        """Raise what an earlier stream of this run learned: that the test does not answer."""
        if error := self._lost.get(test_id):
            raise error

    def read(self, test_id: str, ledger: Ledger, policy: Policy) -> Log:
        """Return what a ledger that has begun needs of the log that drives its test."""
        need = needs(ledger)
        log = self._changes(test_id, ledger) if need.feed else Log(LISTING)
        if need.depth == "none":
            return log
        sessions = self.sessions(test_id, lambda sessions: is_enough(ledger, need.depth, sessions, policy))
        self._listener.mark_reachable(test_id)
        return replace(log, sessions=sessions.so_far(), listed_at=sessions.now)

    def whole_list(self, test_id: str) -> SessionList:
        """Return the test's whole session list; an answer to it is an answer of the test."""
        sessions = self.sessions(test_id, whole)
        self._listener.mark_reachable(test_id)
        return sessions

    def find(self, test_id: str, session_ids: Collection[str], *, since: str, unless_still: int | None) -> None:
        """Read the test's list until these sessions are found, anew if it was read before `since` (fixed UTC form).

        `unless_still`: be content with the first page where the list still counts as many.
        """
        listed = self._lists.get(test_id)
        if listed is not None and listed.now < since:
            del self._lists[test_id]
        found = contains(session_ids)

        def enough(sessions: SessionList) -> bool:
            return found(sessions) or (sessions.counted and sessions.total == unless_still)

        self.sessions(test_id, enough)
        self._listener.mark_reachable(test_id)

    def look_again(self, *, now: str, due: Collection[str]) -> None:
        """Forget what was read, so that it is read anew; of the lists those of the tests that are due."""
        self._now = now
        with self._turns.alone("feed"):  # another stream may be about to take what it has asked for
            self._chunks = None
            self._counts.clear()
            self._logs.clear()
            self._failed.clear()
        self._judged = {test_id: proven for test_id, proven in self._judged.items() if proven is not None}
        self._lists = {test_id: listed for test_id, listed in self._lists.items() if test_id not in due}

    # The feed

    def log(self, ask: Ask) -> FeedLog:
        """Return the changes after the ask's cursor. Raises FeedError, or that the feed can not be reached."""
        with self._turns.alone("feed"):
            if ask in self._logs:
                self._logs.move_to_end(ask)
                return self._logs[ask]
            if ask in self._failed:
                raise self._failed[ask]
            count = self._count(ask)
            if isinstance(count, ApiError):
                raise count
            if not self._due(ask):
                # Nothing new. On a first read that means: the feed knows the test, and there is no event yet.
                return FeedLog([], certain=True, newest=ask.cursor)
            self._read_changes(ask)
            return self.log(ask)

    def _changes(self, test_id: str, ledger: Ledger) -> Log:
        """Return what the feed has for a ledger. Where it refuses the place to read from, its log is replayed whole."""
        test_uuid, since = TEST_PREFIX + test_id, needs(ledger).since
        replayed = False
        try:
            log = self.log(Ask(test_uuid, since))
        except UnknownCursorError as error:
            log, replayed = self.log(Ask(test_uuid, None)), True  # if that fails too, it was not the cursor
            if test_uuid not in self._replayed:
                self._replayed.add(test_uuid)
                logger.warning(
                    "test feed %s: its bookmark is refused (%s); its log is replayed once, unchanged sessions are not "
                    "fetched again",
                    test_uuid,
                    error,
                )
        changes = [as_change(event) for event in log.events]
        if since is not None and not replayed and log.certain:  # a server may count it in
            place = next((n for n, change in enumerate(changes) if change.cursor == since), None)
            changes = changes if place is None else changes[place + 1 :]
        return Log(FEED, changes, whole=since is None, replayed=replayed, certain=log.certain, newest=log.newest)

    def newest(self, test_id: str) -> str | None:
        """Return when the newest change of a test happened that the feed has, None where it does not tell.

        That costs no quota: it is asked before any list is.
        """
        ask = Ask(TEST_PREFIX + test_id, None)
        if ask not in self._newest:
            try:
                times = [utc(event.changed_at) for event in (self.log(ask).events if self._is_asked(ask) else ())]
            except ApiError:  # whoever reads the test will say so
                times = []
            self._newest[ask] = max((time for time in times if time is not None), default=None)
        return self._newest[ask]

    def _is_asked(self, ask: Ask) -> bool:
        """Tell whether any stream asks the feed for this."""
        if self._feed is None:
            return False
        self._chunk_of(ask)
        return any(ask in chunk for chunk in self._chunks or ())

    def drives(self, test_id: str, test_uuid: str) -> bool | None:
        """Tell whether the feed describes this test: True, False (proven not to), None (not known yet).

        Compares the ids of the whole log with those of the whole list, once. Raises what the feed or the list
        raises, but for an unknown test, which is None: the feed may learn it with its first response.
        """
        with self._turns.alone(("source", test_id)):
            if test_id not in self._judged:
                self._judged[test_id] = self._judge(test_id, test_uuid)
            return self._judged[test_id]

    def _judge(self, test_id: str, test_uuid: str) -> bool | None:
        try:
            events = self.log(Ask(test_uuid, None)).events
        except UnknownTestError:
            return None
        if not events:
            return True
        listed = self.sessions(test_id, whole).by_id
        alive: dict[str, str] = {}
        for event in events:
            change = as_change(event)
            if change.session_id in listed:
                return True
            if change.change_type in REMOVALS:
                alive.pop(event.response_uuid or "", None)
            else:
                alive.setdefault(event.response_uuid or "", change.changed_at or self._now)
        limit = earlier(self._now, hours=self._lookback_hours)
        return False if sum(first < limit for first in alive.values()) >= ENOUGH_TO_JUDGE else None

    def counts(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        """Ask for these counts in one request, and remember them. Raises what the feed raises."""
        found = self._client.counts(asks)
        self._counts.update(found)
        return found

    def _count(self, ask: Ask) -> Count | ApiError:
        if ask not in self._counts:
            chunk = self._chunk_of(ask)
            self._counts.update(self._count_received(chunk) if self._plans else self._client.counts(chunk))
            self._say_how_many_are_known()
        return self._counts[ask]

    def _count_received(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        """Ask for the changes at once, and count them here."""
        found: dict[Ask, Count | ApiError] = {}
        for ask, got in self._client.changes(asks).items():
            if isinstance(got, ApiError):
                found[ask] = got
                continue
            self._received[ask] = got
            newest = max(got.events, key=lambda event: utc(event.changed_at) or "", default=None)
            found[ask] = Count(got.arrived, newest.cursor if newest is not None else None)
        return found

    def _say_how_many_are_known(self) -> None:
        """Say once a run, when all tests are counted, how many of them the feed knows, unless it knows all."""
        asks = [ask for chunk in self._chunks or [] for ask in chunk]
        if self._said_known or any(ask not in self._counts for ask in asks):
            return
        self._said_known = True
        tests = {ask.test_uuid for ask in asks}
        unknown = {ask.test_uuid for ask in asks if isinstance(self._counts[ask], UnknownTestError)}
        known = f"the change feed knows {len(tests) - len(unknown)} of {len(tests)} tests"
        if unknown and unknown == tests:
            logger.warning("%s: %s", known, CHECK_FEED)
        elif unknown:
            logger.info("%s; the others, such as %s, are read by their session lists for now", known, min(unknown))

    def _chunk_of(self, ask: Ask) -> list[Ask]:
        """Return everything that is asked together with this: the cursors of 100 tests."""
        if self._chunks is None:
            tests = list(self._wanted())
            self._chunks = [
                list(dict.fromkeys(ask for asks in tests[n : n + TESTS_A_REQUEST] for ask in asks))
                for n in range(0, len(tests), TESTS_A_REQUEST)
            ]
        chunk = next((chunk for chunk in self._chunks if ask in chunk), [ask, *self._to_replay(ask)])
        return [other for other in chunk if other not in self._counts]

    def _to_replay(self, ask: Ask) -> list[Ask]:
        """Return what will be asked for beside this replay: the whole logs of other tests whose bookmark is refused."""
        refused = (other for other, count in self._counts.items() if isinstance(count, UnknownCursorError))
        whole = dict.fromkeys(Ask(other.test_uuid, None) for other in refused)
        return [other for other in whole if other != ask][: TESTS_A_REQUEST - 1] if ask.cursor is None else []

    def _read_changes(self, ask: Ask) -> None:
        """Ask for these changes and for those of the next tests, as long as their counts stay small."""
        chunk = next((chunk for chunk in self._chunks or [] if ask in chunk), [ask])
        group, results = [ask], self._results_of(ask)
        for other in chunk[chunk.index(ask) + 1 :]:
            if other in self._logs or other in self._failed or not self._due(other):
                continue
            results += self._results_of(other)
            if results > RESULTS_A_REQUEST:
                break
            group.append(other)
        found: dict[Ask, Received | ApiError] = {other: self._received.pop(other) for other in group if self._plans}
        found = found or self._client.changes(group)
        for other in group:
            got, count = found.pop(other), self._counts[other]
            try:
                if isinstance(got, ApiError):
                    raise got
                if isinstance(count, ApiError):
                    raise count
                self._logs[other] = whole_log(self._client, other, count, got)
            except ApiError as error:
                self._failed[other] = error
        while len(self._logs) > len(group) and sum(len(log.events) for log in self._logs.values()) > EVENTS_KEPT:
            self._logs.popitem(last=False)

    def _due(self, ask: Ask) -> bool:
        """Tell whether there is something to ask for: changes, or a newest one that is not the one asked from."""
        count = self._counts.get(ask)
        return isinstance(count, Count) and (count.count > 0 or count.latest_cursor not in {None, ask.cursor})

    def _results_of(self, ask: Ask) -> int:
        count = self._counts.get(ask)
        return count.count if isinstance(count, Count) else 0

    @property
    def _client(self) -> ChangeFeed:
        if self._feed is None:
            message = "no feed_url is set"
            raise FeedError(message)
        return self._feed


def as_change(event: FeedEvent) -> Change:
    """Return a feed event as a change of a session; without the known prefix it is of no session."""
    return Change(
        event.cursor or "", session_of(event.response_uuid), clean(event.change_type or ""), utc(event.changed_at)
    )


def session_of(response_uuid: str | None) -> str | None:
    """Return the session id inside a feed's response id, None where the prefix is missing or the rest is no id."""
    if response_uuid is None or not response_uuid.startswith(RESPONSE_PREFIX):
        return None
    session_id = response_uuid[len(RESPONSE_PREFIX) :]
    return session_id if is_id(session_id) else None
