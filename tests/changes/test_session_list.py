"""The session list as a change log: read no deeper than needed, and never short."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_usertesting.api.errors import ServerFaultError
from tap_usertesting.api.results import LAST_OFFSET, PAGE, ResultsClient, SessionPage
from tap_usertesting.changes.session_list import MOST_READINGS, SessionList, as_listed, contains, whole
from tests.support.pages import NOW, Pages, add, drop

if TYPE_CHECKING:
    from tap_usertesting.ledger.change_log import Listed


@pytest.mark.parametrize(
    ("session", "cursor"),
    [
        pytest.param({"finishTime": "2026-01-02T03:04:05Z"}, "2026-01-02T03:04:05.000000Z/a", id="finished"),
        pytest.param({"finishTime": "2026-01-02T05:04:05+02:00"}, "2026-01-02T03:04:05.000000Z/a", id="another zone"),
        pytest.param(
            {"finishTime": None, "startTime": "2026-01-02T03:04:05Z"}, "2026-01-02T03:04:05.000000Z/a", id="only begun"
        ),
        pytest.param(
            {"finishTime": "?", "startTime": "2026-01-02T03:04:05Z"}, "2026-01-02T03:04:05.000000Z/a", id="odd time"
        ),
        pytest.param({"finishTime": "2099-01-01T00:00:00Z"}, f"{NOW}/a", id="in the future"),
        pytest.param({}, f"{NOW}/a", id="no time"),
    ],
)
def test_a_session_has_its_place_in_the_log(session: dict[str, Any], cursor: str) -> None:
    """Finish time, else start time, else now; never later than now, so that nothing sorts behind it for ever."""
    one = as_listed({"sessionId": "a", **session}, now=NOW)
    assert one.cursor == cursor
    assert (one.session_id, one.time) == ("a", cursor.partition("/")[0])


def ordered(sessions: SessionList) -> list[Listed]:
    """Return the sessions read so far, oldest first."""
    return sorted(sessions.by_id.values(), key=lambda listed: listed.cursor)


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
    sessions = pages.list().read(whole)
    assert [listed.session_id for listed in ordered(sessions)] == [f"s{n:05}" for n in range(count)]
    assert pages.offsets == offsets
    assert sessions.complete
    sessions.read(whole)
    assert pages.offsets == offsets


def test_a_list_is_read_only_as_deep_as_needed_and_deeper_later() -> None:
    """A stream that needs more goes on where the last one stopped."""
    pages = Pages(1200)
    sessions = pages.list()
    sessions.read(contains(["s01199"]))
    assert pages.offsets == [0]
    sessions.read(contains(["s00600", "s01199"]))
    assert pages.offsets == [0, 500]
    assert not sessions.complete
    sessions.read(contains(["unknown"]))
    assert pages.offsets == [0, 500, 1000]
    assert sessions.complete


def test_equal_times_are_ordered_by_id() -> None:
    """The order is total, so that a bookmark has one meaning."""
    pages = Pages(0)
    pages.items = [{"sessionId": name, "finishTime": "2026-01-02T03:04:05Z"} for name in "bca"]
    assert [listed.session_id for listed in ordered(pages.list().read(whole))] == ["a", "b", "c"]


def test_new_sessions_that_shift_the_pages_are_no_doubles() -> None:
    """Sessions that finish while the list is paged push others to the next page: each is there once."""
    pages = Pages(1200, call2=add(1200, 1201), call3=add(1202))
    sessions = pages.list().read(whole)
    assert {f"s{n:05}" for n in range(1200)} <= sessions.by_id.keys()


@pytest.mark.parametrize("at", ["call2", "call3"])
def test_a_session_that_leaves_while_the_list_is_paged_hides_nobody(at: str) -> None:
    """The list has shrunk, so someone moved up past the pages; it is read again, once, and both united."""
    pages = Pages(1200, before={at: drop(1199)})
    sessions = pages.list().read(whole)
    assert sessions.by_id.keys() == {f"s{n:05}" for n in range(1200)}
    assert pages.offsets.count(0) == 2
    assert sessions.complete


def test_a_session_that_hides_from_two_readings_is_found_in_a_third() -> None:
    """Each reading loses the same one, as another leaves above it; those that left hide it from the count."""
    pages = Pages(1200, call2=drop(1199), call3=add(1300), call4=drop(1198))
    sessions = pages.list().read(whole)
    assert sessions.by_id.keys() == {f"s{n:05}" for n in (*range(1200), 1300)}
    assert (sessions.missing, sessions.total) == (0, 1199)


@pytest.mark.parametrize("readings", [MOST_READINGS, MOST_READINGS + 3])
def test_a_list_that_shrinks_in_each_reading_ends_and_says_what_may_be_missing(readings: int) -> None:
    """What an earlier reading has seen may have left since: only the last one counts."""
    shrinking = {f"call{2 * n}": drop(1200 - n) for n in range(1, readings + 1)}
    pages = Pages(1200, before=shrinking)
    sessions = pages.list().read(whole)
    assert pages.offsets.count(0) == MOST_READINGS
    assert (sessions.missing, sessions.total) == (1, 1200 - MOST_READINGS - 1)


def test_one_leaves_and_one_comes_while_the_list_is_paged() -> None:
    """The count is the same as before, yet rows were missed: fewer than the count tells it."""
    pages = Pages(1200, call2=lambda pages: (drop(1199, 1198)(pages), add(1300, 1301)(pages))[0])
    sessions = pages.list().read(whole)
    assert {f"s{n:05}" for n in range(1198)} <= sessions.by_id.keys()


def test_a_list_that_stays_short_is_read_twice_and_what_is_missing_is_not_counted() -> None:
    """The count promises more than the list gives: read twice, no endless loop, and looked for again next time."""
    pages = Pages(600)
    pages.total = 603
    sessions = pages.list().read(whole)
    assert pages.offsets == [0, 500, 600, 0, 500, 600]
    assert (len(sessions.by_id), sessions.missing, sessions.total) == (600, 3, 600)


def test_sessions_that_arrive_during_both_readings_are_not_missing() -> None:
    """A busy test: the newest is not seen, so it is not counted, but nothing that was promised did not come."""
    pages = Pages(1200, call2=add(1200), call5=add(1201))
    sessions = pages.list().read(whole)
    assert pages.offsets == [0, 500, 1000, 0, 500, 1000]
    assert (len(sessions.by_id), sessions.missing, sessions.total) == (1201, 0, 1201)


@pytest.mark.parametrize(
    ("most", "total", "offsets"),
    [
        pytest.param(100, "all", [0, 100, 200], id="a server that gives 100"),
        pytest.param(100, "page", [0, 100, 200, 250], id="and counts the page only"),
        pytest.param(100, "so far", [0, 100, 200, 250], id="and counts what it has given so far"),
        pytest.param(40, "so far", [0, 40, 80, 120, 160, 200, 240, 250], id="and so with pages of forty"),
        pytest.param(100, "none", [0, 100, 200, 250], id="and counts nothing"),
        pytest.param(500, "none", [0, 250], id="one page without a count"),
        pytest.param(7, "all", list(range(0, 250, 7)), id="pages of seven"),
    ],
)
def test_a_list_is_read_by_what_was_received(most: int, total: str, offsets: list[int]) -> None:
    """All 250 sessions, whatever the page's size and the count; the count of the state is that of the sessions."""
    pages = Pages(250, most=most, counts=total)
    sessions = pages.list().read(whole)
    assert pages.offsets == offsets
    assert (len(sessions.by_id), sessions.missing, sessions.total) == (250, 0, 250)


