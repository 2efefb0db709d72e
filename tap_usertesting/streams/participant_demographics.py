"""`participant_demographics`: the demographic answers of a session's participant."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.streams.session_details import Details
from tap_usertesting.values.conform import objects


class ParticipantDemographicsStream(SessionStream):
    """One row per demographic answer of a session's participant."""

    name = "participant_demographics"
    calls = "shares the calls of `session_details`"
    resource_class = Details
    primary_keys = ("session_id", "demographic_number")
    numbered = "demographic_number"
    selected_by_default = False
    personal = ("participant_id", "value")

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        participant = answer.get("sessionParticipant")
        if not isinstance(participant, dict):
            return []
        return [
            self.columns(
                {
                    "participantId": participant.get("participantId"),
                    "questionId": item.get("id"),
                    "questionType": item.get("type"),
                    **{name: item.get(name) for name in ("code", "label", "value")},
                }
            )
            for item in objects(participant.get("demographicsInfo"))
        ]
