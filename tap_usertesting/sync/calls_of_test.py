"""Counts the calls that a test has still to make in one resource. A test counts its queue only after it has changed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from tap_usertesting.ledger.needs import needs
from tap_usertesting.sync.ledger_group import to_fetch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_usertesting.sync.ledger_group import LedgerGroup

# How far the streams of a resource have come in a test: to its end, in part, or not at all.
Standing: TypeAlias = Literal["closed", "open", "new"]
STANDINGS: tuple[Standing, ...] = ("closed", "open", "new")


class CallsOfTest:
    """The calls of one test in one resource: made in this sync, and left."""

    def __init__(self, test_id: str, groups: Sequence[LedgerGroup], *, is_per_test: bool, reads_list: bool) -> None:
        """`groups`: the streams of the resource, whose queues change. `is_per_test`: one call serves the whole test."""
        self.test_id = test_id
        self.is_per_test = is_per_test
        self.round = 0  # the one whose agenda is queued; 0: none yet
        self.fetched = 0  # sessions that were asked for
        self._groups = groups
        self._reads_list = reads_list
        self._asking_for: list[bool] = []  # the session that is being asked for: whether it is news
        self._left: tuple[int, int] | None = None  # None: to be counted
        # Before this sync: how far it was read, and how many sessions its list had; None if not known.
        self.stood = self.standing
        counts = [group.ledger.total_count or 0 for group in groups if reads_list]
        self.sessions_before = max(counts, default=0) or None

    @property
    def left(self) -> tuple[int, int]:
        """How many sessions are still to be fetched: as news, and of the history."""
        if self._left is None:
            kinds = [is_news for _, is_news in to_fetch(self._groups).values()] + self._asking_for
            self._left = sum(kinds), len(kinds) - sum(kinds)
        return self._left

    @property
    def standing(self) -> Standing:
        """How far the streams have come in the test."""
        ledgers = [group.ledger for group in self._groups]
        if all(ledger.bookmark is None for ledger in ledgers):
            return "new"
        return "open" if any(ledger.open or ledger.bookmark is None for ledger in ledgers) else "closed"

    @property
    def needs_list(self) -> bool:
        """Whether reading the test takes its session list; a resource that keeps a log of its own needs none."""
        ledgers = [group.ledger for group in self._groups if self._reads_list]
        return any(not ledger.has_none and needs(ledger).depth != "none" for ledger in ledgers)

    def queue_changed(self) -> None:
        """Count the queue anew when it is next asked for."""
        self._left = None

    @contextmanager
    def asking(self, *, is_news: bool) -> Iterator[None]:
        """Count a session that is no longer in the queue until its answer is there."""
        self._asking_for, self._left = [is_news], None
        try:
            yield
        finally:
            self.fetched += 1
            self._asking_for, self._left = [], None
