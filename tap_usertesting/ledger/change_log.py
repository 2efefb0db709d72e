"""What was read of a test's log: the feed's changes, the session list, or both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEED: Literal["feed"] = "feed"
LISTING: Literal["listing"] = "listing"
Source: TypeAlias = Literal["feed", "listing"]

TOP = "~"  # sorts after every cursor of a list


class Change(NamedTuple):
    """A place in a test's log and what happened there; `changed_at` in the fixed UTC form."""

    cursor: str
    session_id: str | None
    change_type: str
    changed_at: str | None


class Listed(NamedTuple):
    """A session of the list, or what stands for one in a log of its own.

    cursor: its place in the list, `<time>/<id>`: unique, and ordered by time.
    time: when the session finished, else when it started, in the fixed UTC form.
    item: what the source has sent.
    is_fresh: it finished after the look for news began, so what was read of the feed may not have it.
    """

    cursor: str
    session_id: str
    time: str
    item: dict[str, Any]
    is_fresh: bool = False

    @classmethod
    def at(cls, time: str, session_id: str, item: dict[str, Any], *, is_fresh: bool = False) -> Listed:
        """Return the session with the cursor that its time and id make."""
        return cls(f"{time}/{session_id}", session_id, time, item, is_fresh)


def lowest(listed: Iterable[Listed]) -> str:
    """Return the lowest cursor of these sessions, TOP if there are none."""
    return min((one.cursor for one in listed), default=TOP)


@dataclass(eq=False)
class Sessions:
    """The session list as far as it was read.

    total: how many sessions the test has; if no page says so, how many were received so far.
    greatest: the greatest count that any page named.
    missing: how many sessions the list named in its count and did not give.
    counted: whether `total` and `greatest` are reliable.
    complete: whether every page was read.
    first_page: the ids on the first page.
    without_id: how many of the received items have no usable id.
    """

    by_id: dict[str, Listed] = field(default_factory=dict)
    total: int = 0
    greatest: int = 0
    missing: int = 0
    counted: bool = False
    complete: bool = False
    first_page: frozenset[str] = frozenset()
    without_id: int = 0

    @classmethod
    def whole(cls, items: Iterable[Listed]) -> Sessions:
        """Return a complete list of these sessions."""
        by_id = {item.session_id: item for item in items}
        return cls(by_id, len(by_id), len(by_id), counted=True, complete=True, first_page=frozenset(by_id))

    def so_far(self) -> Sessions:
        """Return a copy of what was read so far, because another stream may go on reading the same list."""
        if self.complete:
            return self
        return Sessions(
            dict(self.by_id),
            self.total,
            self.greatest,
            self.missing,
            self.counted,
            first_page=self.first_page,
            without_id=self.without_id,
        )


@dataclass(frozen=True)
class Log:
    """What was read of the log that drives a test.

    changes: the feed's changes, oldest first; none by listing.
    whole: the ledger asked for the whole log, and the changes begin where it begins. If it asked for less, they begin
        after the place from which it reads.
    replayed: the feed refused that place, so the changes begin where the log begins all the same.
    certain: their order is reliable.
    newest: the cursor at the end of the log, None if it is not known.
    sessions: the session list, None if it was not read.
    listed_at: when the list was read, None for now.
    """

    source: Source
    changes: Sequence[Change] = ()
    whole: bool = False
    replayed: bool = False
    certain: bool = True
    newest: str | None = None
    sessions: Sessions | None = None
    listed_at: str | None = None
