"""`session_details`: demographics, tasks and answers of a session. Source: GET /api/v3/sessionResults/{sessionId}.

The vendor's current reference knows only v3; older pages and public code use v2, whose shape differs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.settings import AUTO
from tap_usertesting.streams.session_level import SessionStream, Work

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Record


class SessionDetailsStream(SessionStream):
    """One row per session; each costs one call."""

    name = "session_details"
    cost = "one call for each of its {sessions} sessions"

    _settled: str | None = None  # the version that has answered in this run

    @override
    def fetch(self, work: Work, session_id: str) -> dict[str, Any]:
        return self._details(session_id)

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        session_id = self.sample_session(test_id)
        if session_id is not None:
            yield self._details(session_id) | {"test_id": test_id, "session_id": session_id}

    def _details(self, session_id: str) -> dict[str, Any]:
        """Ask v3, and v2 only while no v3 answer has succeeded: a 404 alone does not tell a version from a session."""
        configured = self.settings.session_details_version
        version = self._settled or ("v3" if configured == AUTO else configured)
        try:
            body = self.run.results.details(session_id, version=version)
        except NotFoundError:
            if configured != AUTO or self._settled is not None:
                raise
            version = "v2"
            body = self.run.results.details(session_id, version=version)
        self._settled = version
        return self.columns(body) | {"details_version": version}
