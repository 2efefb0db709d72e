"""Makes one test's log of what the feed answers, and makes sure that it is the whole log.

A part must never pass for the whole: a bookmark would move past changes that did not come. The vendor does not say what
`count` counts: its text says results, its sample fits their events. Either way a whole answer has at least as many
events as were counted before, unusable ones included, and contains the event that the count's `latestCursor` names.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tap_usertesting.api.errors import ApiError, FeedError
from tap_usertesting.api.feed import Ask, ChangeFeed, Count, FeedEvent, Received
from tap_usertesting.changes.event_order import oldest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger("tap-usertesting.changes")

AnswerT = TypeVar("AnswerT", Count, Received)

MOST_PARTS = 1_000  # of one log


class FeedLog(NamedTuple):
    """A test's events after a cursor, oldest first.

    `certain`: a bookmark may move along the events. `newest`: the cursor of a bookmark once all of them are handled,
    None where there is none yet.
    """

    events: list[FeedEvent]
    certain: bool
    newest: str | None


def whole_log(feed: ChangeFeed, ask: Ask, count: Count, answer: Received) -> FeedLog:
    """Return the log of which `answer` has the beginning or all; the log takes the answer's list of events.

    An answer with fewer events than were counted is asked for again, for this test alone, after a new count: the
    server may cap one request over all its tests, and events may have left the log. An answer without the newest
    counted event is the older part: the rest is asked for. Raises FeedError where the log stays a part.
    """
    if answer.arrived < count.count:
        count = _or_raise(feed.counts([ask])[ask])
        answer = _or_raise(feed.changes([ask])[ask])
    events, certain = oldest_first(answer.events, count)
    arrived = answer.arrived
    if certain:
        arrived += _append_rest(feed, ask, events, count, arrived)
    if arrived < count.count:
        message = (
            f"the change feed sent only {arrived} of at least {count.count} events, and the tap does not use a partial "
            "log; try again later, or set change_source to listing"
        )
        raise FeedError(message)
    if not certain:
        logger.warning(
            "feed test %s: the events are in no clear order, so the tap orders the changes by time; if a sync of this "
            "test is interrupted, the next one repeats them",
            ask.test_uuid,
        )
    elif _fits_neither(events, count):
        logger.warning(
            "feed test %s: the change feed counts %d changes, which matches neither its events nor their results; some "
            "changes may be missing",
            ask.test_uuid,
            count.count,
        )
    return FeedLog(events, certain, _bookmark_after(events, count, ask.cursor, certain=certain))


def _append_rest(feed: ChangeFeed, ask: Ask, events: list[FeedEvent], count: Count, arrived: int) -> int:
    """Append to `events` what follows them in the log; return how many events that are."""
    before = len(events)
    known: set[str | None] = set()
    for _ in range(MOST_PARTS):
        if not events or not _lacks_newest(events, count, arrived + len(events) - before):
            break
        known = known or {event.cursor for event in events}
        rest = Ask(ask.test_uuid, events[-1].cursor)
        answer = feed.changes([rest])[rest]
        if isinstance(answer, ApiError):
            break  # the events so far are the beginning of the log all the same
        more, certain = oldest_first(answer.events, count)
        new = [event for event in more if event.cursor not in known]
        if not new or not certain:
            break
        known.update(event.cursor for event in new)
        events += new
    return len(events) - before


def _lacks_newest(events: Sequence[FeedEvent], count: Count, arrived: int) -> bool:
    if count.latest_cursor is None:
        return arrived < count.count
    return all(event.cursor != count.latest_cursor for event in reversed(events))


def _fits_neither(events: Sequence[FeedEvent], count: Count) -> bool:
    """Tell whether the count, up to the newest event counted, is more than the results and less than the events."""
    counted = next((n for n in range(len(events), 0, -1) if events[n - 1].cursor == count.latest_cursor), 0)
    return count.count < counted and len({event.response_uuid for event in events[:counted]}) < count.count


def _bookmark_after(events: Sequence[FeedEvent], count: Count, since: str | None, *, certain: bool) -> str | None:
    """Return the cursor of a bookmark after these events; in an uncertain order only the newest counted is safe."""
    if certain:
        return events[-1].cursor if events else since
    return count.latest_cursor if any(event.cursor == count.latest_cursor for event in events) else since


def _or_raise(answer: AnswerT | ApiError) -> AnswerT:
    if isinstance(answer, ApiError):
        raise answer
    return answer
