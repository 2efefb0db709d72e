"""A table of how complete the others are, written at the end of a sync, however it ends.

A row is written when what it says has changed. The state keeps a digest of what the last row of each stream and test
said, so that a sync that was killed before it could write a row does not keep that back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from tap_usertesting import __version__
from tap_usertesting.ledger.tally import digest
from tap_usertesting.singer.stream import INCREMENTAL, UserTestingStream
from tap_usertesting.singer.writer import outputs_are_one_pipe
from tap_usertesting.sync.completeness_of_tests import StreamInTest, as_columns, streams_in_tests
from tap_usertesting.sync.priorities import forget_deleted_tests
from tap_usertesting.values.times import from_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record

WRITTEN, FAILED = "written", "failed"  # keys of a test's partition: digests by stream, and names of streams


class StatusStream(UserTestingStream):
    """A stream with one row per test and stream."""

    @property
    @override
    def keeps_state(self) -> bool:
        return self.replication_method == INCREMENTAL and not self.is_sample

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        """Return None: the SDK would read one test of the state after another."""
        return None

    @override
    def records(self, context: Context | None) -> Iterator[Record]:
        """Emit nothing: the rows follow once the other streams have ended."""
        yield from ()

    def write_changes(self) -> None:
        """Write a row for each stream and test of which the last row no longer holds. Writes no STATE."""
        context = self.sync_context
        stored = self.state_manager.get_state_partitions() or []
        was_failed = {str(part["context"].get("test_id")): part.get(FAILED, ()) for part in stored}
        run = {
            "tap_version": __version__,
            "run_id": context.run_id,
            "started_at": context.started_at,
            "finished_at": from_epoch(context.wall()),
        }
        for one in streams_in_tests(context, was_failed):
            state = self.state_manager.get_context_state({"test_id": one.test_id})
            said = digest(msgspec.json.encode(one.facts, order="sorted").decode()).hex()
            if state.get(WRITTEN, {}).get(one.stream) == said:
                continue
            row = as_columns(one) | run
            self._write_record_message(row)
            _note(state, one, said, finished_at=run["finished_at"])
        stored = self.state_manager.get_state_partitions() or []
        forget_deleted_tests(stored, context.directory, now=context.now, times=("replication_key_value",))


class StatusAtEnd:
    """Writes the rows once, however a sync ends, unless its target has gone."""

    def __init__(self) -> None:
        """Write nothing before `begin`."""
        self._streams: list[StatusStream] = []

    def begin(self, streams: Iterable[UserTestingStream]) -> None:
        """Note that a sync of these streams begins.

        Where messages and log share a pipe no row is written: `meltano config test` takes any for a sign of success.
        """
        chosen = [] if outputs_are_one_pipe() else streams
        self._streams = [stream for stream in chosen if isinstance(stream, StatusStream)]

    def forget(self) -> None:
        """Write nothing: the target has gone."""
        self._streams = []

    def write(self) -> bool:
        """Write the rows; return whether there may have been any, so that STATE has to follow."""
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.write_changes()
        return bool(streams)


def _note(state: dict[str, Any], one: StreamInTest, said: str, *, finished_at: str) -> None:
    """Keep in the state what the row has said."""
    failed = {*state.get(FAILED, ())}
    failed = failed | {one.stream} if one.facts["status"] == "failed" else failed - {one.stream}
    state |= {"replication_key": "finished_at", "replication_key_value": finished_at}
    state[WRITTEN] = {**state.get(WRITTEN, {}), one.stream: said}
    state[FAILED] = sorted(failed)
    if not failed:
        del state[FAILED]
