"""Writes Singer messages to standard output, each as one whole line."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message


# `meltano config test` runs a sync whose messages and log share a pipe. It passes once it reads a RECORD there.
ALL_WELL = {"type": "RECORD", "stream": "check", "record": {"result": "all tests can be read, nothing is new"}}


class WholeLineWriter(MsgSpecWriter):
    """Writes each message completely.

    With PYTHONUNBUFFERED, as in most containers, standard output is a raw file: a signal that arrives while the pipe is
    full cuts a write short, and the next message would start in the middle of a line.
    """

    @override
    def write_message(self, message: Message) -> None:
        line = self.format_message(message)
        sent = sys.stdout.buffer.write(line)
        while sent < len(line):
            sent += sys.stdout.buffer.write(bytes(line[sent:]))
        sys.stdout.flush()


class SilentWriter(WholeLineWriter):
    """Writes no message: for a forecast, whose output is not Singer."""

    @override
    def write_message(self, message: Message) -> None:
        pass


def outputs_are_one_pipe() -> bool:
    """Tell whether messages and log go into the same pipe, so that its reader cannot be a target."""
    try:
        out, log = os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(out.st_mode) and os.path.samestat(out, log)


def write_all_well() -> None:
    """Write a RECORD for a sync that found nothing new. Call it only if no target can be reading."""
    sys.stderr.write(f"{json.dumps(ALL_WELL)}\n")
