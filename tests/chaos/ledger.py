"""What the calls were spent on: which met a fault, which asked again what had been answered, and the least possible."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_usertesting.sandbox import World
    from tap_usertesting.sandbox.model import Session, Test
    from tap_usertesting.sandbox.requests_and_replies import ServedCall

OK, REDIRECT_FROM, CLIENT_ERROR_FROM = 200, 300, 400
UNAUTHORIZED, NOT_FOUND, TOO_MANY = 401, 404, 429
PAGE = 500
IN_VAIN = 5  # questions after which a test has no transcripts, where nothing else tells
SPOKEN, SCORED, SURVEY = "THINK_OUT_LOUD", "NON_THINK_OUT_LOUD", "SURVEY"
# What may happen to a session in the feed without its details changing, or its transcript.
FILMED, TRANSCRIBED, UPDATED = "VIDEO_UPDATED", "VIDEO_TRANSCRIPTION_UPDATED", "UPDATED"


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
    """Notes at each call how much had happened by then to what it asks for."""

    def __init__(self, world: World, *, strict: bool, by_feed: bool) -> None:
        """`strict`: nothing interrupts a run. By feed no list is read twice then, and no refusal is asked again."""
        self._world = world
        self._strict = strict
        self._lists_once = strict and by_feed
        self._run = 0
        self._asked: dict[int, tuple[object, ...]] = {}
        self._faulted: set[int] = set()
        self._final: set[int] = set()

    def begin(self) -> None:
        """Note that a run begins: it may have to see again what is listed."""
        self._run += 1

    def note(self, call: ServedCall, *, faulted: bool, final: bool = False) -> None:
        """Enter a call before it is answered. One over the quota never comes here. `final`: not to be tried again."""
        self._asked[call.n] = (*self._again(call), *self._happened(call))
        if faulted:
            self._faulted.add(call.n)
        if final:
            self._final.add(call.n)

    def sum_up(self, calls: Iterable[ServedCall]) -> Spent:
        """Add up. A call was made again for nothing if it had been answered, and nothing that concerns it came since.

        What was not there may be asked for again: nothing else tells when it is.
        """
        spent = [call for call in calls if call.kind in RESULTS_KINDS]
        answered: set[tuple[object, ...]] = set()
        again = 0
        for call in spent:
            told = call.status == OK or (self._strict and call.kind == "qx_scores" and call.status == NOT_FOUND)
            if not told or call.n in self._faulted:
                continue
            asked = self._asked[call.n]
            again += asked in answered
            answered.add(asked)
        refused = sum(call.status == TOO_MANY and call.n not in self._faulted for call in spent)
        return Spent(len(spent), sum(call.n in self._faulted for call in spent), again, refused)

    def excuses(self, calls: Iterable[ServedCall], *, tries: int) -> set[str]:
        """Return the paths that a run which made these calls may give up: too many faults, or one beyond retry."""
        asked: Counter[tuple[object, ...]] = Counter()
        unauthorized: Counter[tuple[object, ...]] = Counter()
        excused = set()
        for call in calls:
            question = _question(call)
            # A token is fetched again after each revocation; any other call is repeated in a run for a fault alone.
            asked[question] += call.kind != "token" or call.status != OK or call.n in self._faulted
            unauthorized[question] += call.status == UNAUTHORIZED
            redirected = REDIRECT_FROM <= (call.status or 0) < CLIENT_ERROR_FROM
            if call.n in self._final or redirected or asked[question] >= tries or unauthorized[question] > 1:
                excused.add(call.path)
        return excused

    def _again(self, call: ServedCall) -> tuple[object, ...]:
        """Return what makes a call the same as another: what it asks; for a list that had to be read again, the run."""
        test = self._world.tests.get(call.test_id or "")
        once = call.kind != "list" or (self._lists_once and test is not None and not _awaited(test))
        return _question(call) if once else (*_question(call), self._run)

    def _happened(self, call: ServedCall) -> tuple[int, ...]:
        session = self._world.sessions.get(call.session_id or "")
        if session is not None:
            needless = {FILMED, UPDATED} if call.kind == "transcript" else {FILMED, TRANSCRIBED}
            return (sum(change not in needless for change in changes_of(session)),)
        test = self._world.tests.get(call.test_id or "")
        return (len(test.events), len(served(test))) if test is not None else ()


def _question(call: ServedCall) -> tuple[object, ...]:
    return call.path, tuple(sorted(call.query.items())), repr(call.operations)


def _awaited(test: Test) -> bool:
    """Tell whether the feed has announced a response that the Results API has not got yet."""
    there = {session.response_uuid for session in served(test)}
    last = {event.response_uuid: event.change_type for event in test.events}
    return any(change not in {"REJECTED", "DELETED"} for uuid, change in last.items() if uuid not in there)


def least(world: World, streams: Sequence[str], *, by_feed: bool, types_known: bool) -> int:
    """Return the fewest calls of the Results API that a first sync of this world as it is now can make.

    The list once, each row once, and what no document tells: of a test that may or may not have transcripts or scores.
    """
    calls = 0
    for test in world.tests.values():
        there = served(test)
        kind = test.product_type if types_known else None
        calls += max(1, math.ceil(len(there) / PAGE))
        if "session_details" in streams:
            calls += len(there)
        if "transcripts" in streams and kind != SURVEY:
            calls += _least_transcripts(test, there, by_feed=by_feed)
        if "qx_scores" in streams:
            calls += kind in {None, SCORED}
    return calls


def _least_transcripts(test: Test, there: list[Session], *, by_feed: bool) -> int:
    """Count a call for each that there is; without any, a few of those of which the feed tells nothing."""
    if test.product_type == SPOKEN:
        return len(there)
    if not by_feed:
        return _in_vain(there)
    firsts = {session.session_id: changes_of(session)[:1] for session in there}
    older = [session for session in there if not firsts[session.session_id]]
    return _in_vain(older) + sum(first not in ([], [UPDATED]) for first in firsts.values())


def _in_vain(sessions: list[Session]) -> int:
    """Count a few where so many are old enough to tell something of the test, else all of them."""
    ripe = datetime.now(timezone.utc) - timedelta(days=1)
    return IN_VAIN if sum(session.finished_at <= ripe for session in sessions) > IN_VAIN else len(sessions)


def served(test: Test) -> list[Session]:
    """Return the sessions that the Results API has of a test."""
    return [session for session in test.sessions.values() if session.served]


def changes_of(session: Session) -> list[str]:
    """Return the change types that the feed has of a session, oldest first."""
    return [event.change_type for event in session.test.events if event.response_uuid == session.response_uuid]
