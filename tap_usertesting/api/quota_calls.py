"""A log of the calls to one API: which are in flight, and which a server may still count. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple


class InFlight(NamedTuple):
    """A call without an answer yet."""

    sent: float
    answers: int  # read before it was sent


class Hit(NamedTuple):
    """An answered call. The server counted it at some time between these two."""

    sent: float
    answered: float


class AnsweredCall(NamedTuple):
    """A call whose answer has just been read."""

    ticket: int
    sent: float
    answered: float
    in_window: int  # calls that a sliding window could hold when the answer came, this one included
    latest: bool  # whether it was sent after the latest report was read

    @property
    def took(self) -> float:
        """Seconds from sending to answer."""
        return self.answered - self.sent


@dataclass
class CallLog:
    """Calls in flight and recent answers. A ticket is the number of a call, from 1 on."""

    last_ticket: int = 0
    answers: int = 0
    last_report: int = 0  # the number of the latest answer that stated the calls left
    in_flight: dict[int, InFlight] = field(default_factory=dict)
    hits: deque[Hit] = field(default_factory=deque)  # those in a sliding window
    answered_at: deque[float] = field(default_factory=deque)  # as `hits`, but kept for a full window whatever happens

    def send(self, now: float) -> int:
        """Log a call that is sent now; returns its ticket."""
        self.last_ticket += 1
        self.in_flight[self.last_ticket] = InFlight(now, self.answers)
        return self.last_ticket

    def record(self, ticket: int, *, now: float, window: float) -> AnsweredCall:
        """Log the answer to a call, or its failure."""
        call = self.in_flight.get(ticket, InFlight(now, self.answers))
        while self.hits and self.hits[0].answered + window <= call.sent:
            self.hits.popleft()
        in_window = len(self.hits) + len(self.in_flight)
        self.in_flight.pop(ticket, None)
        self.answers += 1
        self.hits.append(Hit(call.sent, now))
        self.answered_at.append(now)
        return AnsweredCall(ticket, call.sent, now, in_window, latest=call.answers >= self.last_report)

    def recent(self, now: float, *, window: float) -> deque[float]:
        """Return the answer times within the last window: a server may have counted each call as late as that."""
        while self.answered_at and self.answered_at[0] + window <= now:
            self.answered_at.popleft()
        return self.answered_at

    def possible_hits(self, call: AnsweredCall, *, window: float) -> tuple[int, int]:
        """Return the fewest and the most calls that a sliding window can have held when the server counted `call`."""
        fewest = sum(hit.sent + window > call.answered for hit in self.hits)
        most = sum(hit.answered + window > call.sent for hit in self.hits)
        return fewest, most

    def drop_hits(self, *, keep: int) -> None:
        """Drop the oldest hits: a server counts a call before its answer arrives, so it lets go of it before we do."""
        while len(self.hits) > keep:
            self.hits.popleft()

    def is_pending(self, now: float, *, patience: float) -> bool:
        """Tell whether a call is in flight that was sent less than `patience` seconds ago."""
        return any(now - call.sent < patience for call in self.in_flight.values())
