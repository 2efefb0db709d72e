"""Puts the events of one feed answer in order, oldest first. Pure.

The vendor documents no order. A cursor is a place in the server's log, so an answer is kept or reversed as a whole, and
no event is moved inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from tap_usertesting.api.feed import Count, FeedEvent


class Ordered(NamedTuple):
    """Events, oldest first. `certain`: a bookmark may move along them, as each cursor follows all before it."""

    events: list[FeedEvent]
    certain: bool


def oldest_first(events: list[FeedEvent], count: Count) -> Ordered:
    """Return the events of one answer, oldest first; may reverse `events` in place.

    Monotone times tell the direction. Else the count's `latestCursor` tells it by the end that it is nearer to, as
    events may arrive between the count and the changes. Where the two contradict each other, or neither tells, the
    events are sorted by time and are not `certain`.
    """
    if len(events) <= 1:
        return Ordered(events, certain=True)
    by_time = _direction_of_times(events)
    by_latest = _direction_of_latest(events, count.latest_cursor)
    if by_time == 0:
        direction = by_latest
    elif by_latest * by_time < 0 and _contradicts(events, count):
        direction = 0
    else:
        direction = by_time
    if direction == 0:
        return Ordered(sorted(events, key=lambda event: utc(event.changed_at) or ""), certain=False)
    if direction > 0:
        events.reverse()
    return Ordered(events, certain=True)


def _direction_of_times(events: list[FeedEvent]) -> int:
    """Return 1 for newest first, -1 for oldest first, 0 where the times are all equal or not monotone."""
    rises = falls = False
    previous: str | None = None
    for event in events:
        moment = utc(event.changed_at)
        if moment is None:
            continue
        if previous is not None:
            rises = rises or moment > previous
            falls = falls or moment < previous
        previous = moment
    return int(falls) - int(rises)


def _direction_of_latest(events: list[FeedEvent], latest: str | None) -> int:
    """Return 1 where the latest cursor is nearer to the first event, -1 where it is nearer to the last, else 0."""
    place = next((n for n, event in enumerate(events) if event.cursor == latest), None)
    if place is None or 2 * place == len(events) - 1:
        return 0
    return 1 if 2 * place < len(events) - 1 else -1


def _contradicts(events: list[FeedEvent], count: Count) -> bool:
    """Tell whether the latest cursor refutes the times; else it is far back because much came after the count.

    It can refute them only from the very first or last place, and not where the count covers one result: all
    others then came after it.
    """
    return count.latest_cursor in {events[0].cursor, events[-1].cursor} and count.count > 1
