"""The items of an agenda: one thing to do each, on the line that says when its turn comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from tap_usertesting.ledger.ledger import Mark

# `fetch`: ask for the session. `remove`: write its tombstone. `absent`: count it as missing, because the list has just
# shown that it is not there. `pass`: only move past its place.
Act: TypeAlias = Literal["fetch", "remove", "absent", "pass"]
# In the order of their turns. `waiting`: it was missing before. `late`: it appeared below the bookmark. `news`: it
# appeared above the bookmark of an open ledger. `probe`: it shows whether the test has any row. `down`: the history,
# newest first. `older`: it is older than the feed's log, and in the list.
Line: TypeAlias = Literal["waiting", "late", "news", "probe", "down", "older"]
NEWS: frozenset[Line] = frozenset({"waiting", "late", "news"})
WHOLE_TEST = ""  # in place of a session


class Item(NamedTuple):
    """One thing to do.

    cursor: the place of the change in the log; None where doing it moves the ledger to no other place.
    at: when the change happened.
    time: when the session finished, as far as that is known.
    top: where the bookmark will stand if a reading begins with this item, else the place of the change.
    was_removed: the session was removed before, so if it is missing now its tombstone is written once more.
    reread: rows of the session may have been written before.
    is_sample: the session is one of those that show whether a history has any row. Once one of them has, those of them
        on the line `probe` need not be asked.
    is_last_sample: it is the last of them.
    """

    session_id: str
    act: Act
    line: Line
    change_type: str
    at: str
    time: str
    cursor: str | None = None
    top: Mark | None = None
    was_removed: bool = False
    reread: bool = False
    is_sample: bool = False
    is_last_sample: bool = False


class Parts(NamedTuple):
    """The parts of an agenda that a log brings: `late` and `news` oldest first, `down` and `older` newest first."""

    late: list[Item]
    news: list[Item]
    down: list[Item]
    older: list[Item]
