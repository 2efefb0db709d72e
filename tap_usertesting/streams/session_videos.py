"""`session_videos`: links to videos. Source: GET /api/v2/sessionResults/{sessionId}/videoDownloadUrl."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.resource import FilmedResource


class Videos(FilmedResource):
    """The link to the video of a session; anyone with the link can use it until it expires."""

    name = "session_videos"
    endpoint = "video"

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self.context.results.video_link(session_id)


class SessionVideosStream(SessionStream):
    """One row per session with a video, with a link to it; exists only with `video_links`."""

    name = "session_videos"
    calls = "one call per session"
    resource_class = Videos
    setting = "video_links"
    personal = ("video_url",)
