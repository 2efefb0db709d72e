"""A sync whose streams run at once: what the SDK's `sync_all` does, with threads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_usertesting.singer.base import PerTestStream
from tap_usertesting.singer.ledger_stream import LedgerStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Stream

    from tap_usertesting.tap import TapUserTesting


def sync_side_by_side(tap: TapUserTesting) -> None:
    """Sync all selected streams, with one thread for those that are made from the same answers.

    Discovery comes first, on its own: every other stream waits for it.
    """
    tap._reset_state_progress_markers()  # noqa: SLF001 - as `Tap.sync_all`, which this stands for
    tap._set_compatible_replication_methods()  # noqa: SLF001 - as above
    if tap.state:
        tap.state_writer.write_state(tap.state)
    run, threads = tap.run, dict[str, list["Stream"]]()
    selected = [stream for stream in tap.streams.values() if stream.selected]
    for stream in selected:
        if isinstance(stream, PerTestStream):
            for test_id in stream.test_ids():
                stream.partition(test_id)  # so that the state has its entries in the order of the streams
            threads.setdefault(stream.source, []).append(stream)
        else:
            _sync(stream)
    run.progress.begin(len(threads))
    tap.schedule.walks = sum(isinstance(streams[0], LedgerStream) for streams in threads.values())
    jobs = {source: partial(_in_turn, tap, streams, turn) for turn, (source, streams) in enumerate(threads.items())}
    run.turns.run(jobs, watch=tap.signals.look_again)
    for stream in selected:
        stream.log_sync_costs()


def _in_turn(tap: TapUserTesting, streams: Sequence[Stream], turn: int) -> None:
    tap.run.activity.turn = turn
    try:
        for stream in streams:
            _sync(stream)
    finally:
        if isinstance(streams[0], LedgerStream):
            tap.schedule.leave()
    tap.run.progress.leave()


def _sync(stream: Stream) -> None:
    stream.sync()
    stream.finalize_state_progress_markers()
