"""The order of a feed's answer. A cursor is a place in the server's log: its order is never sorted inside. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from tap_usertesting.api.feed import Count, FeedEvent


class Ordered(NamedTuple):
    """Events oldest first. `certain`: each cursor stands after all before it, so a bookmark may move along."""

    events: list[FeedEvent]
    certain: bool


def oldest_first(events: list[FeedEvent], count: Count) -> Ordered:
    """Turn a feed's answer oldest first; reverses `events` in place.

    Its direction is that of the times when they are monotone, else the end nearer to which the count's
    `latestCursor` stands (events may arrive between count and changes). Where the two contradict, or
    neither tells, the events come by time and are not `certain`.
    """
    if len(events) <= 1:
        return Ordered(events, certain=True)
    by_time = _direction_of_times(events)
    by_latest = _direction_of_latest(events, count.latest_cursor)
    if by_time == 0:
        newest_first = by_latest
    elif by_latest * by_time < 0 and _contradicts(events, count):
        newest_first = 0
    else:
        newest_first = by_time
    if newest_first == 0:
        return Ordered(sorted(events, key=lambda event: utc(event.changed_at) or ""), certain=False)
    if newest_first > 0:
        events.reverse()
    return Ordered(events, certain=True)


def _direction_of_times(events: list[FeedEvent]) -> int:
    """Return 1 for newest first, -1 for oldest first, 0 when the times are not monotone or all equal."""
    rises = falls = False
    before: str | None = None
    for event in events:
        moment = utc(event.changed_at)
        if moment is None:
            continue
        if before is not None:
            rises = rises or moment > before
            falls = falls or moment < before
        before = moment
    return int(falls) - int(rises)


def _direction_of_latest(events: list[FeedEvent], latest: str | None) -> int:
    """Return 1 when the latest cursor stands nearer to the first event, -1 to the last, 0 otherwise."""
    place = next((n for n, event in enumerate(events) if event.cursor == latest), None)
    if place is None or 2 * place == len(events) - 1:
        return 0
    return 1 if 2 * place < len(events) - 1 else -1


def _contradicts(events: list[FeedEvent], count: Count) -> bool:
    """Tell a log that runs against its times from one to which much was added after it was counted.

    Only a latest cursor at the very far end is suspicious, and even that is explained when the count
    covers just the results up to it.
    """
    return count.latest_cursor in {events[0].cursor, events[-1].cursor} and count.count > 1
