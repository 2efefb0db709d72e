"""A tally: how many sessions of a test have a row in a stream, and what became of the others.

So the rows of a table can be compared with what its source names. Where a test has up to 500 sessions, the tally keeps
a digest of each, because the feed does not say whether an update is about a session that it has told of before. Beyond
that it keeps only numbers; these are exact by listing, where each session comes once, and end by feed. Of sessions that
may come again all the same it keeps the fate: those that showed whether the test has any row, those that have left the
list a short time ago, and those that a user has asked for again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

# `live`: it has a row. `given_up`: it was never found, and later syncs do not request it. `left_out`: it is not
# requested. `removed`: its row is a tombstone. A session without a fate waits, or is still to be read.
Fate: TypeAlias = Literal["live", "given_up", "left_out", "removed"]
FATES: tuple[Fate, ...] = ("live", "given_up", "left_out", "removed")
MOST_SESSIONS = 500  # whose digests are kept
MOST_AGAIN = 100  # sessions that may come again: one that left before so many others is no longer looked for
DIGEST = 6  # bytes: among so few sessions two are as good as never the same


@dataclass(frozen=True)
class Tally:
    """What became of the sessions of a test.

    counted_at: when the source was last seen to have other sessions; None before the first reading.
    counted: by listing, how many sessions the list names.
    without_id: of these, how many have no usable id.
    pending: how many sessions have no row, do not wait and are still to be read.
    fates: the fate of each session by its digest; None once there are too many.
    again: beyond that, the fate of those that may come again, the latest at the end. Those that came before their turn
        are in it from the start.
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
    again: Mapping[bytes, Fate] = field(default_factory=dict)

    def fate(self, session_id: str) -> Fate | None:
        """Return the fate of a session, as far as it is kept."""
        return (self.again if self.fates is None else self.fates).get(digest(session_id))

    def with_again(self, session_id: str, fate: Fate | None) -> Tally:
        """Return the tally, in which this fate of a session is kept in `again`; None: it is no longer kept."""
        if self.is_lost:
            return self
        again, key = dict(self.again), digest(session_id)
        again.pop(key, None)
        if fate is not None:
            again[key] = fate
        return self if again == self.again else replace(self, again=dict(list(again.items())[-MOST_AGAIN:]))

    def moved(self, session_id: str, before: Fate | None, after: Fate | None) -> Tally:
        """Return the tally after a session has changed from one fate to another."""
        if before == after or self.is_lost:
            return self
        numbers = {name: getattr(self, name) - (name == before) + (name == after) for name in FATES}
        return replace(self, fates=self._fates_with(session_id, after), **numbers)

    def reconsidered(self) -> Tally:
        """Return the tally of a test that is read again: what was left out may now be asked for."""
        kept = None if self.fates is None else {key: fate for key, fate in self.fates.items() if fate != "left_out"}
        again = {key: fate for key, fate in self.again.items() if fate != "left_out"}
        return replace(self, fates=kept, again=again, left_out=0)

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
        if not getattr(tally, name) and (tally.fates is not None or name != "live"):
            continue  # a number of `live` says that there are no digests
        state[name] = getattr(tally, name) if tally.fates is None else _packed(tally.fates, name)
    if tally.again:
        state["again"] = {key.hex(): fate for key, fate in tally.again.items()}
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
    again = {bytes.fromhex(key): fate for key, fate in dict(state.get("again", {})).items()}
    if not set(again.values()) <= set(FATES):
        raise ValueError
    return Tally(counted_at=at, fates=fates, again=again, **numbers, **held)


def _packed(fates: Mapping[bytes, Fate], name: Fate) -> str:
    return b64encode(b"".join(sorted(key for key, fate in fates.items() if fate == name))).decode()


def _unpacked(text: str) -> list[bytes]:
    content = b64decode(text, validate=True)
    return [content[start : start + DIGEST] for start in range(0, len(content), DIGEST)]
