"""Finds the order in which tests are read, from the ledgers of all streams, before any call is made for a test."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_usertesting.ledger.change_log import FEED
from tap_usertesting.sync.schedule import EXTRA_LISTS, KnownTest, Order, order_tests
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_usertesting.api.quota_sharing import Windows
    from tap_usertesting.changes.change_reader import ChangeReader
    from tap_usertesting.config.settings import Settings
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.discovery import Directory
    from tap_usertesting.sync.stream_protocols import StreamOfSessions

logger = logging.getLogger("tap-usertesting")

FORGET_AFTER = 90  # days; until then the state keeps a test that no longer exists


def forget_deleted_tests(
    partitions: list[dict[str, Any]], directory: Directory, *, now: str, times: Sequence[str]
) -> None:
    """Remove the partitions of tests that no longer exist, 90 days after the newest of their `times`, in place."""
    if not directory.knows_all:
        return
    known = {str(item["uuid"]).lower() for item in directory.studies}
    before = earlier(now, days=FORGET_AFTER)
    partitions[:] = [
        one
        for one in partitions
        if one.get("context", {}).get("test_id") in known or max(str(one.get(name, "")) for name in times) >= before
    ]


class Priorities:
    """Finds the order of the tests at the start of a sync, and again for each further round."""

    def __init__(
        self,
        *,
        streams: Sequence[StreamOfSessions],
        settings: Settings,
        directory: Directory,
        windows: Windows,
        changes: Callable[[], ChangeReader],
        round_time: Callable[..., str],
    ) -> None:
        """`round_time` returns when this round began; with `renew` the round begins now."""
        self._streams = streams
        self._settings = settings
        self._directory = directory
        self._windows = windows
        self._changes = changes
        self._round_time = round_time
        self._is_first = True

    def find_order(self) -> Order:
        """Return the order by what is known now; from the second round on, have the logs read anew."""
        is_first, self._is_first = self._is_first, False
        now = self._round_time(renew=not is_first)
        if is_first:
            self._forget_deleted_tests(now)
        tests = [self._known_test(test_id) for test_id in self._directory.product_types]
        extra = self._extra_lists(tests) if is_first else 0
        order = order_tests(tests, now=now, max_quiet_hours=self._settings.max_quiet_hours, extra=extra)
        if not is_first:
            self._changes().look_again(now=now, due=order.by_list)
        elif order.not_due:
            logger.info(
                "%d quiet tests are not due, so this sync does not read their session lists (max_quiet_hours)",
                len(order.not_due),
            )
        return order

    def newest_change(self, test_id: str) -> str | None:
        """Return the time of the newest known change of a test, or of its launch; None where neither is known."""
        ledgers = self._ledgers(test_id)
        times = [ledger.newest for ledger in ledgers] + [ledger.bookmark.at for ledger in ledgers if ledger.bookmark]
        known = max((time for time in times if time is not None), default=None)
        return known or self._changes().feed_logs.newest_change_at(test_id) or self._directory.launched(test_id)

    def _known_test(self, test_id: str) -> KnownTest:
        read = [ledger for ledger in self._ledgers(test_id) if ledger.bookmark is not None]
        asked = [ledger.asked_at for ledger in read if ledger.asked_at is not None]
        return KnownTest(
            test_id,
            read=bool(read),
            by_feed=any(ledger.source == FEED for ledger in read) and self._settings.feed_url is not None,
            newest=self.newest_change(test_id),
            asked_at=min(asked, default=None),
        )

    def _ledgers(self, test_id: str) -> list[Ledger]:
        return [stream.partition(test_id).ledger for stream in self._streams if stream.applies(test_id)]

    def _extra_lists(self, tests: Sequence[KnownTest]) -> int:
        """Return how many lists that are not due are read all the same: at most a tenth of a budget.

        None in a large account with history left to read: there a call for history brings more.
        """
        if len(tests) > EXTRA_LISTS and not all(test.read for test in tests):
            return 0
        settings, windows = self._settings, self._windows
        budgets = [settings.max_calls] if settings.max_calls is not None else []
        if settings.max_duration is not None and windows.limit is not None:
            budgets.append(int(settings.max_duration / windows.window * windows.limit))
        return min([EXTRA_LISTS, *(budget // 10 for budget in budgets)])

    def _forget_deleted_tests(self, now: str) -> None:
        """Remove tests that no longer exist from the state, 90 days after their last change or call."""
        for stream in self._streams:
            forget_deleted_tests(stream.stored_partitions(), self._directory, now=now, times=("changed_at", "asked_at"))
