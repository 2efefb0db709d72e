"""The rate limit of one API: how many calls are left, and how long to wait. No I/O, no sleep; the clock is injected.

The server's numbers take precedence over our own count, because others may use the same quota. As long as the server
sends none, the documented 10 requests in 60 seconds are assumed. What the server has revealed is in `quota_learned`,
the count of the current window in `quota_window`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.api.quota_learned import DOCUMENTED_LIMIT, DOCUMENTED_WINDOW, Learned
from tap_usertesting.api.quota_window import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.rate_headers import RateHeaders


class Quota:
    """Tells when the next call may be sent, and learns from every answer."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        limit: int | None = DOCUMENTED_LIMIT,
        window: float = DOCUMENTED_WINDOW,
    ) -> None:
        """Start with a full window. `limit` None: assume no limit until the server sends one."""
        self._clock = clock
        self._server = Learned(limit=limit, window=window)
        self._window = Window(self._server)
        self._refused_ticket = 0  # the last call sent when the server last refused one

    # What is known

    @property
    def limit(self) -> int | None:
        """Calls per window; None while unknown."""
        return self._server.limit

    @property
    def window(self) -> float:
        """Length of a window in seconds."""
        return self._server.window

    @property
    def is_stated(self) -> bool:
        """Whether the server has named limit and window; otherwise they are assumed."""
        return self._server.window_stated

    @property
    def whole_window(self) -> float:
        """Length of a window in seconds, by the documentation where only the end of one was seen."""
        return self.window if self._server.seen_whole else max(self.window, DOCUMENTED_WINDOW)

    @property
    def sliding(self) -> bool:
        """Whether each call leaves the window on its own, one window length after it was made."""
        return bool(self._server.sliding)

    @property
    def rounding(self) -> float:
        """Seconds by which two resets of one window may differ because the server rounds."""
        return self._server.rounding

    @property
    def remaining(self) -> int | None:
        """Calls left in the current window; None while no limit is known."""
        return self._window.available(self._clock())

    @property
    def next_window(self) -> float:
        """The seconds until the current window is over; 0 if none is open."""
        return max(0.0, self._window.reset_at - self._clock())

    def same(self, reset_at: float, other: float, *, slack: float) -> bool:
        """Tell whether two resets belong to one window. `slack`: seconds that the two answers took."""
        return self._server.same(reset_at, other, slack=slack)

    def wait(self) -> float:
        """Return the seconds until the next call may be sent; 0 means now."""
        return self._window.wait(self._clock())

    # What happens to a call

    def sent(self) -> int:
        """Count a call that is sent now; returns its ticket for `answered`."""
        return self._window.send(self._clock())

    def answered(self, ticket: int, headers: RateHeaders) -> bool:
        """Learn from the answer to a call, or from its failure, in whatever order answers arrive.

        Returns whether the server has counted more calls in this window than we have.
        """
        now = self._clock()
        server, window = self._server, self._window
        call = window.record(ticket, now=now)
        report = server.read(headers, now=now)
        if report is None:
            window.count_unreported()
            if headers.remaining == 0 and headers.reset is not None:
                self.hold(headers.reset)
            return False
        own = window.is_own(call, report)
        if not own and window.is_past(call, report):
            return False
        server.learn(report)
        if report.used is not None and not window.reported:
            fewest, most = window.calls.possible_hits(call, window=server.window)
            server.notice_sliding(report.used, fewest=fewest, most=most)
        if not window.apply(call, report) and not own:
            self.count_conservatively()  # the report is about yet another window, so there are several
        if report.used is None:
            return False
        window.drop_expired(report.used)
        return window.is_overtaken(call, report.used, own=own)

    def refused(self, headers: RateHeaders) -> float:
        """Learn from a 429; returns the seconds to wait before the call is repeated.

        `Retry-After` comes first, then the reset. If the server sends neither, the wait is one window. But if others
        use the same quota, a client that always returns one window later may find nothing left each time. So after two
        refusals in a row the wait is until the next reset, as extrapolated from the last one.
        """
        now = self._clock()
        server, last_ticket = self._server, self._window.calls.last_ticket
        in_a_row = self._refused_ticket == last_ticket - 1 > 0
        self._refused_ticket = last_ticket
        server.note_refusal(
            after_reset=not self._window.reported and last_ticket > 1 and headers.retry_after is None,
        )
        default = server.until_next_reset(now) if in_a_row else server.window
        return self.stop(self.believed(headers.asked or default))

    # Waits

    def believed(self, seconds: float) -> float:
        """Return how long to wait if the server refuses a call and asks for so many seconds.

        An unusually long wait may be a mistake: it is cut to one window, and believed once the server repeats it.
        """
        last_ticket = self._window.calls.last_ticket
        return self._server.long_waits.believed(seconds, last_ticket=last_ticket, window=self.window)

    def hold(self, seconds: float | None) -> float:
        """Send nothing for one window, or for so many seconds unless that is unusually long; returns the wait."""
        if seconds is None:
            return self.stop(self.window)
        last_ticket = self._window.calls.last_ticket
        return self.stop(self._server.long_waits.capped(seconds, last_ticket=last_ticket, window=self.window))

    def stop(self, seconds: float) -> float:
        """Send nothing for so many seconds; returns them."""
        self._window.stop(self._clock() + seconds)
        return seconds

    def count_conservatively(self) -> None:
        """Keep all calls together within one limit in every period: some share a window, and it is unknown which."""
        self._server.several_windows = True
