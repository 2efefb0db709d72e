"""A small table of what discovery reads anyway. It gives a test id its title and product type.

Source: GET /v1/workspaces and /v1/workspaces/{workspaceUuid}. With `test_ids` there is no discovery: no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.singer.stream import UserTestingStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record


class DiscoveredStream(UserTestingStream):
    """A table that every sync reads in full."""

    @property
    @override
    def job(self) -> str:
        return "discovery"

    def rows(self) -> Iterable[dict[str, Any]]:
        """Return the rows. Each stream declares it. Raises what the legacy API's client raises."""
        raise NotImplementedError

    @override
    def records(self, context: Context | None) -> Iterator[Record]:
        rows = self.discover_rows()
        for row in rows[:1] if self.is_sample else rows:
            yield row
            self.sync_context.after_row()

    def discover_rows(self) -> list[dict[str, Any]]:
        """Return the rows, none if nothing was discovered. Ends the run if they cannot be read."""
        context, rows = self.sync_context, list[dict[str, Any]]()
        context.activity.begin(self.name)
        if not context.directory.discovers:
            self.logger.info("%s: test_ids is set, so nothing is discovered and there are no rows", self.name)
        elif not context.spent:
            with context.discovering():
                rows += self.rows()
                self.found = bool(rows)
        return rows
