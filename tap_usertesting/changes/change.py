"""One change of a test, and what a list of them makes a session stream do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

UPDATED = "UPDATED"
VIDEO_UPDATED = "VIDEO_UPDATED"
TRANSCRIBED = "VIDEO_TRANSCRIPTION_UPDATED"
REMOVALS = frozenset({"REJECTED", "DELETED"})  # only REJECTED is documented


class Change(NamedTuple):
    """A position in a test's change log and what happened there; `changed_at` in the fixed UTC form."""

    cursor: str
    session_id: str | None
    change_type: str
    changed_at: str | None


class Step(NamedTuple):
    """What a stream does at one change: fetch its session again, or (`removal`) write its tombstone."""

    change: Change
    removal: bool


def concerns_session(change_type: str, *, gone: bool) -> bool:
    """Tell whether a change makes `sessions` and `session_details` fetch again.

    A value never seen before does; the two about video and transcript do not.
    """
    del gone
    return change_type not in {VIDEO_UPDATED, TRANSCRIBED}


def concerns_transcript(change_type: str, *, gone: bool) -> bool:
    """Tell whether a change makes `transcripts` fetch again; `gone`: it was tombstoned and has not come back."""
    if change_type == UPDATED:
        return gone
    if change_type == TRANSCRIBED:
        return not gone
    return change_type != VIDEO_UPDATED


def concerns_video(change_type: str, *, gone: bool) -> bool:
    """Tell whether a change makes the streams of clips and video links fetch again."""
    del gone
    return change_type != TRANSCRIBED


def plan(changes: Iterable[Change], concerns: Callable[..., bool], *, gone: Collection[str] = ()) -> list[Step]:
    """Return the steps that bring a stream from before these changes to after them, in the log's order.

    A removal stands at its own place and makes what precedes it needless; what follows it is one fetch per
    session, at the place of the newest change that concerns the stream.
    """
    removed: dict[str, int] = {}
    fetched: dict[str, int] = {}
    gone_now = dict.fromkeys(gone, True)
    listed: list[Change] = []
    for place, change in enumerate(changes):
        listed.append(change)
        session_id = change.session_id
        if session_id is None:
            continue
        if change.change_type in REMOVALS:
            removed[session_id] = place
            fetched.pop(session_id, None)
            gone_now[session_id] = True
        elif concerns(change.change_type, gone=gone_now.get(session_id, False)):
            fetched[session_id] = place
            gone_now[session_id] = False
    places = [(place, True) for place in removed.values()] + [(place, False) for place in fetched.values()]
    return [Step(listed[place], removal) for place, removal in sorted(places)]
