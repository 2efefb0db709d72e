"""Which log a test follows: the change feed or the session list (`change_source`).

With `auto` a test follows the feed once that is known to describe it; until then, and if it describes something else,
it follows its list.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import FeedError
from tap_usertesting.api.feed_ids import TEST_PREFIX
from tap_usertesting.ledger.change_log import FEED, LISTING, Source

if TYPE_CHECKING:
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.context import SyncContext


def choose_source(context: SyncContext, test_id: str, ledger: Ledger) -> tuple[Source, Ledger]:
    """Return which log the test follows, and the ledger with any new verdict about the feed.

    Raises FeedError if `change_source` is `feed` and the feed cannot serve the test.
    """
    configured = context.settings.change_source
    if context.feed is None or configured == LISTING:
        return LISTING, ledger
    if ledger.source == FEED:
        return FEED, ledger
    if ledger.verdict and configured != FEED:
        return LISTING, ledger
    proven = context.changes.feed_describes(test_id, TEST_PREFIX + test_id)
    if proven:
        return FEED, replace(ledger, verdict=False)
    if configured == FEED:
        what = (
            "has other responses than this test"
            if proven is False
            else "does not know this test or has too few responses to identify it"
        )
        message = f"change_source is feed, but the change feed {what}; set change_source to auto or listing"
        raise FeedError(message)
    if proven is False and not ledger.verdict:
        context.warn_once(
            f"test {test_id}: none of the feed's responses is in the session list, so changes come from the session "
            "list (the state keeps this as verdict; a full refresh checks again)"
        )
        return LISTING, replace(ledger, verdict=True)
    return LISTING, ledger


def asks_feed(context: SyncContext, ledger: Ledger) -> bool:
    """Tell whether the feed will be asked for a ledger: because it follows the feed, or to find out whether it can."""
    configured = context.settings.change_source
    if context.feed is None or configured == LISTING:
        return False
    return ledger.source == FEED or not ledger.verdict or configured == FEED
