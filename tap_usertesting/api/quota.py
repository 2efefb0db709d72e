"""The quota window of one API, as a pure count: no I/O, no sleep, the clock is injected.

The server's word beats the own count, since others may share the quota. With no word at all it assumes
the documented 10 requests in 60 seconds. Source: the vendor's reference, "Maximum of 10 requests per
minute", and its headers `x-ratelimit-limit`, `-remaining` and `-reset` (seconds left in the window).
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
LONGEST_WAIT = 3600.0  # a server that asks for more than an hour is not believed


@dataclass(frozen=True)
class RateHeaders:
    """What one answer says of the quota: calls, calls, seconds, seconds; None where it says nothing."""

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    retry_after: float | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str], *, wall: float) -> RateHeaders:
        """Read `x-ratelimit-*` and `Retry-After`.

        `wall` is the present as epoch seconds. A value that is no number, negative or beyond an hour
        counts as absent; so does a date in the past.
        """
        limit = _number(headers.get("x-ratelimit-limit"))
        remaining = _number(headers.get("x-ratelimit-remaining"))
        reset = _number(headers.get("x-ratelimit-reset"))
        if reset is not None and reset > EPOCH_FROM:
            reset -= wall
        return cls(
            limit=int(limit) if limit is not None and limit >= 1 else None,
            remaining=int(remaining) if remaining is not None and remaining >= 0 else None,
            reset=_believable(reset),
            retry_after=_believable(_retry_after(headers.get("retry-after"), wall=wall)),
        )


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _retry_after(text: str | None, *, wall: float) -> float | None:
    if text is None or (seconds := _number(text)) is not None:
        return seconds if text is not None else None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp() - wall


def _believable(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 < seconds <= LONGEST_WAIT else None


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
        self._remaining = math.inf if limit is None else float(limit)
        self._ends = -math.inf  # of the present window
        self._seen = False  # has an answer of the present window been read?
        self._tickets = 0
        self._newest = 0  # the newest ticket whose answer was read
        self._told = False  # has the server ever named a window? Until then it is assumed
        self._margin: float | None = 0.0  # for a server that rounds its reset down; None: that was not it
        self._named = -math.inf  # the end of a window that the server named last
        self._refused = 0  # the ticket refused last
        self._sent: dict[int, float] = {}  # when the calls in flight were sent
        self._hits: deque[tuple[float, float]] = deque()  # when the calls of the last window were sent and answered
        self._sliding: bool | None = False  # None: was believed once and refuted

    @property
    def remaining(self) -> int | None:
        """Calls left in the present window; None while no limit is known."""
        if math.isinf(self._remaining):
            return None
        if self._clock() >= self._ends:
            return self.limit
        return int(self._remaining)

    def wait(self) -> float:
        """Seconds until the next call may be sent; 0 means now."""
        now = self._clock()
        if self._remaining > 0 or now >= self._ends:
            return 0.0
        if self._sliding and self._hits:
            return max(0.0, min(self._ends, self._hits[0][1] + self.window) - now)
        return self._ends - now

    def sent(self) -> int:
        """Count a call that is sent now; returns its ticket for `answered`."""
        now = self._clock()
        if now >= self._ends:
            self._remaining = math.inf if self.limit is None else float(self.limit)
            self._ends = now + self.window
            self._seen = False
        self._remaining = max(0.0, self._remaining - 1)
        self._tickets += 1
        self._sent[self._tickets] = now
        return self._tickets

    def answered(self, ticket: int, said: RateHeaders) -> None:
        """Learn from the answer (or the failure) of the call with this ticket.

        Answers may arrive out of order: only the newest counts, less the calls sent after it.
        """
        now = self._clock()
        sent = self._sent.pop(ticket, now)
        self._hits.append((sent, now))
        while self._hits[0][1] + self.window <= sent:
            self._hits.popleft()
        if said.remaining is None or said.reset is None or ticket < self._newest:
            return
        self._newest = ticket
        if said.limit is not None:
            self.limit = said.limit
        ends = self._named = now + said.reset + (self._margin or 0.0)
        first = not self._seen or ends > self._ends + self.window / 2
        if first and not self._seen:
            self.window = max(self.window, said.reset) if self._told else said.reset
            self._told = True
            self._notice_sliding(said, sent=sent, now=now)
        self._ends = ends if first else max(self._ends, ends)
        self._seen = True
        self._remaining = float(max(0, said.remaining - (self._tickets - ticket)))
        if self._sliding and self.limit is not None:
            # A call leaves the server's count a little before it leaves ours, as its answer came later.
            while len(self._hits) > max(1, self.limit - said.remaining):
                self._hits.popleft()

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
        return self.hold(said.retry_after or said.reset or silent, now=now)

    def _to_next_reset(self, now: float) -> float:
        if math.isinf(self._named):
            return self.window / 10
        return self.window - (now - self._named) % self.window

    def hold(self, seconds: float | None, *, now: float | None = None) -> float:
        """Send nothing for so many seconds (None: a full window); returns them."""
        seconds = self.window if seconds is None else seconds
        self._remaining = 0.0
        self._ends = (self._clock() if now is None else now) + seconds
        self._hits.clear()
        return seconds

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
