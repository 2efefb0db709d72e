"""How many calls the quota counts, and how long it waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.api.quota import Quota
from tap_usertesting.api.quota_learned import DOCUMENTED_WINDOW
from tap_usertesting.api.rate_headers import DAY, RateHeaders
from tap_usertesting.sandbox.quota import QuotaRule, ServedQuota
from tests.support.fakes import FakeClock, FixedWindow, spend

NOTHING = RateHeaders()


def said(remaining: int, reset: float, limit: int = 10) -> RateHeaders:
    """Return the headers of an answer."""
    return RateHeaders(limit=limit, remaining=remaining, reset=reset)


def test_without_a_word_of_the_server_ten_calls_a_minute_are_assumed() -> None:
    """No header at all: ten calls in a burst, then a wait for the end of the minute, then ten again."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    for _ in range(2):
        for left in range(10, 0, -1):
            assert (quota.remaining, quota.wait()) == (left, 0)
            quota.answered(quota.sent(), NOTHING)
            clock.now += 1
        assert (quota.remaining, quota.wait()) == (0, 50)
        clock.now += 50


def test_without_a_limit_nothing_is_assumed_until_the_server_names_one() -> None:
    """A service that starts without a limit sends freely, and obeys as soon as it is told."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic, limit=None)
    for _ in range(1000):
        assert (quota.remaining, quota.wait()) == (None, 0)
        quota.answered(quota.sent(), NOTHING)
    quota.answered(quota.sent(), said(0, 7))
    assert (quota.remaining, quota.wait()) == (0, 7)


@pytest.mark.parametrize(
    ("remaining", "calls"), [pytest.param(3, 3, id="others call too"), pytest.param(99, 99, id="more than documented")]
)
def test_the_servers_word_beats_the_own_count(remaining: int, calls: int) -> None:
    """What the server says remains is what is sent, be it less or more than expected."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    quota.answered(quota.sent(), said(remaining, 30, limit=100))
    sent = 0
    while quota.wait() == 0:
        quota.answered(quota.sent(), NOTHING)
        sent += 1
    assert sent == calls
    assert quota.wait() == 30


def test_answers_out_of_order_are_of_one_window() -> None:
    """The answer with 9 left arrives after that with 8 left; 8 are left, less what is in flight."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    first, second, third = quota.sent(), quota.sent(), quota.sent()
    quota.answered(second, said(8, 60))
    assert quota.remaining == 6  # no one knows yet whether the server had counted the first
    quota.answered(first, said(9, 60))
    assert quota.remaining == 7
    quota.answered(third, said(7, 60))
    assert quota.remaining == 7


@given(st.permutations(range(10)), st.integers(min_value=1, max_value=10))
def test_no_order_of_arrival_lends_a_call(order: list[int], parallel: int) -> None:
    """However the answers of one window come in, never more than its limit is sent."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    tickets = [quota.sent() for _ in range(parallel)]
    for place in order:
        if place < parallel:
            quota.answered(tickets[place], said(9 - place, 60))
            clock.now += 0.1
    more = 0
    while quota.wait() == 0:
        quota.sent()
        more += 1
    assert more == 10 - parallel


def test_an_answer_of_the_old_window_does_not_end_the_new_one() -> None:
    """An answer that was overtaken by a whole window is ignored."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    late = quota.sent()
    clock.now += 61
    quota.answered(quota.sent(), said(9, 60))
    quota.answered(late, said(0, 0.5))
    assert (quota.remaining, quota.wait()) == (9, 0)


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [
        pytest.param(RateHeaders(retry_after=17, reset=40), 17, id="Retry-After comes first"),
        pytest.param(RateHeaders(limit=10, remaining=0, reset=40), 40, id="then the reset"),
        pytest.param(NOTHING, 60, id="else a full window"),
    ],
)
def test_a_refusal_is_waited_for(refusal: RateHeaders, seconds: float) -> None:
    """A 429 stops everything for as long as the server says, else for a full window."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    quota.answered(quota.sent(), refusal)
    assert quota.refused(refusal) == seconds
    assert (quota.remaining, quota.wait()) == (0, seconds)
    clock.now += seconds
    assert quota.wait() == 0


def test_after_a_refusal_a_full_window_is_that_of_the_server() -> None:
    """A window that the server has named replaces the documented minute."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    quota.answered(quota.sent(), said(9, 5))
    assert quota.window == 5
    assert quota.refused(NOTHING) == 5


def test_a_window_that_was_joined_late_is_learned_at_the_next() -> None:
    """A first answer in mid-window names a short rest; the next window tells its whole length."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    quota.answered(quota.sent(), said(4, 12))
    clock.now += 12
    quota.answered(quota.sent(), said(9, 60))
    assert quota.window == 60


@pytest.mark.parametrize(("asked", "kept"), [pytest.param(3.0, 3.0, id="named"), pytest.param(None, 60.0, id="not")])
def test_hold_stops_everything_for_a_while(asked: float | None, kept: float) -> None:
    """The feed asks for a pause inside its body: nothing is sent until it is over."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic, limit=None)
    assert quota.hold(asked) == kept
    assert quota.wait() == kept
    clock.now += kept
    assert quota.wait() == 0


def test_a_call_that_failed_still_counts() -> None:
    """A call without an answer may have been counted by the server, so it is counted here."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    for _ in range(10):
        quota.answered(quota.sent(), NOTHING)
    assert quota.wait() == 60


# Waits that are hard to believe

DENIED = RateHeaders(retry_after=DAY)


