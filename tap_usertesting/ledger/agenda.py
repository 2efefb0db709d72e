"""What is to be done in a test, in order: what waits, what came late, the news, then down to what was handled."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tap_usertesting.ledger.ledger import History, Ledger, Mark, session_in, window_start
from tap_usertesting.ledger.log import FEED, LISTING, TOP, UPDATED, Change, Listed, Log, Sessions, lowest
from tap_usertesting.ledger.policy import Policy, is_removal
from tap_usertesting.ledger.wanted import Wanted, wanted
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Act: TypeAlias = Literal["fetch", "remove", "absent", "pass"]
Line: TypeAlias = Literal["waiting", "late", "news", "probe", "down", "older"]
NEWS: frozenset[Line] = frozenset({"waiting", "late", "news"})
WHOLE_TEST = ""  # in place of a session


class Item(NamedTuple):
    """One thing to do.

    `act`: ask for the session, write its tombstone, count it as missing (the list has just said so), or only move over
    its place. `cursor`: its place, None beside the log; `at`: when the change happened; `time`: when the session was.
    `top`: where the bookmark stands once a reading begins with this item, else the change itself. `back`: the session
    was removed before; where it is missing now it is still removed. `again`: rows of it may have been written before.
    `sounds`: one of the sessions by which a history is sounded, `last`: the last of them. Once one has a row, those of
    line `probe` need not be asked any more.
    """

    session_id: str
    act: Act
    line: Line
    change_type: str
    at: str
    time: str
    cursor: str | None = None
    top: Mark | None = None
    back: bool = False
    again: bool = False
    sounds: bool = False
    last: bool = False


def agenda(ledger: Ledger, log: Log, policy: Policy, *, now: str) -> list[Item]:
    """Return what is to be done, in order. `now` in the fixed UTC form."""
    reading = _Reading(ledger, log, policy, now)
    parts = reading.by_feed() if log.source == FEED else reading.by_listing()
    if policy.per_test:
        return reading.one_for_all(parts)
    waiting = reading.waiting(parts)
    reading.sound(parts)
    if ledger.asleep:
        parts, waiting = reading.asleep(parts, waiting)
    late = [item for item in parts.late if item.session_id not in ledger.waiting]
    return [*waiting, *late, *parts.news, *parts.down, *parts.older]


def explained(ledger: Ledger, sessions: Sessions, policy: Policy) -> bool:
    """Tell whether the sessions found that were not handled are as many as the test has gained.

    Then no further page of the list need be read, once one has brought a session that was handled. Where anything has
    changed, the pages must also reach below the lookback window: on one within it a late session may stand that makes
    no difference to the count, as another has left.
    """
    region = _Region(ledger, policy)
    unknown = region.unknown(sessions)
    if not sessions.counted or unknown != _gained(ledger, sessions) or unknown == len(sessions.by_id):
        return False
    is_still = unknown == 0 and sessions.greatest == ledger.total_count
    return is_still or lowest(sessions.by_id.values()) < region.window


def _gained(ledger: Ledger, sessions: Sessions) -> int:
    """Return how many sessions have come since the ledger's count.

    By the greatest count that any page named: a session that left while the list was paged is among those found. One
    that was handled and is not on the pages on which it should stand has left as well, and hides one that came.
    """
    end, elsewhere = lowest(sessions.by_id.values()), {*sessions.by_id, *ledger.deep}
    left = sum(cursor > end and session_in(cursor) not in elsewhere for cursor in ledger.recent)
    return sessions.greatest - (ledger.total_count or 0) + left


class _Parts(NamedTuple):
    """The agenda's parts; `news` oldest first, `down` and `older` newest first."""

    late: list[Item]
    news: list[Item]
    down: list[Item]
    older: list[Item]


