"""The session list as a change log: read no deeper than needed, and never short."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_usertesting.api.errors import ServerFaultError
from tap_usertesting.api.results import LAST_OFFSET, PAGE, ResultsClient, SessionPage
from tap_usertesting.changes.listing import Known, Listed, SessionList, everything, holds, window_start
from tap_usertesting.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = "2026-01-10T00:00:00.000000Z"
FAR = "9999-01-01T00:00:00.000000Z"


def item(n: int) -> dict[str, Any]:
    """Return session number n as the vendor lists it; one a minute."""
    return {"sessionId": f"s{n:05}", "finishTime": f"2026-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:00Z"}


def cursor(n: int) -> str:
    """Return the listing cursor of session number n."""
    return Listed(item(n), now=FAR).cursor


class Pages:
    """A list of so many sessions, newest first; `before` may change it before a page is answered."""

    def __init__(self, count: int, **before: Callable[[Pages], None]) -> None:
        """Hold sessions 0 to count - 1; `before` is keyed by the number of the call: `call2=...`."""
        self.items = [item(n) for n in reversed(range(count))]
        self.total: int | None = None
        self.offsets: list[int] = []
        self._before = before

    def session_page(self, test_id: str, *, offset: int, limit: int = PAGE) -> SessionPage:
        """Answer one page."""
        assert test_id == "test"
        self.offsets.append(offset)
        if happening := self._before.get(f"call{len(self.offsets)}"):
            happening(self)
        total = len(self.items) if self.total is None else self.total
        return SessionPage(self.items[offset : offset + limit], total)

    def list(self, now: str = FAR) -> SessionList:
        """Return an unread list of these sessions."""
        return SessionList(client=cast("ResultsClient", self), test_id="test", now=now)


def add(*numbers: int) -> Callable[[Pages], None]:
    """Return a happening: new sessions at the top."""

    def happen(pages: Pages) -> None:
        pages.items[:0] = [item(n) for n in sorted(numbers, reverse=True)]

    return happen


def drop(*numbers: int) -> Callable[[Pages], None]:
    """Return a happening: sessions leave."""

    def happen(pages: Pages) -> None:
        gone = {f"s{n:05}" for n in numbers}
        pages.items = [one for one in pages.items if one["sessionId"] not in gone]

    return happen


@pytest.mark.parametrize(
    ("session", "placed"),
    [
        pytest.param({"finishTime": "2026-01-02T03:04:05Z"}, "2026-01-02T03:04:05.000000Z/a", id="finished"),
        pytest.param({"finishTime": "2026-01-02T05:04:05+02:00"}, "2026-01-02T03:04:05.000000Z/a", id="another zone"),
        pytest.param(
            {"finishTime": None, "startTime": "2026-01-02T03:04:05Z"}, "2026-01-02T03:04:05.000000Z/a", id="only begun"
        ),
        pytest.param(
            {"finishTime": "?", "startTime": "2026-01-02T03:04:05Z"}, "2026-01-02T03:04:05.000000Z/a", id="odd time"
        ),
        pytest.param({"finishTime": "2099-01-01T00:00:00Z"}, f"{NOW}/a", id="case 21: in the future"),
        pytest.param({}, f"{NOW}/a", id="no time"),
    ],
)
def test_a_session_has_its_place_in_the_log(session: dict[str, Any], placed: str) -> None:
    """Finish time, else start time, else now; never later than now, so that nothing sorts behind it for ever."""
    listed = Listed({"sessionId": "a", **session}, now=NOW)
    assert listed.cursor == placed
    assert listed.change == (placed, "a", "UPDATED", placed.partition("/")[0])


@pytest.mark.parametrize(
    ("count", "offsets"),
    [
        pytest.param(0, [0], id="none"),
        pytest.param(1, [0], id="one"),
        pytest.param(499, [0], id="short page"),
        pytest.param(500, [0], id="exactly a page"),
        pytest.param(501, [0, 500], id="one more"),
        pytest.param(1500, [0, 500, 1000], id="exactly three"),
    ],
)
def test_a_whole_list_costs_no_page_too_many(count: int, offsets: list[int]) -> None:
    """Every session once, oldest first, in as few pages as there are."""
    pages = Pages(count)
    sessions = pages.list().read(everything)
    assert [listed.session_id for listed in sessions.ordered()] == [f"s{n:05}" for n in range(count)]
    assert pages.offsets == offsets
    assert sessions.complete
    sessions.read(everything)
    assert pages.offsets == offsets


def test_a_list_is_read_only_as_deep_as_needed_and_deeper_later() -> None:
    """A stream that needs more goes on where the last one stopped."""
    pages = Pages(1200)
    sessions = pages.list()
    sessions.read(holds(["s01199"]))
    assert pages.offsets == [0]
    sessions.read(holds(["s00600", "s01199"]))
    assert pages.offsets == [0, 500]
    assert not sessions.complete
    sessions.read(holds(["unknown"]))
    assert pages.offsets == [0, 500, 1000]
    assert sessions.complete


def test_equal_times_are_ordered_by_id() -> None:
    """The order is total, so that a bookmark has one meaning."""
    pages = Pages(0)
    pages.items = [{"sessionId": name, "finishTime": "2026-01-02T03:04:05Z"} for name in "bca"]
    assert [listed.session_id for listed in pages.list().read(everything).ordered()] == ["a", "b", "c"]


def test_new_sessions_that_shift_the_pages_are_no_doubles() -> None:
    """Sessions that finish while the list is paged push others to the next page: each is there once."""
    pages = Pages(1200, call2=add(1200, 1201), call3=add(1202))
    sessions = pages.list().read(everything)
    assert {f"s{n:05}" for n in range(1200)} <= sessions.by_id.keys()
    assert len(sessions.ordered()) == len(sessions.by_id)


@pytest.mark.parametrize("at", ["call2", "call3"])
def test_a_session_that_leaves_while_the_list_is_paged_hides_nobody(at: str) -> None:
    """Case 15: the list has shrunk, so someone moved up past the pages; it is read again, once, and both united."""
    pages = Pages(1200, **{at: drop(1199)})
    sessions = pages.list().read(everything)
    assert sessions.by_id.keys() == {f"s{n:05}" for n in range(1200)}
    assert pages.offsets.count(0) == 2
    assert sessions.complete


def test_one_leaves_and_one_comes_while_the_list_is_paged() -> None:
    """The count is the same as before, yet rows were missed: fewer than the count tells it."""
    pages = Pages(1200, call2=lambda pages: (drop(1199, 1198)(pages), add(1300, 1301)(pages))[0])
    sessions = pages.list().read(everything)
    assert {f"s{n:05}" for n in range(1198)} <= sessions.by_id.keys()


def test_a_list_that_stays_short_is_read_twice_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """The count promises more than the list gives: read twice, one warning, and no endless loop."""
    pages = Pages(600)
    pages.total = 603
    sessions = pages.list().read(everything)
    assert len(sessions.by_id) == 600
    assert pages.offsets == [0, 500, 0, 500]
    assert [record.getMessage() for record in caplog.records] == [
        "test test: the list names 603 sessions and gave 600, read twice; the rest is looked for in the next sync"
    ]


@pytest.mark.parametrize(("count", "beyond"), [pytest.param(10_500, 0, id="all"), pytest.param(10_777, 277, id="more")])
def test_what_lies_beyond_the_last_offset_is_named(count: int, beyond: int, caplog: pytest.LogCaptureFixture) -> None:
    """The vendor's list ends at offset 10,000: no call beyond it, and a warning with the number."""
    caplog.set_level(logging.WARNING)
    pages = Pages(count)
    sessions = pages.list().read(everything)
    assert pages.offsets == list(range(0, LAST_OFFSET + 1, PAGE))
    assert len(sessions.by_id) == 10_500
    found = [record.getMessage() for record in caplog.records]
    line = (
        f"test test: {beyond} sessions lie beyond offset 10000, where the Results API's list ends, and can not be read"
    )
    assert found == ([line] if beyond else [])


def test_a_page_that_fails_can_be_read_again() -> None:
    """An error comes through, what was read stays, and the next need goes on at the same page."""

    def fail(_pages: Pages) -> None:
        message = "down"
        raise ServerFaultError(message)

    pages = Pages(600, call2=fail)
    sessions = pages.list()
    with pytest.raises(ServerFaultError):
        sessions.read(everything)
    sessions.read(everything)
    assert pages.offsets == [0, 500, 500]
    assert len(sessions.by_id) == 600


# What a stream has handled


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
