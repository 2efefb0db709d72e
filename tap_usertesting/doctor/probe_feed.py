"""Tries the change feed: whether it is there, whose ids it has, what it counts, in which order it sends."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import ApiError, FeedError, RunEndsError, UnknownTestError
from tap_usertesting.api.feed import COUNT, Ask, ChangeFeed, Count, FeedEvent, Received
from tap_usertesting.api.feed_ids import TEST_PREFIX, session_of
from tap_usertesting.api.graphql import Envelope
from tap_usertesting.doctor.witness import FEED, OK
from tap_usertesting.ledger.change_types import REMOVALS, TRANSCRIPTION_UPDATED, UPDATED, VIDEO_UPDATED
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.doctor.probes import Examination, Listed

KNOWN_TYPES = frozenset({UPDATED, VIDEO_UPDATED, TRANSCRIPTION_UPDATED, *REMOVALS})
MADE_UP_CURSOR = "ut_" + 32 * "0"
MOST_RESULTS = 5_000  # of a test whose changes are asked for
MOST_LOGS = 4  # tests whose changes are asked for


class FeedProbe:
    """Counts come before the Results API is asked, as they tell which tests have sessions; the rest comes after it."""

    def __init__(self, examination: Examination, feed: ChangeFeed) -> None:
        """Ask nothing yet."""
        self._examination = examination
        self._feed = feed
        self._numbers = examination.numbers
        own = examination.settings.feed_test_ids
        uuids = [TEST_PREFIX + test.test_id for test in examination.tests]
        self._asks = [Ask(uuid, None) for uuid in (uuids or list(own or ()))]
        self.counts: dict[Ask, Count] = {}

    def count(self) -> dict[str, int]:
        """Ask for the counts of all tests in one request; returns them by test id."""
        if not self._asks:
            return {}
        together = self._request(self._asks)
        many = self._numbers["feed_answers_many"]
        many["tests_asked"] = len(self._asks)
        many["answered_together"] = len(together or ())
        if not together and len(self._asks) > 1:
            together = self._request(self._asks[:1])
            many["answered_alone"] = len(together or ())
        self.counts = {ask: got for ask, got in (together or {}).items() if isinstance(got, Count)}
        joined = self._numbers["ids_are_joined"]
        joined["tests_asked"] = len(together or ())
        joined["tests_known"] = len(self.counts)
        return {ask.test_uuid.removeprefix(TEST_PREFIX): got.count for ask, got in self.counts.items()}

    def compare(self, lists: Sequence[Listed]) -> None:
        """Ask for the changes of a few tests, and for what follows a cursor."""
        by_ask = {Ask(TEST_PREFIX + listed.test.test_id, None): listed for listed in lists}
        asked = {ask.test_uuid for ask in self._asks} if self._numbers["ids_are_joined"]["tests_asked"] else set()
        self._numbers["ids_are_joined"]["sessions_listed"] = sum(
            len(listed.session_ids) for ask, listed in by_ask.items() if ask.test_uuid in asked
        )
        readable = [ask for ask, got in self.counts.items() if 0 < got.count <= MOST_RESULTS]
        ranked = sorted(readable, key=lambda ask: (ask not in by_ask, -self.counts[ask].count))
        for ask, got in self._changes(ranked[:MOST_LOGS]).items():
            self._note_log(ask, got, by_ask.get(ask))
        if ranked:
            self._after_cursors(ranked[0])
        self._note_answers()

    def _request(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError] | None:
        """Return what one request gives, None where it fails as a whole."""
        try:
            return self._feed.request(COUNT, asks, Envelope[Count])
        except RunEndsError as error:
            if error.setting != "feed_url":
                raise
        except ApiError:
            pass
        return None

    def _changes(self, asks: Sequence[Ask]) -> dict[Ask, Received]:
        found = self._feed.changes(asks) if asks else {}
        return {ask: got for ask, got in found.items() if isinstance(got, Received)}

    def _note_log(self, ask: Ask, received: Received, listed: Listed | None) -> None:
        events, count = received.events, self.counts[ask].count
        whole = self._numbers["feed_sends_all"]
        whole["logs_cut" if received.arrived < count else "logs_whole"] += 1
        responses = {event.response_uuid for event in events}
        whole["counts_of_results"] += count == len(responses)
        whole["counts_of_events"] += count == received.arrived
        whole["longest_log"] = max(whole["longest_log"], received.arrived)
        types = self._numbers["change_types_are_known"]
        for event in events:
            types["events_of_known_types" if event.change_type in KNOWN_TYPES else "events_of_other_types"] += 1
        self._note_order(events)
        if listed is not None:
            joined = self._numbers["ids_are_joined"]
            joined["responses"] += len(responses)
            ids = {session_of(response) for response in responses}
            joined["sessions_in_both"] += len(ids.intersection(listed.session_ids))

    def _note_order(self, events: Sequence[FeedEvent]) -> None:
        times = [time for event in events if (time := utc(event.changed_at)) is not None]
        steps = Counter(
            "rises" if following > this else "falls" for this, following in pairwise(times) if following != this
        )
        order = self._numbers["feed_has_one_order"]
        if len(steps) > 1:
            order["logs_in_no_order"] += 1
        elif steps:
            order["logs_oldest_first" if steps["rises"] else "logs_newest_first"] += 1

    def _after_cursors(self, ask: Ask) -> None:
        """Ask what follows the newest cursor, and what follows one that nobody has sent."""
        whole = self.counts[ask]
        newest = whole.latest_cursor
        if newest is not None:
            got = (self._request([ask._replace(cursor=newest)]) or {}).get(ask._replace(cursor=newest))
            if isinstance(got, Count) and got.latest_cursor == newest:
                exclusive = self._numbers["cursor_is_exclusive"]
                exclusive["something_since_newest" if got.count else "nothing_since_newest"] += 1
        told = self._numbers["unknown_cursor_is_told"]
        made_up = ask._replace(cursor=MADE_UP_CURSOR)
        try:
            answer = self._feed.request(COUNT, [made_up], Envelope[Count]).get(made_up)
        except FeedError as error:
            answer = error
        except ApiError:  # a fault, not a word about the cursor
            return
        if isinstance(answer, Count):
            told["whole_log" if answer.count >= whole.count else "answered_with_less"] += 1
        else:
            told["refused"] += isinstance(answer, FeedError) and not isinstance(answer, UnknownTestError)

    def _note_answers(self) -> None:
        there, budget = self._numbers["feed_is_there"], self._numbers["feed_tells_its_budget"]
        for seen in self._examination.witness.of(FEED):
            body = seen.body if isinstance(seen.body, dict) else {}
            if seen.status != OK or not isinstance(body.get("data"), dict):
                continue
            there["answers"] += 1
            extensions = body.get("extensions")
            limits = extensions.get("ratelimit") if isinstance(extensions, dict) else None
            tells = isinstance(limits, dict) and isinstance(limits.get("remaining"), (int, float))
            budget["answers_that_tell" if tells else "answers_that_do_not"] += 1
        there["failures"] += bool(self._asks) and not there["answers"]
