"""A resource: what an API has about the sessions of a test, or about the test itself.

Each stream in `streams/` declares the resource from whose answers it is made, and several streams may share one. The
base class holds what all resources have in common: which log tells of changes (feed or list), how much of it to read,
and what an answer or a 404 means.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from tap_usertesting.api.feed import Ask
from tap_usertesting.api.feed_ids import TEST_PREFIX
from tap_usertesting.api.results import PAGE
from tap_usertesting.changes.session_list import contains
from tap_usertesting.ledger.agenda import agenda
from tap_usertesting.ledger.change_log import FEED, LISTING, Log
from tap_usertesting.ledger.change_types import TRANSCRIPTION_UPDATED
from tap_usertesting.ledger.completeness import counts_of
from tap_usertesting.ledger.ledger import begin, take
from tap_usertesting.ledger.needs import is_deep_enough, needs
from tap_usertesting.ledger.stream_policy import Policy
from tap_usertesting.sync.change_source import asks_feed, choose_source
from tap_usertesting.sync.discovery import FILMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_usertesting.changes.session_list import SessionList
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.context import SyncContext
    from tap_usertesting.sync.ledger_group import LedgerGroup


class Resource:
    """How answers are fetched, and when. A subclass declares the attributes and adds `fetch`."""

    name: ClassVar[str]  # streams of one resource share its calls
    endpoint: ClassVar[str | None]  # the one called for each session; None: no call per session
    policy: ClassVar[Policy] = Policy()
    cost: ClassVar[str]  # of reading a whole test again, for the warning at a change of source
    product_types: ClassVar[frozenset[str] | None] = None  # of the tests that have this resource; None: all
    often_none = False  # whether a session without it is normal
    reads_list = True  # whether its log is, or is compared with, the session list
    reads_reels = False  # whether it asks for the reels of each test

    def __init__(self, context: SyncContext, stream: str) -> None:
        """`stream`: the name that log lines give it, that of the lead."""
        self.context = context
        self.stream = stream
        self.logger = logging.getLogger("tap-usertesting").getChild(stream)

    # To be declared

    def fetch(self, test_id: str, session_id: str) -> Any:  # noqa: ANN401 - as the API answers
        """Return what the API has about a session. Raises NotFoundError if it has nothing (yet)."""
        raise NotImplementedError

    def applies(self, test_id: str) -> bool:
        """Tell whether a test of this product type can have this resource."""
        return self.product_types is None or self.product_type(test_id) in {None, *self.product_types}

    def policy_of(self, test_id: str) -> Policy:  # noqa: ARG002 - some subclasses use it
        """Return the policy by which the log of a test is followed."""
        settings = self.context.settings
        return replace(
            self.policy,
            patience_days=settings.transcript_wait_days,
            lookback_hours=settings.lookback_hours,
            start_date=settings.start_date,
        )

    def is_empty(self, answer: Any) -> bool:  # noqa: ANN401, ARG002 - as above
        """Tell whether an answer makes no row yet, so that the session is asked for again."""
        return False

    def keeps_back(self, test_id: str) -> bool:  # noqa: ARG002 - some subclasses use it
        """Tell whether the source names more sessions than it gives, so that one without an answer may be there."""
        return False

    def skips(self, test_id: str, groups: Sequence[LedgerGroup]) -> bool:  # noqa: ARG002 - some subclasses use it
        """Tell, before the log of a test is read, whether there is nothing to read in it."""
        return all(group.ledger.has_none for group in groups)

    def prepare(self, test_id: str, groups: Sequence[LedgerGroup]) -> None:
        """Read what the queued sessions share, before they are fetched one by one."""

    def may_have_none(self, test_id: str) -> bool:  # noqa: ARG002 - some subclasses use it
        """Tell whether a forecast may assume that the test lacks this resource."""
        return False

    def sample(self, test_id: str) -> tuple[str, Any] | None:
        """Return the id of the newest session of a test and its answer, for `--test`; None if the test has no session.

        One call tells all streams which session that is. Raises NotFoundError if the session has no answer.
        """
        newest = next(iter(self.context.facts.newest_session(test_id).sessions), None)
        return None if newest is None else (newest["sessionId"], self.fetch(test_id, newest["sessionId"]))

    def calls_left(self, ledger: Ledger) -> int | None:
        """Return how many calls the rows that are missing take; None if that is not known."""
        if ledger.has_none:
            return 0
        if self.policy.per_test:
            return int(ledger.bookmark is None)
        counts = counts_of(ledger)
        if counts is None:
            return None
        return math.ceil(counts.unread / PAGE) if self.endpoint is None else counts.unread + len(ledger.waiting)

    def note_given_up(self, test_id: str, session_id: str) -> None:
        """Note that later syncs will not ask for a session again."""
        if not self.often_none:
            self.context.give_up(self.stream, test_id, session_id)

    def log_sleep(self, test_id: str, *, asleep: bool) -> None:
        """Log that a test seems to have no rows, or that it has rows after all."""

    def product_type(self, test_id: str) -> str | None:
        """Return the product type of a test, in upper case; None if it is not known."""
        return self.context.directory.product_types.get(test_id)

    # The log

    def read_log(self, test_id: str, group: LedgerGroup) -> Log:
        """Begin the ledger of a group, and read the log that it needs."""
        now = self.context.now
        source, ledger = choose_source(self.context, test_id, group.ledger)
        begun = begin(ledger, source, group.policy, now=now)
        if ledger.bookmark is not None and begun.bookmark is None:
            self._log_restart(test_id, ledger, begun)
        log = self.context.changes.read(test_id, begun, group.policy)
        if source == FEED and log.sessions is None and group.policy.start_date is not None:
            todo = agenda(begun, log, group.policy, now=now)
            fetched = [item.session_id for item in todo if item.act == "fetch" and item.line != "waiting"]
            if fetched:  # only the list tells the time of a session
                log = replace(log, sessions=self.context.lists.read(test_id, contains(fetched)))
        group.set_ledger(take(begun, log, now=now))
        return log

    def asks(self, test_id: str, ledger: Ledger) -> Iterable[Ask]:
        """Return what a ledger will ask the feed."""
        if not self.applies(test_id) or ledger.has_none or not asks_feed(self.context, ledger):
            return ()
        if ledger.source != FEED:
            return (Ask(TEST_PREFIX + test_id, None),)
        begun = begin(ledger, FEED, self.policy_of(test_id), now=self.context.now)
        return (Ask(TEST_PREFIX + test_id, needs(begun).since),)

    def list_need(self, test_id: str, ledger: Ledger) -> Callable[[SessionList], bool] | None:
        """Return when a ledger has read enough of the test's list; None if it needs no list or cannot tell yet."""
        if not self.applies(test_id) or ledger.has_none:
            return None
        policy = self.policy_of(test_id)
        by_feed = asks_feed(self.context, ledger)
        if by_feed and ledger.source != FEED:
            return lambda sessions: sessions.complete  # it must be compared with the feed
        begun = begin(ledger, FEED if by_feed else LISTING, policy, now=self.context.now)
        depth = needs(begun).depth
        return None if depth == "none" else lambda sessions: is_deep_enough(begun, depth, sessions, policy)

    def _log_restart(self, test_id: str, ledger: Ledger, begun: Ledger) -> None:
        if ledger.source == begun.source:
            self.context.warn_once(
                f"{self.stream}, test {test_id}: the bookmark is in the future, so the tap reads the test from the "
                "start"
            )
            return
        sessions = self.context.lists.read_whole(test_id).total
        self.context.warn_once(
            f"{self.stream}, test {test_id}: the source of changes is now {begun.source}, for which the bookmark is "
            f"not valid; the tap reads the test from the start, once, for {self.cost.format(sessions=sessions)}"
        )


class FilmedResource(Resource):
    """What only a session with a video has; one call each."""

    policy = Policy(ignores=frozenset({TRANSCRIPTION_UPDATED}))
    product_types = FILMED
    often_none = True
    cost = "one call for each of its {sessions} sessions"
