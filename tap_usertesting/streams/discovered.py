"""`workspaces` and `tests`: what discovery has read anyway, so that a test id has a title and a product type.

Source: GET /v1/workspaces and /v1/workspaces/{workspaceUuid}. With `test_ids` nothing is discovered: no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.singer.base import UserTestingStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record


class DiscoveredStream(UserTestingStream):
    """A small table that is read in full at each sync."""

    source = "discovery"

    def rows(self) -> Iterable[dict[str, Any]]:
        """Return the rows. Raises what the legacy API's client raises."""
        raise NotImplementedError

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """Return an empty state that is not kept: there is nothing to go on from."""
        return {}

    @override
    def get_context_state(self, context: Context | None) -> dict[str, Any]:
        return self.stream_state

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        self.run.activity.begin(self.name)
        if not self.run.directory.discovers:
            self.logger.info("%s: the tests are configured, so nothing was discovered and there are no rows", self.name)
            return
        if self._tap.spent:
            return
        with self._tap.discovering():
            rows = list(self.rows())
            self.found = bool(rows)
            yield from rows[:1] if self.sampling else rows

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Move nothing; look whether to stop."""
        self._tap.after_record()


class WorkspacesStream(DiscoveredStream):
    """One row per workspace that the credentials can see."""

    name = "workspaces"
    primary_keys = ("workspace_id",)
    mapped = frozenset({"uuid", "id", "cursor"})

    @override
    def rows(self) -> Iterable[dict[str, Any]]:
        for item in self.run.directory.workspaces:
            yield self.columns(item) | {"workspace_id": str(item["uuid"]).lower()}


class TestsStream(DiscoveredStream):
    """One row per test of those workspaces, also of the types that the Results API does not read."""

    __test__ = False  # no test class, whatever its name looks like
    name = "tests"
    primary_keys = ("test_id",)
    mapped = frozenset({"uuid", "workspaceUuid", "cursor", "orderedBy"})  # the last is who of the staff ordered it

    @override
    def rows(self) -> Iterable[dict[str, Any]]:
        for item in self.run.directory.studies:
            ids = {"test_id": str(item["uuid"]).lower(), "workspace_id": str(item["workspaceUuid"]).lower()}
            yield self.columns(item) | ids
