"""A small table of what discovery has read anyway, so that a test id has a title and a product type.

Source: GET /v1/workspaces and /v1/workspaces/{workspaceUuid}. With `test_ids` nothing is discovered: no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.singer.stream import UserTestingStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record


class DiscoveredStream(UserTestingStream):
    """A table that is read in full at each sync."""

    @property
    @override
    def group(self) -> str:
        return "discovery"

    def rows(self) -> Iterable[dict[str, Any]]:
        """Return the rows. Raises what the legacy API's client raises. To be declared by each stream."""
        raise NotImplementedError

    @override
    def records(self, context: Context | None) -> Iterator[Record]:
        rows = self.look()
        for row in rows[:1] if self.is_sample else rows:
            yield row
            self.sync_context.after_row()

    def look(self) -> list[dict[str, Any]]:
        """Return the rows, none where nothing was discovered; ends the sync where they cannot be read."""
        context, rows = self.sync_context, list[dict[str, Any]]()
        context.activity.begin(self.name)
        if not context.directory.discovers:
            self.logger.info("%s: the tests are configured, so nothing was discovered and there are no rows", self.name)
        elif not context.spent:
            with context.discovering():
                rows += self.rows()
                self.found = bool(rows)
        return rows
