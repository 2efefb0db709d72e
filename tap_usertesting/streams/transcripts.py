"""`transcripts` and `transcript_cues`: what was said in a session, as one row and as a row per cue.

Source: GET /api/v2/sessionResults/{sessionId}/transcript (WebVTT).

A transcript appears some time after its session, at a moment that is not documented, or never. Where the product type
does not tell whether a test has any, its history is sounded first: where five sessions between its newest and its
oldest have none, the test falls asleep, and one session a sync is asked. By list it does so as well once five that are
a day old have none. The first success wakes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.ledger.log import TRANSCRIBED as ANNOUNCED
from tap_usertesting.ledger.log import VIDEO_UPDATED
from tap_usertesting.ledger.policy import Policy
from tap_usertesting.singer.ledger_stream import LedgerStream
from tap_usertesting.sync.discovery import SURVEY, TRANSCRIBED
from tap_usertesting.values import vtt

ENOUGH_WITHOUT = 5


class TranscriptStream(LedgerStream):
    """A stream that is made from a session's transcript; each costs one call, for all such streams together."""

    source = endpoint = "transcript"
    policy = Policy(ignores=frozenset({VIDEO_UPDATED}), announced_by=ANNOUNCED, sleeps_after=ENOUGH_WITHOUT)
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
        text, replaced = self.run.results.transcript(session_id)
        cues = vtt.parse(text)
        if cues == []:
            message = "the transcript is still empty"
            raise NotFoundError(message)
        if replaced:
            self.logger.warning(
                "%s, session %s: the transcript is not in the charset it should be in: %d characters are lost, "
                "U+FFFD stands for each",
                self.name,
                session_id,
                replaced,
            )
        if cues is None:
            self.logger.warning(
                "%s, session %s: the transcript cannot be read as WebVTT without losing words: the columns text and "
                "cues are null, vtt has it as it came",
                self.name,
                session_id,
            )
        return {
            "vtt": text,
            "text": None if cues is None else vtt.spoken(cues),
            "cues": None if cues is None else [cue._asdict() for cue in cues],
        }

    @override
    def has_none(self, test_id: str) -> bool:
        return self.product_type(test_id) not in {None, *TRANSCRIBED}

    @override
    def say_sleep(self, test_id: str, *, asleep: bool) -> None:
        if asleep:
            self.logger.info(
                "%s: test %s, whose product type is not known, counts as one without transcripts: %d sessions that are "
                "a day old or older have none; from now on one a sync is asked (discovery, without test_ids, would "
                "tell its type)",
                self.name,
                test_id,
                ENOUGH_WITHOUT,
            )
        else:
            self.logger.info("%s: test %s has transcripts after all, and is read from its end", self.name, test_id)


class TranscriptsStream(TranscriptStream):
    """One row per transcript."""

    name = "transcripts"


class TranscriptCuesStream(TranscriptStream):
    """One row per cue; none of what is no WebVTT."""

    name = "transcript_cues"
    primary_keys = ("session_id", "cue_number")
    numbered = "cue_number"
    selected_by_default = False

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.columns(cue) for cue in answer["cues"] or ()]
