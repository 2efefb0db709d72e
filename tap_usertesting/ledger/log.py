"""What was read of a test's log: the feed's changes, the session list, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEED: Literal["feed"] = "feed"
LISTING: Literal["listing"] = "listing"
Source: TypeAlias = Literal["feed", "listing"]

UPDATED = "UPDATED"
VIDEO_UPDATED = "VIDEO_UPDATED"
TRANSCRIBED = "VIDEO_TRANSCRIPTION_UPDATED"
REMOVALS = frozenset({"REJECTED", "DELETED"})  # only REJECTED is documented


class Change(NamedTuple):
    """A place in a test's log and what happened there; `changed_at` in the fixed UTC form."""

    cursor: str
    session_id: str | None
    change_type: str
    changed_at: str | None


class Listed(Protocol):
    """A session of the list. Its cursor, `<time>/<session id>`, is its place in the log."""

    @property
    def cursor(self) -> str:
        """Unique, and ordered by time."""

    @property
    def session_id(self) -> str:
        """The vendor's id."""

    @property
    def time(self) -> str:
        """When it finished, else when it started, in the fixed UTC form."""


class Sessions(Protocol):
    """The session list as far as it was read.

    `total`: how many sessions the test has; `greatest`: the most that any page named; `counted`: whether these two can
    be relied on; `complete`: whether every page was read; `missing`: sessions that it promised and did not give.
    """

    @property
    def by_id(self) -> Mapping[str, Listed]:
        """Each session once."""

    @property
    def total(self) -> int:
        """A count."""

    @property
    def greatest(self) -> int:
        """A count."""

    @property
    def missing(self) -> int:
        """A count."""

    @property
    def counted(self) -> bool:
        """Whether the counts can be relied on."""

    @property
    def complete(self) -> bool:
        """Whether every page was read."""


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
