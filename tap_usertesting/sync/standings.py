"""What is known of each test before a call is made for it, from the ledgers of all streams."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_usertesting.ledger.log import FEED
from tap_usertesting.sync.schedule import ANYWAY, Order, Standing, order
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_usertesting.api.windows import Windows
    from tap_usertesting.changes.change_reader import ChangeReader
    from tap_usertesting.config.settings import Settings
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.discovery import Directory
    from tap_usertesting.sync.streams import StreamOfSessions

logger = logging.getLogger("tap-usertesting")

FORGET_AFTER = 90  # days, for which a state keeps a test that no longer exists


class Standings:
    """Looks for the order in which tests are read, at the begin of a run and again in a long one."""

    def __init__(
        self,
        *,
        streams: Sequence[StreamOfSessions],
        settings: Settings,
        directory: Directory,
        windows: Windows,
        changes: Callable[[], ChangeReader],
        present: Callable[..., str],
    ) -> None:
        """`present` returns the time of a look; with `anew` it takes this moment for it."""
        self._streams = streams
        self._settings = settings
        self._directory = directory
        self._windows = windows
        self._changes = changes
        self._present = present
        self._looked = False

    def look(self) -> Order:
        """Return the order by what is known now; from the second time on the logs are read anew."""
        again, self._looked = self._looked, True
        now = self._present(anew=again)
        if not again:
            self._forget_the_gone(now)
        standings = [self._standing(test_id) for test_id in self._directory.product_types]
        anyway = 0 if again else self._anyway(standings)
        quiet = self._settings.max_quiet_hours
        found = order(standings, now=now, max_quiet_hours=quiet, anyway=anyway)
        if again:
            self._changes().look_again(now=now, due=found.listed)
        elif found.resting:
            logger.info(
                "%d tests were silent for long and are not due: their session lists are not asked for in this sync "
                "(max_quiet_hours)",
                len(found.resting),
            )
        return found

    def newest_known(self, test_id: str) -> str | None:
        """Return the newest change that is known of a test, else when it was launched."""
        ledgers = self._ledgers(test_id)
        times = [ledger.newest for ledger in ledgers] + [ledger.bookmark.at for ledger in ledgers if ledger.bookmark]
        known = max((time for time in times if time is not None), default=None)
        return known or self._changes().feed_logs.newest_change_at(test_id) or self._directory.launched(test_id)

    def _standing(self, test_id: str) -> Standing:
        read = [ledger for ledger in self._ledgers(test_id) if ledger.bookmark is not None]
        asked = [ledger.asked_at for ledger in read if ledger.asked_at is not None]
        return Standing(
            test_id,
            read=bool(read),
            by_feed=any(ledger.source == FEED for ledger in read) and self._settings.feed_url is not None,
            newest=self.newest_known(test_id),
            asked_at=min(asked, default=None),
        )

    def _ledgers(self, test_id: str) -> list[Ledger]:
        return [stream.partition(test_id).ledger for stream in self._streams if stream.applies(test_id)]

    def _anyway(self, standings: Sequence[Standing]) -> int:
        """Return how many tests that are not due are asked all the same: at most a tenth of a budget.

        None in a large account whose history is not read: there each call is worth more.
        """
        if len(standings) > ANYWAY and not all(standing.read for standing in standings):
            return 0
        settings, windows = self._settings, self._windows
        budgets = [settings.max_calls] if settings.max_calls is not None else []
        if settings.max_duration is not None and windows.limit is not None:
            budgets.append(int(settings.max_duration / windows.window * windows.limit))
        return min([ANYWAY, *(budget // 10 for budget in budgets)])

    def _forget_the_gone(self, now: str) -> None:
        """Take tests that no longer exist out of the state, some time after they were last heard of."""
        directory = self._directory
        if not directory.discovers or self._settings.workspace_ids is not None:
            return
        known = {str(item["uuid"]).lower() for item in directory.studies}
        before = earlier(now, days=FORGET_AFTER)
        for stream in self._streams:
            partitions = stream.stored_partitions()
            partitions[:] = [
                one
                for one in partitions
                if one.get("context", {}).get("test_id") in known
                or max(str(one.get(name, "")) for name in ("changed_at", "asked_at")) >= before
            ]
