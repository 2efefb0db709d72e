"""`session_clips`: what a team has cut out of the video of a session.

Source: GET /api/v2/sessionResults/{sessionId}/clips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.ledger.ledger import Ledger
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.resource import FilmedResource
from tap_usertesting.values.conform import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.sync.group import Group


class Clips(FilmedResource):
    """The clips of a session. A test says at one call whether it has any; its sessions are asked only if it does.

    No change says that a clip was made. A session without one is therefore asked again in later syncs, as one without
    a transcript is; what a team cuts after that, or beside a first clip, arrives with the session's next change.
    """

    name = "session_clips"
    endpoint = "clips"

    @override
    def skips(self, test_id: str, groups: Sequence[Group]) -> bool:
        """Skip a test that says that it has no clip, and has none in the target."""
        none = not self._has_clips(test_id) and not any(seat.partition.rows for group in groups for seat in group.seats)
        if self.context.is_plan:  # which asks no test, and believes what the last sync found
            none = all(group.ledger.has_none for group in groups)
        for group in groups:
            if none != group.ledger.has_none:
                group.move(Ledger(has_none=none))
        return none

    def _has_clips(self, test_id: str) -> bool:
        body = self.context.facts.reels(test_id)
        return body is not None and body.get("studyWithClips") is not False

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        """Ask, unless the test says that it has no clip."""
        if not self._has_clips(test_id):
            raise NotFoundError("the test has no clip")
        return self.context.results.clips(session_id, test_id=test_id)

    @override
    def is_empty(self, answer: Any) -> bool:
        return not answer["clips"]


class SessionClipsStream(SessionStream):
    """One row per clip of a session's video."""

    name = "session_clips"
    calls = "one call per test and sync, and one per session of a test with clips"
    made_from = Clips
    primary_keys = ("session_id", "clip_number")
    numbered = "clip_number"
    selected_by_default = False
    mapped = frozenset({"uuid", "videoUuid"})
    personal = ("name", "description")

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        regions = answer.get("videoRegions")
        return [
            self.columns(
                {**clip, "clipId": clip.get("uuid"), "videoId": clip.get("videoUuid"), "videoRegions": regions}
            )
            for clip in objects(answer["clips"])
        ]
