"""What has to be read of a test before an agenda can be made. Nothing else decides what is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tap_usertesting.ledger.change_log import FEED, Sessions
from tap_usertesting.ledger.handled_sessions import count_matches

if TYPE_CHECKING:
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.ledger.stream_policy import Policy

Depth: TypeAlias = Literal["none", "count_matches", "whole"]


class Needs(NamedTuple):
    """What a ledger needs.

    feed: whether the feed is asked.
    since: the cursor after which its changes are wanted, None for the whole log.
    depth: how deep the session list is read: not at all, until the new sessions account for its growth, or whole.
    """

    feed: bool
    since: str | None
    depth: Depth


def needs(ledger: Ledger) -> Needs:
    """Return what a ledger that has begun needs."""
    if ledger.source == FEED:
        mark = None if ledger.first else ledger.reads_from
        return Needs(feed=True, since=None if mark is None else mark.cursor, depth="whole" if ledger.first else "none")
    return Needs(feed=False, since=None, depth="whole" if ledger.open else "count_matches")


def is_deep_enough(ledger: Ledger, depth: Depth, sessions: Sessions, policy: Policy) -> bool:
    """Tell whether the list was read as deep as that."""
    if depth == "count_matches":
        return sessions.complete or count_matches(ledger, sessions, policy)
    return depth == "none" or sessions.complete
