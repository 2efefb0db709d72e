"""A message is written whole, whatever stdout is."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import TYPE_CHECKING

from singer_sdk.singerlib import StateMessage

from tap_usertesting.tap import TapUserTesting

if TYPE_CHECKING:
    from typing_extensions import Buffer

AT_ONCE = 1000


class Interrupted(io.RawIOBase):
    """A raw file each of whose writes is cut short, as a signal does it to a write that blocks."""

    def __init__(self) -> None:
        """Begin empty."""
        self.written = bytearray()

    def writable(self) -> bool:
        """Take bytes."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Take some of the bytes and say how many."""
        taken = bytes(data)[:AT_ONCE]
        self.written += taken
        return len(taken)


def test_a_message_is_written_whole_where_stdout_is_unbuffered() -> None:
    """With PYTHONUNBUFFERED stdout is a raw file, which may take less than it is given; the rest follows."""
    tap = TapUserTesting(config={}, validate_config=False, setup_mapper=False)
    stdout = Interrupted()
    states = [{"bookmarks": {"sessions": {"long": "word " * length}}} for length in (1, 199, 200, 5000)]
    with contextlib.redirect_stdout(io.TextIOWrapper(stdout, write_through=True)):  # type: ignore[type-var]  # raw, as Python's own is then
        for state in states:
            tap.write_message(StateMessage(value=state))
        sys.stdout.flush()
    assert [json.loads(line)["value"] for line in stdout.written.splitlines()] == states
