"""Which calls share a quota window: all of them, until answers prove that each endpoint has its own. Pure.

The vendor does not document this, and by default the framework of its server keeps one window for each endpoint and
client. So the proof comes from the server's own numbers, and it is dropped at the first sign against it. Each call is
counted twice, in the shared window and in that of its endpoint, so that either count is right when it is needed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tap_usertesting.api.call_limit import CallLimit
from tap_usertesting.api.quota import Quota
from tap_usertesting.api.quota_learned import DOCUMENTED_LIMIT, DOCUMENTED_WINDOW
from tap_usertesting.api.quota_window import POLL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.rate_headers import RateHeaders

LimitSource: TypeAlias = Literal["server", "setting", "documented"]

RECENT = 32  # answers to look back at; if there were more, less can be proven, but nothing that is wrong
PROOF_NEEDS = 8  # calls per window; with a lower limit, calls that are in flight together could be refused together


class _PendingCall(NamedTuple):
    """A call without an answer yet."""

    endpoint: str
    own_ticket: int  # in the window of its endpoint
    sent: float  # when
    resets: int  # answers that had stated their reset before


class _Reset(NamedTuple):
    """What an answer has stated about its window."""

    number: int
    sent: float  # when its call was sent
    took: float  # seconds
    reset_at: float


class _RecentResets:
    """The resets that recent answers have stated: which calls would one window for all endpoints have counted?"""

    def __init__(self) -> None:
        self.count = 0
        self._recent: deque[_Reset] = deque(maxlen=RECENT)

    def add(self, call: _PendingCall, *, now: float, reset_at: float) -> None:
        """Keep the reset of an answer that is read now."""
        self.count += 1
        self._recent.append(_Reset(self.count, call.sent, now - call.sent, reset_at))

    def counted_before(self, call: _PendingCall, shared: Quota, *, now: float, reset_at: float) -> int:
        """Return how many calls a shared window must have counted before this one, which is answered now.

        Calls that were in flight at the same time are left out, because their answers may overtake each other.
        """
        since, took = now - shared.window + shared.rounding / 2, now - call.sent
        while self._recent and self._recent[0].reset_at < now and self._recent[0].sent < since:
            self._recent.popleft()
        return sum(
            earlier.number <= call.resets
            and (
                shared.same(reset_at, earlier.reset_at, slack=took + earlier.took)
                or (shared.sliding and earlier.sent > since)
            )
            for earlier in self._recent
        )


class Windows:
    """The quota of one service: in how many windows its endpoints are, and when each of them may be called."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        limit: int | None = DOCUMENTED_LIMIT,
        window: float = DOCUMENTED_WINDOW,
        calls_per_minute: int | None = None,
    ) -> None:
        """Start with one shared window, which is full. `window`: its length in seconds.

        `limit`: calls per window to assume until the server sends its own; None: no limit. `calls_per_minute`: the
        user's maximum for all endpoints together, which is also the limit to assume.
        """
        self._clock = clock
        self._call_limit = None if calls_per_minute is None else CallLimit(calls_per_minute, clock=clock)
        self._shared = Quota(clock=clock, limit=limit if calls_per_minute is None else calls_per_minute, window=window)
        self._own: dict[str, Quota] = {}
        self._in_flight: dict[int, _PendingCall] = {}  # by ticket in the shared window
        self._resets = _RecentResets()
        self._reported: set[str] = set()  # the endpoints whose answers have stated the calls left
        self._first_reset_at: float | None = None  # of the window in which the first call was counted
        self._disproved = False  # whether an answer has spoken against separate windows
        self.separate = False  # whether each endpoint has its own window, as far as answers have proven

    # What is known

    @property
    def limit(self) -> int | None:
        """Calls per window; None while unknown."""
        return self._pace.limit

    @property
    def window(self) -> float:
        """The length of a window in seconds."""
        return self._pace.window

    @property
    def whole_window(self) -> float:
        """The length of a window in seconds, by the documentation where only the end of one was seen."""
        return self._pace.whole_window

    @property
    def limit_source(self) -> LimitSource:
        """Who says how many calls are allowed: the server, the user's setting, or only the vendor's documentation."""
        if self._pace is self._call_limit:
            return "setting"
        return "server" if self._shared.is_stated else "documented"

    @property
    def paced_together(self) -> bool:
        """Whether the calls of all endpoints wait for each other: in one window, or under the user's call limit."""
        return not self.separate or self._pace is self._call_limit

    @property
    def _pace(self) -> Quota | CallLimit:
        """The one of shared window and user's call limit that allows fewer calls in the long run."""
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
        """Return the window that counts the calls of this endpoint, or the user's call limit if it has fewer left."""
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
        """How many windows are known: one, or one for each endpoint that was called."""
        return len(self._own) if self.separate else 1

    # What happens to a call

    def wait(self, endpoint: str) -> float:
        """Return the seconds until a call of this endpoint may be sent; 0 means now."""
        by_limit = 0.0 if self._call_limit is None else self._call_limit.wait()
        return max(by_limit, self._wait_for_window(endpoint))

    def _wait_for_window(self, endpoint: str) -> float:
        if not self.separate:
            shared = self._shared.wait()
            if self._shared.sliding or endpoint not in self._own:
                return shared
            return max(shared, self._own[endpoint].wait())  # its own answers hold, whether the window is shared or not
        if endpoint not in self._reported and self._is_unreported_in_flight():
            return POLL * self._shared.window
        return self._quota_of(endpoint).wait()

    def sent(self, endpoint: str) -> int:
        """Count a call that is sent now; returns its ticket for `answered`."""
        if self._call_limit is not None:
            self._call_limit.sent()
        ticket = self._shared.sent()
        own_ticket = self._quota_of(endpoint).sent()
        self._in_flight[ticket] = _PendingCall(endpoint, own_ticket, self._clock(), self._resets.count)
        return ticket

    def answered(self, ticket: int, headers: RateHeaders) -> None:
        """Learn from the answer to a call, or from its failure."""
        if self._call_limit is not None:
            self._call_limit.answered()
        call = self._in_flight.pop(ticket)
        own = self._quota_of(call.endpoint)
        own_window = self._has_own_window(headers, call)
        overtaken = own.answered(call.own_ticket, headers) and not self._is_first_window(headers, ticket)
        self._disproved = self._disproved or overtaken
        if own_window and (self._disproved or (headers.limit or 0) < PROOF_NEEDS):
            self._shared.count_conservatively()  # some endpoints share a window and some do not
        elif own_window:
            self.separate = True
        self._shared.answered(ticket, headers)
        if headers.remaining is not None:
            self._reported.add(call.endpoint)
        if overtaken and self.separate:
            self._assume_shared()

    def refused(self, endpoint: str, headers: RateHeaders) -> float:
        """Learn from a 429; returns the seconds to wait before the call is repeated."""
        seconds = self._quota_of(endpoint).refused(headers)
        if self.separate:
            self._assume_shared()
            return self._shared.stop(seconds)
        return self._shared.refused(headers)

    def believed(self, seconds: float) -> float:
        """Return how long to wait if a call has failed and the server asks for so many seconds."""
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

    def _is_unreported_in_flight(self) -> bool:
        """Tell whether a call is in flight to an endpoint that has not yet stated the calls left."""
        return any(call.endpoint not in self._reported for call in self._in_flight.values())

    def _has_own_window(self, headers: RateHeaders, call: _PendingCall) -> bool:
        """Tell whether the answer leaves more calls than a window could that all endpoints share.

        A shared window would have counted this call, and every call that was answered before it was sent.
        """
        if headers.limit is None or headers.remaining is None or headers.reset is None:
            return False
        now = self._clock()
        reset_at = now + headers.reset
        before = self._resets.counted_before(call, self._shared, now=now, reset_at=reset_at)
        self._resets.add(call, now=now, reset_at=reset_at)
        return headers.remaining > headers.limit - 1 - before

    def _is_first_window(self, headers: RateHeaders, ticket: int) -> bool:
        """Tell whether this is the window of the first call. Others may have used it before, so it proves nothing."""
        reset_at = self._clock() + (headers.reset or 0.0)
        if ticket == 1:
            self._first_reset_at = reset_at
        return self._first_reset_at is not None and self._shared.same(reset_at, self._first_reset_at, slack=0.0)

    def _assume_shared(self) -> None:
        """Take it that all endpoints share one window, for the rest of the run."""
        self.separate, self._disproved = False, True
        self._shared.count_conservatively()
