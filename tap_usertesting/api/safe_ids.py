"""Which texts of a server may be used as ids and cursors: they go into URLs, keys, state and log lines. Pure."""

from __future__ import annotations

import re
from typing import TypeGuard

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LONGEST_IN_URL = 1024  # characters
_LONGEST_STORED = 1 << 16  # characters


def is_id(value: object) -> TypeGuard[str]:
    """Tell whether this is a UUID or similar. Other texts could leave a URL path or forge a log line."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_cursor(value: object) -> TypeGuard[str]:
    """Tell whether this text can be sent back in a URL, as a cursor of the legacy API is."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_IN_URL and value.isascii() and value.isprintable()


def is_storable(value: object) -> TypeGuard[str]:
    """Tell whether this text can be stored and sent back as it came: no null character, no half of a surrogate pair."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_STORED or "\x00" in value:
        return False
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)
