"""The call log: what a test sees of each request, in the order of arrival, without secrets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.endpoints import AUTH_PATH, FEED_PATH, LEGACY_PREFIX
from tap_usertesting.sandbox.requests_and_replies import Request, ServedCall, results_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.world import World


class ServedCalls:
    """Every call so far. Thread-safe."""

    def __init__(self, world: World, *, clock: Callable[[], float]) -> None:
        """Start empty. ``world`` tells the test of a session; ``clock`` gives monotonic seconds."""
        self._world = world
        self._clock = clock
        self._calls: list[ServedCall] = []
        self._count = 0
        self._lock = threading.Lock()

    def calls(self) -> list[ServedCall]:
        """Return every call so far (a copy)."""
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        """Forget the calls so far; the numbering continues."""
        with self._lock:
            self._calls.clear()

    def write(
        self, request: Request, kind: str, ids: dict[str, str], operations: list[dict[str, str | None]]
    ) -> ServedCall:
        """Log a request; ``ids`` are those in its path, ``operations`` those of a feed request."""
        call = ServedCall(
            n=0,
            at=self._clock(),
            kind=kind,
            method=request.method,
            path=request.path,
            query=request.query,
            operations=operations,
            headers=_masked(request.headers),
        )
        self._name_test(call, ids)
        with self._lock:
            self._count += 1
            call.n = self._count
            self._calls.append(call)
        return call

    def _name_test(self, call: ServedCall, ids: dict[str, str]) -> None:
        call.session_id = ids["session"].lower() if "session" in ids else None
        test_id = ids.get("test") or (call.query.get("testId") if call.kind == "list" else None)
        session = self._world.sessions.get(call.session_id or "")
        if session is not None:
            test_id = session.test.test_id
        call.test_id = None if test_id is None else test_id.lower()


def kind_of_call(path: str) -> tuple[str, dict[str, str]]:
    """Return the kind of call that a path stands for, and the ids in the path."""
    found = results_call(path)
    if found is not None:
        return found
    if path == AUTH_PATH:
        return "token", {}
    if path.startswith(LEGACY_PREFIX):
        return "v1", {}
    return ("feed" if path == FEED_PATH else "unknown"), {}


def _masked(headers: dict[str, str]) -> dict[str, str]:
    """Return request headers without secrets. The scheme of a credential stays, to show that one was sent."""
    shown = dict(headers)
    for name in ("authorization", "token", "cookie"):
        if name in shown:
            scheme, _, rest = shown[name].partition(" ")
            shown[name] = f"{scheme} ***" if rest else "***"
    return shown
