"""The quota window of one API, as a pure count: no I/O, no sleep, the clock is injected.

The server's word beats the own count, since others may share the quota. With no word at all it assumes
the documented 10 requests in 60 seconds. Source: the vendor's reference, "Maximum of 10 requests per
minute", and its headers `x-ratelimit-limit`, `-remaining` and `-reset` (seconds left in the window). Other servers
name a point in time, or spell the headers otherwise, as Okta does at the token endpoint.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOCUMENTED_LIMIT = 10
DOCUMENTED_WINDOW = 60.0
EPOCH_FROM = 1e9  # a reset above this is a point in time, not a number of seconds
EPOCH_TO = 1e11  # above this, one in milliseconds or less
DAY = 86_400.0
LONGEST_SKEW = DAY  # seconds between a server's clock and ours; with more between them the server's date is nonsense
MOST_NAMED = 366 * DAY  # seconds; a longer wait is nonsense, not a wait
LONGEST_WAIT = 3600.0  # seconds; who is asked for as much, twice, had better end here
FAR = 3.0  # a wait of more than so many usual ones is doubted at first
PREFIXES = ("x-ratelimit-", "x-rate-limit-", "ratelimit-")
ROUNDED = 2.0  # seconds by which two answers of one window may name different ends, where resets are whole seconds
LONGEST_SLACK = 15.0  # seconds; an answer that took longer tells no window by its end
LOOK = 0.01  # windows; how often it is looked again whether an answer has come that is waited for
PATIENCE = 0.1  # windows; a call that takes longer is not waited for


@dataclass(frozen=True)
class RateHeaders:
    """What one answer says of the quota: calls, calls, seconds, seconds; None where it says nothing."""

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    retry_after: float | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str], *, wall: float) -> RateHeaders:
        """Read `x-ratelimit-*`, or another spelling of it, and `Retry-After`.

        `wall` is the present as epoch seconds; a point in time is measured against the server's own clock. A value
        that is no number, negative or beyond a year counts as absent; so does a point in the past.
        """
        wall = server_time(headers, wall=wall)
        limit, remaining, reset = (
            next((found for prefix in PREFIXES if (found := _number(headers.get(prefix + name))) is not None), None)
            for name in ("limit", "remaining", "reset")
        )
        return cls(
            limit=int(limit) if limit is not None and limit >= 1 else None,
            remaining=int(remaining) if remaining is not None and remaining >= 0 else None,
            reset=_seconds(reset, wall=wall),
            retry_after=_retry_after(headers.get("retry-after"), wall=wall),
        )

    @property
    def asked(self) -> float | None:
        """Seconds that the answer asks to wait for: by `Retry-After`, else to the end of the window."""
        return self.retry_after or self.reset


def server_time(headers: Mapping[str, str], *, wall: float) -> float:
    """Return the present by the server's clock, in epoch seconds; `wall` where its `Date` is absent or nonsense."""
    date = _date(headers.get("date"))
    return date if date is not None and abs(date - wall) <= LONGEST_SKEW else wall


def _number(text: str | None) -> float | None:
    try:
        number = float(text.split(",")[0].split(";")[0]) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds(number: float | None, *, wall: float) -> float | None:
    """Return the seconds that a number stands for, be it such or a point in time; None for one that makes no sense."""
    if number is None:
        return None
    if number > EPOCH_FROM:
        while number > EPOCH_TO:
            number /= 1000
        number -= wall
    return number if 0 < number <= MOST_NAMED else None


def _retry_after(text: str | None, *, wall: float) -> float | None:
    if (number := _number(text)) is not None:
        return _seconds(number, wall=wall)
    return None if (date := _date(text)) is None else _seconds(date - wall, wall=wall)


