"""Singer messages to standard output, each as one whole line."""

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


# `meltano config test` is a sync whose messages and log share a pipe, and passes with the first RECORD in it.
ALL_WELL = {"type": "RECORD", "stream": "check", "record": {"result": "all tests can be read, nothing is new"}}


class WholeLineWriter(MsgSpecWriter):
    """Writes a message to its end.

    With PYTHONUNBUFFERED, as in most containers, standard output is a raw file: a signal that arrives while a pipe is
    full cuts its write short, and the next message would go on in the middle of the line.
    """

    @override
    def write_message(self, message: Message) -> None:
        line = self.format_message(message)
        sent = sys.stdout.buffer.write(line)
        while sent < len(line):
            sent += sys.stdout.buffer.write(bytes(line[sent:]))
        sys.stdout.flush()


class SilentWriter(WholeLineWriter):
    """Writes nothing: for a plan, whose output is no Singer."""

    @override
    def write_message(self, message: Message) -> None:
        pass


def outputs_are_one_pipe() -> bool:
    """Tell whether messages and log go into the same pipe, so that whoever reads it is no target."""
    try:
        out, log = os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(out.st_mode) and os.path.samestat(out, log)


def say_all_well() -> None:
    """Write the RECORD of a sync that found nothing new, where no target can be reading."""
    sys.stderr.write(f"{json.dumps(ALL_WELL)}\n")
