"""A story: one warehouse that follows one sandbox through syncs, kills and resumed syncs."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tap_usertesting.api.clock import Clock
from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import SESSION_STREAMS, Synced, Warehouse, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_usertesting.sandbox.model import Session, Test
    from tap_usertesting.sandbox.requests_and_replies import ServedCall

Message = dict[str, Any]
DAY = 24 * 60 * 60


class Story:
    """Syncs a served world into a warehouse. Each sync resumes from the last STATE that arrived there."""

    def __init__(self, world: World, box: Sandbox, settings: dict[str, object]) -> None:
        """Sync nothing yet. `settings` override those of the sandbox in every sync."""
        self.world = world
        self.box = box
        self.settings = settings
        self.messages: list[Message] = []
        self.warehouse = Warehouse()

    def sync(
        self,
        *streams: str,
        killed: Callable[[list[Message]], int] | None = None,
        state_every: float = 0.0,
    ) -> Synced:
        """Sync these streams. `killed`: returns how many of the messages arrive; the rest is lost, as with kill -9."""
        self.box.clear_calls()
        synced = sync_here(
            self.box.config(**self.settings),
            state=self.warehouse.state,
            select=streams or SESSION_STREAMS,
            state_every=state_every,
        )
        assert synced.exit == 0
        if killed is not None:
            arrived = killed(synced.messages)
            assert arrived < len(synced.messages), "the run was over before the kill"
            synced.messages = synced.messages[:arrived]
        self.warehouse.load(synced.messages)
        self.messages += synced.messages
        return synced

    def assert_any_kill_is_survived(self, *streams: str) -> None:
        """Sync these streams, and assert that the next sync makes the tables true, however many messages arrived."""
        before = self.warehouse.state
        config = self.box.config(**self.settings)
        whole = sync_here(config, state=before, select=streams)
        for arrived in range(len(whole.messages) + 1):
            warehouse = Warehouse()
            warehouse.load(self.messages + whole.messages[:arrived])
            warehouse.load(sync_here(config, state=warehouse.state, select=streams).messages)
            assert_true(warehouse, self.world, streams)
        self.warehouse.load(whole.messages)
        self.messages += whole.messages

    def assert_true(self, *streams: str) -> None:
        """Assert that the tables of these streams contain the sandbox's truth."""
        assert_true(self.warehouse, self.world, streams or SESSION_STREAMS)

    def assert_each_once(self, stream: str) -> None:
        """Assert that no session has arrived twice, in all syncs together."""
        rows = Counter(
            m["record"]["session_id"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream
        )
        repeated = [session_id for session_id, times in rows.items() if times > 1]
        assert not repeated, f"{stream}: {len(repeated)} sessions were emitted again"

    def partition(self, stream: str, test: Test) -> dict[str, Any]:
        """Return the state of a test in a stream, from the last STATE that arrived."""
        return Synced(0, [{"type": "STATE", "value": self.warehouse.state}], "").partition(stream, test.test_id)

    def asked(self, kind: str, session: Session | None = None) -> list[ServedCall]:
        """Return the calls of a kind in the last sync, of one session or of all."""
        wanted = None if session is None else session.session_id
        return [call for call in self.box.calls if call.kind == kind and wanted in {None, call.session_id}]


def after_rows(count: int, stream: str | None = None) -> Callable[[list[Message]], int]:
    """Return a kill after the first STATE that follows so many rows."""

    def arrived(messages: list[Message]) -> int:
        left = count
        for place, message in enumerate(messages):
            if left <= 0 and message["type"] == "STATE":
                return place + 1
            left -= message["type"] == "RECORD" and stream in {None, message["stream"]}
        return len(messages)

    return arrived


def before_row_of(session: Session, stream: str) -> Callable[[list[Message]], int]:
    """Return a kill right before the row of a session."""

    def arrived(messages: list[Message]) -> int:
        for place, message in enumerate(messages):
            of_stream = message["type"] == "RECORD" and message["stream"] == stream
            if of_stream and message["record"]["session_id"] == session.session_id:
                return place
        return len(messages)

    return arrived


class Tell(Protocol):
    """Starts a story."""

    def __call__(self, world: World, **settings: object) -> Story:
        """Serve a world without a quota. `settings` override those that the sandbox gives the tap."""


@pytest.fixture
def tell() -> Iterator[Tell]:
    """Start stories. Their sandboxes stop at the end of the test."""
    with contextlib.ExitStack() as served:

        def begin(world: World, **settings: object) -> Story:
            return Story(world, served.enter_context(Sandbox(world, quota=None)), settings)

        yield begin


@pytest.fixture
def days_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the tap's wall clock some days ahead."""

    def ahead(days: float) -> None:
        clock = Clock(wall=lambda: time.time() + days * DAY)
        monkeypatch.setattr(TapUserTesting, "clock", clock)

    return ahead
