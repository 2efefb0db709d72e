"""Decides which tests are asked for news, in which order, and when a long sync asks again.

A round is one look for news over all tests. A sync begins with one. If it lasts long enough, it makes more of them, so
that a history of hours does not hold back what happened since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.values.times import hours_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SILENCE_DIVISOR = 20  # a test that was silent for this many hours is due again after one hour
DUE_FROM = 0.9  # of that time: a daily sync that starts a little early still counts as one day later
EXTRA_LISTS = 20  # lists that are read although they are not due
ROUND_EVERY = 15 * 60.0  # seconds from one round of a long sync to the next
LAST_ROUND_AFTER = 60.0  # seconds; a younger round need not be repeated before the sync ends


class KnownTest(NamedTuple):
    """What is known of a test before any call is made for it. Times are in the fixed UTC form.

    `read`: a stream has read the test before. `by_feed`: the feed tells what is new, without a call for this test.
    `newest`: the time of its newest known session. `asked_at`: when its list was last read.
    """

    test_id: str
    read: bool
    by_feed: bool
    newest: str | None = None
    asked_at: str | None = None


class Order(NamedTuple):
    """The ids of the tests that were read before, in the order in which they are asked for news.

    `by_feed`: the feed tells what is new. `by_list`: their lists are read. `not_due`: their lists are not read.
    """

    by_feed: tuple[str, ...] = ()
    by_list: tuple[str, ...] = ()
    not_due: frozenset[str] = frozenset()

    @property
    def news(self) -> tuple[str, ...]:
        """The tests that are asked for news, in order."""
        return (*self.by_feed, *self.by_list)


def order_tests(tests: Iterable[KnownTest], *, now: str, max_quiet_hours: float, extra: int = EXTRA_LISTS) -> Order:
    """Return the order in which tests are asked: first those that cost no call, then the most overdue lists.

    The list of a test whose newest session is S hours old is due again after S / 20 hours, or after `max_quiet_hours`
    if that is less. `extra`: how many lists that are not due are read all the same, those unread for longest first.
    """
    known = [test for test in tests if test.read]
    by_feed = tuple(test.test_id for test in known if test.by_feed)
    overdue = {test: _overdue(test, now=now, max_quiet_hours=max_quiet_hours) for test in known if not test.by_feed}
    due = sorted(
        (test for test in overdue if overdue[test] >= DUE_FROM),
        key=lambda test: (-overdue[test], test.asked_at or ""),
    )
    quiet = sorted((test for test in overdue if overdue[test] < DUE_FROM), key=lambda test: test.asked_at or "")
    by_list = tuple(test.test_id for test in (*due, *quiet[:extra]))
    return Order(by_feed, by_list, frozenset(test.test_id for test in quiet[extra:]))


def _overdue(test: KnownTest, *, now: str, max_quiet_hours: float) -> float:
    """Return the hours since the list was read, divided by the hours that it may stay unread: 1 is due."""
    if test.asked_at is None:
        return float("inf")
    silent = max(0.0, hours_between(test.newest or test.asked_at, now))
    allowed = min(max_quiet_hours, silent / SILENCE_DIVISOR)
    return hours_between(test.asked_at, now) / allowed if allowed > 0 else float("inf")


class Schedule:
    """The order of the tests, which all streams of a sync share, and the rounds in which they are asked for news."""

    def __init__(self, *, monotonic: Callable[[], float], find_order: Callable[[], Order]) -> None:
        """`find_order` makes no call: it returns the order by what is known now, and has the logs read anew."""
        self._monotonic = monotonic
        self._find_order = find_order
        self._sync_began = monotonic()
        self._round_began = self._news_ended = self._sync_began
        self._had_last_round = False
        self.round_number = 0  # 0: no round yet
        self.resources = 0  # that are synced side by side
        self._idle_resources = 0  # of them: those with nothing left to read
        self.order = Order()
        self._positions: dict[str, int] = {}

    def start_first_round(self) -> None:
        """Start the first round, unless another stream has done so."""
        if not self.round_number:
            self.start_round()

    def start_round(self) -> None:
        """Start a round."""
        self._round_began = self._news_ended = self._monotonic()
        self.order = self._find_order()
        self._positions = {test_id: position for position, test_id in enumerate(self.order.news)}
        self.round_number += 1

    def note_news_ended(self) -> None:
        """Note that a resource has emitted the news of this round."""
        self._news_ended = self._monotonic()

    def position(self, test_id: str) -> int:
        """Return the position of a test among those that are asked for news; all others share the last one."""
        return self._positions.get(test_id, len(self._positions))

    def start_round_if_due(self) -> None:
        """Start another round in a long sync, but give history as much time as the news of this round took."""
        now = self._monotonic()
        if now - self._round_began >= ROUND_EVERY and now - self._news_ended >= self._news_ended - self._round_began:
            self.start_round()

    def wait_for_next_round(self, wait_until: Callable[[Callable[[], bool]], None]) -> None:
        """Wait, as a resource with nothing left to read, for the next round or until no resource has anything left."""
        number = self.round_number
        self._idle_resources += 1
        wait_until(lambda: self.round_number != number or self._idle_resources >= self.resources)
        self._idle_resources -= self.round_number != number

    def wait_for_round_after(self, number: int, wait_until: Callable[[Callable[[], bool]], None]) -> bool:
        """Wait for a round after this one; return False once no resource has anything left to read."""
        number = max(1, number)  # a stream that began before the first round has read what that round reads
        wait_until(lambda: self.round_number > number or self._idle_resources >= self.resources)
        return self.round_number > number

    def note_resource_ended(self) -> None:
        """Note that the sync of one resource has ended, for whatever reason."""
        self.resources -= 1

    def start_last_round_if_due(self) -> None:
        """Start one more round before a long sync ends; a further one only if history has taken long since."""
        now = self._monotonic()
        since = self._news_ended if self._had_last_round else self._round_began
        if now - self._sync_began >= ROUND_EVERY and now - since >= LAST_ROUND_AFTER:
            self._had_last_round = True
            self.start_round()
