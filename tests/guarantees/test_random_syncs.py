"""A state machine over one test and its streams: whatever happens, a few clean syncs later all tables are true.

What can happen: sessions with and without transcripts, some seen by only one of the two APIs at first; late
transcripts; changes; rejections and returns; ties in time; cursors sent twice; a list of several pages that shifts
while it is read; more or fewer tasks, answers, cues and clips of a session; reels that are made and changed; lost
access; expired cursors; another source; other streams selected, also of those that ride along with another; and
kills, which keep a random prefix of the messages and resume from the last STATE in it.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from unittest.mock import patch

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tap_usertesting.api.results import ResultsClient
from tap_usertesting.ledger.state_keys import BESIDE, decode, encode
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.support.harness import ROW_STREAMS, SESSION_STREAMS, Warehouse, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Session, Test

STREAMS = (*SESSION_STREAMS, *ROW_STREAMS, "session_clips", "highlight_reels", "qx_scores", "result_changes")
Scope: TypeAlias = Literal["shared", "endpoint", "version"]
SCOPES: tuple[Scope, ...] = ("shared", "endpoint", "version")  # what has a quota window of its own
TYPES = ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD", "SURVEY")
# What a partition's state may consist of.
CONTRACT = {
    "context",
    "replication_key",
    "replication_key_value",
    "changed_at",
    "source",
    "verdict",
    "history",
    "floor",
    "waiting",
    "tombstoned",
    "recent",
    "recent_from",
    "out_of_order",
    "total_count",
    "tally",
    "asked_at",
    "newest",
    "misses",
    "found",
    "asleep",
    "rows",
    "start_date",
    "reopened_until",
    "reread",
    "list_was_short",
    "has_none",
}
PAGE = 4  # sessions a page of the list, instead of 500


class Histories(RuleBasedStateMachine):
    """One test, one warehouse, one state file."""

    world: World
    test: Test

    def __init__(self) -> None:
        """Nothing is there before `begin`."""
        super().__init__()
        self.box: Sandbox | None = None
        self.warehouse = Warehouse()
        self.state: dict[str, Any] = {}
        self.source = "auto"
        self.older: list[Session] = []
        self.hidden: list[Session] = []
        self.untranscribed: list[Session] = []
        self.synced = False
        self.edits = 0
        self.torn: set[str] = set()  # sessions with rows that arrived without the STATE after them
        self.clips = True  # whether new sessions may have any

    @initialize(
        kind=st.sampled_from(TYPES),
        known=st.booleans(),
        older=st.integers(0, 4),
        clips=st.booleans(),
        scope=st.sampled_from(SCOPES),
    )
    def begin(self, kind: str, known: bool, older: int, clips: bool, scope: Scope) -> None:  # noqa: FBT001 - drawn
        """Start with a test of some type, and sessions that are older than the feed."""
        self.world = World(seed=1, now=datetime.now(tz=timezone.utc) - timedelta(hours=20))
        self.test = self.world.add_test(kind)
        self.clips = clips
        self.older = [self.complete(in_feed=False) for _ in range(older)]
        self.box = Sandbox(self.world, quota=QuotaRule(limit=40, window=0.05, scope=scope))
        self.box.__enter__()
        self.config = self.box.config(max_retries=1)
        if not known:  # the product type is not known when the test ids are configured
            self.config["test_ids"] = [self.test.test_id]

    def teardown(self) -> None:
        """Let everything arrive, sync until all is asked, and compare with the truth."""
        if self.box is None:
            return
        try:
            self.world.grant_access(self.test)
            for session in self.hidden:
                self.world.reveal(session)
            for session in self.untranscribed:
                if not session.rejected:
                    self.world.transcribe(session)
            last = self.complete()  # an event after all that had none, for the scores
            self.world.update(last)
            self.source = "auto"
            for _ in range(3):
                assert self.run(STREAMS) == 0
            assert_true(self.warehouse, self.world, STREAMS)
            idle = sync_here(self.config, state=self.state, select=STREAMS)
            assert idle.records() == [], {m["stream"] for m in idle.messages if m["type"] == "RECORD"}
        finally:
            self.box.__exit__(None, None, None)

    def run(self, streams: tuple[str, ...], *, kill: float | None = None) -> int:
        """Sync; a kill keeps this share of the messages."""
        config = {**self.config, "change_source": self.source}
        limits = ResultsClient.session_page.__kwdefaults__
        with patch.dict(limits, limit=PAGE):
            done = sync_here(config, state=self.state, select=streams)
        messages = done.messages if kill is None else done.messages[: int(len(done.messages) * kill)]
        self.warehouse.load(messages)
        written = max((n for n, message in enumerate(messages) if message["type"] == "STATE"), default=-1)
        self.torn |= {m["record"].get("session_id") for m in messages[written + 1 :] if m["type"] == "RECORD"}
        states = [message["value"] for message in messages if message["type"] == "STATE"]
        self.state = states[-1] if states else self.state
        self.synced = True
        return done.exit

    def complete(self, **how: Any) -> Session:  # noqa: ANN401 - as the sandbox takes it
        """Complete a session."""
        session = self.world.add_session(self.test, **how)
        if not self.clips:
            session.clips.clear()
        return session

    def any_session(self, place: int) -> Session | None:
        """Return one of the sessions there are."""
        sessions = [session for session in self.test.sessions.values() if session not in self.hidden]
        return sessions[place % len(sessions)] if sessions else None

    @rule(transcript=st.sampled_from(("ready", "later", "none")), lag=st.booleans(), unfinished=st.booleans())
    def finish_session(self, transcript: str, lag: bool, unfinished: bool) -> None:  # noqa: FBT001
        """A participant finishes; the feed may know it before the Results API does."""
        if self.test.product_type == "SURVEY":
            transcript = "none"
        session = self.complete(
            transcript=cast("Literal['ready', 'later', 'none']", transcript),
            in_results=not lag,
            finish_time=None if unfinished else "auto",
        )
        if lag:
            self.hidden.append(session)
        if transcript == "later":
            self.untranscribed.append(session)

    @precondition(lambda self: self.hidden)
    @rule()
    def reveal(self) -> None:
        """The Results API catches up with the feed."""
        self.world.reveal(self.hidden.pop(0))

    @precondition(lambda self: self.untranscribed)
    @rule()
    def transcribe(self) -> None:
        """A late transcript appears."""
        session = self.untranscribed.pop(0)
        if not session.rejected:
            self.world.transcribe(session)
        else:
            self.untranscribed.append(session)

    @rule(place=st.integers(0, 99))
    def update(self, place: int) -> None:
        """A session changes. For one older than the feed that would hide its transcript, a limit the README names."""
        session = self.any_session(place)
        if session is not None and not session.rejected and session not in self.older:
            self.world.update(session)

    def changeable(self, place: int) -> Session | None:
        """Return a session that the feed has known from its start and that is there.

        None whose rows arrived without a STATE: no one knows that they are there, should they become fewer right then.
        """
        session = self.any_session(place)
        if session is None or session.rejected or session in self.older or session.session_id in self.torn:
            return None
        return session

    @rule(place=st.integers(0, 99), tasks=st.integers(0, 9), answers=st.integers(0, 3))
    def resize(self, place: int, tasks: int, answers: int) -> None:
        """A session has fewer or more tasks and demographic answers than before, or no participant at all."""
        session = self.changeable(place)
        if session is None:
            return
        session.overrides = {}
        whole = session.details_v3()
        who = whole["sessionParticipant"]
        if who is not None:
            who = {**who, "demographicsInfo": who["demographicsInfo"][: answers - 1]} if answers else None
        self.world.update(session, {"tasks": whole["tasks"][:tasks], "sessionParticipant": who})

    @rule(place=st.integers(0, 99), cues=st.integers(0, 4))
    def speak(self, place: int, cues: int) -> None:
        """A transcript is made anew, shorter or longer."""
        session = self.changeable(place)
        if (
            session is None
            or self.test.product_type == "SURVEY"
            or session.vtt is None
            or session in self.untranscribed
        ):
            return
        said = [f"00:0{number}.000 --> 00:0{number}.900\nWords.\n" for number in range(cues + 1)]
        self.world.transcribe(session, "\n".join(["WEBVTT\n", *said]))

    @rule(place=st.integers(0, 99), more=st.booleans())
    def cut(self, place: int, more: bool) -> None:  # noqa: FBT001
        """A clip is cut, or the last but one thrown away; the video's event tells."""
        session = self.changeable(place)
        if session is None:
            return
        if more:
            self.world.clip(session)
        elif len(session.clips) > 1:
            session.clips.pop()
        self.world.announce(session, "VIDEO_UPDATED")

    @rule(place=st.integers(0, 99), new=st.booleans())
    def edit_reel(self, place: int, new: bool) -> None:  # noqa: FBT001
        """A reel is made, or one there is changed; each at a millisecond of its own."""
        self.edits += 1
        reels = len(self.test.reels)
        at = self.world.now + timedelta(milliseconds=self.edits)
        self.world.edit_reel(self.test, None if new or not reels else place % reels, at=at)

    @rule(place=st.integers(0, 99))
    def reject(self, place: int) -> None:
        """A session is rejected."""
        session = self.any_session(place)
        if session is not None and not session.rejected:
            self.world.reject(session)

    @rule(place=st.integers(0, 99))
    def accept(self, place: int) -> None:
        """A rejected session is accepted again."""
        session = self.any_session(place)
        if session is not None and session.rejected:
            self.world.accept(session)

    @rule(place=st.integers(0, 99))
    def tie(self, place: int) -> None:
        """Two sessions end at one moment, at which others change as well."""
        moment = self.world.journal.advance_past(self.test)
        for _ in range(2):
            self.complete(finished_at=moment)
        for session in {self.any_session(place), self.any_session(place + 1)} - {None, *self.older}:
            if session is not None and not session.rejected:
                self.world.update(session, at=moment)

    @precondition(lambda self: self.test.events)
    @rule()
    def repeat_cursor(self) -> None:
        """The feed sends its newest event twice."""
        event = self.test.events[-1]
        self.world.event(
            self.test,
            response_uuid=event.response_uuid,
            change_type=event.change_type,
            at=event.changed_at,
            cursor=event.cursor,
        )

    @rule(page=st.integers(1, 3), leaves=st.booleans(), place=st.integers(0, 99), cut=st.none() | st.floats(0, 1))
    def shift(self, page: int, leaves: bool, place: int, cut: float | None) -> None:  # noqa: FBT001
        """The list shifts while it is paged: a session comes or leaves before a later page is read."""
        assert self.box is not None

        def happen(_call: object) -> None:
            if leaves:
                self.reject(place)
            else:
                self.complete()

        self.box.before("list", happen, skip=page)
        self.run(STREAMS, kill=cut)
        self.box.orders.clear()  # the list had no such page

    @rule(cut=st.floats(0, 1))
    def kill(self, cut: float) -> None:
        """A sync is killed anywhere."""
        self.run(STREAMS, kill=cut)

    @rule(streams=st.sets(st.sampled_from(STREAMS), min_size=1), cut=st.none() | st.floats(0, 1))
    def sync_some(self, streams: set[str], cut: float | None) -> None:
        """Only some streams are selected."""
        self.run(tuple(sorted(streams)), kill=cut)

    @rule(source=st.sampled_from(("auto", "listing")))
    def change_source(self, source: str) -> None:
        """The user changes the source."""
        self.source = source

    @precondition(lambda self: self.synced)
    @rule()
    def expire(self) -> None:
        """The feed forgets its old cursors."""
        self.world.expire_cursors(self.test)

    @rule(cut=st.floats(0, 1))
    def outage(self, cut: float) -> None:
        """Access to the test is lost during one sync."""
        self.world.lose_access(self.test)
        self.run(STREAMS, kill=cut)
        self.world.grant_access(self.test)

    @invariant()
    def bounded(self) -> None:
        """The state of a partition stays small, and what its contract says."""
        for stream in self.state.get("bookmarks", {}).values():
            assert stream.keys() <= {"partitions"}
            for partition in stream.get("partitions", []):
                assert partition.keys() <= CONTRACT
                kept = {key: value for key, value in partition.items() if key not in BESIDE}
                assert encode(decode(kept)) == kept  # nothing is lost where it is read and written
                assert len(partition.get("recent", [])) <= 500
                assert len(partition.get("tombstoned", [])) <= 500
                assert len(json.dumps(partition.get("tally", {}))) <= 500 * 8 + 300


def test_every_history_ends_true() -> None:
    """After any history, a resume gives the same tables as one clean run, and then is idle."""
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
