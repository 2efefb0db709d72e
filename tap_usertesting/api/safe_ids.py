"""Which texts of a server may serve as ids: they go into URL paths, keys, state and log lines."""

from __future__ import annotations

import re
from typing import TypeGuard

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LONGEST_CURSOR = 1024  # of one that goes into a URL
_LONGEST_OPAQUE = 1 << 16


def is_id(value: object) -> TypeGuard[str]:
    """Tell a UUID or something alike from what could climb out of a path, forge a log line or fill the state."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_cursor(value: object) -> TypeGuard[str]:
    """Tell a cursor that can go into a URL from what no server should send as one."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_CURSOR and value.isascii() and value.isprintable()


def is_storable(value: object) -> TypeGuard[str]:
    """Tell a text that can be stored and sent back as it came: not empty, no null character, no half a character."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_OPAQUE or "\x00" in value:
        return False
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)