def _date(text: str | None) -> float | None:
    """Read an HTTP date as epoch seconds."""
    try:
        moment = parsedate_to_datetime(text or "")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class Quota:
    """Calls left in the present window, and how long to wait when there is none."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        limit: int | None = DOCUMENTED_LIMIT,
        window: float = DOCUMENTED_WINDOW,
    ) -> None:
        """Start with a full window. `limit` None: nothing is assumed until the server names a limit."""
        self._clock = clock
        self.limit = limit
        self.window = window
        self._left = math.inf if limit is None else float(limit)  # those in flight not taken off
        self._ends = -math.inf  # of the present window
        self._took = 0.0  # seconds; the answer that named that end
        self._whole = True  # resets are whole seconds
        self._seen = False  # has an answer that names the present window been read?
        self._looked = False  # has any answer to a call in it been read?
        self._tickets = 0
        self._heard = 0  # answers
        self._word = 0  # which of them is the server's last word
        self._told = False  # has the server ever named a window? Until then it is assumed
        self._margin: float | None = 0.0  # for a server that rounds its reset down; None: that was not it
        self._named = -math.inf  # the end of a window that the server named last
        self._refused = 0  # the ticket refused last
        self._sent: dict[int, tuple[float, int]] = {}  # the calls in flight: when sent, after how many answers
        self._hits: deque[tuple[float, float]] = deque()  # when the calls of the last window were sent and answered
        self._made: deque[float] = deque()  # when they were answered, those included that a sliding window has let go
        self._sliding: bool | None = False  # None: was believed once and refuted
        self._first = 1  # the ticket that opened the present window
        self._wary = False  # whether answers are of several windows, no one knows of which
        self._held = -math.inf  # until when nothing is sent, whatever the count
        self._usual = max(window, DOCUMENTED_WINDOW)  # seconds; the longest wait that has proven to be meant
        self._doubted = -2  # the last ticket when a wait far beyond that was doubted

    @property
    def sliding(self) -> bool:
        """Whether each call leaves the window on its own, a window's length after it was made."""
        return bool(self._sliding)

    @property
    def remaining(self) -> int | None:
        """Calls left in the present window; None while no limit is known."""
        if math.isinf(self._left):
            return None
        if self._wary and self.limit is not None:
            return max(0, self.limit - len(self._in_window(self._clock())) - len(self._sent))
        if self._clock() >= self._ends:
            return self.limit
        return max(0, int(self._left) - len(self._sent))

    def wait(self) -> float:
        """Seconds until the next call may be sent; 0 means now."""
        now = self._clock()
        if self.limit is None:
            return self._wait_for_window(now)
        if self._wary:
            return self._wait_warily(now, self.limit)
        if self._sliding:
            return max(self._wait_for_window(now), self._wait_warily(now, self.limit))
        return self._wait_for_window(now)

    def _wait_for_window(self, now: float) -> float:
        """Return the wait by what the server has said of the present window."""
        fresh = now >= self._ends
        if self.limit is not None and (fresh or not self._looked) and self._under_way(now):
            return LOOK * self.window  # the first call of a window goes alone: it may be told less than is assumed
        if fresh or self._left > len(self._sent):
            return 0.0
        over = len(self._sent) - int(self._left)  # calls in flight that take the place of one that leaves the window
        if self._sliding and over < len(self._hits):
            return max(0.0, min(self._ends, self._hits[over][1] + self.window) - now)
        # What is in flight may be counted already: its answer will tell.
        return min(LOOK * self.window, self._ends - now) if self._left > 0 else self._ends - now

    def _wait_warily(self, now: float, limit: int) -> float:
        """Return the wait if no window may see more than `limit` calls, wherever it begins and whatever it counts."""
        if now < self._held:
            return self._held - now
        hits = self._in_window(now)
        over = len(hits) + len(self._sent) - limit
        if over < 0:
            return 0.0
        return hits[over] + self.window - now if over < len(hits) else LOOK * self.window

    def _in_window(self, now: float) -> deque[float]:
        """Return when the calls of the last window were answered: until then a server may have counted them."""
        while self._made and self._made[0] + self.window <= now:
            self._made.popleft()
        return self._made

    def _under_way(self, now: float) -> bool:
        """Tell whether a call is in flight whose answer is worth waiting for; one that hangs is not."""
        return any(now - sent < PATIENCE * self.window for sent, _ in self._sent.values())

    def sent(self) -> int:
        """Count a call that is sent now; returns its ticket for `answered`."""
        now = self._clock()
        if now >= self._ends:
            self._left = math.inf if self.limit is None else float(self.limit)
            self._ends, self._took = now + self.window, 0.0
            self._seen = self._looked = False
            self._first = self._tickets + 1
        self._tickets += 1
        self._sent[self._tickets] = now, self._heard
        return self._tickets

    def answered(self, ticket: int, said: RateHeaders) -> bool:
        """Learn from the answer (or the failure) of the call with this ticket.

        Answers may arrive in another order than the server counted the calls in: of two that were under way together
        the one that leaves less counts, and a call in flight is taken off until its answer is here. Tells whether the
        server has counted more calls in this window than this count has.
        """
        now = self._clock()
        sent, heard = self._sent.get(ticket, (now, self._heard))
        while self._hits and self._hits[0][1] + self.window <= sent:
            self._hits.popleft()
        known = len(self._hits) + len(self._sent)
        self._land(ticket, sent=sent, now=now)
        if said.remaining is None or said.reset is None or self._far(said.reset):
            self._left = max(0.0, self._left - 1)
            if said.remaining == 0 and said.reset is not None:
                self.hold(said.reset)
            return False
        self._whole = self._whole and said.reset == int(said.reset)
        ends = now + said.reset + (self._margin or 0.0)
        of_this = self.same(ends, self._ends, slack=now - sent + self._took)
        if ticket < self._first and not of_this and ends < self._ends:
            return False  # of a window that is over
        self._named = ends
        if said.limit is not None:
            self.limit = said.limit
        # The answer that is read first may not be of the call that opened the window: another names a longer time.
        self.window = max(self.window, said.reset) if self._told else said.reset
        self._told = True
        if self._opens(ticket, ends, said, sent=sent, now=now):
            self._ends, self._took, self._left = ends, now - sent, float(said.remaining)
        else:
            self._wary = self._wary or not of_this  # it speaks of another window, so there are several
            if ends > self._ends:
                self._ends, self._took = ends, now - sent
            self._left = float(said.remaining if heard >= self._word else min(self._left, said.remaining))
        self._seen, self._word = True, self._heard
        if said.limit is None:
            return False
        used = said.limit - said.remaining
        while self._sliding and not self._wary and len(self._hits) > max(1, used):
            self._hits.popleft()  # a call leaves the server's count a little before ours, as its answer came later
        return used > known or (of_this and not self._sliding and used > ticket - self._first + 1)

    def _land(self, ticket: int, *, sent: float, now: float) -> None:
        """Take a call out of the air and into the hits of the last window."""
        self._sent.pop(ticket, None)
        self._heard += 1
        self._looked = self._looked or ticket >= self._first
        self._hits.append((sent, now))
        self._made.append(now)

    def _opens(self, ticket: int, ends: float, said: RateHeaders, *, sent: float, now: float) -> bool:
        """Tell whether an answer is the first to name its window."""
        if self._seen:
            later = ends > self._ends + self.window / 2 and self.same(now, self._ends, slack=now - sent)
            self._first = ticket if later else self._first
            return later
        self._notice_sliding(said, sent=sent, now=now)
        return True

    @property
    def rounding(self) -> float:
        """Seconds by which two answers of one window may name different ends."""
        return ROUNDED if self._whole else self.window / 10

    def same(self, ends: float, others: float, *, slack: float) -> bool:
        """Tell whether two ends are of one window: servers name whole seconds, and answers take a while (`slack`)."""
        return abs(ends - others) <= min(slack, LONGEST_SLACK) + self.rounding

    def be_wary(self) -> None:
        """Count for several windows as for one, since some calls share one and some do not."""
        self._wary = True

    def refused(self, said: RateHeaders) -> float:
        """Learn from a 429; returns the seconds to wait before the call is repeated.

        `Retry-After` first, else the reset. When it names neither: a full window, but where others share the quota,
        whoever always comes a window after he was refused finds nothing left each time. So the second time in a row
        it is the reset that follows from the last one named, or a tenth of a window where none ever was.
        """
        now = self._clock()
        again = self._refused == self._tickets - 1 > 0
        self._refused = self._tickets
        if self._sliding:
            self._sliding = None
        elif self._seen is False and self._tickets > 1 and said.retry_after is None:
            # Refused right after the reset it had named: its seconds are rounded down, or others were quicker.
            self._margin = 1.0 if self._margin == 0.0 else None
        silent = self._to_next_reset(now) if again else self.window
        return self.stop(self.believed(said.asked or silent))

    def _to_next_reset(self, now: float) -> float:
        if math.isinf(self._named):
            return self.window / 10
        return self.window - (now - self._named) % self.window

    def believed(self, seconds: float) -> float:
        """Return how long to wait where a server refuses a call and asks for so many seconds.

        A wait far beyond the usual may be a slip of units or clocks: it is believed for one window, then the server
        is asked once more, and meant as it is said if it says so again.
        """
        if not self._far(seconds) or self._tickets != self._doubted + 1:
            return self._at_first(seconds)
        self._usual = seconds
        return seconds

    def hold(self, seconds: float | None) -> float:
        """Send nothing for so many seconds (None: a full window), or for one window if that is far; returns them."""
        return self.stop(self.window if seconds is None else self._at_first(seconds))

    def stop(self, seconds: float) -> float:
        """Send nothing for so many seconds; returns them."""
        self._left = 0.0
        self._ends = self._held = self._clock() + seconds
        self._hits.clear()
        return seconds

    def _far(self, seconds: float) -> bool:
        return seconds > FAR * self._usual or seconds >= LONGEST_WAIT

    def _at_first(self, seconds: float) -> float:
        """Return how much is believed of a wait that may be doubted."""
        if not self._far(seconds):
            return seconds
        if self._tickets != self._doubted + 1:  # else the answer to the call that was to find out
            self._doubted = self._tickets
        return max(self.window, DOCUMENTED_WINDOW)

    def _notice_sliding(self, said: RateHeaders, *, sent: float, now: float) -> None:
        """See whether each call leaves the window on its own, as with @nestjs/throttler's own storage.

        Then the first answer of a new window counts the calls of the old one that are still inside it, and waiting
        for the named reset would use one call of a whole window. The server saw each call between its sending and
        its answer, so its count lies between two of ours.
        """
        if said.limit is None or said.remaining is None:
            return
        used = said.limit - said.remaining
        least = sum(hit_sent + self.window > now for hit_sent, _ in self._hits)
        most = sum(hit_answered + self.window > sent for _, hit_answered in self._hits)
        if self._sliding is False:
            self._sliding = used > 1 and least <= used <= most
        elif self._sliding:
            self._sliding = used > 1 or least <= 1
