"""A sync of the selected streams: what the SDK's `sync_all` does, with threads where they may run side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_usertesting.singer.per_test import PerTestStream
from tap_usertesting.singer.session_stream import SessionStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_usertesting.singer.stream import UserTestingStream
    from tap_usertesting.sync.context import SyncContext


def sync_streams(streams: Sequence[UserTestingStream], context: SyncContext, *, watch: Callable[[], None]) -> None:
    """Sync these streams, with one thread for those that are made from the same answers (`parallel_streams`).

    Discovery comes first, on its own: every other stream waits for it. `watch` is called in the main thread meanwhile.
    """
    if context.settings.parallel_streams:
        _side_by_side(streams, context, watch=watch)
    else:
        for stream in streams:
            _sync(stream)
    for stream in streams:
        stream.log_sync_costs()


def _side_by_side(streams: Sequence[UserTestingStream], context: SyncContext, *, watch: Callable[[], None]) -> None:
    groups: dict[str, list[UserTestingStream]] = {}
    for stream in streams:
        if isinstance(stream, PerTestStream):
            for test_id in stream.test_ids():
                stream.partition(test_id)  # so that the state has its entries in the order of the streams
            groups.setdefault(stream.group, []).append(stream)
        else:
            _sync(stream)
    context.progress.begin(len(groups))
    context.schedule.walks = sum(isinstance(group[0], SessionStream) for group in groups.values())
    jobs = {name: partial(_in_turn, context, group, turn) for turn, (name, group) in enumerate(groups.items())}
    context.turns.run(jobs, watch=watch)


def _in_turn(context: SyncContext, streams: Sequence[UserTestingStream], turn: int) -> None:
    context.activity.turn = turn
    try:
        for stream in streams:
            _sync(stream)
    finally:
        if isinstance(streams[0], SessionStream):
            context.schedule.leave()
    context.progress.leave()


def _sync(stream: UserTestingStream) -> None:
    stream.sync()
    stream.finalize_state_progress_markers()
