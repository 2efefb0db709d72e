"""`transcripts` and `transcript_cues`: what was said in a session, as one row and as a row per cue.

Source: GET /api/v2/sessionResults/{sessionId}/transcript (WebVTT).

A transcript appears some time after its session, at a moment that is not documented, or never. Where the product type
does not tell whether a test has any, its history is sounded first: where five sessions between its newest and its
oldest have none, the test falls asleep, and one session a sync is asked. The first success wakes it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_usertesting import vtt
from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.discovery import SURVEY, TRANSCRIBED
from tap_usertesting.ledger.log import TRANSCRIBED as ANNOUNCED
from tap_usertesting.ledger.log import VIDEO_UPDATED
from tap_usertesting.ledger.policy import Policy
from tap_usertesting.streams.ledger_stream import LedgerStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Record

    from tap_usertesting.ledger.agenda import Item
    from tap_usertesting.sync.walk import Group

ENOUGH_WITHOUT = 5


class TranscriptStream(LedgerStream):
    """A stream that is made from a session's transcript; each costs one call, for all such streams together."""

    source = endpoint = "transcript"
    policy = Policy(ignores=frozenset({VIDEO_UPDATED}), announced_by=ANNOUNCED, sleeps_after=ENOUGH_WITHOUT)
    cost = "up to one call for each of its {sessions} sessions"

    @override
    def applies(self, test_id: str) -> bool:
        return self._type(test_id) != SURVEY

    @override
    def policy_of(self, test_id: str) -> Policy:
        policy = super().policy_of(test_id)
        return replace(policy, sleeps_after=None) if self._type(test_id) in TRANSCRIBED else policy

    @override
    def fetch(self, test_id: str, items: Sequence[tuple[Group, Item]]) -> dict[str, Any]:
        return self._transcript(items[0][1].session_id)

    @override
    def has_none(self, test_id: str) -> bool:
        return self._type(test_id) not in {None, *TRANSCRIBED}

    @override
    def gave_up(self, test_id: str, item: Item) -> None:
        """Pass over it in silence: a session without a transcript is nothing unusual."""

    @override
    def say_sleep(self, test_id: str, *, asleep: bool) -> None:
        if asleep:
            self.logger.info(
                "%s: test %s, whose product type is not known, counts as one without transcripts: %d sessions between "
                "its newest and its oldest have none; from now on one a sync is asked (discovery, without test_ids, "
                "would tell its type)",
                self.name,
                test_id,
                ENOUGH_WITHOUT,
            )
        else:
            self.logger.info("%s: test %s has transcripts after all, and is read from its end", self.name, test_id)

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        session_id = self.sample_session(test_id)
        if session_id is None:
            return
        try:
            answer = self._transcript(session_id)
        except NotFoundError:
            self.logger.info("%s: the newest session of test %s has no transcript (yet)", self.name, test_id)
            return
        yield from self.sample_rows(test_id, session_id, answer)

    def _type(self, test_id: str) -> str | None:
        return self.run.directory.product_types.get(test_id)

    def _transcript(self, session_id: str) -> dict[str, Any]:
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
    def rows(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.columns(cue) for cue in answer["cues"] or ()]
