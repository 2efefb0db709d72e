"""`transcript_cues`: the cues of a transcript, each with its times."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.streams.transcripts import Transcript


class TranscriptCuesStream(SessionStream):
    """One row per cue of a transcript; no rows if the tap cannot parse the WebVTT."""

    name = "transcript_cues"
    calls = "shares the calls of `transcripts`"
    resource_class = Transcript
    primary_keys = ("session_id", "cue_number")
    numbered = "cue_number"
    selected_by_default = False
    personal = ("speaker", "text")

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.columns(cue) for cue in answer["cues"] or ()]
