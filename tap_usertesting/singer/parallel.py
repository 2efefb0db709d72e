"""Syncs the selected streams as the SDK's `sync_all` does, but those of different jobs side by side in threads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_usertesting.singer.per_test_stream import PerTestStream
from tap_usertesting.singer.session_stream import SessionStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_usertesting.singer.stream import UserTestingStream
    from tap_usertesting.sync.context import SyncContext


def sync_streams(streams: Sequence[UserTestingStream], context: SyncContext, *, watch: Callable[[], None]) -> None:
    """Sync these streams; with `parallel_streams`, each job in a thread of its own.

    Discovery runs first and alone, because every other stream needs it. Meanwhile the main thread calls `watch`.
    """
    jobs: dict[str, list[UserTestingStream]] = {}
    for stream in streams:
        if isinstance(stream, PerTestStream):
            for test_id in stream.test_ids():
                stream.partition(test_id)  # so that the state lists them in the order of the streams
            jobs.setdefault(stream.job, []).append(stream)
        else:
            _sync(stream)
    for lead, *_ in jobs.values():
        if isinstance(lead, SessionStream):
            _ = lead.resource_sync  # so that the progress counts the calls of all resources from the start
    if context.settings.parallel_streams:
        _side_by_side(jobs, context, watch=watch)
    else:
        for stream in (stream for job in jobs.values() for stream in job):
            _sync(stream)
    for stream in streams:
        stream.log_sync_costs()


def _side_by_side(
    streams_by_job: Mapping[str, Sequence[UserTestingStream]], context: SyncContext, *, watch: Callable[[], None]
) -> None:
    context.progress.begin()
    context.schedule.resources = sum(isinstance(job[0], SessionStream) for job in streams_by_job.values())
    jobs = {name: partial(_in_turn, context, job, turn) for turn, (name, job) in enumerate(streams_by_job.items())}
    context.turns.run(jobs, watch=watch)


def _in_turn(context: SyncContext, streams: Sequence[UserTestingStream], turn: int) -> None:
    context.activity.turn = turn
    try:
        for stream in streams:
            _sync(stream)
    finally:
        if isinstance(streams[0], SessionStream):
            context.schedule.note_resource_ended()
    context.progress.leave()


def _sync(stream: UserTestingStream) -> None:
    stream.sync()
    stream.finalize_state_progress_markers()
