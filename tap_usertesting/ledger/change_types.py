"""What can happen to a session, as the change feed names it.

The `Policy` of a resource says which of them concern its streams (`stream_policy.py`). A type that is not named here
concerns all streams, so nothing is lost when the vendor adds one.
"""

from __future__ import annotations

UPDATED = "UPDATED"
VIDEO_UPDATED = "VIDEO_UPDATED"
TRANSCRIPTION_UPDATED = "VIDEO_TRANSCRIPTION_UPDATED"
REMOVALS = frozenset({"REJECTED", "DELETED"})  # only REJECTED is documented


def is_removal(change_type: str) -> bool:
    """Tell whether a change takes a session away."""
    return change_type in REMOVALS
