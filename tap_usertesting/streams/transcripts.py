"""`transcripts` and `transcript_cues`: what was said in a session, as one row and as a row per cue.

Source: GET /api/v2/sessionResults/{sessionId}/transcript (WebVTT).

A transcript appears some time after its session, at a moment that is not documented, or never. Where the product type
does not tell whether a test has any, the first five sessions without one close the test: only its newest session is
asked in each sync, until that one is too old to get one. The first success opens everything that was not asked.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from tap_usertesting import vtt
from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.changes.change import REMOVALS, UPDATED, VIDEO_UPDATED, concerns_transcript
from tap_usertesting.discovery import SURVEY, TRANSCRIBED
from tap_usertesting.streams.session_level import SessionStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.changes.listing import Listed, SessionList
    from tap_usertesting.streams.work import Task, Work

ENOUGH_WITHOUT = 5


class TranscriptStream(SessionStream):
    """A stream that is made from a session's transcript; each costs one call, for all such streams together."""

    source = "transcript"
    concerns: ClassVar[Callable[..., bool]] = staticmethod(concerns_transcript)
    cost = "up to one call for each of its {sessions} sessions"

    @override
    def applies(self, test_id: str) -> bool:
        return self._type(test_id) != SURVEY

    @override
    def fetch(self, work: Work, session_id: str) -> dict[str, Any]:
        return self._transcript(session_id)

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

    @override
    def promised(self, task: Task, told: list[str]) -> bool:
        """Tell no where a session came back that the log, which knows it from its start, never called transcribed."""
        whole = told[:1] == [UPDATED]  # a session enters the feed with this; otherwise it is older than the feed
        return task.change_type != UPDATED or not whole or not {UPDATED, VIDEO_UPDATED, *REMOVALS}.issuperset(told)

    @override
    def buried(self, work: Work, session_id: str) -> None:
        work.partition.bury(session_id)

    @override
    def fetched(self, work: Work, task: Task) -> None:
        """Take the session out of `gone`, and open a test that seemed to have no transcripts."""
        partition = work.partition
        partition.revive(task.session_id)
        partition.set("in_vain", None)
        if partition.unasked_from is not None:
            partition.set("backfill", partition.unasked_from)
            partition.set("backfill_but", task.session_id)
            partition.set("unasked_from", None)

    @override
    def missed(self, work: Work, task: Task) -> None:
        """Take a session that was accepted again out of `gone`: its transcript may only come later."""
        work.partition.revive(task.session_id)

    @override
    def gave_up(self, work: Work, task: Task) -> None:
        """Pass over it in silence: a session without a transcript is nothing unusual."""

    @override
    def _to_ask_again(self, work: Work, sessions: SessionList) -> list[str]:
        """Return `pending`; in a closed test that is the probe, which is always its newest session."""
        partition = work.partition
        newest = max(sessions.by_id.values(), key=lambda listed: listed.cursor, default=None)
        if partition.unasked_from is not None and newest is not None and newest.cursor > (partition.bookmark or ""):
            self._probe(work, newest)
        return list(partition.pending)

    @override
    def _from_list(self, work: Work, listed: list[Listed], *, in_log: bool) -> Iterator[Record]:
        self._begin_count(work, first=in_log and work.partition.bookmark is None)
        for one in listed:
            if self._closed(work, newest=listed[-1]):
                self._passed(work, self._listed_task(work, one, in_log=in_log).finish)
            else:
                yield from self._counted(work, one, self._listed(work, one, in_log=in_log))

    @override
    def _backfill_from(self, work: Work, left: list[Listed]) -> Iterator[Record]:
        self._begin_count(work, first=work.partition.backfill == "")
        for one in left:
            if self._closed(work, newest=left[-1]):
                return
            yield from self._counted(work, one, self._backfill_one(work, one))

    def _begin_count(self, work: Work, *, first: bool) -> None:
        """Count from a test's first sync on, until a transcript is found; not where the product type promises any."""
        partition = work.partition
        known = self._type(work.test_id) in TRANSCRIBED or partition.total_count is not None
        if first and not known and not work.found and partition.in_vain is None:
            partition.set("in_vain", 0)

    def _counted(self, work: Work, listed: Listed, records: Iterator[Record]) -> Iterator[Record]:
        before = len(work.asked)
        yield from records
        in_vain = work.partition.in_vain
        if in_vain is not None and len(work.asked) > before and listed.session_id not in work.found:
            work.partition.set("in_vain", in_vain + 1)

    def _closed(self, work: Work, *, newest: Listed) -> bool:
        """Tell whether sessions are passed over, and close the test once enough was asked in vain.

        From then on its newest session stands for all of them, those asked in vain included.
        """
        partition = work.partition
        if partition.unasked_from is None and (partition.in_vain or 0) >= ENOUGH_WITHOUT:
            work.outcomes.release()
            self._probe(work, newest)
            partition.set("unasked_from", "")
            partition.set("backfill", None)
            partition.set("in_vain", None)
            self.logger.info(
                "%s: the first %d sessions of test %s have no transcript; from now on one a sync is asked",
                self.name,
                ENOUGH_WITHOUT,
                work.test_id,
            )
        return partition.unasked_from is not None

    def _probe(self, work: Work, newest: Listed) -> None:
        for session_id in list(work.partition.pending):
            work.partition.settle(session_id)
        work.partition.postpone(newest.session_id, newest.time)

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