def test_a_page_that_is_short_in_mid_list_does_not_end_it() -> None:
    """499 where 500 were asked for: the next page begins with the one that was left out."""

    def short(pages: Pages) -> None:
        pages.most = 499

    def full(pages: Pages) -> None:
        pages.most = PAGE

    pages = Pages(1200, call1=short, call2=full)
    assert len(pages.list().read(whole).by_id) == 1200
    assert pages.offsets == [0, 499, 999]


def test_a_page_that_repeats_ends_the_list() -> None:
    """A server that knows no offset sends its first page for ever: not asked ten thousand times."""
    pages = Pages(100)
    pages.total = 10_000
    pages.repeats = True
    sessions = pages.list().read(whole)
    assert pages.offsets == [0, 100, 0, 100]
    assert (len(sessions.by_id), sessions.missing) == (100, 9_900)


def test_the_last_offset_is_used_whatever_the_size_of_the_pages() -> None:
    """Pages of 300 do not meet offset 10,000: the last page begins there all the same, and none beyond."""
    pages = Pages(10_777, most=300)
    sessions = pages.list().read(whole)
    assert pages.offsets[-2:] == [9_900, LAST_OFFSET]
    assert len(sessions.by_id) == 10_300
    assert (sessions.missing, sessions.total) == (0, 10_777)


@pytest.mark.parametrize(("count", "beyond"), [pytest.param(10_500, 0, id="all"), pytest.param(10_777, 277, id="more")])
def test_what_lies_beyond_the_last_offset_is_named(count: int, beyond: int, caplog: pytest.LogCaptureFixture) -> None:
    """The vendor's list ends at offset 10,000: no call beyond it, and a warning with the number."""
    caplog.set_level(logging.WARNING)
    pages = Pages(count)
    sessions = pages.list().read(whole)
    assert pages.offsets == list(range(0, LAST_OFFSET + 1, PAGE))
    assert len(sessions.by_id) == 10_500
    found = [record.getMessage() for record in caplog.records]
    line = f"test test: cannot read {beyond} sessions beyond offset 10000, where the Results API's list ends"
    assert found == ([line] if beyond else [])


def test_a_page_that_fails_can_be_read_again() -> None:
    """An error comes through, what was read stays, and the next need goes on at the same page."""

    def fail(_pages: Pages) -> None:
        message = "down"
        raise ServerFaultError(message)

    pages = Pages(600, call2=fail)
    sessions = pages.list()
    with pytest.raises(ServerFaultError):
        sessions.read(whole)
    sessions.read(whole)
    assert pages.offsets == [0, 500, 500]
    assert len(sessions.by_id) == 600


def test_a_forecast_counts_the_pages_of_a_list_whose_first_page_has_no_usable_id() -> None:
    """Its pages are counted by what was received, however little of that is a session."""

    class Odd:
        def session_page(self, *_: object, **__: object) -> SessionPage:
            return SessionPage([], 1200, PAGE)

    sessions = SessionList(client=cast("ResultsClient", Odd()), test_id="test", now=NOW, is_forecast=True)
    sessions.read(lambda _: False)
    assert sessions.forecast_pages == 3
