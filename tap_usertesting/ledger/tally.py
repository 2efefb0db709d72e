"""A tally: how many sessions of a test have a row in a stream, and what became of the others.

So the rows of a table can be compared with what its source names. Where a test has up to 500 sessions, the tally keeps
a digest of each, because the feed does not say whether an update is about a session that it has told of before. Beyond
that it keeps only numbers; these are exact by listing, where each session comes once, and end by feed.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

# `live`: it has a row. `given_up`: it was asked for in vain, and is not asked for again. `left_out`: it is not asked
# for. `removed`: its row is a tombstone. A session without a fate waits, or is still to be read.
Fate: TypeAlias = Literal["live", "given_up", "left_out", "removed"]
FATES: tuple[Fate, ...] = ("live", "given_up", "left_out", "removed")
MOST_SESSIONS = 500  # whose digests are kept
DIGEST = 6  # bytes: among so few sessions two are as good as never the same


@dataclass(frozen=True)
class Tally:
    """What became of the sessions of a test.

    counted_at: when the source was last seen to have other sessions; None before the first reading.
    counted: by listing, how many sessions the list names.
    without_id: of these, how many have no usable id.
    pending: how many sessions have no row, do not wait and are still to be read.
    fates: the fate of each session by its digest; None once there are too many.
    live, given_up, left_out, removed: how many sessions have this fate.
    is_lost: the numbers are no longer known, until the test is read without a state.
    """

    counted_at: str | None = None
    counted: int | None = None
    without_id: int = 0
    pending: int = 0
    fates: Mapping[bytes, Fate] | None = field(default_factory=dict)
    live: int = 0
    given_up: int = 0
    left_out: int = 0
    removed: int = 0
    is_lost: bool = False

    def fate(self, session_id: str) -> Fate | None:
        """Return the fate of a session, as far as it is kept."""
        return None if self.fates is None else self.fates.get(digest(session_id))

    def moved(self, session_id: str, before: Fate | None, after: Fate | None) -> Tally:
        """Return the tally after a session has changed from one fate to another."""
        if before == after:
            return self
        numbers = {name: getattr(self, name) - (name == before) + (name == after) for name in FATES}
        return replace(self, fates=self._fates_with(session_id, after), **numbers)

    def _fates_with(self, session_id: str, fate: Fate | None) -> Mapping[bytes, Fate] | None:
        if self.fates is None:
            return None
        fates, key = dict(self.fates), digest(session_id)
        fates.pop(key, None)
        if fate is not None:
            fates[key] = fate
        return fates if len(fates) <= MOST_SESSIONS else None


LOST = Tally(is_lost=True)


def digest(session_id: str) -> bytes:
    """Return the short form of an id that a tally keeps."""
    return blake2b(session_id.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()


# The form on disk


def encode(tally: Tally) -> dict[str, Any]:
    """Return the tally as part of a partition's state: digests in Base64, or numbers where there are too many."""
    if tally.is_lost:
        return {"is_lost": True}
    state: dict[str, Any] = {}
    for name in ("counted_at", "counted", "without_id", "pending"):
        if (value := getattr(tally, name)) not in (None, 0) or (name == "counted" and value == 0):
            state[name] = value
    for name in FATES:
        if not getattr(tally, name):
            continue
        state[name] = getattr(tally, name) if tally.fates is None else _packed(tally.fates, name)
    return state


def decode(state: object) -> Tally:
    """Return the tally in a partition's state; LOST if it is not of this form."""
    if state is None:
        return Tally()
    try:
        return _decoded(dict(state))  # type: ignore[call-overload]  # whatever a state holds; a wrong type raises
    except (TypeError, ValueError, AttributeError):
        return LOST


def _decoded(state: dict[str, Any]) -> Tally:
    if state.get("is_lost"):
        return LOST
    held = {name: state[name] for name in FATES if name in state}
    numbers = {name: state[name] for name in ("counted", "without_id", "pending") if name in state}
    is_full = any(isinstance(value, int) for value in held.values())
    fates: dict[bytes, Fate] | None = None
    if not is_full:
        fates = {key: name for name in FATES if name in held for key in _unpacked(held[name])}
        held = {name: sum(fate == name for fate in fates.values()) for name in FATES}
    if any(type(number) is not int for number in (*numbers.values(), *held.values())):
        raise TypeError
    at = state.get("counted_at")
    if not isinstance(at, str):
        raise TypeError
    return Tally(counted_at=at, fates=fates, **numbers, **held)


def _packed(fates: Mapping[bytes, Fate], name: Fate) -> str:
    return b64encode(b"".join(sorted(key for key, fate in fates.items() if fate == name))).decode()


def _unpacked(text: str) -> list[bytes]:
    content = b64decode(text, validate=True)
    return [content[start : start + DIGEST] for start in range(0, len(content), DIGEST)]
