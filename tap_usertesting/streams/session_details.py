"""`session_details`: demographics, tasks and answers of a session, nested as the vendor sends them.

Source: GET /api/v3/sessionResults/{sessionId}. The vendor's current reference documents only v3; older pages and
public code use v2, which has other fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping


class Details(Resource):
    """The details of a session; one call per session serves every stream that is built from them."""

    name = "details"
    endpoint = "details_v3"
    cost = "one call for each of its {sessions} sessions"

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self.context.results.details(session_id, version=self.context.settings.session_details_version)


class SessionDetailsStream(SessionStream):
    """One row per completed session: demographics, tasks and answers."""

    name = "session_details"
    calls = "one call per session"
    resource_class = Details
    personal = (
        "session_participant.participant_id",
        "session_participant.demographics_info[].value",
        "session_task_results[].task_response",
        "tasks[].response.answer",
    )
    harmless: ClassVar[Mapping[str, frozenset[str]]] = {"task_groups[].response": frozenset({"score", "sequence"})}
