"""The net changes of a run of changes: of each session one, the newest that concerns the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.ledger.change_types import is_removal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_usertesting.ledger.change_log import Change
    from tap_usertesting.ledger.stream_policy import Policy


class NetChange(NamedTuple):
    """What a run of changes comes to for one session: a removal, or a fetch.

    place: the index of its change in the run.
    was_removed: before this change the session had been removed, in the run or before it.
    """

    place: int
    change: Change
    removal: bool
    was_removed: bool = False


def net_changes(
    changes: Sequence[Change], tombstoned: Collection[str], policy: Policy
) -> tuple[dict[str, NetChange], tuple[str, ...]]:
    """Return the net change of each session, and the sessions that are removed once the run is done.

    `tombstoned`: the sessions that were removed before the run. Nothing but the log decides, so every sync finds the
    same.
    """
    is_removed = dict.fromkeys(tombstoned, True)
    net: dict[str, NetChange] = {}
    for index, change in enumerate(changes):
        session_id = change.session_id
        if session_id is None:
            continue
        if is_removal(change.change_type):
            net[session_id] = NetChange(index, change, removal=True)
            is_removed.pop(session_id, None)  # so that it moves to the end: the oldest removals are dropped first
            is_removed[session_id] = True
            continue
        was_removed = is_removed.get(session_id, False)
        if policy.concerns(change.change_type, was_removed=was_removed):
            before = net.get(session_id)
            was_removed_in_run = before is not None and before.was_removed
            net[session_id] = NetChange(index, change, removal=False, was_removed=was_removed or was_removed_in_run)
            is_removed[session_id] = False
    return net, tuple(session_id for session_id, removed in is_removed.items() if removed)
