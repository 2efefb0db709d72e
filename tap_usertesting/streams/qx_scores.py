"""`qx_scores`: the current QXscore of each task group of an interaction test.

Source: GET /api/v2/testResults/{testId}/qxScores, an aggregate over all sessions that the server computes at each call,
so it is asked again only when the test has changed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.changes.change import REMOVALS, UPDATED, Change, concerns_session
from tap_usertesting.changes.listing import Known, window_start
from tap_usertesting.changes.reader import TEST_PREFIX
from tap_usertesting.discovery import INTERACTION
from tap_usertesting.partition import FEED, LISTING, MOST_IDS, Partition
from tap_usertesting.streams.change_driven import ChangeDrivenStream
from tap_usertesting.times import from_epoch

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Record

NO_CHANGE = Change("", None, UPDATED, None)


class News(NamedTuple):
    """What a test's log has for this stream: whether scores may have changed, and its newest change."""

    changed: bool
    newest: Change
    total_count: int | None


class QxScoresStream(ChangeDrivenStream):
    """One row per task group; one call per changed test."""

    name = source = "qx_scores"
    primary_keys = ("test_id", "task_group_id")
    cost = "one call"

    @override
    def applies(self, test_id: str) -> bool:
        return self.run.directory.product_types.get(test_id) in {None, INTERACTION}

    @override
    def sync_test(self, test_id: str, partition: Partition) -> Iterator[Record]:
        if not self.applies(test_id):
            return
        self.changes.check(test_id)
        by_feed = self.by_feed(test_id, partition)
        if (by_feed and partition.log != FEED) or (not by_feed and partition.log == FEED):
            self.restart(test_id, partition, FEED if by_feed else LISTING)
        news = self._feed_news(test_id, partition) if by_feed else self._list_news(test_id, partition)
        if by_feed:
            partition.set("source", FEED)
        if news.changed and not partition.none:
            yield from self._scores(test_id, partition, news)
        partition.move(news.newest.cursor or None, news.newest.changed_at)
        if news.total_count is not None:
            partition.finish(news.total_count)
        if not by_feed:
            self._keep_recent(test_id, partition)

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        try:
            body = self.run.results.qx_scores(test_id)
        except NotFoundError:
            self.logger.info("%s: test %s has no QXscores", self.name, test_id)
            return
        yield from self._rows(test_id, body, NO_CHANGE)[:1]

    def _feed_news(self, test_id: str, partition: Partition) -> News:
        """See the feed's log; before the first sync has ended, the list tells as well, as the feed may be younger."""
        log, changes, _ = self.changes.changes(TEST_PREFIX + test_id, partition)
        changed = any(
            change.change_type in REMOVALS or concerns_session(change.change_type, gone=False) for change in changes
        )
        total = partition.total_count
        if total is None:
            total = self.whole_list(test_id).total
            changed = changed or total > 0
        last = changes[-1] if changes else NO_CHANGE
        return News(changed, last._replace(cursor=log.newest or ""), total)

    def _list_news(self, test_id: str, partition: Partition) -> News:
        known = Known(partition, lookback_hours=self.settings.lookback_hours)
        sessions = self.changes.sessions(test_id, known.explained)
        self.run.answered(test_id)
        unknown = known.unknown(sessions)
        newest = max(sessions.by_id.values(), key=lambda listed: listed.cursor, default=None)
        moved = newest is not None and newest.cursor > (partition.bookmark or "")
        changed = bool(unknown) or sessions.total != partition.total_count
        return News(changed and bool(sessions.total), newest.change if newest and moved else NO_CHANGE, sessions.total)

    def _scores(self, test_id: str, partition: Partition, news: News) -> Iterator[Record]:
        try:
            body = self.run.results.qx_scores(test_id)
        except NotFoundError as error:
            # A test without scores, or one that can not be read? The list tells, at one call, once.
            if not self.run.answers(test_id):
                self.changes.sessions(test_id, lambda sessions: bool(sessions.by_id))
                self.run.answered(test_id)
            listed = self.changes.listed(test_id)
            promised = self.run.directory.product_types.get(test_id) == INTERACTION
            if promised:  # asked again when the test changes; for others a 404 is the answer for good
                self.logger.info("%s: test %s is an interaction test, but answers %s", self.name, test_id, error)
            elif listed is None or listed.total > 0:
                partition.set("none", value=True)
                self.logger.info("%s: test %s has none (%s); it is not asked again", self.name, test_id, error)
            return
        self.run.answered(test_id)
        newest = news.newest._replace(cursor=news.newest.cursor or partition.bookmark or "")
        rows = self._rows(test_id, body, newest)
        for place, row in enumerate(rows, start=1):
            if place == len(rows):  # the bookmark moves only with the last row of a change
                self._commit = lambda: partition.move(newest.cursor or None, newest.changed_at)
            yield row

    def _rows(self, test_id: str, body: dict[str, Any], newest: Change) -> list[Record]:
        meta = body.get("meta") if isinstance(body.get("meta"), dict) else {}
        rows = []
        for item in body["qxScores"]:
            if not isinstance(item, dict) or not item.get("taskGroupId"):
                self.left_out += 1
                self.logger.warning(
                    "%s: test %s has a score without a taskGroupId, which was left out", self.name, test_id
                )
                continue
            flat = {key: value for key, value in item.items() if key not in {"components", "values"}}
            for group in ("components", "values"):
                inner = item.get(group)
                if isinstance(inner, dict):
                    flat |= {f"{group}_{name}": value for name, value in inner.items()}
            rows.append(
                self.columns({**(meta or {}), **flat, "raw": item})
                | {
                    "test_id": test_id,
                    "fetched_at": from_epoch(self.run.wall()),
                    "change_cursor": newest.cursor or None,
                    "change_type": newest.change_type,
                    "changed_at": newest.changed_at,
                }
            )
        return rows

    def _keep_recent(self, test_id: str, partition: Partition) -> None:
        """Keep which sessions of the lookback window the score reflects; a later one that is not there is news."""
        sessions, bookmark = self.changes.listed(test_id), partition.bookmark
        if sessions is None or bookmark is None:
            return
        since = window_start(bookmark, self.settings.lookback_hours)
        window = [listed for listed in sessions.ordered() if since <= listed.time and listed.cursor <= bookmark]
        partition.set("recent", [listed.session_id for listed in window[-MOST_IDS:]] or None)
        partition.set("recent_from", window[-MOST_IDS - 1].cursor if len(window) > MOST_IDS else None)
