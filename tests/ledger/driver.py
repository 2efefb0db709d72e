"""What a reader does with a ledger, without any I/O: rows, and after them the ledger that they make true."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, cast

from tap_usertesting.changes.session_list import SessionList
from tap_usertesting.ledger.agenda import agenda
from tap_usertesting.ledger.change_log import FEED, LISTING, Log, Sessions, Source
from tap_usertesting.ledger.change_types import TRANSCRIPTION_UPDATED, VIDEO_UPDATED
from tap_usertesting.ledger.counting import count, tombstoned
from tap_usertesting.ledger.doubt import Doubt
from tap_usertesting.ledger.ledger import Ledger, begin, take
from tap_usertesting.ledger.needs import is_deep_enough, needs
from tap_usertesting.ledger.settle import Outcome, close, gives_up, settle
from tap_usertesting.ledger.state_keys import decode, encode
from tap_usertesting.ledger.stream_policy import Policy
from tests.ledger.world import World, day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.api.results import ResultsClient, SessionPage
    from tap_usertesting.ledger.agenda_items import Item

LONG = 10**5  # days
DETAILS = Policy(patience_days=LONG)
TRANSCRIPTS = Policy(
    ignores=frozenset({VIDEO_UPDATED}), announced_by=TRANSCRIPTION_UPDATED, sleeps_after=3, patience_days=LONG
)
CLIPS = Policy(ignores=frozenset({TRANSCRIPTION_UPDATED}), patience_days=LONG)
SCORES = Policy(per_test=True)
REELS = Policy(by_id=False)
POLICIES = {
    "details": DETAILS,
    "later": DETAILS,
    "transcripts": TRANSCRIPTS,
    "clips": CLIPS,
    "scores": SCORES,
    "reels": REELS,
}

Row: TypeAlias = "tuple[str, int | None]"  # key and value; None: a tombstone


@lru_cache(maxsize=64)
def read_back(state: str) -> Ledger:
    """Return the ledger in a state as it stands on disk; it is asked for several times between two STATEs."""
    return decode(json.loads(state))


@dataclass
class Stream:
    """One stream: its table in the target, and its state as the orchestrator keeps it."""

    what: str
    policy: Policy
    table: dict[str, int] = field(default_factory=dict)
    state: str = "{}"
    calls: Counter[str] = field(default_factory=Counter)  # of the last sync, by session
    lines: list[str] = field(default_factory=list)  # of the items done in the last sync
    pages: int = 0
    written: list[Row] = field(default_factory=list)  # in the last sync
    unsaved: set[str] = field(default_factory=set)  # keys of rows of which the state does not know, after a kill

    @property
    def ledger(self) -> Ledger:
        """The ledger in the state."""
        return read_back(self.state)

    def sync(self, world: World, source: Source, start: float | None, *, most: int | None = None) -> int:
        """Sync, and keep what is written; killed after so many yields. Returns how many there were."""
        count = 0
        self.calls.clear()
        self.lines.clear()
        self.pages = 0
        self.written.clear()
        for done in self._read(world, source, start):
            if most is not None and count >= most:
                break
            count += 1
            if isinstance(done, Ledger):
                self.state = json.dumps(encode(done))
                assert self.ledger == done  # the form on disk loses nothing
                self.unsaved -= {key for key, _ in self.written}
                continue
            self.written.append(done)
            self.unsaved.add(done[0])
            if done[1] is None:
                self.table.pop(done[0], None)
            else:
                self.table[done[0]] = done[1]
        return count

    def _read(self, world: World, source: Source, start: float | None) -> Iterator[Row | Ledger]:
        policy = self.policy
        if self.what == "reels":
            source, start = LISTING, None
        if start is not None and not policy.per_test:
            policy = replace(policy, start_date=day(start))
        ledger = begin(self.ledger, source, policy, now=world.now)
        log = self.read_log(world, ledger, policy)
        if log is None:
            return
        reading = _Reading(self, world, policy, take(ledger, log, now=world.now), log)
        try:
            while reading.todo:
                yield from reading.step(reading.todo.pop(0))
        except _Lost:
            return
        with suppress(_Lost):
            yield reading.end()

    def read_log(self, world: World, ledger: Ledger, policy: Policy) -> Log | None:
        """Read what a ledger needs; None where the test does not answer."""
        if self.what == "reels":
            return (
                None if world.lost else Log(LISTING, sessions=Sessions.whole(world.reels.values()), listed_at=world.now)
            )
        need = needs(ledger)
        sessions: SessionList | None = None
        if need.depth != "none" and world.lost:
            return None
        if not need.feed:
            return Log(LISTING, sessions=self._sessions(world, ledger, policy), listed_at=world.now)
        replayed = need.since is not None and not world.knows(need.since)
        whole = need.since is None
        changes = world.changes(None if replayed else need.since)
        newest = changes[-1].cursor if changes else need.since
        certain = not world.uncertain or len(changes) < 2
        if need.depth != "none":
            sessions = self._sessions(world, ledger, policy)
        return Log(
            FEED, changes, whole, replayed, certain, newest, sessions, None if sessions is None else sessions.now
        )

    def _sessions(self, world: World, ledger: Ledger, policy: Policy) -> SessionList:
        """Read the list as deep as needed."""
        depth = needs(ledger).depth
        read = SessionList(client=cast("ResultsClient", _Pages(self, world)), test_id="t", now=world.now)
        return read.read(lambda sessions: is_deep_enough(ledger, depth, sessions, policy))

    def fetch(self, world: World, item: Item) -> Outcome:
        """Ask for a session."""
        self.calls[item.session_id] += 1
        if world.lost:
            return "missing"
        if self.policy.per_test or self.what == "reels":
            return "found"
        session = world.sessions.get(item.session_id)
        if session is None or not session.live:
            return "missing"
        if session.broken:
            return "failed"
        if World.value(self.what, session) is None:
            return "empty" if self.what == "clips" else "missing"
        return "found"

    def value(self, world: World, item: Item) -> int | None:
        """Return what the source answers."""
        if self.policy.per_test:
            return world.truth("scores", None).get("")
        if self.what == "reels":
            return world.truth("reels", None)[item.session_id]
        return World.value(self.what, world.sessions[item.session_id])


class _Pages:
    """The list's client."""

    def __init__(self, stream: Stream, world: World) -> None:
        self._stream, self._world = stream, world
        self.left_out: Counter[str] = Counter()

    def session_page(self, _test_id: str, *, offset: int, limit: int = 0) -> SessionPage:  # noqa: ARG002 - as the client's
        """Return a page."""
        self._stream.pages += 1
        return self._world.page(offset)


