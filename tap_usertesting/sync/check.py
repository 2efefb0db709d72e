"""The connection check of `--test`: one line for each thing that a sync needs, and what to do if it is not well."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import ApiError, FeedRefusedError, RunEndsError, UnknownTestError
from tap_usertesting.api.feed import TESTS_A_REQUEST, Ask
from tap_usertesting.api.feed_ids import TEST_PREFIX
from tap_usertesting.changes.feed_reader import CHECK_FEED
from tap_usertesting.report.wording import number_of

if TYPE_CHECKING:
    from tap_usertesting.sync.context import SyncContext

logger = logging.getLogger("tap-usertesting.check")


class Check:
    """Checks token, tests and feed, with one line each. If a check fails, the run ends with status 1."""

    def __init__(self, context: SyncContext) -> None:
        """Make no call. The records of `--test` share what is read here."""
        self._context = context
        self._checked = self._failed = 0

    def run(self) -> None:
        """Check everything within seconds. Raises RunEndsError if further checks are pointless."""
        self._context.clients.transport.be_quick()
        self._tests()
        self._feed()
        if self._failed:
            logger.warning("check: %d of %d items failed; the error lines say what to do", self._failed, self._checked)
        else:
            logger.info("check: all %d items are ok", self._checked)

    def _tests(self) -> None:
        directory = self._context.directory
        tests = list(directory.product_types)
        if directory.discovers:
            self._ok("token", "")
            readable = f"{len(directory.studies)} tests in {len(directory.workspaces)} workspaces, {len(tests)} to read"
            self._ok("discovery", readable)
            return
        for number, test_id in enumerate(tests):
            try:
                page = self._context.facts.newest_session(test_id)
            except RunEndsError:
                raise
            except ApiError as error:
                self._bad(f"test {test_id}", error, test_id=test_id)
                continue
            if number == 0:
                self._ok("token", "")
            self._ok(f"test {test_id}", "" if page.total_count is None else number_of(page.total_count, "session"))

    def _feed(self) -> None:
        settings = self._context.settings
        if self._context.feed is None:
            logger.info("check: change feed: feed_url is not set, so changes come from the session lists")
            return
        own = settings.feed_test_ids
        uuids = own if own is not None else [TEST_PREFIX + test_id for test_id in self._context.directory.product_types]
        if not uuids:
            return
        # One request of a hundred tests tells whether the feed answers and accepts the token.
        found = self._context.feed_logs.counts([Ask(uuid, None) for uuid in uuids[:TESTS_A_REQUEST]])
        refused = next((error for error in found.values() if isinstance(error, FeedRefusedError)), None)
        errors = {ask: error for ask, error in found.items() if isinstance(error, ApiError)}
        if refused is not None:
            self._bad("change feed", refused)
            return
        if all(isinstance(error, ApiError) and not isinstance(error, UnknownTestError) for error in found.values()):
            self._bad("change feed", next(iter(errors.values())))
            return
        if own is None and all(isinstance(error, UnknownTestError) for error in found.values()):
            self._checked += 1
            logger.warning("check: change feed: responds, but knows 0 of %d tests; %s", len(found), CHECK_FEED)
            return
        self._ok("change feed", f"knows {len(found) - len(errors)} of {len(found)} tests")
        for ask, error in errors.items():
            if own is None and isinstance(error, UnknownTestError):
                logger.info("check: change feed: does not know test %s yet; the tap reads it by listing", ask.test_uuid)
            else:
                self._bad(f"change feed, test {ask.test_uuid}", error)

    def _ok(self, item: str, more: str) -> None:
        self._checked += 1
        logger.info("check: %s: ok%s", item, f", {more}" if more else "")

    def _bad(self, item: str, error: ApiError, *, test_id: str | None = None) -> None:
        self._checked += 1
        self._failed += 1
        logger.warning("check: %s: failed", item)
        self._context.fail(error, test_id=test_id)
