"""Weeks of hourly runs in a simulated account, under a virtual clock: how soon a new session has its row."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.account import HOUR, Hours, Session, account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Call

BEGAN = 1_735_689_600.0  # 2025-01-01, epoch seconds
DISCOVERY = 3  # calls


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("by_feed", [False, True], ids=["by list", "by feed"])
def test_each_new_session_has_its_row_after_the_first_run_that_can_see_it(*, by_feed: bool) -> None:
    """Three weeks of tests, then a day of runs whose budget has room for every list: no session waits for a second."""
    tap = Hours(account(days=22, began=BEGAN, a_day=2), at=BEGAN + 17.25 * 24 * HOUR, by_feed=by_feed)
    tap.catch_up()
    known = {session.session_id for session in tap.server.sessions.values() if session.detailed_at}
    starts = []
    begin = tap.server.now
    for _ in tap.hourly(24):
        starts.append(begin)
        begin = tap.server.now
    new = [
        session
        for session in tap.server.sessions.values()
        if session.session_id not in known and session.at < starts[-1]
    ]
    assert len(new) >= 10
    for session in new:
        seen = next(start for start in starts if start >= session.at)
        assert session.detailed_at is not None
        assert session.detailed_at <= seen + HOUR
    assert all(session.text_at for session in new if session.transcribed < starts[-1])


@pytest.mark.parametrize("parallel", [True, False], ids=["side by side", "in turn"])
def test_a_run_that_is_shorter_than_the_lists_goes_on_with_the_longest_unasked(*, parallel: bool) -> None:
    """Forty quiet tests, two minutes a run, some twenty calls: what one stream has asked for counts for all."""
    tap = Hours(account(days=28, began=BEGAN, a_day=2), at=BEGAN + 200 * 24 * HOUR, by_feed=False)
    tap.catch_up()
    tap.clock.now += HOUR
    last = dict.fromkeys(tap.server.tests, 0)  # the run in which a test was asked for last
    for number in range(1, 6):
        before = len(tap.server.listed)
        tap.run(max_duration=120, max_quiet_hours=0, parallel_streams=parallel)
        asked = tap.server.listed[before:]
        assert 10 <= len(asked) == len(set(asked)) < len(last)
        assert max(last[test_id] for test_id in asked) <= min(last[test_id] for test_id in last.keys() - set(asked))
        last |= dict.fromkeys(asked, number)


def test_news_that_a_budget_kept_back_comes_with_the_next_run() -> None:
    """The lists use the budget up; the one that has shown a new session is asked first, though its test was silent."""
    there = account(days=28, began=BEGAN, a_day=2)
    tap = Hours(there, at=BEGAN + 200 * 24 * HOUR, by_feed=False, streams=["session_details", "transcripts"])
    tap.catch_up()
    tap.clock.now += 25 * HOUR
    *_, last = tap.server.order
    new = Session("f0000000-0000-4000-8000-000000000001", tap.server.now - HOUR, tap.server.now - HOUR)
    last.sessions.append(new)
    tap.server.sessions[new.session_id] = new
    tap.run(max_calls=DISCOVERY + len(tap.server.tests))
    assert len(tap.server.listed) == len(tap.server.tests)
    assert tap.server.calls["details_v3"] == 0
    tap.server.calls.clear()
    tap.server.listed.clear()
    tap.clock.now += HOUR
    tap.run(max_calls=DISCOVERY + 3)
    assert tap.server.listed == [last.test_id]
    assert new.detailed_at is not None
    assert new.text_at is not None


@pytest.mark.parametrize("parallel", [True, False], ids=["side by side", "in turn"])
def test_a_run_of_hours_ends_though_every_test_is_always_due(*, parallel: bool) -> None:
    """The lists of one look take minutes; the looks leave history its time, and the last one is the last."""
    tap = Hours(account(days=22, began=BEGAN, a_day=2), at=BEGAN + 100 * 24 * HOUR, by_feed=False)
    answer, least = tap.server.answer, len(tap.server.tests) + 2 * len(tap.server.sessions)

    def answer_some(call: Call) -> Answer:
        assert tap.server.calls.total() < 2 * least, tap.server.calls
        return answer(call)

    tap.server.answer = answer_some  # type: ignore[method-assign]
    tap.run(max_quiet_hours=0, parallel_streams=parallel)
    assert tap.server.calls["details_v3"] == len(tap.server.sessions)
    assert tap.server.calls["list"] > len(tap.server.tests)
