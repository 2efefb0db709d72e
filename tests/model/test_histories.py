"""A state machine over one test and its streams: whatever happens, a few clean syncs later all tables are true.

What can happen: sessions with and without transcripts, some seen by only one of the two APIs at first; late
transcripts; changes; rejections and returns; ties in time; cursors sent twice; a list of several pages that shifts
while it is read; lost access; expired cursors; another source; other streams selected; and kills, which keep a random
prefix of the messages and resume from the last STATE in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, cast
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
from tap_usertesting.changes import listing
from tap_usertesting.sandbox import Sandbox, World
from tests.harness import SESSION_STREAMS, Warehouse, assert_true, sync_here

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Session, Test

STREAMS = (*SESSION_STREAMS, "qx_scores", "result_changes")
TYPES = ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD", "SURVEY")
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

    @initialize(kind=st.sampled_from(TYPES), known=st.booleans(), older=st.integers(0, 4))
    def begin(self, kind: str, known: bool, older: int) -> None:  # noqa: FBT001 - drawn by hypothesis
        """Start with a test of some type, and sessions that are older than the feed."""
        self.world = World(seed=1, now=datetime.now(tz=timezone.utc) - timedelta(hours=20))
        self.test = self.world.add_test(kind)
        self.older = [self.world.add_session(self.test, in_feed=False) for _ in range(older)]
        self.box = Sandbox(self.world)
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
            last = self.world.add_session(self.test)  # an event after all that had none, for the scores
            self.world.update(last)
            self.source = "auto"
            for _ in range(3):
                assert self.run(STREAMS) == 0
            assert_true(self.warehouse, self.world, STREAMS)
            idle = sync_here(self.config, state=self.state, select=STREAMS)
            assert idle.records() == [], "an idle sync emits nothing"
        finally:
            self.box.__exit__(None, None, None)

    def run(self, streams: tuple[str, ...], *, kill: float | None = None) -> int:
        """Sync; a kill keeps this share of the messages."""
        config = {**self.config, "change_source": self.source}
        limits = ResultsClient.session_page.__kwdefaults__
        with patch.object(listing, "PAGE", PAGE), patch.dict(limits, limit=PAGE):
            done = sync_here(config, state=self.state, select=streams)
        messages = done.messages if kill is None else done.messages[: int(len(done.messages) * kill)]
        self.warehouse.load(messages)
        states = [message["value"] for message in messages if message["type"] == "STATE"]
        self.state = states[-1] if states else self.state
        self.synced = True
        return done.exit

    def any_session(self, place: int) -> Session | None:
        """Return one of the sessions there are."""
        sessions = [session for session in self.test.sessions.values() if session not in self.hidden]
        return sessions[place % len(sessions)] if sessions else None

    @rule(transcript=st.sampled_from(("ready", "later", "none")), lag=st.booleans(), unfinished=st.booleans())
    def finish_session(self, transcript: str, lag: bool, unfinished: bool) -> None:  # noqa: FBT001
        """A participant finishes; the feed may know it before the Results API does."""
        if self.test.product_type == "SURVEY":
            transcript = "none"
        session = self.world.add_session(
            self.test,
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
        moment = self.world.journal.after(self.test)
        for _ in range(2):
            self.world.add_session(self.test, finished_at=moment)
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
                self.world.add_session(self.test)

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
        """The state of a partition stays small."""
        for stream in self.state.get("bookmarks", {}).values():
            for partition in stream.get("partitions", []):
                assert len(partition.get("recent", [])) <= 500
                assert len(partition.get("gone", [])) <= 500


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
