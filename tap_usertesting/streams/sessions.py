"""`sessions`: a completed session, as the session list names it. Source: GET /api/v2/sessionResults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.changes.listing import holds
from tap_usertesting.ledger.log import FEED
from tap_usertesting.singer.ledger_stream import LedgerStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from singer_sdk.helpers.types import Record

    from tap_usertesting.changes.listing import SessionList
    from tap_usertesting.sync.walk import Group


class SessionsStream(LedgerStream):
    """One row per completed session; 500 of them cost one call."""

    name = source = "sessions"
    endpoint = None
    cost = "one call per 500 of its {sessions} sessions"

    @override
    def prepare(self, test_id: str, groups: Sequence[Group]) -> None:
        """Read the list until the sessions are found; for those that wait alone only while it has grown."""
        for group in groups:
            items = [item for item in group.queue if item.act == "fetch"]
            if not items or group.log is None or group.log.source != FEED:
                continue
            self.changes.renew(test_id, max(item.at for item in items))
            found = holds(item.session_id for item in items)
            if any(item.line != "waiting" for item in items):
                self.changes.sessions(test_id, found)
            else:
                self.changes.sessions(test_id, _found_or_as_many(found, group.ledger.total_count))
            self.run.answered(test_id)

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        sessions = self.changes.listed(test_id)
        listed = sessions.by_id.get(session_id) if sessions is not None else None
        if listed is None:
            message = "the session is not in the list"
            raise NotFoundError(message)
        return listed.item

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        for item in self._tap.facts.newest(test_id).sessions[:1]:
            yield self.columns(item) | {"test_id": test_id}


def _found_or_as_many(found: Callable[[SessionList], bool], kept: int | None) -> Callable[[SessionList], bool]:
    """Return an `enough` that is also content where the list has not grown."""
    return lambda sessions: found(sessions) or (sessions.counted and sessions.total == kept)
