"""What a server's answers have revealed about its rate limit. Pure: the current time is an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tap_usertesting.api.rate_headers import RateHeaders

DOCUMENTED_LIMIT = 10  # the vendor's reference: "Maximum of 10 requests per minute"
DOCUMENTED_WINDOW = 60.0  # seconds
LONGEST_WAIT = 3600.0  # seconds; if the server repeats that it wants a wait this long, the run should end
FAR = 3.0  # a wait longer than this many usual ones is doubted at first
ROUNDED = 2.0  # seconds by which resets of one window differ at most if the server sends whole seconds
LONGEST_SLACK = 15.0  # seconds; the reset of an answer that took longer cannot identify a window


class Report(NamedTuple):
    """What one answer states about the window in which the server counted its call."""

    limit: int | None
    remaining: int
    reset: float  # seconds, as the header says
    reset_at: float  # the same by our clock, with the margin

    @property
    def used(self) -> int | None:
        """Calls that the server has counted in the window; None if it sends no limit."""
        return None if self.limit is None else self.limit - self.remaining


@dataclass
class LongWaits:
    """Decides which long waits to believe: an unusually long one may be a mix-up of units or a wrong clock.

    Such a wait is cut to one window. If the very next call is told to wait as long, the server means it.
    """

    usual: float  # seconds; the longest wait that the server has proven to mean
    doubted_ticket: int = -2  # the last call sent when a wait was doubted; -2: before any call

    def is_far(self, seconds: float) -> bool:
        """Tell whether a wait is so long that it is doubted."""
        return seconds > FAR * self.usual or seconds >= LONGEST_WAIT

    def believed(self, seconds: float, *, last_ticket: int, window: float) -> float:
        """Return the wait to keep after a refusal; remember a far one that the server has confirmed."""
        if not self.is_far(seconds) or last_ticket != self.doubted_ticket + 1:
            return self.capped(seconds, last_ticket=last_ticket, window=window)
        self.usual = seconds
        return seconds

    def capped(self, seconds: float, *, last_ticket: int, window: float) -> float:
        """Return the wait, cut to one window if it is far."""
        if not self.is_far(seconds):
            return seconds
        if last_ticket != self.doubted_ticket + 1:  # keep the doubt if this answers the call that tests it
            self.doubted_ticket = last_ticket
        return max(window, DOCUMENTED_WINDOW)


@dataclass
class Learned:
    """The server's limit and window, and how it counts and rounds. Assumptions hold until answers replace them."""

    limit: int | None  # None: unknown, so nothing is limited
    window: float  # seconds
    window_stated: bool = False  # False: `window` is still an assumption
    seen_whole: bool = False  # whether a report came from the begin of a window; else `window` may be too short
    whole_seconds: bool = True  # whether all resets so far were whole seconds
    margin: float | None = 0.0  # seconds added to resets that are rounded down; None: this did not help
    last_reset_at: float = -math.inf
    sliding: bool | None = False  # None: sliding was assumed once and disproved, so it is never assumed again
    several_windows: bool = False  # answers come from several windows, and it is unknown which call is in which
    long_waits: LongWaits = field(init=False)

    def __post_init__(self) -> None:
        """Take waits of one window as usual."""
        self.long_waits = LongWaits(usual=max(self.window, DOCUMENTED_WINDOW))

    def read(self, headers: RateHeaders, *, now: float) -> Report | None:
        """Return what an answer states about its window; None if it is incomplete or its reset is doubtful."""
        if headers.remaining is None or headers.reset is None or self.long_waits.is_far(headers.reset):
            return None
        self.whole_seconds = self.whole_seconds and headers.reset == int(headers.reset)
        return Report(headers.limit, headers.remaining, headers.reset, now + headers.reset + (self.margin or 0.0))

    def learn(self, report: Report) -> None:
        """Take limit and window length from a report."""
        self.last_reset_at = report.reset_at
        self.seen_whole = self.seen_whole or report.used in {None, 0, 1}
        if report.limit is not None:
            self.limit = report.limit
        # The first report may come from the middle of a window. A later one that names a longer time is nearer.
        self.window = max(self.window, report.reset) if self.window_stated else report.reset
        self.window_stated = True

    def notice_sliding(self, used: int, *, fewest: int, most: int) -> None:
        """Decide from the first report of a new window whether the window slides.

        In a sliding window each call expires on its own, as in the storage of @nestjs/throttler. The first report of a
        "new" window then still counts calls of the old one, and waiting for each reset would waste all but one call of
        a window. `fewest` and `most`: calls that a sliding window can hold now.
        """
        if self.sliding is False:
            self.sliding = used > 1 and fewest <= used <= most
        elif self.sliding:
            self.sliding = used > 1 or fewest <= 1

    def note_refusal(self, *, after_reset: bool) -> None:
        """Drop the assumption that a refusal disproves. `after_reset`: the call had waited for a stated reset."""
        if self.sliding:
            self.sliding = None
        elif after_reset:
            # Either the server rounds its resets down, or another client was quicker. Try a margin once.
            self.margin = 1.0 if self.margin == 0.0 else None

    def until_next_reset(self, now: float) -> float:
        """Return the seconds to the next reset, extrapolated from the last one; part of a window if none is known."""
        if math.isinf(self.last_reset_at):
            return self.window / 10
        return self.window - (now - self.last_reset_at) % self.window

    @property
    def rounding(self) -> float:
        """Seconds by which two resets of one window may differ because the server rounds."""
        return ROUNDED if self.whole_seconds else self.window / 10

    def same(self, reset_at: float, other: float, *, slack: float) -> bool:
        """Tell whether two resets belong to one window. `slack`: seconds that the two answers took."""
        return abs(reset_at - other) <= min(slack, LONGEST_SLACK) + self.rounding
