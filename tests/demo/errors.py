"""How the demo fails: with one clear line, and the end of a log where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOG_TAIL = 15  # lines


class DemoError(Exception):
    """The demo can not go on, or what it found is not true; the message is for a person."""


def log_tail(path: Path) -> str:
    """Return the last lines of a log file, indented, to stand below a message."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL:]
    return "".join(f"\n    {line}" for line in lines)
