"""The direction of a feed's answer: found, never sorted inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.api.feed import Count, FeedEvent
from tap_usertesting.changes.event_order import oldest_first


def events(*times: int | None) -> list[FeedEvent]:
    """Return events with cursors c0, c1 ... in the order sent; a time is a minute, None has none."""
    return [
        FeedEvent(
            cursor=f"c{n}", changed_at=None if at is None else f"2026-01-01T{at // 60:02}:{at % 60:02}:00.000000+00:00"
        )
        for n, at in enumerate(times)
    ]


def ordered(times: list[int | None], latest: str | None, count: int = 99) -> tuple[list[int], bool]:
    """Return the places of the cursors, oldest first, and whether the order is certain."""
    found, certain = oldest_first(events(*times), Count(count, latest))
    return [int((event.cursor or "c-1")[1:]) for event in found], certain


@pytest.mark.parametrize(
    ("times", "latest", "order", "certain"),
    [
        pytest.param([], None, [], True, id="nothing"),
        pytest.param([1], None, [0], True, id="one"),
        pytest.param([1, 2, 3], "c2", [0, 1, 2], True, id="oldest first"),
        pytest.param([3, 2, 1], "c0", [2, 1, 0], True, id="newest first"),
        pytest.param([1, 2, 3], None, [0, 1, 2], True, id="oldest first, no latest"),
        pytest.param([3, 2, 1], "elsewhere", [2, 1, 0], True, id="newest first, latest unknown"),
        pytest.param([3, 3, 1, 1], "c0", [3, 2, 1, 0], True, id="equal times keep their places"),
        pytest.param([3, None, 1], None, [2, 1, 0], True, id="an event without a time"),
        pytest.param([2, 2, 2], "c0", [2, 1, 0], True, id="times all equal: the latest cursor tells newest first"),
        pytest.param([2, 2, 2], "c2", [0, 1, 2], True, id="times all equal: the latest cursor tells oldest first"),
        pytest.param([None, None], "c0", [1, 0], True, id="no times: the latest cursor tells"),
        pytest.param([1, 3, 2, 4], "c3", [0, 1, 2, 3], True, id="one out of order, oldest first: never sorted inside"),
        pytest.param([4, 2, 3, 1], "c0", [3, 2, 1, 0], True, id="one out of order, newest first: never sorted inside"),
        pytest.param([9, 8, 5, 4, 3, 2], "c2", [5, 4, 3, 2, 1, 0], True, id="events since the count, newest first"),
        pytest.param([2, 3, 4, 5, 8, 9], "c3", [0, 1, 2, 3, 4, 5], True, id="events since the count, oldest first"),
        pytest.param(
            [9, 8, 7, 6, 5, 4, 3], "c5", [6, 5, 4, 3, 2, 1, 0], True, id="more than half came after the count"
        ),
        pytest.param([1, 2, 3, 4], "c0", [0, 1, 2, 3], False, id="times against the latest cursor: by time"),
        pytest.param([4, 3, 2, 1], "c3", [3, 2, 1, 0], False, id="the other way round: by time"),
        pytest.param([2, 9, 1, 5], None, [2, 0, 3, 1], False, id="neither tells: by time"),
        pytest.param([2, 2, 2], "c1", [0, 1, 2], False, id="the latest in the very middle tells nothing"),
        pytest.param([3, None, 9, 1], None, [1, 3, 0, 2], False, id="no time sorts first"),
    ],
)
def test_an_answer_is_turned_oldest_first(
    times: list[int | None], latest: str | None, order: list[int], *, certain: bool
) -> None:
    """Monotone times tell the direction, else the latest cursor; where neither does, the order is not certain."""
    assert ordered(times, latest) == (order, certain)


def test_a_count_that_covers_one_result_explains_a_latest_at_the_far_end() -> None:
    """One result was counted, all else came since."""
    assert ordered([9, 8, 7, 1], "c3", count=1) == ([3, 2, 1, 0], True)


@given(minutes=st.lists(st.integers(0, 1000), min_size=2, max_size=40), data=st.data(), newest_first=st.booleans())
def test_a_log_in_order_is_certain_wherever_the_count_stood(
    minutes: list[int], data: st.DataObject, *, newest_first: bool
) -> None:
    """A log with rising times is recognised both ways round, with as many events since the count as there may be."""
    log = events(*sorted(minutes))
    counted = data.draw(st.integers(1, len(log) - 1))
    names = [event.cursor for event in log]
    if newest_first:
        log.reverse()
    distinct = len(set(minutes)) > 1
    found, certain = oldest_first(log, Count(len(names), names[counted]))
    if distinct or 2 * counted > len(names) - 1:
        assert certain
        assert [event.cursor for event in found] == names


@given(st.lists(st.one_of(st.none(), st.integers(0, 1000)), max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_nothing_is_lost_or_doubled(times: list[int | None], latest: int, count: int) -> None:
    """Whatever the order, each event comes out once; a certain order is that of the server or its reverse."""
    order, certain = ordered(times, f"c{latest}", count)
    places = list(range(len(times)))
    assert sorted(order) == places
    if certain:
        assert order in (places, places[::-1])


def test_one_time_in_ten_thousand_out_of_order_changes_nothing() -> None:
    """The latest cursor tells the direction, and no event is moved."""
    minutes = [n // 10 for n in range(10_000)]
    minutes[5000] = 0
    found, certain = oldest_first(events(*minutes)[::-1], Count(10_000, "c9999"))
    assert certain
    assert [event.cursor for event in found] == [f"c{n}" for n in range(10_000)]