def refused(quota: Quota, clock: FakeClock, words: RateHeaders) -> float:
    """Have a call refused and wait as long as that is worth; returns how long."""
    quota.answered(quota.sent(), words)
    seconds = quota.refused(words)
    assert quota.wait() == seconds
    clock.now += seconds
    return seconds


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(DENIED, id="Retry-After"),
        pytest.param(RateHeaders(limit=10, remaining=0, reset=DAY), id="reset"),
        pytest.param(RateHeaders(limit=10, remaining=0, reset=1242), id="clocks 20 minutes apart"),
    ],
)
def test_a_far_wait_is_believed_for_one_window_then_as_it_is_said(words: RateHeaders) -> None:
    """The first time it may be a slip of units or clocks; who says it again, asked after a window, means it."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    assert refused(quota, clock, words) == DOCUMENTED_WINDOW
    assert refused(quota, clock, words) == words.asked


def test_refusals_of_calls_under_way_together_are_said_once() -> None:
    """Two calls were on the way when the first refusal came: the second one says nothing new."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    tickets = [quota.sent(), quota.sent()]
    for ticket in tickets:
        quota.answered(ticket, DENIED)
        assert quota.refused(DENIED) == DOCUMENTED_WINDOW


def test_a_far_wait_that_was_wrong_is_doubted_again_next_time() -> None:
    """The call after the window passes: hours later a far wait is doubted as the first was."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    for _ in range(3):
        assert refused(quota, clock, DENIED) == DOCUMENTED_WINDOW
        for _ in range(3):
            quota.answered(quota.sent(), NOTHING)
            clock.now += 30


def test_a_long_window_that_was_meant_is_believed_from_then_on() -> None:
    """A block of 20 minutes that was said twice is obeyed, and the next one at once."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    words = RateHeaders(retry_after=1200)
    assert [refused(quota, clock, words) for _ in range(2)] == [60, 1200]
    quota.answered(quota.sent(), NOTHING)
    assert refused(quota, clock, words) == 1200


def test_a_day_is_doubted_however_long_waits_usually_are() -> None:
    """Blocks of 50 minutes have proven to be meant: a day is still asked about once, and soon."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    words = RateHeaders(retry_after=3000)
    assert [refused(quota, clock, words) for _ in range(2)] == [60, 3000]
    quota.answered(quota.sent(), NOTHING)
    assert [refused(quota, clock, DENIED) for _ in range(2)] == [60, DAY]


@pytest.mark.parametrize("wrong", [1200.0, 42_000.0], ids=["clocks apart", "milliseconds"])
def test_resets_that_are_far_off_do_not_stop_a_server_that_answers(wrong: float) -> None:
    """Each answer names a reset that is nonsense: ten calls a minute go on as if it named none."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    server = FixedWindow(window=60)

    def take(now: float) -> tuple[bool, dict[str, str]]:
        passed, headers = server.take(now)
        if "x-ratelimit-reset" in headers:
            headers["x-ratelimit-reset"] = str(float(headers["x-ratelimit-reset"]) + wrong)
        return passed, headers

    spent = spend(101, quota, clock, take)
    assert spent.refused == 0
    assert spent.seconds <= 1.05 * 60 * 10


@pytest.mark.parametrize("order", ["the opener's answer last", "a window that was open already"])
def test_a_window_lasts_as_long_as_the_longest_reset_named(order: str) -> None:
    """Answers overtake each other, and others may have opened the window: the first reset that is read may be short."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    if order == "the opener's answer last":
        opener = quota.sent()
        clock.now += 2
        later = quota.sent()
        clock.now += 0.5
        quota.answered(later, RateHeaders(limit=10, remaining=8, reset=58.0))
        quota.answered(opener, RateHeaders(limit=10, remaining=9, reset=60.0))
    else:
        quota.answered(quota.sent(), RateHeaders(limit=10, remaining=3, reset=20.0))
        # A little before the end that was named, as its answer took a while.
        clock.now += 19.9
        quota.answered(quota.sent(), RateHeaders(limit=10, remaining=9, reset=60.0))
    assert quota.window == 60


def test_calls_counted_conservatively_never_come_before_the_window_ends() -> None:
    """Where some calls share windows, the pace is that of a whole window, though a part of one was named first."""
    clock = FakeClock()
    quota, server = Quota(clock=clock.monotonic), ServedQuota(QuotaRule(), clock=clock.monotonic)

    def passes() -> bool:
        ticket = quota.sent()
        verdict = server.take(endpoint="list", version="v2")
        headers = {name.lower(): value for name, value in verdict.headers}
        flying.append((ticket, RateHeaders.parse(headers, wall=clock.wall())))
        return verdict.allowed

    flying: list[tuple[int, RateHeaders]] = []
    quota.answered(quota.sent(), RateHeaders())  # of an older API, whose answers say nothing: others need not go alone
    quota.count_conservatively()
    for _ in range(3):
        assert passes()
        clock.now += 1.0
    for ticket, said in reversed(flying):
        quota.answered(ticket, said)
    for _ in range(40):
        while (seconds := quota.wait()) > 0:
            clock.sleep(seconds)
        flying.clear()
        assert passes()
        clock.now += 0.1
        quota.answered(*flying[0])


def test_a_window_that_was_joined_late_counts_as_long_as_documented_in_a_plan() -> None:
    """Right after calls of others the server tells only when this window ends."""
    clock = FakeClock()
    quota = Quota(clock=clock.monotonic)
    quota.answered(quota.sent(), said(3, 20))
    assert (quota.window, quota.whole_window) == (20, DOCUMENTED_WINDOW)
    clock.now += 21
    quota.answered(quota.sent(), said(9, 30))
    assert quota.whole_window == 30
