"""`transcripts`: what was said in a session, as text, as cues and as WebVTT.

Source: GET /api/v2/sessionResults/{sessionId}/transcript (WebVTT).

A transcript appears at an undocumented time after its session, or never. If the product type does not show whether a
test has transcripts, the tap first checks five sessions spread over the test's history. If none of them has a
transcript, the test falls asleep: each sync checks a single session. By listing, a test also falls asleep when five
sessions that are at least a day old have none. The first transcript wakes the test.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.ledger.change_types import TRANSCRIPTION_UPDATED, VIDEO_UPDATED
from tap_usertesting.ledger.stream_policy import Policy
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.discovery import SURVEY, TRANSCRIBED
from tap_usertesting.sync.resource import Resource
from tap_usertesting.values import vtt

ENOUGH_WITHOUT = 5
REPLACED = "the transcript does not match its charset; {} unreadable characters are replaced by U+FFFD"
UNREADABLE = (
    "the transcript cannot be parsed as WebVTT without losing words; the columns text and cues are null, vtt has the "
    "original"
)
ASLEEP = (
    f" seems to have no transcripts: its product type is unknown, and {ENOUGH_WITHOUT} sessions that are at least a "
    "day old have none; each sync now checks one session (without test_ids, discovery finds the type)"
)
AWAKE = " has transcripts after all; the tap reads it from its newest session down"


class Transcript(Resource):
    """The transcript of a session; one call per session serves every stream that is built from it."""

    name = endpoint = "transcript"
    policy = Policy(ignores=frozenset({VIDEO_UPDATED}), announced_by=TRANSCRIPTION_UPDATED, sleeps_after=ENOUGH_WITHOUT)
    often_none = True
    cost = "up to one call for each of its {sessions} sessions"

    @override
    def applies(self, test_id: str) -> bool:
        return self.product_type(test_id) != SURVEY

    @override
    def policy_of(self, test_id: str) -> Policy:
        policy = super().policy_of(test_id)
        return replace(policy, sleeps_after=None) if self.product_type(test_id) in TRANSCRIBED else policy

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        text, replaced = self.context.results.transcript(session_id)
        cues = vtt.parse(text)
        if cues == []:
            raise NotFoundError("the transcript is still empty")
        if replaced:
            self.logger.warning("%s, session %s: %s", self.stream, session_id, REPLACED.format(replaced))
        if cues is None:
            self.logger.warning("%s, session %s: %s", self.stream, session_id, UNREADABLE)
        return {
            "vtt": text,
            "text": None if cues is None else vtt.spoken(cues),
            "cues": None if cues is None else [cue._asdict() for cue in cues],
        }

    @override
    def may_have_none(self, test_id: str) -> bool:
        return self.product_type(test_id) not in {None, *TRANSCRIBED}

    @override
    def log_sleep(self, test_id: str, *, asleep: bool) -> None:
        self.logger.info("%s: test %s%s", self.stream, test_id, ASLEEP if asleep else AWAKE)


class TranscriptsStream(SessionStream):
    """One row per transcript."""

    name = "transcripts"
    calls = "one call per session"
    resource_class = Transcript
    personal = ("vtt", "text", "cues[].speaker", "cues[].text")