class _Region:
    """Where a session of the list stands to what a listing's ledger has handled."""

    def __init__(self, ledger: Ledger, policy: Policy, *, trust_span: bool = True) -> None:
        """`trust_span`: believe that all up to `recent_from` was handled. `window`: since when late ones count."""
        self._ledger = ledger
        self._bookmark = None if ledger.bookmark is None else ledger.bookmark.cursor
        self._floor = "" if ledger.floor is None else ledger.floor.cursor
        self.window = window_start(self._bookmark or "", policy.lookback_hours)
        self._recent = frozenset(map(session_in, ledger.recent) if policy.by_id else ledger.recent)
        self._by_id = policy.by_id
        self._span = (ledger.recent_from or "") if trust_span else ""

    def unknown(self, sessions: Sessions) -> int:
        """Return how many of the sessions were not handled."""
        return sum(self.line(one) is not None for one in sessions.by_id.values())

    def line(self, one: Listed) -> Line | None:
        """Return the line in which it is to be done, None for one that was handled."""
        history, until = self._ledger.history, self._ledger.until
        below = self._bookmark is None or one.cursor <= self._bookmark
        in_gap = history is not None and below and self._floor < one.cursor < history.cursor
        if in_gap and until is not None and one.time < until:
            return "down"
        if (one.session_id if self._by_id else one.cursor) in self._recent:
            return None
        if self._bookmark is None or (in_gap and until is None):
            return "down"
        if one.cursor > self._bookmark:
            return "news" if self._ledger.open else "down"
        if one.time < self.window or one.cursor <= self._span:
            return None
        return "late"


