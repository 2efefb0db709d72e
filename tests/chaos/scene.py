"""The worlds of the chaos suite and what happens in them, drawn from a seed."""
# ruff: noqa: S311 - reproducible test data, nothing secret is drawn here

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from tap_usertesting.sandbox import World
from tests.support.harness import ROW_STREAMS, SESSION_STREAMS

if TYPE_CHECKING:
    from tap_usertesting.sandbox.model import Session, Test

EVERY_STREAM = ("workspaces", "tests", *SESSION_STREAMS, "qx_scores", "result_changes")
LISTED_STREAMS = ("workspaces", "tests", "sessions", "qx_scores", "result_changes")  # no call per session
KINDS = {"feed": 5, "listing": 3, "wide": 1, "wordy": 1}
REJECTED_AT_FIRST = 3
WORDS = "and then I looked for the button that ought to be there, "


class Scene:
    """One world: some tests by the feed or by listing, one of three pages, or one of very long transcripts."""

    def __init__(self, seed: int, *, calm: bool = False) -> None:
        """Make the world; `restless` says whether things happen to it. `calm`: the feed forgets no cursor."""
        rng = self.rng = Random(f"scene/{seed}")
        self.kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        self.by_feed = self.kind == "feed" or (self.kind in {"wide", "wordy"} and rng.random() < 0.5)
        self.restless = rng.random() < 0.7
        self.calm = calm
        self.happened: Counter[str] = Counter()
        # Rows ride along in every other seed, so that both ways of writing meet what happens.
        every = EVERY_STREAM if seed % 2 else (*EVERY_STREAM, *ROW_STREAMS)
        self.streams: tuple[str, ...] = LISTED_STREAMS if self.kind == "wide" else every
        self.world = World(seed, now=datetime.now(tz=timezone.utc) - timedelta(hours=20))
        self.world.feed_order = rng.choice(("newest_first", "oldest_first"))
        self.world.list_key = rng.choice(("finish", "start", "visible"))
        self._hidden: list[Session] = []
        self._untold: set[str] = set()  # sessions older than the feed
        {"wide": self._fill_wide, "wordy": self._fill_wordy}.get(self.kind, self._fill)()
        self.tests = list(self.world.tests.values())
        self.settings: dict[str, Any] = {}
        if not self.by_feed:
            self.settings["change_source"] = "listing"
        if rng.random() < 0.3:  # the product types are not known then
            self.settings["test_ids"] = [test.test_id for test in self.tests]
            self.streams = tuple(stream for stream in self.streams if stream not in {"workspaces", "tests"})

    def happen(self) -> None:
        """Let one thing happen, if there is anything to which it can."""
        every = {"add": 4, "reveal": 2, "transcribe": 3}
        if self.by_feed:
            every |= {"update": 3, "reject": 3, "accept": 3, "tie": 1, "stray": 1, "expire": 0 if self.calm else 1}
        name = self.rng.choices(list(every), list(every.values()))[0]
        with self.world.lock:
            if getattr(self, f"_{name}")(self.rng.choice(self.tests)):
                self.happened[name] += 1

    def settle(self) -> None:
        """Let everything arrive that is under way, and after it something new in each test, for its scores."""
        with self.world.lock:
            while self._hidden:
                self._reveal(self._hidden[0].test)
            for test in self.tests:
                while self._transcribe(test):
                    pass
                self.world.update(self.world.add_session(test))

    # Worlds

    def _fill(self) -> None:
        for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD", self.rng.choice(("SURVEY", "THINK_OUT_LOUD"))):
            test = self.world.add_test(product_type)
            for _ in range(self.rng.randint(0, 3)):
                older = self.world.add_session(test, in_feed=False)
                self._untold.add(older.session_id)
            for _ in range(self.rng.randint(2, 9)):
                self._add(test)
        self.tests = list(self.world.tests.values())
        if self.by_feed:
            for _ in range(REJECTED_AT_FIRST):
                self._reject(self.rng.choice(self.tests))
            self._accept(self.rng.choice(self.tests))

    def _fill_wide(self) -> None:
        """Fill three pages of the list, some sessions of which end at the same moment."""
        test = self.world.add_test("NON_THINK_OUT_LOUD")
        for number in range(self.rng.randint(1010, 1300)):
            self.world.add_session(test, finished_at=self.world.now + timedelta(seconds=number // 2), transcript="none")
        self.world.journal.now += timedelta(seconds=700)

    def _fill_wordy(self) -> None:
        """Give each session a transcript that alone nearly fills a pipe: kills then tear lines."""
        test = self.world.add_test("THINK_OUT_LOUD")
        for number in range(self.rng.randint(12, 20)):
            cue = f"00:00:01.000 --> 00:00:09.000\n{number} " + WORDS * self.rng.randint(100, 500)
            self.world.add_session(test, vtt=f"WEBVTT\n\n{cue}\n")

    # Happenings: each returns whether there was anything to happen to

    def _add(self, test: Test) -> bool:
        transcript: Literal["ready", "later", "none"] = "none"
        if test.product_type == "THINK_OUT_LOUD":
            transcript = self.rng.choice(("ready", "ready", "later", "none"))
        late = len(self._hidden) < 6 and self.rng.random() < 0.2 and (not self.calm or self._is_known(test))
        session = self.world.add_session(
            test,
            transcript=transcript,
            in_results=not late,
            finish_time=None if self.rng.random() < 0.1 else "auto",
        )
        if late:
            self._hidden.append(session)
        return True

    def _reveal(self, test: Test) -> bool:
        session = next((session for session in self._hidden if session.test is test), None)
        if session is None:
            return False
        self._hidden.remove(session)
        self.world.reveal(session)
        return True

    def _transcribe(self, test: Test) -> bool:
        session = next((one for one in self._alive(test) if not one.has_transcript), None)
        if session is None or test.product_type != "THINK_OUT_LOUD":
            return False
        self.world.transcribe(session)
        return True

    def _update(self, test: Test) -> bool:
        """Change a session. For one older than the feed that would hide its transcript, a limit the README names."""
        session = self._one_of([one for one in self._alive(test) if one.session_id not in self._untold])
        if session is not None:
            self.world.update(session)
        return session is not None

    def _reject(self, test: Test) -> bool:
        session = self._one_of(self._alive(test))
        if session is not None:
            self.world.reject(session)
        return session is not None

    def _accept(self, test: Test) -> bool:
        """Bring one back, of another test if need be; rather one whose transcript has to come back unannounced."""
        rejected = [one for one in test.sessions.values() if one.rejected] or [
            one for other in self.tests for one in other.sessions.values() if one.rejected
        ]
        spoken = [one for one in rejected if one.has_transcript] if self.rng.random() < 0.7 else []
        session = self._one_of(spoken or rejected)
        if session is not None:
            self.world.accept(session)
        return session is not None

    def _tie(self, test: Test) -> bool:
        """Let several events have one time."""
        sessions = [one for one in self._alive(test) if one.session_id not in self._untold][-2:]
        moment = self.world.journal.advance_past(test)
        for session in sessions:
            self.world.update(session, at=moment)
            self.world.announce(session, "VIDEO_UPDATED", at=moment)
        return bool(sessions)

    def _stray(self, test: Test) -> bool:
        """Announce a response that the Results API never gets, or whose id is of an unknown form."""
        few = self.happened["stray"] < 3
        if few:
            prefix = self.rng.choice(("ut_response_", "other_"))
            self.world.event(test, response_uuid=f"{prefix}{UUID(int=self.rng.getrandbits(128))}")
        return few

    def _expire(self, test: Test) -> bool:
        self.world.expire_cursors(test)
        return True

    def _is_known(self, test: Test) -> bool:
        """Tell whether feed and list surely have a session in common, also after the rejections at the start.

        Otherwise a first sync goes by the list, and the next by the feed from the start: calls made twice, by design.
        """
        return len([one for one in self._alive(test) if one.session_id not in self._untold]) > REJECTED_AT_FIRST

    def _alive(self, test: Test) -> list[Session]:
        return [one for one in test.sessions.values() if not one.rejected and one not in self._hidden]

    def _one_of(self, sessions: list[Session]) -> Session | None:
        return self.rng.choice(sessions) if sessions else None
