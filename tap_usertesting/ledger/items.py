"""The items of an agenda: one thing to do each, on the line that says when its turn comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from tap_usertesting.ledger.ledger import Mark

# `fetch`: ask for the session. `remove`: write its tombstone. `absent`: count it as missing, as the list has just shown
# that it is not there. `pass`: only move over its place.
Act: TypeAlias = Literal["fetch", "remove", "absent", "pass"]
# In the order of their turns. `waiting`: it was missing before. `late`: it appeared below the bookmark. `news`: it
# appeared above the bookmark of an open ledger. `probe`: it shows whether the test has any row. `down`: the history,
# from its new end. `older`: the feed does not reach back to it, the list does.
Line: TypeAlias = Literal["waiting", "late", "news", "probe", "down", "older"]
NEWS: frozenset[Line] = frozenset({"waiting", "late", "news"})
WHOLE_TEST = ""  # in place of a session


class Item(NamedTuple):
    """One thing to do.

    cursor: the place of the change in the log; None where doing it moves the ledger to no other place.
    at: when the change happened.
    time: when the session finished, as far as that is known.
    top: where the bookmark will stand if a reading begins with this item, else the place of the change.
    back: the session was removed before, so where it is missing now its tombstone is written once more.
    again: rows of the session may have been written before.
    sounds: the session is one of those by which a history is sounded. Once one of them has a row, those on the line
        `probe` need not be asked.
    last: it is the last of those.
    """

    session_id: str
    act: Act
    line: Line
    change_type: str
    at: str
    time: str
    cursor: str | None = None
    top: Mark | None = None
    back: bool = False
    again: bool = False
    sounds: bool = False
    last: bool = False


class Parts(NamedTuple):
    """The parts of an agenda that a log brings: `late` and `news` oldest first, `down` and `older` newest first."""

    late: list[Item]
    news: list[Item]
    down: list[Item]
    older: list[Item]
