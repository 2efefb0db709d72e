"""The streams that follow a test's change log, and which of the two logs that is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar

from tap_usertesting.api.errors import FeedError
from tap_usertesting.api.feed import Ask
from tap_usertesting.changes.listing import Known, SessionList, everything
from tap_usertesting.changes.reader import TEST_PREFIX
from tap_usertesting.partition import FEED, LISTING, Partition
from tap_usertesting.streams.base import PerTestStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class ChangeDrivenStream(PerTestStream):
    """A stream whose rows are fetched again when a change says so."""

    replication_key = bookmark_key = "change_cursor"
    cost: ClassVar[str]  # what the whole test costs to read again, for the warning at a change of source

    @override
    def asks(self, test_id: str, partition: Partition) -> Iterable[Ask]:
        if not self.applies(test_id) or self.run.feed is None or self.settings.change_source == LISTING:
            return ()
        if partition.log == FEED and partition.backfill is None:
            return (Ask(TEST_PREFIX + test_id, partition.bookmark),)
        if partition.source == LISTING and self.settings.change_source != FEED:
            return ()
        return (Ask(TEST_PREFIX + test_id, None),)

    @override
    def list_need(self, test_id: str, partition: Partition) -> Callable[[SessionList], bool] | None:
        if not self.applies(test_id):
            return None
        by_feed = any(True for _ in self.asks(test_id, partition))
        if by_feed and partition.log == FEED and partition.backfill is None:
            return None  # depends on what the feed says
        if by_feed or partition.log == FEED or partition.backfill is not None:
            return everything
        return Known(partition, lookback_hours=self.settings.lookback_hours).explained

    def by_feed(self, test_id: str, partition: Partition) -> bool:
        """Tell whether the feed drives this test; remembers the verdict that it does not. Raises FeedError."""
        source = self.settings.change_source
        if self.run.feed is None or source == LISTING:
            return False
        if partition.log == FEED:
            return True
        if partition.source == LISTING and source != FEED:
            return False
        proven = self.changes.drives(test_id, TEST_PREFIX + test_id)
        if proven:
            return True
        if source == FEED:
            what = (
                "describes other responses than this test's"
                if proven is False
                else "does not know this test, or has too few responses to tell"
            )
            message = f"change_source is feed, but the change feed {what}; set change_source to auto or listing"
            raise FeedError(message)
        if proven is False and partition.source != LISTING:
            partition.set("source", LISTING)
            self._tap.warn_once(
                f"test {test_id}: none of the feed's responses is in the session list, so changes come from the list "
                f"(kept as source: {LISTING} in the state; a full refresh asks again)"
            )
        return False

    def restart(self, test_id: str, partition: Partition, log: str) -> None:
        """Begin a log from its start; where there was a bookmark of another, say what that costs."""
        if partition.bookmark is not None:
            sessions = self.whole_list(test_id).total
            self._tap.warn_once(
                f"{self.name}, test {test_id}: its changes now come from the {log}, where its bookmark means nothing: "
                f"it is read from the start, once, for {self.cost.format(sessions=sessions)}"
            )
        partition.restart()

    def whole_list(self, test_id: str) -> SessionList:
        """Return the test's whole session list; an answer to it is an answer of the test."""
        sessions = self.changes.sessions(test_id, everything)
        self.run.answered(test_id)
        return sessions
