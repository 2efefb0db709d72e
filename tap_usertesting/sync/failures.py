"""What failed in a sync, each once: the error lines, the streams concerned, and the tests that can not be read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_usertesting.api.errors import ApiError, FeedDownError, NotFoundError

if TYPE_CHECKING:
    from tap_usertesting.sync.discovery import Directory

logger = logging.getLogger("tap-usertesting")


class Failures:
    """Decides the exit status: 1 once anything failed."""

    def __init__(self, directory: Directory) -> None:
        """Nothing has failed yet."""
        self._directory = directory
        self._lines: dict[str, None] = {}
        self._unreadable: set[str] = set()  # discovered tests that answer 404
        self.streams: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether the sync has to end with a non-zero status."""
        tests = self._directory.__dict__.get("product_types", {})  # if they were read at all
        return bool(self._lines) or (bool(self._unreadable) and self._unreadable >= set(tests))

    def add(self, error: ApiError | str, *, stream: str, test_id: str | None = None) -> None:
        """Write one error line, once.

        A discovered test that answers 404 is only a warning: it may have been deleted since.
        """
        self.streams.add(stream)
        line = f"test {test_id}: {error}" if test_id and not isinstance(error, FeedDownError) else str(error)
        if isinstance(error, NotFoundError) and test_id is not None and self._directory.discovers:
            if test_id not in self._unreadable:
                logger.warning("%s; it is left out", line)
            self._unreadable.add(test_id)
            return
        if isinstance(error, NotFoundError) and test_id is not None:
            line = f"{line}; check test_ids, and that the credentials' user is a member of its workspace"
        if not any(line.endswith(known) for known in self._lines):  # nor again for a test what concerns all
            self._lines[line] = None
            logger.error("%s", line)
