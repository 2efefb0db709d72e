"""Collects what failed in a sync: each error line once, the streams concerned, and the tests that cannot be read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import ApiError, FeedDownError, NotFoundError

if TYPE_CHECKING:
    from tap_usertesting.sync.discovery import Directory

logger = logging.getLogger("tap-usertesting")


class Failures:
    """The failures of a sync. If there are any, it ends with status 1."""

    def __init__(self, directory: Directory) -> None:
        """`directory`: it tells whether tests are discovered, and is not read here."""
        self._directory = directory
        self._lines: dict[str, None] = {}
        self._unreadable: set[str] = set()  # discovered tests that answer 404
        self.streams: set[str] = set()  # names of those with a failure

    @property
    def any(self) -> bool:
        """Whether the sync must end with status 1: an error line was written, or no discovered test is readable."""
        tests = self._directory.__dict__.get("product_types", {})  # only if they were read: a property would read them
        return bool(self._lines) or (bool(self._unreadable) and self._unreadable >= set(tests))

    def add(self, error: ApiError | str, *, stream: str, test_id: str | None = None) -> None:
        """Write one error line, unless it was written before.

        A discovered test that answers 404 is only worth a warning, because it may have been deleted meanwhile.
        """
        self.streams.add(stream)
        line = f"test {test_id}: {error}" if test_id and not isinstance(error, FeedDownError) else str(error)
        if isinstance(error, NotFoundError) and test_id is not None and self._directory.discovers:
            if test_id not in self._unreadable:
                logger.warning("%s; it is left out", line)
            self._unreadable.add(test_id)
            return
        if isinstance(error, NotFoundError) and test_id is not None:
            line = f"{line}; check test_ids, and whether the credentials' user is a member of the test's workspace"
        if not any(
            line.endswith(known) for known in self._lines
        ):  # a line that concerns all tests is not repeated for one
            self._lines[line] = None
            logger.error("%s", line)
