"""Streams of one resource that have come to the same position in a test: they share one ledger and one queue."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.ledger.agenda_items import NEWS, Item

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_usertesting.ledger.change_log import Log
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.ledger.settle import Outcome
    from tap_usertesting.ledger.stream_policy import Policy
    from tap_usertesting.sync.partition import PartitionState
    from tap_usertesting.sync.stream_protocols import StreamOfSessions

LINES = ("waiting", "late", "news", "probe", "down", "older")  # the lines of an agenda, the most urgent first


class Member(NamedTuple):
    """One stream of a group, and its partition for the test."""

    stream: StreamOfSessions
    partition: PartitionState


class ItemOutcome(NamedTuple):
    """What came of one item of a group. `error_line`: the log line of a fault."""

    group: LedgerGroup
    item: Item
    outcome: Outcome
    error_line: str = ""


@dataclass(eq=False)
class LedgerGroup:
    """Streams that share a ledger in one test.

    `outcomes`: what came of each session in this round. `only_news`: the ledger was closed when the round began, so
    every item in the queue is news.
    """

    members: list[Member]
    policy: Policy
    ledger: Ledger
    log: Log | None = None
    queue: deque[Item] = field(default_factory=deque)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    only_news: bool = False
    sleep_changed: bool = False  # the test fell asleep or woke up after the queue was made

    def set_ledger(self, ledger: Ledger) -> None:
        """Set the ledger of every member."""
        self.ledger = ledger
        for member in self.members:
            member.partition.ledger = ledger

    def drop_needless_samples(self) -> None:
        """Drop the next samples once a session has a row: they only tell whether the test has rows at all."""
        while self.ledger.found and self.queue and self.queue[0].line == "probe" and self.queue[0].is_sample:
            self.queue.popleft()

    def has_news(self) -> bool:
        """Tell whether the next item is news, not history."""
        if not self.queue:
            return False
        item = self.queue[0]
        return self.is_news(item) and not (item.is_sample and item.line == "probe" and not self.only_news)

    def is_news(self, item: Item) -> bool:
        """Tell whether an item counts as news; a sample precedes the history that it decides on."""
        return self.only_news or item.line in NEWS or item.line == "probe"

    @property
    def urgency(self) -> int:
        """The index of the next item's line in LINES: the least is the most urgent."""
        return LINES.index(self.queue[0].line)


def to_fetch(groups: Iterable[LedgerGroup]) -> dict[str, tuple[Item, bool]]:
    """Return the sessions that are queued to be fetched: by id, the item and whether it is news.

    One call serves all groups. A sample is also queued at its own place in the history, and counts once.
    """
    found: dict[str, tuple[Item, bool]] = {}
    for group in groups:
        for item in group.queue:
            if item.act == "fetch" and not (item.is_sample and item.line == "probe"):
                found.setdefault(item.session_id, (item, group.is_news(item)))
    return found
