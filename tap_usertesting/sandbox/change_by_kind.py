"""Changes that are ordered by a word from outside, each with a sensible target if none is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from tap_usertesting.sandbox.fields import Refused, Sample, examples, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.model import Session, Test
    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.world import World

EventKind = Literal["session", "transcript", "update", "reject", "accept"]

# What a session has to be like for a change.
_FITTING = {
    "transcript": "waits for its transcript",
    "update": "is served",
    "reject": "is served",
    "accept": "is rejected",
}


@dataclass(frozen=True)
class EventOrder:
    """A change that is ordered by a word.

    kind: what happens.
    test_id: the test that changes. Default: a test with a suitable session, or the one with the most sessions.
    session_id: the session that changes. Default: the newest suitable session. A new session takes no id.

    ``kind`` is one of:

    session: a participant completes a session, with a transcript if the test has speech.
    transcript: the missing transcript of a session becomes available.
    update: the details of a session change.
    reject: a researcher rejects a session. No endpoint returns it any more.
    accept: a researcher accepts a rejected session again.
    """

    kind: EventKind
    test_id: str | None = field(default=None, metadata=examples(Sample.TEST, kind="session"))
    session_id: str | None = field(default=None, metadata=examples(Sample.SESSION, kind="update"))


def make_change(world: World, kind: str, test_id: str | None = None, session_id: str | None = None) -> Json:
    """Make one change and return ``{kind, testId, title, sessionId}`` of the session that changed.

    ``EventOrder`` explains the arguments. Raises Refused if no test or session fits, and for an unknown kind.
    """
    if kind not in get_args(EventKind):
        raise Refused(f"kind must be one of {', '.join(get_args(EventKind))}")
    with world.lock:
        tests = _tests(world, test_id)
        if kind == "session":
            if session_id is not None:
                raise Refused("field session_id is not for kind session, which makes a new one; allowed: test_id")
            session = world.add_session(_busiest(tests))
        else:
            session = _session(tests, kind, test_id, session_id)
            changes: dict[str, Callable[[Session], None]] = {
                "transcript": world.transcribe,
                "update": world.update,
                "reject": world.reject,
                "accept": world.accept,
            }
            changes[kind](session)
        test = session.test
    return {"kind": kind, "testId": test.test_id, "title": test.title, "sessionId": session.session_id}


def _tests(world: World, test_id: str | None) -> list[Test]:
    tests = [test for test in world.tests.values() if test.served_by_results and test.in_feed]
    if test_id is not None:
        tests = [test for test in tests if test.test_id == test_id.lower()]
        if not tests:
            allowed = "a test_id of GET /_sandbox/ that both APIs serve"
            raise Refused(f"field test_id is {shown(test_id)}, which is not a test; allowed: {allowed}", 404)
    if not tests:
        raise Refused("there is no test that both APIs serve, so nothing can happen; allowed: a world with one")
    return tests


def _busiest(tests: list[Test]) -> Test:
    """Return the test with the most sessions, if possible one with transcripts."""
    spoken = [test for test in tests if test.is_spoken]
    return max(spoken or tests, key=lambda test: len(test.sessions))


def _session(tests: list[Test], kind: str, test_id: str | None, session_id: str | None) -> Session:
    """Return the named session, or the newest one that can be changed like this."""
    candidates = [session for test in tests for session in test.sessions.values()]
    if session_id is not None:
        candidates = [session for session in candidates if session.session_id == session_id.lower()]
        if not candidates:
            which = "not a session" if test_id is None else f"not a session of test {test_id.lower()}"
            allowed = "an id under sessions or rejected of GET /_sandbox/truth"
            raise Refused(f"field session_id is {shown(session_id)}, which is {which}; allowed: {allowed}", 404)
    fitting = [session for session in candidates if _fits(session, kind)]
    if not fitting and session_id is not None:
        raise Refused(
            f"field session_id is not a session that {_FITTING[kind]}; allowed for kind {kind}: one that does"
        )
    if not fitting:
        raise Refused(f"field kind is {kind}, but there is no session that {_FITTING[kind]}; allowed: another kind")
    return max(fitting, key=lambda session: (session.finished_at, session.session_id))


def _fits(session: Session, kind: str) -> bool:
    """Tell whether a session can be changed like this."""
    if kind == "accept":
        return session.rejected
    if kind == "transcript":
        return session.served and session.test.is_spoken and not session.has_transcript
    return session.served
