"""Whose call is next: the news of the tests that were read before, then everybody's history, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.values.times import hours_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SHARE = 20  # a test that was silent for so many hours is due again after one
DUE = 0.9  # of its time is enough, so that a daily schedule meets a day
ANYWAY = 20  # tests that are not due and are asked all the same
LOOK_EVERY = 15 * 60.0  # seconds, in which a long run looks for news again
LAST_LOOK = 60.0  # seconds; a look that is younger need not be repeated at the end


class Standing(NamedTuple):
    """What is known of a test before a call is made for it. Times in the fixed UTC form.

    `read`: any stream has read it before; `by_feed`: the feed tells what is new, at no call; `newest`: the newest
    session known; `asked_at`: when its list was asked for last.
    """

    test_id: str
    read: bool
    by_feed: bool
    newest: str | None = None
    asked_at: str | None = None


class Order(NamedTuple):
    """The tests that were read before: `free`, where the feed tells what is new; `listed`, in order; and `resting`.

    The lists of the last are not due.
    """

    free: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    resting: frozenset[str] = frozenset()

    @property
    def news(self) -> tuple[str, ...]:
        """The tests of which news is looked for, in order."""
        return (*self.free, *self.listed)


def order(standings: Iterable[Standing], *, now: str, max_quiet_hours: float, anyway: int = ANYWAY) -> Order:
    """Return in which order news is looked for: where that costs nothing, then by how overdue a list is.

    A test whose newest session is S hours old is due again after S / 20, at most `max_quiet_hours`. `anyway`: so many
    of those that are not due are asked all the same, the longest unasked first.
    """
    known = [standing for standing in standings if standing.read]
    free = [standing.test_id for standing in known if standing.by_feed]
    overdue = {
        standing: _overdue(standing, now=now, max_quiet_hours=max_quiet_hours)
        for standing in known
        if not standing.by_feed
    }
    due = sorted((one for one in overdue if overdue[one] >= DUE), key=lambda one: (-overdue[one], one.asked_at or ""))
    quiet = sorted((one for one in overdue if overdue[one] < DUE), key=lambda one: one.asked_at or "")
    listed = tuple(one.test_id for one in (*due, *quiet[:anyway]))
    return Order(tuple(free), listed, frozenset(one.test_id for one in quiet[anyway:]))


def _overdue(standing: Standing, *, now: str, max_quiet_hours: float) -> float:
    """Return the hours since the test was asked over those that it may go unasked."""
    if standing.asked_at is None:
        return float("inf")
    silent = max(0.0, hours_between(standing.newest or standing.asked_at, now))
    may = min(max_quiet_hours, silent / SHARE)
    return hours_between(standing.asked_at, now) / may if may > 0 else float("inf")


class Schedule:
    """The order of the tests, the same for all streams of a run, and when news is looked for again."""

    def __init__(self, *, monotonic: Callable[[], float], look: Callable[[], Order]) -> None:
        """`look` reads nothing: it returns the order by what is known now, and lets the logs be read anew."""
        self._monotonic = monotonic
        self._look = look
        self._began = monotonic()
        self._looked = self._ended = self._began
        self._was_last = False
        self.number = 0  # of looks
        self.walks = 0  # side by side
        self._idle = 0  # of them: with nothing left to read
        self.order = Order()
        self._places: dict[str, int] = {}

    def begin_once(self) -> None:
        """Look for news for the first time in this run, if no other stream has."""
        if not self.number:
            self.begin()

    def begin(self) -> None:
        """Look for news, for the first time in this run or once more."""
        self._looked = self._ended = self._monotonic()
        self.order = self._look()
        self._places = {test_id: place for place, test_id in enumerate(self.order.news)}
        self.number += 1

    def looked(self) -> None:
        """Take it that a walk has done the news of this look, however long that took."""
        self._ended = self._monotonic()

    def place(self, test_id: str) -> int:
        """Return the place of a test among those of which news is looked for."""
        return self._places.get(test_id, len(self._places))

    def look_if_due(self) -> None:
        """Look for news again in a long run; where that takes long, history has as much time in between."""
        now = self._monotonic()
        if now - self._looked >= LOOK_EVERY and now - self._ended >= self._ended - self._looked:
            self.begin()

    def wait_for_news(self, wait_until: Callable[[Callable[[], bool]], None]) -> None:
        """Wait, with nothing left to read, until news is looked for again or no walk has anything left to read."""
        number = self.number
        self._idle += 1
        wait_until(lambda: self.number != number or self._idle >= self.walks)
        self._idle -= self.number != number

    def follow(self, look: int, wait_until: Callable[[Callable[[], bool]], None]) -> bool:
        """Wait until there is a look after this one; False once no walk has anything left to read."""
        number = max(1, look)  # who began before the first one has seen what it sees
        wait_until(lambda: self.number > number or self._idle >= self.walks)
        return self.number > number

    def leave(self) -> None:
        """Take it that one walk has ended, whatever ended it."""
        self.walks -= 1

    def look_before_end(self) -> None:
        """Look for news once more where the run took long; again only if history has taken long since."""
        now = self._monotonic()
        if now - self._began >= LOOK_EVERY and now - (self._ended if self._was_last else self._looked) >= LAST_LOOK:
            self._was_last = True
            self.begin()
