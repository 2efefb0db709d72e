"""What can happen to a session, as the change feed names it.

Which of them concern a stream is said by the `Policy` of its resource (`stream_policy.py`). A type that is not named here
concerns every stream, so a new one loses nothing.
"""

from __future__ import annotations

UPDATED = "UPDATED"
VIDEO_UPDATED = "VIDEO_UPDATED"
TRANSCRIPTION_UPDATED = "VIDEO_TRANSCRIPTION_UPDATED"
REMOVALS = frozenset({"REJECTED", "DELETED"})  # only REJECTED is documented


def is_removal(change_type: str) -> bool:
    """Tell whether a change takes a session away."""
    return change_type in REMOVALS
