"""A test's log as the feed sends it, oldest first, and whether that is all of it: a part is never taken for the whole.

`count` promises changes, but of what is not certain: the vendor's text says unique results, its sample fits their
events. Either way a whole answer holds at least as many events, usable or not, as were counted before it was asked
for, and the event that the count's `latestCursor` names.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tap_usertesting.api.errors import ApiError, FeedError
from tap_usertesting.api.feed import Ask, ChangeFeed, Count, FeedEvent, Received
from tap_usertesting.changes.order import oldest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger("tap-usertesting.changes")

T = TypeVar("T", Count, Received)

MOST_PARTS = 1_000  # of one log


class FeedLog(NamedTuple):
    """A part of a test's log as the feed sent it, oldest first.

    `certain`: a bookmark may move along it. `newest`: where the bookmark stands at its end, None where unchanged.
    """

    events: list[FeedEvent]
    certain: bool
    newest: str | None


def whole_log(feed: ChangeFeed, ask: Ask, count: Count, got: Received) -> FeedLog:
    """Return the log that an answer holds; empties the answer.

    Where it has fewer events than were counted, the test is counted and asked once more, alone: a request may be
    capped over all its tests, and events may have left the log meanwhile. Where the newest counted event is missing,
    the answer is the older part, and what follows is asked for. Raises FeedError for what stays a part.
    """
    if got.arrived < count.count:
        count = _must(feed.counts([ask])[ask])
        got = _must(feed.changes([ask])[ask])
    events, certain = oldest_first(got.events, count)
    arrived = got.arrived
    if certain:
        arrived += _read_on(feed, ask, events, count, arrived)
    if arrived < count.count:
        message = (
            f"the change feed sent {arrived} events of at least {count.count}: this part of the log is not used; "
            "change_source: listing does without the feed"
        )
        raise FeedError(message)
    if not certain:
        logger.warning(
            "test feed %s: the order of the feed's answer can not be told; its changes are taken by time, "
            "and an interrupted sync of this test repeats them",
            ask.test_uuid,
        )
    elif _fits_neither(events, count):
        logger.warning(
            "test feed %s: the change feed counts %d changes, which is the number neither of its events nor of their "
            "results: some may be missing",
            ask.test_uuid,
            count.count,
        )
    return FeedLog(events, certain, _end(events, count, ask.cursor, certain=certain))


def _read_on(feed: ChangeFeed, ask: Ask, events: list[FeedEvent], count: Count, arrived: int) -> int:
    """Append what follows the older part of a log; returns how many events that are."""
    before = len(events)
    known: set[str | None] = set()
    for _ in range(MOST_PARTS):
        if not events or not _lacks_newest(events, count, arrived + len(events) - before):
            break
        known = known or {event.cursor for event in events}
        onwards = Ask(ask.test_uuid, events[-1].cursor)
        got = feed.changes([onwards])[onwards]
        if isinstance(got, ApiError):
            break  # what is there is the beginning of the log all the same
        more, certain = oldest_first(got.events, count)
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
    """Tell a count between that of the results and that of the events up to the newest one counted."""
    place = next((n for n in range(len(events), 0, -1) if events[n - 1].cursor == count.latest_cursor), 0)
    return count.count < place and len({event.response_uuid for event in events[:place]}) < count.count


def _end(events: Sequence[FeedEvent], count: Count, since: str | None, *, certain: bool) -> str | None:
    """Return where a bookmark stands after these events; in an uncertain order only the counted end is safe."""
    if certain:
        return events[-1].cursor if events else since
    return count.latest_cursor if any(event.cursor == count.latest_cursor for event in events) else since


def _must(got: T | ApiError) -> T:
    if isinstance(got, ApiError):
        raise got
    return got
