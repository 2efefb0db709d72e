"""`session_clips`: the clips that a team has cut from the video of a session.

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

    from tap_usertesting.sync.ledger_group import LedgerGroup


class Clips(FilmedResource):
    """The clips of a session. One call shows whether the test has clips; only then does the tap request its sessions.

    The change feed does not report clips. Later syncs therefore request a session without clips again, like a session
    without a transcript. A clip that is cut later, or after the first one, arrives with the session's next change.
    """

    name = "session_clips"
    endpoint = "clips"
    reads_reels = True

    @override
    def skips(self, test_id: str, groups: Sequence[LedgerGroup]) -> bool:
        """Skip a test that has no clips in the API and none in the target."""
        none = not self._has_clips(test_id) and not any(
            member.partition.rows for group in groups for member in group.members
        )
        if self.context.is_forecast:  # it makes no call per test, and trusts the last sync
            none = all(group.ledger.has_none for group in groups)
        for group in groups:
            if none != group.ledger.has_none:
                group.set_ledger(Ledger(has_none=none))
        return none

    def _has_clips(self, test_id: str) -> bool:
        body = self.context.facts.reels(test_id)
        return body is not None and body.get("studyWithClips") is not False

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        """Return the clips of a session; make no call if the test has none."""
        if not self._has_clips(test_id):
            raise NotFoundError("the test has no clips")
        return self.context.results.clips(session_id, test_id=test_id)

    @override
    def is_empty(self, answer: Any) -> bool:
        return not answer["clips"]


class SessionClipsStream(SessionStream):
    """One row per clip of a session's video."""

    name = "session_clips"
    calls = "one call per test and sync, plus one per session if the test has clips"
    resource_class = Clips
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
