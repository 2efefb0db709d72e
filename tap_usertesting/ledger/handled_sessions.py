"""Which sessions of the list a ledger has handled, and whether those that it has not account for the list's growth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.ledger.change_log import Listed, Sessions, lowest
from tap_usertesting.ledger.ledger import Ledger, session_in, window_start

if TYPE_CHECKING:
    from tap_usertesting.ledger.agenda_items import Line
    from tap_usertesting.ledger.stream_policy import Policy


class HandledSessions:
    """The sessions that a ledger by listing has handled.

    window: the time at which the lookback window begins.
    """

    def __init__(self, ledger: Ledger, policy: Policy, *, trust_recent_from: bool = True) -> None:
        """`trust_recent_from`: take all sessions up to `recent_from` for handled."""
        self._ledger = ledger
        self._bookmark = None if ledger.bookmark is None else ledger.bookmark.cursor
        self._floor = "" if ledger.floor is None else ledger.floor.cursor
        self.window = window_start(self._bookmark or "", policy.lookback_hours)
        self._recent = frozenset(map(session_in, ledger.recent) if policy.by_id else ledger.recent)
        self._by_id = policy.by_id
        self._recent_from = (ledger.recent_from or "") if trust_recent_from else ""

    def count_others(self, sessions: Sessions) -> int:
        """Return how many of the sessions were not handled."""
        return sum(self.line(one) is not None for one in sessions.by_id.values())

    def line(self, one: Listed) -> Line | None:
        """Return the line on which a session is to be done, None for one that was handled."""
        history, reopened_until = self._ledger.history, self._ledger.reopened_until
        below = self._bookmark is None or one.cursor <= self._bookmark
        in_gap = history is not None and below and self._floor < one.cursor < history.cursor
        if in_gap and reopened_until is not None and one.time < reopened_until:
            return "down"  # `recent` may have it, although the start_date left it out
        if (one.session_id if self._by_id else one.cursor) in self._recent:
            return None
        if self._bookmark is None or (in_gap and reopened_until is None):
            return "down"
        if one.cursor > self._bookmark:
            return "news" if self._ledger.open else "down"
        if one.time < self.window or one.cursor <= self._recent_from:
            return None
        return "late"


def growth(ledger: Ledger, sessions: Sessions) -> int:
    """Return how many sessions have come since the ledger's count.

    The greatest count that any page named decides, because a session that left while the list was paged is among those
    found. A handled session that is not on the pages on which it should be has left as well. It hides one that came.
    """
    end, elsewhere = lowest(sessions.by_id.values()), {*sessions.by_id, *ledger.out_of_order}
    left = sum(cursor > end and session_in(cursor) not in elsewhere for cursor in ledger.recent)
    return sessions.greatest - (ledger.total_count or 0) + left


def count_matches(ledger: Ledger, sessions: Sessions, policy: Policy) -> bool:
    """Tell whether the sessions found that were not handled are as many as the test has gained.

    Then no further page of the list need be read, once one has brought a session that was handled. If anything has
    changed, the pages must also reach below the lookback window: within it a late session may stand that makes no
    difference to the count, because another has left.
    """
    handled = HandledSessions(ledger, policy)
    others = handled.count_others(sessions)
    if not sessions.counted or others != growth(ledger, sessions) or others == len(sessions.by_id):
        return False
    is_still = others == 0 and sessions.greatest == ledger.total_count
    return is_still or lowest(sessions.by_id.values()) < handled.window
