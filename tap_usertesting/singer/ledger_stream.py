"""The streams that follow a test's log by a ledger: what each declares, and what their rows have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_usertesting.api.errors import FeedError, NotFoundError
from tap_usertesting.api.feed import Ask
from tap_usertesting.changes.listing import holds
from tap_usertesting.changes.reader import TEST_PREFIX
from tap_usertesting.ledger.agenda import WHOLE_TEST, agenda
from tap_usertesting.ledger.ledger import begin, take
from tap_usertesting.ledger.log import FEED, LISTING, Log, Source
from tap_usertesting.ledger.needs import is_enough, needs
from tap_usertesting.ledger.policy import Policy
from tap_usertesting.singer.base import PerTestStream
from tap_usertesting.sync.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_usertesting.changes.listing import SessionList
    from tap_usertesting.ledger.agenda import Item
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.partition import Partition
    from tap_usertesting.sync.walk import Group


class LedgerStream(PerTestStream):
    """A stream whose rows are fetched again when a change says so.

    Streams of one `source` are made from the same answer: the first of them that is selected fetches it, and writes
    the rows of all. Where a session has several rows they are `numbered`. No one keeps how many it had, but the state
    keeps the most that any session of the test had: so far do tombstones reach.
    """

    replication_key = bookmark_key = "change_cursor"
    primary_keys: ClassVar[tuple[str, ...]] = ("session_id",)
    numbered: ClassVar[str | None] = None  # the column that numbers the rows of a session
    policy: ClassVar[Policy] = Policy()
    endpoint: ClassVar[str | None]  # that is called for each session, None where none is
    cost: ClassVar[str]  # what the whole test costs to read again, for the warning at a change of source
    product_types: ClassVar[frozenset[str] | None] = None  # of the tests that have such rows; None: of all
    often_none = False  # a session without such rows is nothing unusual

    # To be declared by each stream

    def policy_of(self, test_id: str) -> Policy:  # noqa: ARG002 - some streams look at it
        """Return how the stream follows the log of a test."""
        return replace(
            self.policy,
            patience_days=self.settings.transcript_wait_days,
            lookback_hours=self.settings.lookback_hours,
            start_date=self.settings.start_date,
        )

    def fetch(self, test_id: str, session_id: str) -> Any:  # noqa: ANN401 - as the source answers
        """Return what the source answers of a session. Raises NotFoundError where there is nothing (yet)."""
        raise NotImplementedError

    def rows(self, test_id: str, answer: Any) -> list[dict[str, Any]]:  # noqa: ANN401, ARG002 - as above
        """Return the columns of the rows that an answer makes, in order and without their number."""
        return [self.columns(answer)]

    def is_empty(self, answer: Any) -> bool:  # noqa: ANN401, ARG002 - as above
        """Tell whether an answer has no row yet, so that it is asked for again."""
        return False

    def skips(self, test_id: str, groups: Sequence[Group]) -> bool:  # noqa: ARG002 - some streams look at it
        """Tell whether there is nothing to read in a test, before its log is read."""
        return all(group.ledger.none for group in groups)

    def prepare(self, test_id: str, groups: Sequence[Group]) -> None:
        """Read what the sessions on the agenda share, before they are fetched one by one."""

    def has_none(self, test_id: str) -> bool:  # noqa: ARG002 - some streams look at it
        """Tell whether a plan may take the test for one without such rows."""
        return False

    def gave_up(self, test_id: str, session_id: str) -> None:
        """Note a session that is not looked for any more."""
        if not self.often_none:
            self._tap.given_up(self.name, test_id, session_id)

    def say_sleep(self, test_id: str, *, asleep: bool) -> None:
        """Say that a test seems to have no row at all, or that it has after all."""

    @override
    def applies(self, test_id: str) -> bool:
        return self.product_types is None or self.product_type(test_id) in {None, *self.product_types}

    def product_type(self, test_id: str) -> str | None:
        """Return the product type of a test, None where it is not known."""
        return self.run.directory.product_types.get(test_id)

    # The walk

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        """Return none: tests do not come one after another. For `--test`, every test."""
        return super().partitions if self.sampling else None

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        if self.sampling:
            yield from super().get_records(context)
            return
        tests = self.test_ids()
        self.found = bool(tests)
        self.run.activity.begin(self.name, tests=len(tests))
        self.run.activity.place = 0
        if self._rides or not tests:
            return
        riders = [
            stream
            for stream in self._tap.after(self)
            if isinstance(stream, LedgerStream) and stream.source == self.source
        ]
        for stream in riders:
            stream.board()
        with self.run.turns.alone("look"):
            self._tap.schedule.begin_once()
        yield from Walk(self, riders, tests).records()

    @property
    @override
    def waiting(self) -> int:
        return sum(len(ledger.waiting) for _, ledger in self._ledgers())

    @override
    def unfinished(self, since: str | None = None) -> int:
        return sum(self._is_unfinished(test_id, ledger, since) for test_id, ledger in self._ledgers())

    def _ledgers(self) -> Iterator[tuple[str, Ledger]]:
        """Yield the ledgers of this run's tests."""
        for test_id, partition in self._partitions.items():
            if self.applies(test_id) and not partition.ledger.none:
                yield test_id, partition.ledger

    def _is_unfinished(self, test_id: str, ledger: Ledger, since: str | None) -> bool:
        if ledger.bookmark is not None and ledger.history is None:
            return False
        never_read = ledger.newest or self.run.directory.launched(test_id)
        left = ledger.history.at if ledger.history is not None else never_read
        return since is None or left is None or left > since

    def commit_after(self, commit: Callable[[], None]) -> None:
        """Have this done once the next row is written."""
        self._commit = commit

    def commit(self) -> None:
        """Do it now, as there was no row."""
        self._increment_stream_state({})

    # The log

    def source_of(self, test_id: str, ledger: Ledger) -> tuple[Source, Ledger]:
        """Return which log drives the test, and the ledger with the verdict if that is new. Raises FeedError."""
        configured = self.settings.change_source
        if self.run.feed is None or configured == LISTING:
            return LISTING, ledger
        if ledger.source == FEED:
            return FEED, ledger
        if ledger.verdict and configured != FEED:
            return LISTING, ledger
        proven = self.changes.drives(test_id, TEST_PREFIX + test_id)
        if proven:
            return FEED, replace(ledger, verdict=False)
        if configured == FEED:
            what = (
                "describes other responses than this test's"
                if proven is False
                else "does not know this test, or has too few responses to tell"
            )
            message = f"change_source is feed, but the change feed {what}; set change_source to auto or listing"
            raise FeedError(message)
        if proven is False and not ledger.verdict:
            self._tap.warn_once(
                f"test {test_id}: none of the feed's responses is in the session list, so changes come from the list "
                "(kept as verdict in the state; a full refresh asks again)"
            )
            return LISTING, replace(ledger, verdict=True)
        return LISTING, ledger

    def read_log(self, test_id: str, group: Group) -> Log:
        """Read what a group's ledger needs, and begin that ledger."""
        source, ledger = self.source_of(test_id, group.ledger)
        begun = begin(ledger, source, group.policy, now=self.run.now)
        if ledger.bookmark is not None and begun.bookmark is None:
            self._say_restart(test_id, ledger, begun)
        log = self.changes.read(test_id, begun, group.policy)
        if source == FEED and log.sessions is None and group.policy.start_date is not None:
            todo = agenda(begun, log, group.policy, now=self.run.now)
            fetched = [item.session_id for item in todo if item.act == "fetch" and item.line != "waiting"]
            if fetched:  # only the list tells when a session was
                log = replace(log, sessions=self.changes.sessions(test_id, holds(fetched)))
        group.move(take(begun, log, now=self.run.now))
        return log

    def _say_restart(self, test_id: str, ledger: Ledger, begun: Ledger) -> None:
        if ledger.source == begun.source:
            self._tap.warn_once(
                f"{self.name}, test {test_id}: its bookmark is in the future: it is read from the start"
            )
            return
        sessions = self.changes.whole_list(test_id).total
        self._tap.warn_once(
            f"{self.name}, test {test_id}: its changes now come from the {begun.source}, where its bookmark means "
            f"nothing: it is read from the start, once, for {self.cost.format(sessions=sessions)}"
        )

    def _asks_feed(self, ledger: Ledger) -> bool:
        configured = self.settings.change_source
        if self.run.feed is None or configured == LISTING:
            return False
        return ledger.source == FEED or not ledger.verdict or configured == FEED

    @override
    def asks(self, test_id: str) -> Iterable[Ask]:
        ledger = self.partition(test_id).ledger
        if not self.applies(test_id) or ledger.none or not self._asks_feed(ledger):
            return ()
        if ledger.source != FEED:
            return (Ask(TEST_PREFIX + test_id, None),)
        begun = begin(ledger, FEED, self.policy_of(test_id), now=self.run.now)
        return (Ask(TEST_PREFIX + test_id, needs(begun).since),)

    @override
    def list_need(self, test_id: str) -> Callable[[SessionList], bool] | None:
        ledger = self.partition(test_id).ledger
        if not self.applies(test_id) or ledger.none:
            return None
        policy = self.policy_of(test_id)
        by_feed = self._asks_feed(ledger)
        if by_feed and ledger.source != FEED:
            return lambda sessions: sessions.complete  # the feed has to be proven
        begun = begin(ledger, FEED if by_feed else LISTING, policy, now=self.run.now)
        depth = needs(begun).depth
        return None if depth == "none" else lambda sessions: is_enough(begun, depth, sessions, policy)

    # Rows

    def rows_of(self, test_id: str, partition: Partition, item: Item, answer: Any | None) -> list[Record]:  # noqa: ANN401 - as above
        """Return the rows of an answer, and tombstones of those that were there beyond them; None: of all."""
        if answer is None:
            deleted_at = item.at if item.act == "remove" else self.run.now
            return self._tombstones(test_id, item, range(1, partition.rows + 1), deleted_at)
        rows, before = self._numbered(test_id, answer), partition.rows
        if self.numbered is not None and len(rows) > before:
            partition.rows = len(rows)
        live = [row | self._shared(test_id, item, deleted_at=None) for row in rows]
        if not item.again or self.numbered is None:
            return live
        return live + self._tombstones(test_id, item, range(len(rows) + 1, before + 1), self.run.now)

    def _tombstones(self, test_id: str, item: Item, numbers: range, deleted_at: str) -> list[Record]:
        empty = dict.fromkeys(self.schema["properties"]) | self._shared(test_id, item, deleted_at=deleted_at)
        return [empty] if self.numbered is None else [{**empty, self.numbered: number} for number in numbers]

    def _shared(self, test_id: str, item: Item, *, deleted_at: str | None) -> dict[str, Any]:
        """Return those of the columns that all streams share which this one has."""
        shared = {
            "test_id": test_id,
            "session_id": item.session_id,
            "change_cursor": item.cursor,
            "change_type": item.change_type,
            "changed_at": item.at,
            "deleted_at": deleted_at,
            "_sdc_deleted_at": deleted_at,
        }
        columns = self.schema["properties"]
        return {name: value for name, value in shared.items() if name in columns}

    def _numbered(self, test_id: str, answer: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as above
        rows = self.rows(test_id, answer)
        if self.numbered is None:
            return rows
        return [{**row, self.numbered: number} for number, row in enumerate(rows, start=1)]

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        """Emit the first row of the newest session; one call tells all streams which that is."""
        newest = {} if self.policy.per_test else next(iter(self._tap.facts.newest(test_id).sessions), None)
        if newest is None:
            return
        try:
            answer = self.fetch(test_id, newest.get("sessionId", WHOLE_TEST))
        except NotFoundError:
            if not self.often_none:
                raise
            of = "" if self.policy.per_test else "the newest session of "
            self.logger.info("%s: %stest %s has none%s", self.name, of, test_id, " (yet)" if of else "")
            return
        ids = {"test_id": test_id, "session_id": newest.get("sessionId")}
        for row in self._numbered(test_id, answer)[:1]:
            yield row | {name: value for name, value in ids.items() if name in row}
