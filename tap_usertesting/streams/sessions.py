"""`sessions`: a completed session, as the session list names it. Source: GET /api/v2/sessionResults."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.changes.listing import SessionList, holds
from tap_usertesting.streams.session_level import SessionStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.streams.work import Work


class SessionsStream(SessionStream):
    """One row per completed session; 500 of them cost one call."""

    name = source = "sessions"
    cost = "one call per 500 of its {sessions} sessions"

    @override
    def prepare(self, work: Work, tasks: Iterable[str], pending: Iterable[str]) -> None:
        """Read the list until the sessions are found; for pending ones alone only while it has grown."""
        wanted, kept = list(tasks), work.partition.total_count
        found = holds([*wanted, *pending])
        if wanted:
            self.changes.sessions(work.test_id, found)
        elif any(True for _ in pending):
            self.changes.sessions(
                work.test_id, lambda sessions: found(sessions) or (sessions.counted and sessions.total == kept)
            )
        else:
            return
        self.run.answered(work.test_id)

    @override
    def fetch(self, work: Work, session_id: str) -> dict[str, Any]:
        sessions: SessionList | None = self.changes.listed(work.test_id)
        listed = sessions.by_id.get(session_id) if sessions is not None else None
        if listed is None:
            message = "the session is not in the list"
            raise NotFoundError(message)
        return listed.item

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        for item in self._tap.beside.newest(test_id).sessions[:1]:
            yield self.columns(item) | {"test_id": test_id}
