"""The contents of a world: workspaces, tests and sessions, and how both APIs answer.

It is a module of its own because ``truth.py`` reads the contents, and ``world.py`` imports ``truth.py``.
"""
# ruff: noqa: S311 - reproducible test data, nothing secret is drawn here

from __future__ import annotations

import functools
import threading
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tap_usertesting.sandbox.answer_options import AnswerOptions
from tap_usertesting.sandbox.compose import audience, new_uuid
from tap_usertesting.sandbox.feed_options import FeedOptions
from tap_usertesting.sandbox.journal import Journal
from tap_usertesting.sandbox.model import Session, Test, Workspace
from tap_usertesting.sandbox.studies import TITLES
from tap_usertesting.sandbox.texts import AUTHORS, WORKSPACES
from tap_usertesting.sandbox.variant import Order, Variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.requests_and_replies import Json

FIXED_NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
Transcript = Literal["ready", "later", "none"]

_Method = TypeVar("_Method", bound="Callable[..., Any]")


def changes_world(method: _Method) -> _Method:
    """Decorate a method that changes the world: it holds the lock and increases the version."""

    @functools.wraps(method)
    def locked(self: WorldContents, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passes all arguments on
        with self.lock:
            self.version += 1
            return method(self, *args, **kwargs)

    return locked  # type: ignore[return-value]


class WorldContents(AnswerOptions):
    """Workspaces, tests, sessions and events, and how both APIs answer."""

    def __init__(self, seed: int = 7, *, now: datetime | None = None, real_time: bool = False) -> None:
        """Create an empty world. ``now``: aware. ``real_time``: later changes happen at the real time."""
        super().__init__()
        self.lock = threading.RLock()
        self.version = 0
        self.seed = seed
        self.rng = Random(seed)
        self.feed_options = FeedOptions()
        self.journal = Journal(
            self.rng, now=now or FIXED_NOW, real_time=real_time, format_cursor=self.feed_options.format_cursor
        )
        self.workspaces: dict[str, Workspace] = {}
        self.tests: dict[str, Test] = {}
        self.sessions: dict[str, Session] = {}
        self._shown = 0
        self.variant = Variant()  # where both APIs differ from what is documented
        # How the feed answers
        self.feed_order: Order = "newest_first"
        self.feed_scopes_missing: str | None = None
        self.feed_limit_next = 0
        self.feed_limit_wait = 1.0

    @property
    def now(self) -> datetime:
        """The current time of the world."""
        return self.journal.now

    # Contents

    @changes_world
    def add_workspace(self, name: str | None = None) -> Workspace:
        """Add a workspace."""
        number = len(self.workspaces)
        name = name or WORKSPACES[number % len(WORKSPACES)]
        workspace = Workspace(new_uuid(self.rng), name, str(12345 + number))
        self.workspaces[workspace.uuid] = workspace
        return workspace

    @changes_world
    def add_test(
        self,
        product_type: str = "THINK_OUT_LOUD",
        title: str | None = None,
        type: str = "STUDYV2",  # noqa: A002 - the vendor's name
        workspace: Workspace | str | None = None,
        test_id: str | None = None,
        *,
        in_feed: bool = True,
        qx_groups: int | None = None,
        ordered_at: datetime | None = None,
    ) -> Test:
        """Add a test, by default to the first workspace. ``workspace``: a workspace or its uuid.

        ``in_feed``: whether the feed knows the test. ``qx_groups``: the number of QX groups of an interaction test.
        """
        if isinstance(workspace, str):
            workspace = self.workspaces[workspace]
        if workspace is None:
            workspace = next(iter(self.workspaces.values()), None) or self.add_workspace()
        titles = TITLES.get(product_type, TITLES["INSIGHT_CORE"])
        test = Test(
            test_id=test_id or new_uuid(self.rng),
            title=title or titles[len(self.tests) % len(titles)],
            type=type,
            product_type=product_type,
            workspace=workspace,
            ordered_at=ordered_at or self.now - timedelta(days=30),
            ordered_by=AUTHORS[len(self.tests) % len(AUTHORS)],
            in_feed=in_feed,
            qx_groups=qx_groups,
        )
        self.tests[test.test_id] = test
        return test

    @changes_world
    def add_session(  # noqa: PLR0913 - all but the first are seldom given
        self,
        test: Test,
        *,
        finished_at: datetime | None = None,
        started_at: datetime | None = None,
        transcript: Transcript | None = None,
        in_feed: bool = True,
        in_results: bool = True,
        finish_time: Literal["auto"] | datetime | None = "auto",
        session_id: str | None = None,
        details: Json | None = None,
        vtt: str | None = None,
    ) -> Session:
        """Complete a session of a test, by default now.

        finish_time: when the session ended according to the API; ``auto``: when it did.
        transcript: by default ``ready`` if the product type has transcripts, else ``none``; ``later``: ``transcribe``
            will add it.
        in_feed: announce the session: UPDATED at its end and, if the transcript is ready, VIDEO_UPDATED one second and
            VIDEO_TRANSCRIPTION_UPDATED two seconds later.
        in_results: whether the Results API has the session; if not, ``reveal`` makes it visible.
        details: top-level keys of the v3 body that replace the composed ones.
        """
        finished_at = finished_at or (
            self.journal.advance() if started_at is None else started_at + timedelta(minutes=12)
        )
        started_at = started_at or finished_at - timedelta(seconds=self.rng.randrange(240, 2100))
        if transcript is None:
            transcript = "ready" if test.is_spoken else "none"
        session_id = session_id or new_uuid(self.rng)
        session = Session(
            session_id=session_id,
            test=test,
            number=self.journal.number(f"ut_response_{session_id}"),
            audience_id=audience(session_id),
            started_at=started_at,
            finished_at=finished_at,
            finish_time=finished_at if finish_time == "auto" else finish_time,
            visible=False,
            has_transcript=transcript == "ready",
            given_vtt=vtt,
            overrides=details or {},
        )
        test.sessions[session_id] = self.sessions[session_id] = session
        if in_results:
            self._show(session)
        if in_feed:
            self.journal.record(session, "UPDATED", finished_at)
            if transcript == "ready":
                self.journal.record(session, "VIDEO_UPDATED", finished_at + timedelta(seconds=1))
                self.journal.record(session, "VIDEO_TRANSCRIPTION_UPDATED", finished_at + timedelta(seconds=2))
        test.mark_changed()
        return session

    def _show(self, session: Session) -> None:
        session.visible = True
        self._shown += 1
        session.visible_rank = self._shown
