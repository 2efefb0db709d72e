"""What is carried along while one test is synced: the tasks, the answers so far, and the streams that ride along."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.partition import Partition
    from tap_usertesting.streams.outcomes import Outcomes
    from tap_usertesting.streams.session_rows import SessionRows

Mentions: TypeAlias = "dict[str, list[str]] | None"


def nothing() -> None:
    """Move no state."""


@dataclass(frozen=True)
class Task:
    """One session to ask for. `cursor`: its place in the log, None beside it; `finish`: moves the state past it.

    `again`: rows of it may have been emitted in an earlier sync. `since`: when its session was, if not `changed_at`; it
    is the same in every stream, so that streams side by side keep together.
    """

    session_id: str
    change_type: str
    changed_at: str
    cursor: str | None = None
    finish: Callable[[], None] = nothing
    again: bool = False
    since: str = ""


class Rider(NamedTuple):
    """A stream whose rows of a test are made from what another one fetches, and where it stands."""

    stream: SessionRows
    partition: Partition


@dataclass
class Work:
    """One test in one stream, while it is synced."""

    test_id: str
    partition: Partition
    outcomes: Outcomes
    riders: list[Rider] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    given_up: list[str] = field(default_factory=list)

    def follow(self) -> None:
        """Have the riders stand where this stream stands; true whenever all of a session's rows are written."""
        for rider in self.riders:
            rider.partition.follow(self.partition)
