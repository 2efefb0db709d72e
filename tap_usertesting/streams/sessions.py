"""`sessions`: completed sessions, from the session list. Source: GET /api/v2/sessionResults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.ledger.change_log import FEED
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.sync.ledger_group import LedgerGroup


class ListedSessions(Resource):
    """The items of the session list, which is read anyway to find out what is new."""

    name = "sessions"
    endpoint = None
    cost = "one call per 500 of its {sessions} sessions"

    @override
    def prepare(self, test_id: str, groups: Sequence[LedgerGroup]) -> None:
        """Read the list until it has the queued sessions; if all of them only wait, read on only if it grew."""
        for group in groups:
            items = [item for item in group.queue if item.act == "fetch"]
            if items and group.log is not None and group.log.source == FEED:
                kept = group.ledger.total_count if all(item.line == "waiting" for item in items) else None
                since = max(item.at for item in items)
                self.context.lists.find(test_id, {item.session_id for item in items}, since=since, stop_at_total=kept)

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        sessions = self.context.lists.cached_list(test_id)
        if sessions is None or session_id not in sessions.by_id:
            raise NotFoundError("the session is not in the list")
        return sessions.by_id[session_id].item

    @override
    def keeps_back(self, test_id: str) -> bool:
        sessions = self.context.lists.cached_list(test_id)
        return sessions is not None and sessions.missing > 0

    @override
    def sample(self, test_id: str) -> tuple[str, Any] | None:
        return next(((item["sessionId"], item) for item in self.context.facts.newest_session(test_id).sessions), None)


class SessionsStream(SessionStream):
    """One row per completed session."""

    name = "sessions"
    calls = "one call per 500 sessions"
    resource_class = ListedSessions
