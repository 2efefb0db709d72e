"""Which calls share a quota window: all of them, until answers prove that each endpoint has one of its own. Pure.

Nothing that the vendor writes says so; the make of its server keeps, left alone, a window per endpoint and client. So
it is learned, from the server's own numbers, and given up at the first sign against it. Each call is counted twice, in
the shared window and in its endpoint's own, so that either count is right whenever it is asked.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.api.lid import Lid
from tap_usertesting.api.quota import DOCUMENTED_LIMIT, DOCUMENTED_WINDOW, LOOK, Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.quota import RateHeaders

FEW = 32  # answers that are looked back at: fewer than there were prove less, and never more
PROOF_NEEDS = 8  # calls a window: with fewer, calls under way together could be refused together


class _Flight(NamedTuple):
    """A call under way: its ticket in its endpoint's own window, when it was sent, after how many answers."""

    endpoint: str
    own_ticket: int
    sent: float
    heard: int


class _Heard(NamedTuple):
    """An answer: its number, when its call was sent, how long it took, the end of the window that it named."""

    number: int
    sent: float
    took: float
    ends: float


class Windows:
    """The quota of one API, asked by endpoint. `limit` None: nothing is assumed until the server names a limit."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        limit: int | None = DOCUMENTED_LIMIT,
        window: float = DOCUMENTED_WINDOW,
        lid: int | None = None,
    ) -> None:
        """Start with one shared window, full. `lid`: calls a minute, of all endpoints together, that are never passed.

        It is also what is assumed as long as the server names no limit.
        """
        self._clock = clock
        self._lid = None if lid is None else Lid(lid, clock=clock)
        self._shared = Quota(clock=clock, limit=limit if lid is None else lid, window=window)
        self._own: dict[str, Quota] = {}
        self._flights: dict[int, _Flight] = {}
        self._heard: deque[_Heard] = deque(maxlen=FEW)
        self._hears = 0
        self._answered: set[str] = set()
        self._older: float | None = None  # the end of a window that others had opened before the first call
        self._disproved = False
        self.separate = False

    # What is known

    @property
    def limit(self) -> int | None:
        """Calls a window; None while none is known."""
        return self._pace.limit

    @property
    def window(self) -> float:
        """Seconds that a window lasts."""
        return self._pace.window

    @property
    def paced_together(self) -> bool:
        """Whether calls of all endpoints take their time one after another: in one window, or under the lid."""
        return not self.separate or self._pace is self._lid

    @property
    def _pace(self) -> Quota | Lid:
        """What sets the pace in the long run."""
        lid, shared = self._lid, self._shared
        if lid is None or (shared.limit is not None and shared.limit / shared.window <= lid.limit / lid.window):
            return shared
        return lid

    def knows(self, endpoint: str) -> bool:
        """Tell whether the endpoint was asked before."""
        return endpoint in self._own

    def of(self, endpoint: str) -> Quota | Lid:
        """Return the window that a call of this endpoint takes its place in, or the lid where that leaves fewer."""
        quota, lid = self._mine(endpoint) if self.separate else self._shared, self._lid
        if lid is not None and (quota.remaining is None or lid.remaining < quota.remaining):
            return lid
        return quota

    @property
    def tightest(self) -> Quota | Lid:
        """The shared window, or of several the one that lets the next call wait longest."""
        if self._lid is not None and self._pace is self._lid:
            return self._lid
        return max(self._own.values(), key=lambda quota: quota.wait()) if self.separate else self._shared

    @property
    def number(self) -> int:
        """How many there are, as far as is known: one, or one for each endpoint that was asked."""
        return len(self._own) if self.separate else 1

    # The way of a call

    def wait(self, endpoint: str) -> float:
        """Seconds until a call of this endpoint may be sent; 0 means now."""
        under = 0.0 if self._lid is None else self._lid.wait()
        return max(under, self._wait(endpoint))

    def _wait(self, endpoint: str) -> float:
        if not self.separate:
            shared = self._shared.wait()
            if self._shared.sliding or endpoint not in self._own:
                return shared
            return max(shared, self._own[endpoint].wait())  # what it was told itself holds, also where not all share
        if endpoint not in self._answered and self._first_under_way():
            return LOOK * self._shared.window
        return self._mine(endpoint).wait()

    def sent(self, endpoint: str) -> int:
        """Count a call that is sent now; returns its ticket for `answered`."""
        if self._lid is not None:
            self._lid.sent()
        ticket = self._shared.sent()
        self._flights[ticket] = _Flight(endpoint, self._mine(endpoint).sent(), self._clock(), self._hears)
        return ticket

    def answered(self, ticket: int, said: RateHeaders) -> None:
        """Learn from the answer (or the failure) of the call with this ticket."""
        if self._lid is not None:
            self._lid.answered()
        flight = self._flights.pop(ticket)
        own = self._mine(flight.endpoint)
        alone = self._alone(said, flight)
        overtaken = own.answered(flight.own_ticket, said) and not self._is_older(said, ticket)
        self._disproved = self._disproved or overtaken
        if alone and (self._disproved or (said.limit or 0) < PROOF_NEEDS):
            self._shared.be_wary()  # some calls share a window and some do not
        elif alone:
            self.separate = True
        self._shared.answered(ticket, said)
        if said.remaining is not None:
            self._answered.add(flight.endpoint)
        if overtaken and self.separate:
            self._share()

    def refused(self, endpoint: str, said: RateHeaders) -> float:
        """Learn from a 429; returns the seconds to wait before the call is repeated."""
        seconds = self._mine(endpoint).refused(said)
        if self.separate:
            self._share()
            return self._shared.stop(seconds)
        return self._shared.refused(said)

    def believed(self, seconds: float) -> float:
        """Return how long to wait before a call is repeated that failed with a wait of so many seconds asked for."""
        return self._shared.believed(seconds)

    def hold(self, seconds: float | None) -> float:
        """Send nothing for so many seconds (None: a full window); returns them."""
        for own in self._own.values():
            own.hold(seconds)
        return self._shared.hold(seconds)

    # Learning

    def _mine(self, endpoint: str) -> Quota:
        if endpoint not in self._own:
            self._own[endpoint] = Quota(clock=self._clock, limit=self._shared.limit, window=self._shared.window)
        return self._own[endpoint]

    def _first_under_way(self) -> bool:
        """Tell whether an endpoint is being asked that has not answered before: no one knows what it shares."""
        return any(flight.endpoint not in self._answered for flight in self._flights.values())

    def _alone(self, said: RateHeaders, flight: _Flight) -> bool:
        """Tell whether more calls are left than a window could have that all calls share.

        Were it shared, the server had counted this call, and each that was answered before this one was sent. What is
        under way meanwhile proves nothing: answers overtake each other.
        """
        if said.limit is None or said.remaining is None or said.reset is None:
            return False
        now = self._clock()
        ends, since = now + said.reset, now - self._shared.window + self._shared.rounding / 2
        while self._heard and self._heard[0].ends < now and self._heard[0].sent < since:
            self._heard.popleft()
        took = now - flight.sent
        before = sum(
            heard.number <= flight.heard
            and (
                self._shared.same(ends, heard.ends, slack=took + heard.took)
                or (self._shared.sliding and heard.sent > since)
            )
            for heard in self._heard
        )
        self._hears += 1
        self._heard.append(_Heard(self._hears, flight.sent, took, ends))
        return said.remaining > said.limit - 1 - before

    def _is_older(self, said: RateHeaders, ticket: int) -> bool:
        """Tell whether this window was in use before the first call of the run: its count is no sign of sharing."""
        ends = self._clock() + (said.reset or 0.0)
        if ticket == 1:
            self._older = ends
        return self._older is not None and self._shared.same(ends, self._older, slack=0.0)

    def _share(self) -> None:
        """Take it that windows are shared after all, for the rest of the run."""
        self.separate, self._disproved = False, True
        self._shared.be_wary()
