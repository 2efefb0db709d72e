"""What a run of changes asks of a stream: of each session one thing, at the newest change that concerns the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.ledger.policy import Policy, is_removal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_usertesting.ledger.log import Change


class Wanted(NamedTuple):
    """What is wanted of a session: its removal, or a fetch. `back`: it was removed in between, or before."""

    place: int  # of the change in the run
    change: Change
    removal: bool
    back: bool = False


def wanted(
    changes: Sequence[Change], gone: Collection[str], policy: Policy
) -> tuple[dict[str, Wanted], tuple[str, ...]]:
    """Return per session what brings a stream from before these changes to after them, and who is removed then.

    `gone`: who was removed before them. A function of the log alone, so that every sync finds the same.
    """
    away = dict.fromkeys(gone, True)
    found: dict[str, Wanted] = {}
    for place, change in enumerate(changes):
        session_id = change.session_id
        if session_id is None:
            continue
        if is_removal(change.change_type):
            found[session_id] = Wanted(place, change, removal=True)
            away.pop(session_id, None)  # so that the last one removed is the last one kept
            away[session_id] = True
            continue
        was_gone = away.get(session_id, False)
        if policy.concerns(change.change_type, gone=was_gone):
            before = found.get(session_id)
            back = was_gone or (before is not None and before.back)
            found[session_id] = Wanted(place, change, removal=False, back=back)
            away[session_id] = False
    return found, tuple(session_id for session_id, is_away in away.items() if is_away)