class _Lost(Exception):  # noqa: N818 - it is no error of the test
    """The test does not answer: what was held does not count."""


class _Reading:
    """One sync of one stream, after its log was read."""

    def __init__(self, stream: Stream, world: World, policy: Policy, ledger: Ledger, log: Log) -> None:
        self._stream, self._world, self._policy = stream, world, policy
        self._log = log
        self._answers = log.sessions is not None
        once = policy.per_test
        self._doubt: Doubt[tuple[Item, Outcome]] = Doubt(missing=1 if once else 4, faults=1 if once else 3)
        self._asked: dict[str, Outcome] = {}
        self.todo = agenda(ledger, log, policy, now=world.now)
        self._ledger = count(ledger, log, self.todo, policy, now=world.now)

    def step(self, item: Item) -> Iterator[Row | Ledger]:
        """Do one item: its row, then the ledger that it makes true."""
        if item.line == "probe" and item.is_sample and self._ledger.found:
            return
        self._stream.lines.append(item.line)
        outcome = self._outcome(item)
        value = self._stream.value(self._world, item) if outcome == "found" else None
        if outcome == "missing" and item.was_removed:
            self._confirm()
        if outcome == "removed" or (outcome == "missing" and item.was_removed):
            yield item.session_id, None
            self._ledger = tombstoned(self._ledger, item.session_id)
        elif outcome == "found" and item.session_id not in self._asked:
            yield item.session_id, value
        elif outcome == "empty" and item.line != "waiting":
            yield item.session_id, None
            self._ledger = tombstoned(self._ledger, item.session_id)
        if item.act == "fetch":
            self._asked[item.session_id] = outcome
            self._answers = self._answers or outcome in {"found", "empty"}
        before = self._ledger
        self._settle(self._doubt.weigh((item, outcome), outcome, is_reachable=self._answers))
        if self._doubt.fails:
            raise _Lost
        if self._doubt.asks_for_list:
            self._confirm()
            self._settle(self._doubt.release())
        yield self._ledger
        if self._ledger.asleep != before.asleep:
            self._turn()

    def end(self) -> Ledger:
        """Return the ledger at the end of the test."""
        if any(gives_up(*done, self._policy, now=self._world.now) for done in self._doubt.held):
            self._confirm()
        self._settle(self._doubt.release())
        return close(self._ledger, self._log, self._policy)

    def _outcome(self, item: Item) -> Outcome:
        if item.act == "fetch":
            return self._asked.get(item.session_id) or self._stream.fetch(self._world, item)
        return "removed" if item.act == "remove" else "missing" if item.act == "absent" else "passed"

    def _confirm(self) -> None:
        """Ask for one page of the list."""
        if self._world.lost:
            raise _Lost
        self._answers = True

    def _settle(self, done: list[tuple[Item, Outcome]]) -> None:
        for one in done:
            self._ledger = settle(self._ledger, *one, self._policy, now=self._world.now)

    def _turn(self) -> None:
        """See what is to be done after the test has fallen asleep or woken."""
        if not self._ledger.asleep:
            log = self._stream.read_log(self._world, self._ledger, self._policy)
            if log is None:
                raise _Lost
            self._log, self._ledger = log, take(self._ledger, log, now=self._world.now)
        todo = agenda(self._ledger, self._log, self._policy, now=self._world.now)
        self.todo = [one for one in todo if one.line not in {"waiting", "probe"}]
        self._ledger = count(self._ledger, self._log, self.todo, self._policy, now=self._world.now)