class _Reading:
    """One ledger before one log."""

    def __init__(self, ledger: Ledger, log: Log, policy: Policy, now: str) -> None:
        self._ledger, self._log, self._policy, self._now = ledger, log, policy, now
        self._start = ledger.starts_at(policy.start_date)
        listed: Mapping[str, Listed] = {} if log.sessions is None else log.sessions.by_id
        self._listed = listed

    # By listing

    def by_listing(self) -> _Parts:
        ledger, sessions = self._ledger, self._log.sessions
        region = _Region(ledger, self._policy)
        if sessions is None or region.unknown(sessions) != _gained(ledger, sessions):
            region = _Region(ledger, self._policy, trust_span=False)
        parts = _Parts([], [], [], [])
        ordered = self._ordered()
        top = ledger.bookmark if ledger.open or not ordered else _mark(ordered[-1])
        for one in ordered:
            line = region.line(one)
            if line == "late":
                parts.late.append(self._listed_item(one, "late", cursor=None))
            elif line == "news":
                parts.news.append(self._listed_item(one, "news"))
            elif line == "down":
                parts.down.append(self._listed_item(one, "down", top=top))
        parts.down.reverse()
        return parts

    def _ordered(self) -> list[Listed]:
        return sorted(self._listed.values(), key=attrgetter("cursor"))

    def _listed_item(self, one: Listed, line: Line, *, cursor: str | None = "", top: Mark | None = None) -> Item:
        """Return the item of a listed session. `cursor`: None for one beside the log."""
        act: Act = "pass" if self._left_out(one.time) else "fetch"
        place = one.cursor if cursor is not None else None
        return Item(one.session_id, act, line, UPDATED, one.time, one.time, place, top, again=self._ledger.again)

    def _left_out(self, time: str) -> bool:
        return self._start is not None and time < self._start

    def _done_before(self, time: str) -> bool:
        return self._ledger.until is not None and time >= self._ledger.until

    # By feed

    def by_feed(self) -> _Parts:
        ledger, log = self._ledger, self._log
        changes = log.changes
        told, firsts = _told(changes)
        from_begin = log.whole or log.replayed
        wants, _ = wanted(changes, () if from_begin else ledger.gone, self._policy)
        start = _place(changes, ledger.reads_from) if from_begin and log.certain else -1
        top = _place(changes, ledger.bookmark) if ledger.open and log.certain else -1
        low = _low(changes, ledger.history, top) if log.certain else len(changes)
        end = _end(log)
        parts = _Parts([], [], [], [])
        for want in sorted(wants.values()):
            item = self._feed_item(want, told, firsts, top=top)
            if want.place <= start:
                if want.removal and log.replayed:
                    parts.late.append(item._replace(line="late", cursor=None))
            elif ledger.until is not None and (want.removal or self._done_before(item.time)) and want.place <= top:
                continue
            elif ledger.open and log.certain and want.place > top:
                parts.news.append(item._replace(line="news"))
            elif want.place < low:
                parts.down.append(item._replace(top=end) if log.certain else item)
        parts.down.reverse()
        if ledger.first and log.sessions is not None:
            parts.older.extend(self._older(told, end))
        return parts

    def _feed_item(
        self, want: Wanted, told: Mapping[str, list[str]], firsts: Mapping[str, str | None], *, top: int
    ) -> Item:
        change, ledger, log = want.change, self._ledger, self._log
        session_id, at = change.session_id or "", change.changed_at or self._now
        cursor = change.cursor if log.certain else None
        listed = self._listed.get(session_id)
        time = listed.time if listed is not None else firsts.get(session_id) or at
        act: Act = "fetch"
        if want.removal:
            act = "remove"
        elif self._left_out(time):
            act = "pass"
        elif ledger.first and listed is None and self._is_listed_whole and at <= (log.listed_at or at):
            act = "absent"
        elif log.whole and self._never_announced(change, told.get(session_id, [])):
            act = "pass"
        again = not ledger.first or ledger.again or not log.certain or (ledger.open and want.place > top)
        here = Mark(change.cursor, change.changed_at)
        return Item(session_id, act, "down", change.change_type, at, time, cursor, here, want.back, again)

    @property
    def _is_listed_whole(self) -> bool:
        """Whether a session that is not in the list is not there."""
        return self._log.sessions is not None and not self._log.sessions.missing

    def _never_announced(self, change: Change, told: list[str]) -> bool:
        """Tell whether a session came back of which the log, that knows it from its start, never announced a row."""
        if self._policy.announced_by is None or change.change_type != UPDATED or told[:1] != [UPDATED]:
            return False
        return all(kind == UPDATED or kind in self._policy.ignores or is_removal(kind) for kind in told)

    def _older(self, told: Mapping[str, list[str]], end: Mark) -> Iterable[Item]:
        """Return the listed sessions that are older than the log, of which no change that it has makes a row.

        The feed begins with a session when that comes in, as UPDATED. One of which it only says what happened to its
        video or its transcript was there before. One that is fresh it will tell of.
        """
        ledger, concerns = self._ledger, self._policy.concerns
        history = ledger.history
        bound = history.cursor if history is not None and history.source == LISTING else TOP
        for one in reversed(self._ordered()):
            kinds = told.get(one.session_id, [])
            known = kinds[:1] == [UPDATED] or any(is_removal(kind) or concerns(kind, gone=False) for kind in kinds)
            if not known and not one.is_fresh and one.cursor < bound and not self._done_before(one.time):
                yield self._listed_item(one, "older", top=end)

    # What is not in the log

    def waiting(self, parts: _Parts) -> list[Item]:
        """Return what was missing before, longest unasked first."""
        told = {item.session_id for part in parts[1:] for item in part}
        again = self._log.source == FEED
        return [
            Item(
                session_id,
                "fetch",
                "waiting",
                UPDATED,
                since or self._now,
                self._time_of(session_id, since),
                again=again,
            )
            for session_id, since in self._ledger.waiting.items()
            if session_id not in told
        ][: self._policy.waiting_a_sync]

    def _time_of(self, session_id: str, since: str) -> str:
        one = self._listed.get(session_id)
        return one.time if one is not None else since or self._now

    # A test that may have no row at all

    def sound(self, parts: _Parts) -> None:
        """Put sessions between its new end and its old one before a history, to see whether there is any row in it.

        Where the history begins with a session that is old enough, that is the first of them, at its own place.
        """
        ledger, most = self._ledger, self._policy.sleeps_after
        if most is None or ledger.found or ledger.asleep or ledger.floor is not None:
            return
        rows = parts.older if self._log.source == FEED else parts.down
        asked = [item for item in rows if item.act == "fetch" and item.session_id not in ledger.in_vain]
        ripe = [item for item in asked if item.time <= self._ripe]
        left = most - len(ledger.in_vain)
        if left < 1 or len(ripe) <= left:
            return
        places = sorted({n * (len(ripe) - 1) // max(1, left - 1) for n in range(left)})
        probes = [ripe[n]._replace(line="probe", cursor=None, top=None, sounds=True) for n in places]
        probes[-1] = probes[-1]._replace(last=True)
        first = rows.index(ripe[0])
        if ripe[0] is asked[0] and not probes[0].last:
            rows[first] = ripe[0]._replace(sounds=True)
            rows[first + 1 : first + 1] = probes[1:]
        else:
            rows[:0] = probes

    def asleep(self, parts: _Parts, waiting: list[Item]) -> tuple[_Parts, list[Item]]:
        """Return the agenda of a test that seems to have no row: one ripe session stands for all.

        The feed announces what has a row all the same, so nothing stands for that.
        """
        ledger = self._ledger
        if self._log.source == FEED:
            return parts._replace(older=[]), waiting
        down = [] if ledger.open else [_passed(item) for item in parts.down]
        passing = _Parts([], [_passed(item) for item in parts.news], down, [])
        ripe = [one for one in self._ordered() if one.time <= self._ripe and not self._left_out(one.time)]
        if not ripe or ripe[-1].session_id in {*ledger.waiting, *ledger.in_vain}:
            return passing, waiting
        newest = ripe[-1]
        return passing, [*waiting, Item(newest.session_id, "fetch", "probe", UPDATED, newest.time, newest.time)]

    @property
    def _ripe(self) -> str:
        return earlier(self._now, hours=self._policy.ripe_hours)

    # A stream of tests

    def one_for_all(self, parts: _Parts) -> list[Item]:
        """Return one item for all that is new in the test, none where nothing is."""
        ledger, log = self._ledger, self._log
        changed = any(part for part in parts)
        total = 0 if log.sessions is None else log.sessions.total
        if log.source == LISTING:
            changed = (changed or total != ledger.total_count) and total > 0
        elif ledger.first:
            changed = changed or total > 0
        if not changed or ledger.none:
            return []
        top, kind = self._newest()
        at = (top.at if top is not None else None) or self._now
        line: Line = "down" if ledger.bookmark is None else "news"
        return [Item(WHOLE_TEST, "fetch", line, kind, at, at, None, top)]

    def _newest(self) -> tuple[Mark | None, str]:
        """Return the newest place of the log, if it is not the bookmark, and what happened there."""
        ledger, log = self._ledger, self._log
        if log.source == FEED:
            return (_end(log), log.changes[-1].change_type) if log.changes else (ledger.bookmark, UPDATED)
        newest = max(self._listed.values(), key=attrgetter("cursor"), default=None)
        if newest is None or (ledger.bookmark is not None and newest.cursor <= ledger.bookmark.cursor):
            return ledger.bookmark, UPDATED
        return _mark(newest), UPDATED


def _passed(item: Item) -> Item:
    return item._replace(act="pass")


def _mark(one: Listed) -> Mark:
    return Mark(one.cursor, one.time)


def _end(log: Log) -> Mark:
    """Return the place at the end of the feed's log."""
    return Mark(log.newest or "", log.changes[-1].changed_at if log.changes else None)


def _told(changes: Sequence[Change]) -> tuple[dict[str, list[str]], dict[str, str | None]]:
    """Return the change types of each session, and when the first of them happened."""
    kinds: dict[str, list[str]] = {}
    firsts: dict[str, str | None] = {}
    for change in changes:
        if change.session_id is not None:
            kinds.setdefault(change.session_id, []).append(change.change_type)
            firsts.setdefault(change.session_id, change.changed_at)
    return kinds, firsts


def _place(changes: Sequence[Change], mark: Mark | None) -> int:
    """Return the last change that the mark covers, -1 for none.

    Where its cursor is not in the log any more, that is the last one before its time.
    """
    if mark is None or not mark.cursor:
        return -1
    for place in range(len(changes) - 1, -1, -1):
        if changes[place].cursor == mark.cursor:
            return place
    return _last(changes, lambda at: mark.at is not None and at < mark.at)


def _low(changes: Sequence[Change], history: History | None, top: int) -> int:
    """Return the place below which changes are still to be read."""
    if history is None:
        return len(changes)
    if history.source == LISTING:
        return -1
    if history.cursor == TOP:
        return top + 1
    for place, change in enumerate(changes):
        if change.cursor == history.cursor:
            return place
    at = history.at
    return top + 1 if at is None else _last(changes, lambda moment: moment <= at) + 1


def _last(changes: Sequence[Change], holds: Callable[[str], bool]) -> int:
    for place in range(len(changes) - 1, -1, -1):
        at = changes[place].changed_at
        if at is not None and holds(at):
            return place
    return -1
