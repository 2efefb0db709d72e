"""The streams with one row per session: they replay a test's change log, then look after what it left open."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from tap_usertesting.api.errors import BadRequestError, NotFoundError, ServerFaultError
from tap_usertesting.changes.change import REMOVALS, UPDATED, Step, concerns_session, plan
from tap_usertesting.changes.listing import Known, Listed, SessionList, everything, holds, window_start
from tap_usertesting.changes.reader import TEST_PREFIX
from tap_usertesting.partition import FEED, LISTING, Partition
from tap_usertesting.streams.outcomes import Outcomes
from tap_usertesting.streams.session_rows import SessionRows
from tap_usertesting.streams.work import Mentions, Task, Work
from tap_usertesting.times import earlier

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk.helpers.types import Record

PENDING_A_SYNC = 20
LIST_WAS_SHORT = "~"  # a backfill up to behind any cursor of a list
LOG, BACKFILL = 1, 2  # phases of a test, after what is pending


class SessionStream(SessionRows):
    """A stream of sessions, as its declarations below say what it fetches and when."""

    concerns: ClassVar[Callable[..., bool]] = staticmethod(concerns_session)

    # To be declared by each stream

    def fetch(self, work: Work, session_id: str) -> dict[str, Any]:
        """Return what the source answers of a session. Raises NotFoundError where there is nothing (yet)."""
        raise NotImplementedError

    def prepare(self, work: Work, tasks: Iterable[str], pending: Iterable[str]) -> None:
        """Read what these sessions share before they are fetched one by one."""

    def promised(self, task: Task, told: list[str]) -> bool:  # noqa: ARG002 - transcripts look there
        """Tell whether a session has such a row, by the change types that its test's whole log has of it."""
        return True

    def buried(self, work: Work, session_id: str) -> None:
        """Move further state after a tombstone was written."""

    def fetched(self, work: Work, task: Task) -> None:
        """Move further state after a live row was written."""

    # The flow of one test

    @override
    def sync_test(self, test_id: str, partition: Partition) -> Iterator[Record]:
        if not self.applies(test_id):
            return
        self.changes.check(test_id)
        outcomes = Outcomes(answers=lambda: self.run.answers(test_id), missed=lambda: self.run.missed(test_id))
        work = Work(test_id, partition, outcomes, self.riders(test_id, partition))
        self._tap.before_state[self.name] = work.follow
        try:
            yield from self._sync_work(work)
        except NotFoundError as error:
            self.changes.lost(test_id, error)
            raise
        finally:
            work.follow()
            del self._tap.before_state[self.name]

    def _sync_work(self, work: Work) -> Iterator[Record]:
        if self.by_feed(work.test_id, work.partition):
            yield from self._sync_feed(work)
        else:
            yield from self._sync_list(work)
        if work.given_up:
            self.logger.warning(
                "%s, test %s: %d sessions that were announced are still not found and are given up, such as %s",
                self.name,
                work.test_id,
                len(work.given_up),
                work.given_up[0],
            )

    def _sync_feed(self, work: Work) -> Iterator[Record]:
        partition, test_uuid = work.partition, TEST_PREFIX + work.test_id
        if partition.log != FEED:
            self.restart(work.test_id, partition, FEED)
            partition.set("source", FEED)
            partition.set("backfill", "")
        log, changes, mentions = self.changes.changes(test_uuid, partition)
        steps = plan(changes, type(self).concerns, gone=partition.gone)
        concerned = {step.change.session_id for step in steps}
        pending = [session_id for session_id in partition.pending if session_id not in concerned]
        if mentions is not None:
            self.whole_list(work.test_id)
        fetches = [step.change.session_id or "" for step in steps if not step.removal]
        self.prepare(work, fetches, pending[:PENDING_A_SYNC])
        if fetches and self.settings.start_date is not None:
            self.changes.sessions(work.test_id, holds(fetches))
        self.run.activity.total = len(fetches) + min(len(pending), PENDING_A_SYNC)
        yield from self._pending(work, pending)
        self.run.activity.phase = LOG
        firsts: dict[str | None, str | None] = {}
        for change in changes:
            firsts.setdefault(change.session_id, change.changed_at)
        left = Counter(change.session_id for change in changes)
        for step in steps:
            session_id = step.change.session_id
            again = mentions is None or not log.certain or len(mentions.get(session_id or "", ())) > left[session_id]
            first = firsts.get(session_id)
            yield from self._step(work, step, certain=log.certain, first=first, told=mentions, again=again)
        work.outcomes.release()
        if changes or log.newest is not None:
            partition.move(log.newest, changes[-1].changed_at if changes else None)
        if partition.backfill is not None:
            if mentions is None:  # a probe has just found that this test has such rows
                mentions = self.changes.changes(test_uuid, partition)[2]
            yield from self._backfill(work, lambda listed: self._below(mentions, listed.session_id))
        partition.set("again", None)
        listed = self.changes.listed(work.test_id)
        if listed is not None:
            partition.finish(listed.total)

    def _below(self, mentions: Mentions, session_id: str) -> bool:
        """Tell whether a listed session is older than the log, of which no change that it mentions makes a row.

        The feed begins with a session when that comes in, as UPDATED. One of which it only says what happened to its
        video or its transcript was there before.
        """
        told = (mentions or {}).get(session_id, [])
        concerns = type(self).concerns
        return told[:1] != [UPDATED] and not any(kind in REMOVALS or concerns(kind, gone=False) for kind in told)

    def _step(
        self, work: Work, step: Step, *, certain: bool, first: str | None, told: Mentions, again: bool
    ) -> Iterator[Record]:
        """Do what the feed's log says at one place."""
        change, partition = step.change, work.partition
        session_id, at = change.session_id or "", change.changed_at or self.run.now

        def move() -> None:
            if certain:
                partition.move(change.cursor, change.changed_at)

        if step.removal:

            def buried() -> None:
                partition.settle(session_id)
                self.buried(work, session_id)
                move()

            task = Task(session_id, change.change_type, at, change.cursor)
            rows = SessionStream.tombstones
            yield from self.emit(work, task, rows, lambda: work.outcomes.passed(buried))
            return
        listed = self.changes.listed(work.test_id)
        here = listed.by_id.get(session_id) if listed is not None else None
        since = here.time if here is not None else first or at
        start = self.settings.start_date
        if start is not None and since < start:
            self._passed(work, move)
            return
        again = again or (here is not None and here.cursor <= (partition.backfill or ""))
        task = Task(session_id, change.change_type, at, change.cursor, move, again=again, since=since)
        if told is not None and here is None:  # the list has just said that it is not there: no call for that
            self._passed(work, lambda: self._give_way(work, task, by_fault=False))
            return
        if told is not None and not self.promised(task, told.get(session_id, [])):
            self._passed(work, lambda: self._pass_over(work, task))
            return
        yield from self._ask(work, task)

    def _sync_list(self, work: Work) -> Iterator[Record]:
        partition = work.partition
        if partition.log == FEED:
            self.restart(work.test_id, partition, LISTING)
        known = Known(partition, lookback_hours=self.settings.lookback_hours)
        need = everything if partition.backfill is not None else known.explained
        sessions = self.changes.sessions(work.test_id, need)
        self.run.answered(work.test_id)
        bookmark = partition.bookmark or ""
        unknown = known.unknown(sessions)
        again = self._to_ask_again(work, sessions)
        self.run.activity.total = len(unknown) + min(len(again), PENDING_A_SYNC)
        yield from self._pending(work, again)
        self.run.activity.phase = LOG
        late = [listed for listed in unknown if listed.cursor <= bookmark]
        new = [listed for listed in unknown if listed.cursor > bookmark]
        yield from self._from_list(work, late, in_log=False)
        yield from self._from_list(work, new, in_log=True)
        work.outcomes.release()
        if partition.backfill is not None:
            self.whole_list(work.test_id)
            yield from self._backfill(work, lambda listed: listed.cursor <= bookmark)
        partition.set("again", None)
        if new:
            partition.move(new[-1].cursor, new[-1].time)
        partition.finish(sessions.total)
        if partition.bookmark is not None:
            since = window_start(partition.bookmark, self.settings.lookback_hours)
            partition.prune(since=since, cursor_of=_cursors(sessions))

    def _to_ask_again(self, work: Work, sessions: SessionList) -> list[str]:  # noqa: ARG002 - transcripts look there
        return list(work.partition.pending)

    def _from_list(self, work: Work, listed: list[Listed], *, in_log: bool) -> Iterator[Record]:
        """Emit sessions of the list, oldest first."""
        for one in listed:
            yield from self._listed(work, one, in_log=in_log)

    def _listed(self, work: Work, listed: Listed, *, in_log: bool) -> Iterator[Record]:
        task = self._listed_task(work, listed, in_log=in_log)
        too_old = self.settings.start_date is not None and listed.time < self.settings.start_date
        if too_old or listed.session_id in work.found or listed.session_id in work.partition.pending:
            self._passed(work, task.finish)
        else:
            yield from self._ask(work, task)

    def _listed_task(self, work: Work, listed: Listed, *, in_log: bool) -> Task:
        partition, sessions = work.partition, self.changes.listed(work.test_id)

        def finish() -> None:
            if in_log:
                partition.move(listed.cursor, listed.time)
            partition.handled(listed.session_id, _cursors(sessions))

        return Task(listed.session_id, UPDATED, listed.time, listed.cursor if in_log else None, finish)

    def _backfill(self, work: Work, belongs: Callable[[Listed], bool]) -> Iterator[Record]:
        """Emit the listed sessions that the log leaves out, from where the backfill stands to its end.

        Where the list kept sessions back, the backfill stays open at its end: once the list is whole, it is done again.
        """
        partition, sessions = work.partition, self.whole_list(work.test_id)
        if partition.backfill == LIST_WAS_SHORT and not sessions.missing:
            partition.set("backfill", "")
            partition.set("again", value=True)
        start = partition.backfill or ""
        left = [one for one in sessions.ordered() if one.cursor > start and belongs(one)]
        self.run.activity.total += len(left)
        self.run.activity.phase = BACKFILL
        yield from self._backfill_from(work, left)
        work.outcomes.release()
        if partition.backfill is not None:
            partition.set("backfill", LIST_WAS_SHORT if sessions.missing and partition.log == FEED else None)
            partition.set("backfill_but", None)

    def _backfill_from(self, work: Work, left: list[Listed]) -> Iterator[Record]:
        for one in left:
            yield from self._backfill_one(work, one)

    def _backfill_one(self, work: Work, listed: Listed) -> Iterator[Record]:
        partition = work.partition
        too_old = self.settings.start_date is not None and listed.time < self.settings.start_date
        task = Task(listed.session_id, UPDATED, listed.time, None, lambda: partition.set("backfill", listed.cursor))
        if too_old or listed.session_id in work.found or listed.session_id == partition.backfill_but:
            self._passed(work, task.finish)
        else:
            yield from self._ask(work, task)

    def _pending(self, work: Work, session_ids: list[str]) -> Iterator[Record]:
        """Ask again for what was not there before, longest unasked first."""
        for session_id in session_ids[:PENDING_A_SYNC]:
            changed_at = work.partition.pending.get(session_id) or self.run.now
            again = work.partition.log == FEED
            yield from self._ask(work, Task(session_id, UPDATED, changed_at, again=again))

    def _ask(self, work: Work, task: Task) -> Iterator[Record]:
        """Fetch one session and emit it, or see what its absence means."""
        partition = work.partition
        self.changes.check(work.test_id)  # another stream may have learned meanwhile that it does not answer
        self.run.activity.at = task.since or task.changed_at
        work.asked.append(task.session_id)
        try:
            answer = self.fetch(work, task.session_id)
        except NotFoundError as error:
            work.outcomes.missing(lambda: self._give_way(work, task, by_fault=False), error)
            return
        except (ServerFaultError, BadRequestError) as error:
            line = f"{self.name}, session {task.session_id}: {error}; it is asked for again in the next sync"
            work.outcomes.failed(lambda: self._give_way(work, task, by_fault=True, line=line), error)
            return
        finally:
            self.run.activity.done += 1
        self.run.answered(work.test_id)
        work.outcomes.succeeded()
        work.found.add(task.session_id)

        def done() -> None:
            partition.settle(task.session_id)
            self.fetched(work, task)
            task.finish()

        again = task.again or partition.again
        placed = replace(task, cursor=task.cursor or partition.bookmark, again=again)
        yield from self.emit(work, placed, lambda stream, *at: stream.live_rows(*at, answer), done)

    def _passed(self, work: Work, move: Callable[[], None]) -> None:
        """Pass a session without a call."""
        self.run.activity.done += 1
        work.outcomes.passed(move)

    def _give_way(self, work: Work, task: Task, *, by_fault: bool, line: str = "") -> None:
        """Pass a session that could not be had: on `pending`, or given up for its age when it answered 404."""
        if by_fault:
            self.run.fail(line)
        if by_fault or task.changed_at >= self.look_until:
            work.partition.postpone(task.session_id, task.changed_at)
        else:
            work.partition.settle(task.session_id)
            self.gave_up(work, task)
        self._pass_over(work, task)

    @property
    def look_until(self) -> str:
        """The time before which nothing is asked for again."""
        return earlier(self.run.now, days=self.settings.transcript_wait_days)

    def _pass_over(self, work: Work, task: Task) -> None:
        self.missed(work, task)
        task.finish()

    def missed(self, work: Work, task: Task) -> None:
        """Move further state when a session was not to be had, whatever becomes of it."""

    def gave_up(self, work: Work, task: Task) -> None:
        """Note a session that is not looked for any more."""
        work.given_up.append(task.session_id)


def _cursors(sessions: SessionList | None) -> Callable[[str], str | None]:
    """Return where a session stands in the list, None where that was not read."""

    def cursor_of(session_id: str) -> str | None:
        listed = sessions.by_id.get(session_id) if sessions is not None else None
        return None if listed is None else listed.cursor

    return cursor_of
