"""What the calls were spent on: which met a fault, and which asked again what had been answered before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.sandbox.answers import RESULTS_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_usertesting.sandbox import World
    from tap_usertesting.sandbox.answers import Call

OK, TOO_MANY = 200, 429


class Spent(NamedTuple):
    """Calls of the Results API: all, those that met a fault, those asked again for nothing, unforeseen 429s."""

    calls: int
    faulted: int
    again: int
    refused: int

    @property
    def ratio(self) -> float:
        """Calls spent over the least possible."""
        return self.calls / max(self.calls - self.faulted - self.again - self.refused, 1)


NOTHING = Spent(0, 0, 0, 0)


class Ledger:
    """Notes, at each call of one session, how many events that session had by then."""

    def __init__(self, world: World) -> None:
        """Start with an empty page."""
        self._world = world
        self._events: dict[int, int] = {}
        self._faulted: set[int] = set()

    def note(self, call: Call, *, faulted: bool) -> None:
        """Enter a call before it is answered. One over the quota never comes here."""
        session = self._world.sessions.get(call.session_id or "")
        events = session.test.events if session is not None else []
        self._events[call.n] = sum(
            session is not None and event.response_uuid == session.response_uuid for event in events
        )
        if faulted:
            self._faulted.add(call.n)

    def sum_up(self, calls: Iterable[Call]) -> Spent:
        """Add up. A session was asked again for nothing if it had been answered, and no event of it came since."""
        spent = [call for call in calls if call.kind in RESULTS_KINDS]
        answered: dict[str, int] = {}
        again = 0
        for call in spent:
            if call.session_id is None or call.status != OK or call.n in self._faulted:
                continue
            events = self._events[call.n]
            again += answered.get(call.path) == events
            answered[call.path] = events
        refused = [call for call in spent if call.status == TOO_MANY and call.n not in self._faulted]
        return Spent(len(spent), sum(call.n in self._faulted for call in spent), again, len(refused))
