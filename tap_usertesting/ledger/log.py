"""What was read of a test's log: the feed's changes, the session list, or both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEED: Literal["feed"] = "feed"
LISTING: Literal["listing"] = "listing"
Source: TypeAlias = Literal["feed", "listing"]

UPDATED = "UPDATED"
VIDEO_UPDATED = "VIDEO_UPDATED"
TRANSCRIBED = "VIDEO_TRANSCRIPTION_UPDATED"
REMOVALS = frozenset({"REJECTED", "DELETED"})  # only REJECTED is documented
TOP = "~"  # behind every cursor of a list


class Change(NamedTuple):
    """A place in a test's log and what happened there; `changed_at` in the fixed UTC form."""

    cursor: str
    session_id: str | None
    change_type: str
    changed_at: str | None


class Listed(NamedTuple):
    """A session of the list, or what stands for one in a log of its own.

    `cursor`: its place, `<time>/<id>`, unique and ordered by time. `time`: when the session finished, else when it
    started, in the fixed UTC form. `item`: as the source has sent it. `is_fresh`: it finished after the look for news
    began, so that the feed had not told of it by then.
    """

    cursor: str
    session_id: str
    time: str
    item: dict[str, Any]
    is_fresh: bool = False

    @classmethod
    def at(cls, time: str, session_id: str, item: dict[str, Any], *, is_fresh: bool = False) -> Listed:
        """Return it at its place."""
        return cls(f"{time}/{session_id}", session_id, time, item, is_fresh)


def lowest(listed: Iterable[Listed]) -> str:
    """Return the lowest cursor of these, TOP where there are none."""
    return min((one.cursor for one in listed), default=TOP)


@dataclass(eq=False)
class Sessions:
    """The session list as far as it was read.

    `total`: how many sessions the test has; where no page says so, those received so far. `greatest`: the most that any
    page named. `counted`: whether these two can be relied on. `missing`: sessions that the list promised and did not
    give. `complete`: whether every page was read. `first_page`: the sessions on it.
    """

    by_id: dict[str, Listed] = field(default_factory=dict)
    total: int = 0
    greatest: int = 0
    missing: int = 0
    counted: bool = False
    complete: bool = False
    first_page: frozenset[str] = frozenset()

    @classmethod
    def whole(cls, items: Iterable[Listed]) -> Sessions:
        """Return a list of these and no others."""
        by_id = {item.session_id: item for item in items}
        return cls(by_id, len(by_id), len(by_id), counted=True, complete=True, first_page=frozenset(by_id))

    def so_far(self) -> Sessions:
        """Return what was read by now, as another stream may go on reading the same list."""
        if self.complete:
            return self
        return Sessions(
            dict(self.by_id), self.total, self.greatest, self.missing, self.counted, first_page=self.first_page
        )


@dataclass(frozen=True)
class Log:
    """What was read of the log that drives a test.

    `changes`: those of the feed, oldest first; none by listing. `whole`: they begin at the log's begin, else after the
    place from which the ledger reads. `replayed`: they are whole as the feed refused that place. `certain`: their order
    can be relied on. `newest`: the last place of the log, None where it is not known. `listed_at`: when the list was
    read, None: now.
    """

    source: Source
    changes: Sequence[Change] = ()
    whole: bool = False
    replayed: bool = False
    certain: bool = True
    newest: str | None = None
    sessions: Sessions | None = None
    listed_at: str | None = None
