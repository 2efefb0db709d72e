"""What the session list brings to an agenda."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.ledger.agenda_items import Parts
from tap_usertesting.ledger.handled_sessions import HandledSessions, growth
from tap_usertesting.ledger.reading import mark_of

if TYPE_CHECKING:
    from tap_usertesting.ledger.reading import Reading


def from_list(reading: Reading) -> Parts:
    """Return the listed sessions that were not handled."""
    ledger, sessions = reading.ledger, reading.log.sessions
    handled = HandledSessions(ledger, reading.policy)
    if sessions is None or handled.count_others(sessions) != growth(ledger, sessions):
        # Among those up to `recent_from` there may be one that appeared late.
        handled = HandledSessions(ledger, reading.policy, trust_recent_from=False)
    parts = Parts([], [], [], [])
    ordered = reading.by_time
    top = ledger.bookmark if ledger.open or not ordered else mark_of(ordered[-1])
    for one in ordered:
        line = handled.line(one)
        if line == "late":
            parts.late.append(reading.item_of(one, "late"))
        elif line == "news":
            parts.news.append(reading.item_of(one, "news"))
        elif line == "down":
            parts.down.append(reading.item_of(one, "down", top=top))
    parts.down.reverse()
    return parts
