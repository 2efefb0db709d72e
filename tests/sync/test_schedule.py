"""Whose call is next: tests by how overdue their lists are, and when news is looked for again. Pure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sync.schedule import (
    EXTRA_LISTS,
    LAST_ROUND_AFTER,
    ROUND_EVERY,
    KnownTest,
    Order,
    Schedule,
    order_tests,
)
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = "2026-06-01T12:00:00.000000Z"


def ago(hours: float) -> str:
    """Return the time so many hours before now."""
    return earlier(NOW, hours=hours)


def listed(test_id: str, *, silent: float, asked: float | None) -> KnownTest:
    """Return a test that was read by its list before. `silent`, `asked`: hours."""
    return KnownTest(
        test_id, read=True, by_feed=False, newest=ago(silent), asked_at=None if asked is None else ago(asked)
    )


@pytest.mark.parametrize(
    ("silent", "asked", "due"),
    [
        pytest.param(1, 0.04, False, id="an hour of silence is asked again after three minutes, and this was two"),
        pytest.param(1, 0.05, True, id="and this was three"),
        pytest.param(20, 0.89, False, id="twenty hours: after one"),
        pytest.param(20, 0.91, True, id="nine tenths of that count as due"),
        pytest.param(24 * 365, 21, False, id="a year: after a day"),
        pytest.param(24 * 365, 22, True, id="so that a daily schedule meets it"),
        pytest.param(24 * 365, None, True, id="never asked"),
        pytest.param(-5, 0.01, True, id="a session in the future"),
    ],
)
def test_a_quiet_test_is_due_after_a_twentieth_of_its_silence(silent: float, asked: float | None, *, due: bool) -> None:
    """At the latest after `max_quiet_hours`."""
    found = order_tests([listed("a", silent=silent, asked=asked)], now=NOW, max_quiet_hours=24, extra=0)
    assert found == (Order(by_list=("a",)) if due else Order(not_due=frozenset({"a"})))


def test_with_no_quiet_hours_every_test_is_asked_at_each_sync() -> None:
    """The longest unasked first."""
    tests = [listed(f"t{n}", silent=9_000, asked=n) for n in (3, 1, 2)]
    assert order_tests(tests, now=NOW, max_quiet_hours=0, extra=0).not_due == frozenset()


def test_the_most_overdue_are_asked_first_and_feeds_before_them() -> None:
    """What costs no call comes first; tests that were never read are no news."""
    tests = [
        listed("calm", silent=200, asked=11),
        listed("lively", silent=2, asked=1),
        KnownTest("new", read=False, by_feed=False),
        KnownTest("fed", read=True, by_feed=True, newest=ago(5)),
    ]
    assert order_tests(tests, now=NOW, max_quiet_hours=24).news == ("fed", "lively", "calm")


def test_twenty_that_are_not_due_are_asked_all_the_same() -> None:
    """So that a small account is read whole each time: the longest unasked first."""
    tests = [listed(f"t{n:02}", silent=9_000, asked=n / 10) for n in range(50)]
    random.Random(1).shuffle(tests)  # noqa: S311 - no secret
    found = order_tests(tests, now=NOW, max_quiet_hours=24)
    assert found.news == tuple(f"t{n:02}" for n in range(49, 49 - EXTRA_LISTS, -1))
    assert len(found.not_due) == 50 - EXTRA_LISTS


def test_whatever_the_budget_no_test_is_left_out_for_good() -> None:
    """Whoever takes the first ten of the order, hour by hour, asks each of 300 tests again and again."""
    rng = random.Random(2)  # noqa: S311 - no secret
    silent = {f"t{n}": rng.uniform(0, 9_000) for n in range(300)}
    asked = dict.fromkeys(silent, 40.0)  # hours ago
    longest = 0.0
    for _ in range(400):
        tests = [listed(test_id, silent=silent[test_id], asked=asked[test_id]) for test_id in silent]
        for test_id in order_tests(tests, now=NOW, max_quiet_hours=24).news[:10]:
            asked[test_id] = 0.0
        for test_id in asked:
            asked[test_id] += 1
        longest = max(longest, *asked.values())
    assert longest < 24 * 30


class Rounds:
    """Counts rounds, by a clock of its own."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.now = 0.0
        self.count = 0
        self.schedule = Schedule(monotonic=lambda: self.now, find_order=self._find_order)

    def _find_order(self) -> Order:
        self.count += 1
        return Order(by_list=("a", "b"))


def test_a_long_sync_starts_a_round_every_quarter_of_an_hour() -> None:
    """And one before its end, unless the last is a minute old at most or the sync was short."""
    rounds = Rounds()
    rounds.schedule.start_first_round()
    rounds.schedule.start_first_round()
    assert (rounds.count, rounds.schedule.position("b"), rounds.schedule.position("other")) == (1, 1, 2)
    rounds.now = ROUND_EVERY - 1
    rounds.schedule.start_round_if_due()
    rounds.schedule.start_last_round_if_due()
    assert rounds.count == 1
    rounds.now = ROUND_EVERY
    rounds.schedule.start_round_if_due()
    assert (rounds.count, rounds.schedule.round_number) == (2, 2)
    rounds.schedule.start_round_if_due()
    rounds.schedule.start_last_round_if_due()
    assert rounds.count == 2
    rounds.now += LAST_ROUND_AFTER
    rounds.schedule.start_last_round_if_due()
    assert rounds.count == 3


def test_news_that_takes_long_leaves_history_as_much_time() -> None:
    """Where the lists of a round take an hour, the next round is due an hour after that."""
    rounds = Rounds()
    rounds.schedule.start_first_round()
    rounds.now = 3600.0
    rounds.schedule.note_news_ended()
    rounds.schedule.start_round_if_due()
    rounds.now += 3599
    rounds.schedule.start_round_if_due()
    assert rounds.count == 1
    rounds.now += 1
    rounds.schedule.start_round_if_due()
    assert rounds.count == 2


def test_a_round_before_the_end_is_the_last_one_however_long_it_takes() -> None:
    """Or a sync whose rounds take minutes would not end; history that was read after it makes another one."""
    rounds = Rounds()
    rounds.schedule.start_first_round()
    rounds.now = 3600.0
    rounds.schedule.note_news_ended()
    for _ in range(3):
        rounds.schedule.start_last_round_if_due()
        assert rounds.count == 2
        rounds.now += 600
        rounds.schedule.note_news_ended()
    rounds.now += LAST_ROUND_AFTER
    rounds.schedule.start_last_round_if_due()
    assert rounds.count == 3


@pytest.mark.parametrize(
    ("number", "rounds", "woken"),
    [
        pytest.param(0, 1, False, id="the first round, which it has not waited for"),
        pytest.param(0, 2, True, id="the second"),
        pytest.param(1, 1, False, id="none since"),
        pytest.param(1, 2, True, id="one since"),
    ],
)
def test_who_waits_for_a_round_is_woken_by_a_later_one_alone(number: int, rounds: int, *, woken: bool) -> None:
    """`result_changes` reads before the first round as well as after it: it reads again only at a second one."""
    schedule = Schedule(monotonic=float, find_order=Order)
    schedule.resources = 1

    def wait_until(holds: Callable[[], bool]) -> None:
        for _ in range(rounds):
            schedule.start_round()
        if not holds():
            schedule.note_resource_ended()
            assert holds()

    assert schedule.wait_for_round_after(number, wait_until) is woken
