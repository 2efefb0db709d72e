"""A call to each endpoint, as a command to paste, with ids of the served world and a token."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.fields import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.controls import Controls
    from tap_usertesting.sandbox.endpoints import Endpoint
    from tap_usertesting.sandbox.model import Session, Test
    from tap_usertesting.sandbox.world import World

# Which sessions and tests an endpoint answers for; any other endpoint answers for all.
_SESSIONS: dict[str, Callable[[Session], bool]] = {
    "transcript": lambda session: session.vtt is not None,
    "video": lambda session: session.test.is_filmed,
    "clips": lambda session: session.test.is_filmed,
    "clip": lambda session: session.test.is_filmed and bool(session.clips),
}
_TESTS: dict[str, Callable[[Test], bool]] = {
    "qx_scores": lambda test: test.has_qx_scores,
    "reels": lambda test: test.is_filmed,
    "reel": lambda test: test.is_filmed and bool(test.reels),
}
_FIELDS = {
    "feed_count": "testResultChangesCount(testUUID: $test) { count latestCursor }",
    "feed_changes": "testResultChanges(testUUID: $test) { edges { node { cursor responseUuid changeType } } }",
}


def samples(world: World) -> dict[Sample, str]:
    """Return the ids of the newest session that can change and of its test; nothing if there is none."""
    session = _newest(world, lambda session: session.test.in_feed)
    if session is None:
        return {}
    test = session.test
    return {Sample.SESSION: session.session_id, Sample.TEST: test.test_id, Sample.TEST_UUID: test.test_uuid}


def example_call(box: Controls, endpoint: Endpoint, token: str) -> str | None:
    """Return a command that calls an endpoint with success, None if the world has nothing for it."""
    parts = ["curl", "-sS"]
    query = ""
    if endpoint.api == "token":
        for name, value in _credentials(box).items():
            parts += ["-d", f"{name}={value}"]
        return shlex.join([*parts, box.url + endpoint.path])
    parts += ["-H", f"Authorization: Bearer {token}"]
    ids = _ids(box.world, endpoint.kind)
    if ids is None:
        return None
    if endpoint.api == "feed":
        document = f"query ($test: String!) {{ {_FIELDS[endpoint.kind]} }}"
        body = {"query": document, "variables": {"test": f"ut_{ids['test']}"}}
        parts += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    if endpoint.kind == "list":
        query = f"?testId={ids['test']}&limit=5"
    return shlex.join([*parts, box.url + endpoint.path.format(**ids) + query])


def _credentials(box: Controls) -> dict[str, str]:
    config = box.config()
    return {
        "grant_type": "client_credentials",
        "scope": "studies:read",
        "client_id": config["client_id"],
        "client_secret": config["client_secret"],
    }


def _ids(world: World, kind: str) -> dict[str, str] | None:
    """Return ids for the path of an endpoint."""
    if kind in _TESTS:
        tests = [test for test in world.tests.values() if test.served_by_results and _TESTS[kind](test)]
        test = max(tests, key=lambda test: len(test.reels), default=None)
        if test is None:
            return None
        return {"test": test.test_id, "item": test.reels[0]["uuid"] if kind == "reel" else ""}
    session = _newest(world, _SESSIONS.get(kind, lambda session: session.test.in_feed), clips=kind == "clips")
    if session is None:
        return None
    item = session.clips[0]["uuid"] if kind == "clip" else ""
    workspace = session.test.workspace.uuid
    return {"session": session.session_id, "test": session.test.test_id, "item": item, "workspace": workspace}


def _newest(world: World, fits: Callable[[Session], bool], *, clips: bool = False) -> Session | None:
    """Return the newest session that fits. ``clips``: if possible, one with clips."""
    found = [session for session in world.sessions.values() if session.served and fits(session)]
    return max(found, key=lambda session: (clips and bool(session.clips), session.finished_at), default=None)
