"""Random histories of one test under several streams: whatever happens, a few clean syncs later all tables are true."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tap_usertesting.ledger.change_log import FEED, LISTING, Source
from tap_usertesting.ledger.completeness import counts_of
from tests.ledger.driver import POLICIES, Stream
from tests.ledger.world import World

if TYPE_CHECKING:
    from tests.ledger.world import Session

KINDS = ("spoken", "survey", "mixed", "first half", "second half")
HAPPENINGS = (
    *(
        "finish",
        "finish",
        "reveal",
        "transcribe",
        "update",
        "clip",
        "reject",
        "accept",
        "break",
        "hide",
        "shift",
        "reel",
    ),
    *("kill", "kill", "sync", "outage", "source", "start", "expire", "uncertain", "selected", "ask again"),
)
CLEAN = 8  # syncs at the end


class History:
    """One history."""

    def __init__(self, seed: int, *, is_counted: bool = True) -> None:
        """Draw the test: how its sessions come, and by which log it is read.

        `is_counted`: the test is so small that the counts are known after each sync.
        """
        self.rng = rng = Random(seed)  # noqa: S311 - no secret
        self.seed = seed
        self.is_counted = is_counted
        self.world = World(rng)
        self.world.by_start = seed % 4 == 1
        self.by_feed = rng.random() < 0.7  # at the end; else by listing all the time
        self.kind = rng.choice(KINDS)
        self.source: Source = rng.choice((FEED, LISTING)) if self.by_feed else LISTING
        self.start = rng.choice([None, None, 1003.0])
        names = ["details", rng.choice(["transcripts", "clips", "scores", "reels"])]
        self.streams = {name: Stream(name, POLICIES[name]) for name in names}
        self.late_edits = False

    def run(self, steps: int) -> None:
        """Let everything happen, then assert that the tables are true and the stream is idle."""
        for _ in range(self.rng.randrange(12)):
            self._finish(in_feed=False)
            self.world.tick()
        for _ in range(steps):
            self.world.tick()
            self._step()
        self._end()

    def _finish(self, *, in_feed: bool = True) -> None:
        early = len(self.world.sessions) < 6
        text = {
            "spoken": self.rng.choice(["ready", "later"]),
            "survey": "none",
            "mixed": self.rng.choice(["ready", "later", "none"]),
            "first half": "ready" if early else "none",
            "second half": "none" if early else "ready",
        }[self.kind]
        if not in_feed and text == "later":
            text = "ready"
        lags = in_feed and self.rng.random() < 0.2
        self.world.finish(text=text, in_feed=in_feed, visible=not lags)

    def _step(self) -> None:
        world, rng = self.world, self.rng
        happen = rng.choice(HAPPENINGS)
        session = rng.choice(list(world.sessions.values())) if world.sessions else None
        if happen in {"kill", "outage"}:
            world.lost = happen == "outage"
            self._sync(cut=rng.random())
            world.lost = False
        elif happen == "sync":
            self._sync()
        elif happen == "source" and self.by_feed and rng.random() < 0.3:
            self.source = LISTING if self.source == FEED else FEED
        elif happen == "start" and self.start is not None and rng.random() < 0.3:
            self.start = rng.choice([None, self.start - 1])
        elif happen == "selected" and "later" not in self.streams and rng.random() < 0.3:
            self.streams["later"] = Stream("later", POLICIES["later"])
        elif session is not None:
            self._to(session, happen)
        self._to_test(happen)

    def _to_test(self, happen: str) -> None:
        world, rng = self.world, self.rng
        if happen == "finish":
            self._finish()
        elif happen == "expire" and rng.random() < 0.3:
            world.remint()
        elif happen == "shift":
            world.shifts = self.by_feed and not world.hides and rng.random() < 0.5
        elif happen == "reel":
            world.edit_reel()
        elif happen == "uncertain":
            world.uncertain = rng.random() < 0.3

    def _to(self, session: Session, happen: str) -> None:
        world = self.world
        in_window = self.by_feed or session.at >= world.day - 1
        if happen == "reveal" and in_window:
            session.visible = True
        elif happen == "transcribe":
            world.transcribe(session)
        elif happen == "update" and session.live and session.in_feed:
            world.update(session)
        elif happen == "clip" and session.live and session.in_feed:
            world.clip(session)
        elif happen == "reject" and not session.rejected and self._is_missed(session):
            world.reject(session)
        elif happen == "accept" and session.rejected and in_window:
            world.accept(session)
        elif happen == "break":
            session.broken = not session.broken
        elif happen == "hide" and self.by_feed:
            world.hides = set() if world.hides else {session.session_id}
            world.shifts = False  # in a list that does both no one can tell the one from the other

    def _is_missed(self, session: Session) -> bool:
        """Tell whether the first page shows that a session has left; in a list by start another may hide a slow one."""
        world = self.world
        return self.by_feed or not world.by_start or (session.at >= world.day - 1 and not world.is_slow(session))

    def _sync(self, *, cut: float | None = None) -> None:
        for stream in self.streams.values():
            most = None
            if cut is not None:
                most = int(cut * 2 * len(self.world.sessions))
            stream.sync(self.world, self.source, self.start, most=most)
            if not stream.unsaved:
                self._assert_counts(stream, cut)

    def _assert_counts(self, stream: Stream, cut: float | None) -> None:
        """Assert the promise of `sync_status`: what the source names, less what has no row, is what the table has."""
        ledger = stream.ledger
        if stream.policy.per_test or ledger.bookmark is None:
            return
        counts = counts_of(ledger)
        if counts is None and not self.is_counted:
            return
        assert counts is not None, (self.seed, stream.what, stream.state)
        rows = counts.source_count - counts.unread - counts.waiting - counts.given_up - counts.left_out
        assert rows == len(stream.table), (self.seed, stream.what, counts, stream.table, stream.state)
        world = self.world
        was_read = cut is None and not ledger.open and ledger.asked_at == world.now and not world.lost
        if was_read and ledger.source == LISTING and stream.policy.by_id and not (world.hides or world.shifts):
            listed = sum(session.live for session in world.sessions.values())
            assert counts.source_count - counts.unlisted == listed, (self.seed, stream.what, counts, stream.state)

    def _end(self) -> None:
        world = self.world
        world.hides, world.uncertain, world.shifts = set(), False, False
        for session in world.sessions.values():
            session.visible = session.visible or self.by_feed or session.at >= world.day - 1
            session.broken = False
            world.transcribe(session)
        self.source = FEED if self.by_feed else LISTING
        for number in range(CLEAN):
            world.day += 3 if number == CLEAN // 2 else 0
            self._sync()
        for stream in self.streams.values():
            self._assert_true(stream)
            counts = counts_of(stream.ledger)
            assert counts is None or not counts.unread, (self.seed, stream.what, "unread", stream.state)
        for stream in self.streams.values():
            self._assert_idle(stream)

    def _assert_idle(self, stream: Stream) -> None:
        """Assert that another sync writes no row, and asks for nothing but what waits; asleep, for one session more.

        Of the list it reads one page.
        """
        waiting, asleep = set(stream.ledger.waiting), stream.ledger.asleep
        stream.sync(self.world, self.source, self.start)
        more = stream.calls.keys() - waiting
        assert len(more) <= int(asleep), (self.seed, stream.what, "not idle", more)
        assert stream.pages <= 1, (self.seed, stream.what, "pages", stream.pages)
        assert not stream.written, (self.seed, stream.what, "rows", stream.written)

    def _assert_true(self, stream: Stream) -> None:
        world, start = self.world, self.start
        truth = world.truth(stream.what, start)
        held = stream.table
        if stream.what == "reels":
            assert held == truth, (self.seed, stream.what, held, truth, stream.state)
            return
        if stream.what != "scores" and start is not None:
            held = {key: value for key, value in held.items() if world.sessions[key].at >= start}
        if stream.ledger.asleep and self.kind != "spoken":  # sounding is a guess
            truth = {
                key: value
                for key, value in truth.items()
                if key in held or (self.by_feed and world.sessions[key].in_feed)
            }
        if not self.by_feed:  # edits, removals and new clips are not seen there
            if stream.what not in {"clips", "scores"}:
                lost = truth.keys() - held.keys()
                assert not lost, (self.seed, self.kind, stream.what, "lost", lost, stream.state)
            return
        wrong = {
            key: (held.get(key), truth.get(key))
            for key in held.keys() | truth.keys()
            if held.get(key) != truth.get(key)
        }
        assert not wrong, (self.seed, self.kind, stream.what, wrong, stream.state)
