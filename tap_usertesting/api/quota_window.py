"""The current quota window: how many calls are left in it, and how long the next one has to wait. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_usertesting.api.quota_calls import AnsweredCall, CallLog

if TYPE_CHECKING:
    from tap_usertesting.api.quota_learned import Learned, Report

POLL = 0.01  # of a window; how often to check for an answer that decides whether the next call may go
PATIENCE = 0.1  # of a window; a call that takes longer holds up no other


@dataclass
class Window:
    """Counts the calls of the current window. It reads `server` and never changes it."""

    server: Learned
    calls: CallLog = field(default_factory=CallLog)
    remaining: float = field(init=False)  # calls left before those in flight are subtracted; infinite: unknown
    reset_at: float = -math.inf
    took: float = 0.0  # seconds; the answer that stated `reset_at`
    reported: bool = False  # whether an answer has stated this window's reset
    answered: bool = False  # whether any call of this window has been answered
    first_ticket: int = 1
    held_until: float = -math.inf  # no call before this time, even if some are left

    def __post_init__(self) -> None:
        """Start full."""
        self.remaining = self._full()

    def _full(self) -> float:
        return math.inf if self.server.limit is None else float(self.server.limit)

    # What is left

    def available(self, now: float) -> int | None:
        """Return how many calls may still be sent in this window; None if no limit is known."""
        limit, in_flight = self.server.limit, len(self.calls.in_flight)
        if math.isinf(self.remaining):
            return None
        if self.server.several_windows and limit is not None:
            return max(0, limit - len(self.calls.recent(now, window=self.server.window)) - in_flight)
        if now >= self.reset_at:
            return limit
        return max(0, int(self.remaining) - in_flight)

    def wait(self, now: float) -> float:
        """Return the seconds until the next call may be sent; 0 means now."""
        limit = self.server.limit
        if limit is None:
            return self._wait_for_reset(now)
        if self.server.several_windows:
            return self._wait_conservatively(now, limit)
        if self.server.sliding:
            return max(self._wait_for_reset(now), self._wait_conservatively(now, limit))
        return self._wait_for_reset(now)

    def _wait_for_reset(self, now: float) -> float:
        """Return the wait by what the server has reported about this window."""
        server, calls = self.server, self.calls
        over = now >= self.reset_at
        first = server.limit is not None and (over or not self.answered)
        if first and calls.is_pending(now, patience=PATIENCE * server.window):
            return POLL * server.window  # the first call goes alone: its answer may report fewer calls than assumed
        if over or self.remaining > len(calls.in_flight):
            return 0.0
        excess = len(calls.in_flight) - int(self.remaining)  # calls in flight that need an older one to expire
        if server.sliding and excess < len(calls.hits):
            return max(0.0, min(self.reset_at, calls.hits[excess].answered + server.window) - now)
        # `remaining` may include calls in flight already. If so, their answers will show it, so check again soon.
        return min(POLL * server.window, self.reset_at - now) if self.remaining > 0 else self.reset_at - now

    def _wait_conservatively(self, now: float, limit: int) -> float:
        """Return the wait that keeps every period as long as a window to `limit` calls, wherever it starts."""
        if now < self.held_until:
            return self.held_until - now
        recent = self.calls.recent(now, window=self.server.window)
        excess = len(recent) + len(self.calls.in_flight) - limit
        if excess < 0:
            return 0.0
        return recent[excess] + self.server.window - now if excess < len(recent) else POLL * self.server.window

    # Counting

    def send(self, now: float) -> int:
        """Count a call that is sent now, in a new window if this one is over; returns its ticket."""
        if now >= self.reset_at:
            self.remaining = self._full()
            self.reset_at, self.took = now + self.server.window, 0.0
            self.reported = self.answered = False
            self.first_ticket = self.calls.last_ticket + 1
        return self.calls.send(now)

    def record(self, ticket: int, *, now: float) -> AnsweredCall:
        """Take a call out of flight."""
        self.answered = self.answered or ticket >= self.first_ticket
        return self.calls.record(ticket, now=now, window=self.server.window)

    def count_unreported(self) -> None:
        """Count a call whose answer states nothing: the server may have counted it all the same."""
        self.remaining = max(0.0, self.remaining - 1)

    def is_own(self, call: AnsweredCall, report: Report) -> bool:
        """Tell whether a report is about this window."""
        return self.server.same(report.reset_at, self.reset_at, slack=call.took + self.took)

    def is_past(self, call: AnsweredCall, report: Report) -> bool:
        """Tell whether a report that is not about this window is about an earlier one."""
        return call.ticket < self.first_ticket and report.reset_at < self.reset_at

    def apply(self, call: AnsweredCall, report: Report) -> bool:
        """Take the calls left and the reset from a report; returns whether it is the first about its window.

        Of two calls in flight together, the answer that states fewer calls left counts, in whichever order they come.
        """
        opens = not self.reported or self._opens_early(call, report)
        if opens and self.reported:
            self.first_ticket = call.ticket
        if opens or report.reset_at > self.reset_at:
            self.reset_at, self.took = report.reset_at, call.took
        self.remaining = float(report.remaining if opens or call.latest else min(self.remaining, report.remaining))
        self.reported, self.calls.last_report = True, self.calls.answers
        return opens

    def _opens_early(self, call: AnsweredCall, report: Report) -> bool:
        """Tell whether the server opened the next window a little before the reset that it had stated."""
        later = report.reset_at > self.reset_at + self.server.window / 2
        return later and self.server.same(call.answered, self.reset_at, slack=call.took)

    def drop_expired(self, used: int) -> None:
        """Drop hits that a sliding window no longer holds, according to the number of calls that the server counts."""
        if self.server.sliding and not self.server.several_windows:
            self.calls.drop_hits(keep=max(1, used))

    def is_overtaken(self, call: AnsweredCall, used: int, *, own: bool) -> bool:
        """Tell whether the server has counted more calls than this log can account for.

        `used`: calls that the server has counted; `own`: whether its report is about the window as it was before.
        """
        in_fixed = own and not self.server.sliding
        return used > call.in_window or (in_fixed and used > call.ticket - self.first_ticket + 1)

    def stop(self, until: float) -> None:
        """Allow no call before the given time."""
        self.remaining = 0.0
        self.reset_at = self.held_until = until
        self.calls.hits.clear()
