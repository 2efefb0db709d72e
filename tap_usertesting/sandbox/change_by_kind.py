"""Changes that are ordered by a word from outside, each with a sensible target if none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_usertesting.sandbox.model import Session, Test
    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.world import World

KINDS = ("session", "transcript", "update", "reject", "accept")


def make_change(world: World, kind: str, test_id: str | None = None, session_id: str | None = None) -> Json:
    """Make one change and return ``{kind, testId, title, sessionId}`` of the session that changed.

    ``session`` completes a new session, with its transcript if the product type has any; ``transcript`` adds a
    missing transcript; ``update``, ``reject`` and ``accept`` change a session. Raises LookupError if no test or session
    fits, and ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    with world.lock:
        tests = _tests(world, test_id)
        if kind == "session":
            session = world.add_session(_busiest(tests))
        else:
            session = _session(tests, kind, session_id)
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
        raise LookupError("no test of the feed has this test_id" if test_id else "there is no test in the feed")
    return tests


def _busiest(tests: list[Test]) -> Test:
    """Return the test with the most sessions, if possible one with transcripts."""
    spoken = [test for test in tests if test.is_spoken]
    return max(spoken or tests, key=lambda test: len(test.sessions))


def _session(tests: list[Test], kind: str, session_id: str | None) -> Session:
    """Return the named session, or the newest one that can be changed like this."""
    candidates = [session for test in tests for session in test.sessions.values()]
    if session_id is not None:
        candidates = [session for session in candidates if session.session_id == session_id.lower()]
    fitting = list(_fitting(candidates, kind))
    if not fitting:
        raise LookupError(f"no session to which this could happen: {kind}")
    return max(fitting, key=lambda session: (session.finished_at, session.session_id))


def _fitting(sessions: Iterable[Session], kind: str) -> Iterable[Session]:
    for session in sessions:
        if kind == "accept":
            fits = session.rejected
        elif kind == "transcript":
            spoken = session.test.is_spoken
            fits = session.served and spoken and not session.has_transcript
        else:
            fits = session.served
        if fits:
            yield session
