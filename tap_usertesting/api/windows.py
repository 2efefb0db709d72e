"""Which calls share a quota window: all of them, until answers prove that each endpoint has its own. Pure.

The vendor does not document this, and the framework of its server keeps one window per endpoint and client by default.
So it is learned from the server's own numbers, and dropped at the first sign against it. Each call is counted twice,
in the shared window and in the window of its endpoint, so that either count is right whenever it is needed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.api.call_limit import CallLimit
from tap_usertesting.api.quota import Quota
from tap_usertesting.api.quota_learned import DOCUMENTED_LIMIT, DOCUMENTED_WINDOW
from tap_usertesting.api.quota_window import POLL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.rate_headers import RateHeaders

RECENT = 32  # answers to look back at; with fewer than there were, less can be proven, but nothing wrong
PROOF_NEEDS = 8  # calls per window; with a lower limit, calls in flight together could be refused together


class _InFlight(NamedTuple):
    """A call without an answer yet."""

    endpoint: str
    own_ticket: int  # in the window of its endpoint
    sent: float
    answers: int  # read before it was sent


class _Answer(NamedTuple):
    """An answer that stated its window."""

    number: int
    sent: float  # when its call was sent
    took: float  # seconds
    reset_at: float


class _History:
    """Recent answers: shows which calls the server had counted if all endpoints shared one window."""

    def __init__(self) -> None:
        self.count = 0
        self._recent: deque[_Answer] = deque(maxlen=RECENT)

    def add(self, call: _InFlight, *, now: float, reset_at: float) -> None:
        """Keep an answer that is read now."""
        self.count += 1
        self._recent.append(_Answer(self.count, call.sent, now - call.sent, reset_at))

    def counted_before(self, call: _InFlight, shared: Quota, *, now: float, reset_at: float) -> int:
        """Return how many calls a shared window had counted for certain when this one, answered now, was sent.

        Calls in flight at the same time do not count: their answers overtake each other.
        """
        since, took = now - shared.window + shared.rounding / 2, now - call.sent
        while self._recent and self._recent[0].reset_at < now and self._recent[0].sent < since:
            self._recent.popleft()
        return sum(
            answer.number <= call.answers
            and (
                shared.same(reset_at, answer.reset_at, slack=took + answer.took)
                or (shared.sliding and answer.sent > since)
            )
            for answer in self._recent
        )


class Windows:
    """The quota of one API, asked by endpoint. `limit` None: assume no limit until the server sends one."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        limit: int | None = DOCUMENTED_LIMIT,
        window: float = DOCUMENTED_WINDOW,
        calls_per_minute: int | None = None,
    ) -> None:
        """Start with one shared window, full. `calls_per_minute`: a maximum for all endpoints together.

        It is also the assumed limit as long as the server sends none.
        """
        self._clock = clock
        self._call_limit = None if calls_per_minute is None else CallLimit(calls_per_minute, clock=clock)
        self._shared = Quota(clock=clock, limit=limit if calls_per_minute is None else calls_per_minute, window=window)
        self._own: dict[str, Quota] = {}
        self._in_flight: dict[int, _InFlight] = {}
        self._history = _History()
        self._reported: set[str] = set()  # the endpoints whose answers have stated the calls left
        self._first_reset_at: float | None = None  # of the window in which the first call was counted
        self._disproved = False
        self.separate = False

    # What is known

    @property
    def limit(self) -> int | None:
        """Calls per window; None while unknown."""
        return self._pace.limit

    @property
    def window(self) -> float:
        """Length of a window in seconds."""
        return self._pace.window

    @property
    def paced_together(self) -> bool:
        """Whether calls of all endpoints wait for each other: in one window, or under the user's call limit."""
        return not self.separate or self._pace is self._call_limit

    @property
    def _pace(self) -> Quota | CallLimit:
        """What limits the calls in the long run."""
        call_limit, shared = self._call_limit, self._shared
        if call_limit is None or (
            shared.limit is not None and shared.limit / shared.window <= call_limit.limit / call_limit.window
        ):
            return shared
        return call_limit

    def knows(self, endpoint: str) -> bool:
        """Tell whether the endpoint was called before."""
        return endpoint in self._own

    def of(self, endpoint: str) -> Quota | CallLimit:
        """Return the window that counts the calls of this endpoint, or the user's call limit if that leaves fewer."""
        quota, call_limit = self._quota_of(endpoint) if self.separate else self._shared, self._call_limit
        if call_limit is not None and (quota.remaining is None or call_limit.remaining < quota.remaining):
            return call_limit
        return quota

    @property
    def tightest(self) -> Quota | CallLimit:
        """The window with the longest wait; the user's call limit if that sets the pace."""
        if self._call_limit is not None and self._pace is self._call_limit:
            return self._call_limit
        return max(self._own.values(), key=lambda quota: quota.wait()) if self.separate else self._shared

    @property
    def number(self) -> int:
        """How many windows there are, as far as is known: one, or one for each endpoint that was called."""
        return len(self._own) if self.separate else 1

    # What happens to a call

    def wait(self, endpoint: str) -> float:
        """Return the seconds until a call of this endpoint may be sent; 0 means now."""
        under_limit = 0.0 if self._call_limit is None else self._call_limit.wait()
        return max(under_limit, self._wait(endpoint))

    def _wait(self, endpoint: str) -> float:
        if not self.separate:
            shared = self._shared.wait()
            if self._shared.sliding or endpoint not in self._own:
                return shared
            return max(shared, self._own[endpoint].wait())  # what its own answers state holds, shared or not
        if endpoint not in self._reported and self._first_in_flight():
            return POLL * self._shared.window
        return self._quota_of(endpoint).wait()

    def sent(self, endpoint: str) -> int:
        """Count a call that is sent now; returns its ticket for `answered`."""
        if self._call_limit is not None:
            self._call_limit.sent()
        ticket = self._shared.sent()
        own_ticket = self._quota_of(endpoint).sent()
        self._in_flight[ticket] = _InFlight(endpoint, own_ticket, self._clock(), self._history.count)
        return ticket

    def answered(self, ticket: int, headers: RateHeaders) -> None:
        """Learn from the answer to a call, or from its failure."""
        if self._call_limit is not None:
            self._call_limit.answered()
        call = self._in_flight.pop(ticket)
        own = self._quota_of(call.endpoint)
        alone = self._has_own_window(headers, call)
        overtaken = own.answered(call.own_ticket, headers) and not self._is_first_window(headers, ticket)
        self._disproved = self._disproved or overtaken
        if alone and (self._disproved or (headers.limit or 0) < PROOF_NEEDS):
            self._shared.count_conservatively()  # some calls share a window and some do not
        elif alone:
            self.separate = True
        self._shared.answered(ticket, headers)
        if headers.remaining is not None:
            self._reported.add(call.endpoint)
        if overtaken and self.separate:
            self._share()

    def refused(self, endpoint: str, headers: RateHeaders) -> float:
        """Learn from a 429; returns the seconds to wait before the call is repeated."""
        seconds = self._quota_of(endpoint).refused(headers)
        if self.separate:
            self._share()
            return self._shared.stop(seconds)
        return self._shared.refused(headers)

    def believed(self, seconds: float) -> float:
        """Return how long to wait before repeating a call that failed and asked for a wait of so many seconds."""
        return self._shared.believed(seconds)

    def hold(self, seconds: float | None) -> float:
        """Send nothing for so many seconds (None: a full window); returns them."""
        for own in self._own.values():
            own.hold(seconds)
        return self._shared.hold(seconds)

    # Learning

    def _quota_of(self, endpoint: str) -> Quota:
        if endpoint not in self._own:
            self._own[endpoint] = Quota(clock=self._clock, limit=self._shared.limit, window=self._shared.window)
        return self._own[endpoint]

    def _first_in_flight(self) -> bool:
        """Tell whether a call is in flight to an endpoint whose window nobody knows yet."""
        return any(call.endpoint not in self._reported for call in self._in_flight.values())

    def _has_own_window(self, headers: RateHeaders, call: _InFlight) -> bool:
        """Tell whether the answer leaves more calls than a window can have left that all endpoints share.

        A shared window would have counted this call, and each call that was answered before this one was sent.
        """
        if headers.limit is None or headers.remaining is None or headers.reset is None:
            return False
        now = self._clock()
        reset_at = now + headers.reset
        before = self._history.counted_before(call, self._shared, now=now, reset_at=reset_at)
        self._history.add(call, now=now, reset_at=reset_at)
        return headers.remaining > headers.limit - 1 - before

    def _is_first_window(self, headers: RateHeaders, ticket: int) -> bool:
        """Tell whether this is the window of the first call: others may have used it before, which proves nothing."""
        reset_at = self._clock() + (headers.reset or 0.0)
        if ticket == 1:
            self._first_reset_at = reset_at
        return self._first_reset_at is not None and self._shared.same(reset_at, self._first_reset_at, slack=0.0)

    def _share(self) -> None:
        """Treat all windows as shared for the rest of the run."""
        self.separate, self._disproved = False, True
        self._shared.count_conservatively()
