"""Streams of one resource that stand at the same place of a test, and so share a ledger."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.ledger.items import NEWS, Item

if TYPE_CHECKING:
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.ledger.log import Log
    from tap_usertesting.ledger.policy import Policy
    from tap_usertesting.ledger.settle import Outcome
    from tap_usertesting.sync.partition import PartitionState
    from tap_usertesting.sync.streams import StreamOfSessions

LINES = ("waiting", "late", "news", "probe", "down", "older")


class Seat(NamedTuple):
    """One stream in one test."""

    stream: StreamOfSessions
    partition: PartitionState


class Done(NamedTuple):
    """What became of an item of a group; `line`: what to say of a fault."""

    group: Group
    item: Item
    outcome: Outcome
    line: str = ""


@dataclass(eq=False)
class Group:
    """Streams of one source that stand at the same place of a test.

    `asked`: what became of each session in this look. `was_read`: the ledger was closed when the look began, so all
    that is to be done is news.
    """

    seats: list[Seat]
    policy: Policy
    ledger: Ledger
    log: Log | None = None
    queue: deque[Item] = field(default_factory=deque)
    asked: dict[str, Outcome] = field(default_factory=dict)
    was_read: bool = False
    turned: bool = False  # asleep, or awake again, since the agenda was made

    def move(self, ledger: Ledger) -> None:
        """Set the ledger of all its streams."""
        self.ledger = ledger
        for seat in self.seats:
            seat.partition.ledger = ledger

    def drop_needless(self) -> None:
        """Drop the sessions by which a history was to be sounded that has a row."""
        while self.ledger.found and self.queue and self.queue[0].line == "probe" and self.queue[0].is_sample:
            self.queue.popleft()

    def has_news(self) -> bool:
        """Tell whether the next item is news, and no history."""
        if not self.queue:
            return False
        item = self.queue[0]
        return self.was_read or item.line in NEWS or (item.line == "probe" and not item.is_sample)

    @property
    def urgency(self) -> int:
        """The place of the next item's line among the lines."""
        return LINES.index(self.queue[0].line)
