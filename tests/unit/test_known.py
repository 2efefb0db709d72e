"""Which sessions of a list were handled before, and how deep the list is read for that."""

from __future__ import annotations

from typing import Any

import pytest

from tap_usertesting.changes.listing import Known, Listed, window_start
from tap_usertesting.partition import Partition

from .pages import FAR, Pages, add, cursor, item


def known(lookback_hours: int = 24, **state: Any) -> Known:  # noqa: ANN401 - JSON is anything
    """Return what a partition with this state knows."""
    return Known(Partition(state, replication_key="change_cursor"), lookback_hours=lookback_hours)


def listed(n: int) -> Listed:
    """Return session number n."""
    return Listed(item(n), now=FAR)


@pytest.mark.parametrize(
    ("state", "n", "handled"),
    [
        pytest.param({}, 0, False, id="nothing was handled before the first sync"),
        pytest.param({"replication_key_value": cursor(5000)}, 5001, False, id="after the bookmark"),
        pytest.param({"replication_key_value": cursor(5000)}, 5000, False, id="the bookmark itself, not in recent"),
        pytest.param({"replication_key_value": cursor(5000), "recent": ["s05000"]}, 5000, True, id="in recent"),
        pytest.param({"replication_key_value": cursor(5000)}, 5000 - 24 * 60 + 1, False, id="late, inside the window"),
        pytest.param({"replication_key_value": cursor(5000)}, 5000 - 24 * 60 - 1, True, id="below the window"),
        pytest.param(
            {"replication_key_value": cursor(5000), "recent_from": cursor(4500)}, 4400, True, id="inside the span"
        ),
        pytest.param(
            {"replication_key_value": cursor(5000), "recent_from": cursor(4500)}, 4501, False, id="above the span"
        ),
        pytest.param({"recent": ["s00007"]}, 7, True, id="handled before there is a bookmark"),
    ],
)
def test_a_session_is_known_by_bookmark_window_and_recent(state: dict[str, Any], n: int, *, handled: bool) -> None:
    """Late sessions are looked for inside the lookback window, and nothing is emitted twice."""
    assert known(**state)(listed(n)) is handled


@pytest.mark.parametrize(
    ("bookmark", "hours", "since"),
    [
        pytest.param("2026-01-02T03:00:00.000000Z/a", 24, "2026-01-01T03:00:00.000000Z", id="a day"),
        pytest.param("2026-01-02T03:00:00.000000Z/a/b", 0, "2026-01-02T03:00:00.000000Z", id="no lookback"),
        pytest.param("2026-01-02T03:00:00.000000Z/a", 10**10, "0001-01-01T00:00:00.000000Z", id="for ever"),
    ],
)
def test_the_window_begins_below_the_bookmark(bookmark: str, hours: int, since: str) -> None:
    """`lookback_hours` before the time of the bookmark."""
    assert window_start(bookmark, hours) == since


@pytest.mark.parametrize(
    ("happens", "offsets", "new"),
    [
        pytest.param([], [0], [], id="idle"),
        pytest.param([10_000], [0], [10_000], id="case 25: one new session, one page"),
        pytest.param(list(range(10_000, 10_600)), [0, 500], list(range(10_000, 10_600)), id="more than a page"),
    ],
)
def test_later_pages_are_read_only_until_the_count_explains_itself(
    happens: list[int], offsets: list[int], new: list[int]
) -> None:
    """The unknown sessions found are as many as the test has gained: no further page."""
    pages = Pages(10_000)
    add(*happens)(pages)
    handled = known(
        replication_key_value=cursor(9_999),
        total_count=10_000,
        lookback_hours=1,
        recent=[f"s{n:05}" for n in range(9_900, 10_000)],
    )
    sessions = pages.list().read(handled.explained)
    assert pages.offsets == offsets
    assert [one.session_id for one in handled.unknown(sessions)] == [f"s{n:05}" for n in new]


def test_a_late_session_on_a_later_page_is_found() -> None:
    """Case 14: one more than explained stands deep in the list; every page is read until it is there."""
    pages = Pages(2000)
    late = {"sessionId": "late", "finishTime": item(1990)["finishTime"]}
    pages.items.insert(1700, late)
    handled = known(
        replication_key_value=cursor(1999),
        total_count=2000,
        recent=[f"s{n:05}" for n in range(1500, 2000)],
        recent_from=cursor(1499),
    )
    sessions = pages.list().read(handled.explained)
    assert [one.session_id for one in handled.unknown(sessions)] == ["late"]
    assert pages.offsets == [0, 500, 1000, 1500]


def test_a_late_session_inside_the_span_is_found_when_the_count_does_not_explain_itself() -> None:
    """Below `recent_from` no ids are kept: its span is read again only then; more rows, never a loss."""
    pages = Pages(2000)
    pages.items.insert(1000, {"sessionId": "late", "finishTime": item(999)["finishTime"]})
    handled = known(
        replication_key_value=cursor(1999),
        total_count=2000,
        recent=[f"s{n:05}" for n in range(1500, 2000)],
        recent_from=cursor(1499),
    )
    sessions = pages.list().read(handled.explained)
    assert "late" in [one.session_id for one in handled.unknown(sessions)]
    assert sessions.complete


def test_an_interrupted_sync_counts_what_it_has_handled() -> None:
    """`total_count` moves only at the end; until then what was handled since is added to it."""
    pages = Pages(700)
    handled = known(
        replication_key_value=cursor(599),
        total_count=500,
        handled_count=100,
        recent=[f"s{n:05}" for n in range(500, 600)],
        lookback_hours=0,
    )
    sessions = pages.list().read(handled.explained)
    assert pages.offsets == [0]
    assert [one.session_id for one in handled.unknown(sessions)] == [f"s{n:05}" for n in range(600, 700)]
