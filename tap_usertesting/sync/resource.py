"""A resource: what an API has of the sessions of a test, or of the test itself.

One answer may make rows of several streams.

Each stream declares the resource that it is made from (`streams/`). This is what they have in common: which log tells
of changes (the feed or the list), how much of it is to be read, and what an answer or a 404 means.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from tap_usertesting.api.errors import FeedError
from tap_usertesting.api.feed import Ask
from tap_usertesting.changes.feed_ids import TEST_PREFIX
from tap_usertesting.changes.session_list import contains
from tap_usertesting.ledger.agenda import agenda
from tap_usertesting.ledger.ledger import begin, take
from tap_usertesting.ledger.log import FEED, LISTING, TRANSCRIBED, Log, Source
from tap_usertesting.ledger.needs import is_deep_enough, needs
from tap_usertesting.ledger.policy import Policy
from tap_usertesting.sync.discovery import FILMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_usertesting.changes.session_list import SessionList
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.context import SyncContext
    from tap_usertesting.sync.group import Group


class Resource:
    """How a stream's answers are fetched, and when. Subclasses declare; `fetch` is what each of them has to add."""

    name: ClassVar[str]  # streams of one resource share its calls
    endpoint: ClassVar[str | None]  # that is called for each session, None where none is
    policy: ClassVar[Policy] = Policy()
    cost: ClassVar[str]  # what the whole test costs to read again, for the warning at a change of source
    product_types: ClassVar[frozenset[str] | None] = None  # of the tests that have it; None: of all
    often_none = False  # a session without it is nothing unusual

    def __init__(self, context: SyncContext, stream: str) -> None:
        """`stream`: the name under which log lines speak of it."""
        self.context = context
        self.stream = stream
        self.logger = logging.getLogger("tap-usertesting").getChild(stream)

    # To be declared

    def fetch(self, test_id: str, session_id: str) -> Any:  # noqa: ANN401 - as the API answers
        """Return what the API has of a session. Raises NotFoundError where there is nothing (yet)."""
        raise NotImplementedError

    def applies(self, test_id: str) -> bool:
        """Tell whether tests of this product type have it at all."""
        return self.product_types is None or self.product_type(test_id) in {None, *self.product_types}

    def policy_of(self, test_id: str) -> Policy:  # noqa: ARG002 - some look at it
        """Return how the log of a test is followed."""
        settings = self.context.settings
        return replace(
            self.policy,
            patience_days=settings.transcript_wait_days,
            lookback_hours=settings.lookback_hours,
            start_date=settings.start_date,
        )

    def is_empty(self, answer: Any) -> bool:  # noqa: ANN401, ARG002 - as above
        """Tell whether an answer has no row yet, so that it is asked for again."""
        return False

    def skips(self, test_id: str, groups: Sequence[Group]) -> bool:  # noqa: ARG002 - some look at it
        """Tell whether there is nothing to read in a test, before its log is read."""
        return all(group.ledger.has_none for group in groups)

    def prepare(self, test_id: str, groups: Sequence[Group]) -> None:
        """Read what the sessions on the agenda share, before they are fetched one by one."""

    def may_have_none(self, test_id: str) -> bool:  # noqa: ARG002 - some look at it
        """Tell whether a plan may take the test for one without it."""
        return False

    def sample(self, test_id: str) -> tuple[str, Any] | None:
        """Return the newest session of a test and its answer, for `--test`; one call tells all streams which that is.

        Raises NotFoundError where it has none.
        """
        newest = next(iter(self.context.facts.newest_session(test_id).sessions), None)
        return None if newest is None else (newest["sessionId"], self.fetch(test_id, newest["sessionId"]))

    def gave_up(self, test_id: str, session_id: str) -> None:
        """Note a session that is not looked for any more."""
        if not self.often_none:
            self.context.give_up(self.stream, test_id, session_id)

    def say_sleep(self, test_id: str, *, asleep: bool) -> None:
        """Say that a test seems to have none at all, or that it has after all."""

    def product_type(self, test_id: str) -> str | None:
        """Return the product type of a test, None where it is not known."""
        return self.context.directory.product_types.get(test_id)

    # The log

    def log_source(self, test_id: str, ledger: Ledger) -> tuple[Source, Ledger]:
        """Return which log drives the test, and the ledger with the verdict if that is new. Raises FeedError."""
        configured = self.context.settings.change_source
        if self.context.feed is None or configured == LISTING:
            return LISTING, ledger
        if ledger.source == FEED:
            return FEED, ledger
        if ledger.verdict and configured != FEED:
            return LISTING, ledger
        proven = self.context.changes.feed_describes(test_id, TEST_PREFIX + test_id)
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
            self.context.warn_once(
                f"test {test_id}: none of the feed's responses is in the session list, so changes come from the list "
                "(kept as verdict in the state; a full refresh asks again)"
            )
            return LISTING, replace(ledger, verdict=True)
        return LISTING, ledger

    def read_log(self, test_id: str, group: Group) -> Log:
        """Read what a group's ledger needs, and begin that ledger."""
        now = self.context.now
        source, ledger = self.log_source(test_id, group.ledger)
        begun = begin(ledger, source, group.policy, now=now)
        if ledger.bookmark is not None and begun.bookmark is None:
            self._say_restart(test_id, ledger, begun)
        log = self.context.changes.read(test_id, begun, group.policy)
        if source == FEED and log.sessions is None and group.policy.start_date is not None:
            todo = agenda(begun, log, group.policy, now=now)
            fetched = [item.session_id for item in todo if item.act == "fetch" and item.line != "waiting"]
            if fetched:  # only the list tells when a session was
                log = replace(log, sessions=self.context.lists.read(test_id, contains(fetched)))
        group.move(take(begun, log, now=now))
        return log

    def asks(self, test_id: str, ledger: Ledger) -> Iterable[Ask]:
        """Return what will be asked of the feed for a ledger."""
        if not self.applies(test_id) or ledger.has_none or not self._asks_feed(ledger):
            return ()
        if ledger.source != FEED:
            return (Ask(TEST_PREFIX + test_id, None),)
        begun = begin(ledger, FEED, self.policy_of(test_id), now=self.context.now)
        return (Ask(TEST_PREFIX + test_id, needs(begun).since),)

    def list_need(self, test_id: str, ledger: Ledger) -> Callable[[SessionList], bool] | None:
        """Return how deep a ledger will need the test's list; None when it will not, or can not tell yet."""
        if not self.applies(test_id) or ledger.has_none:
            return None
        policy = self.policy_of(test_id)
        by_feed = self._asks_feed(ledger)
        if by_feed and ledger.source != FEED:
            return lambda sessions: sessions.complete  # the feed has to be proven
        begun = begin(ledger, FEED if by_feed else LISTING, policy, now=self.context.now)
        depth = needs(begun).depth
        return None if depth == "none" else lambda sessions: is_deep_enough(begun, depth, sessions, policy)

    def _asks_feed(self, ledger: Ledger) -> bool:
        configured = self.context.settings.change_source
        if self.context.feed is None or configured == LISTING:
            return False
        return ledger.source == FEED or not ledger.verdict or configured == FEED

    def _say_restart(self, test_id: str, ledger: Ledger, begun: Ledger) -> None:
        if ledger.source == begun.source:
            self.context.warn_once(
                f"{self.stream}, test {test_id}: its bookmark is in the future: it is read from the start"
            )
            return
        sessions = self.context.lists.read_whole(test_id).total
        self.context.warn_once(
            f"{self.stream}, test {test_id}: its changes now come from the {begun.source}, where its bookmark means "
            f"nothing: it is read from the start, once, for {self.cost.format(sessions=sessions)}"
        )


class FilmedResource(Resource):
    """What only a session with a video has; each costs one call."""

    policy = Policy(ignores=frozenset({TRANSCRIBED}))
    product_types = FILMED
    often_none = True
    cost = "one call for each of its {sessions} sessions"
