"""`tests`. Source: GET /v1/workspaces/{workspaceUuid}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.singer.discovered_stream import DiscoveredStream

if TYPE_CHECKING:
    from collections.abc import Iterable


class TestsStream(DiscoveredStream):
    """One row per test of any type, including types that the Results API cannot read."""

    __test__ = False  # not a test class of pytest
    name = "tests"
    calls = "one call per 50 tests of each workspace, plus one per workspace"
    primary_keys = ("test_id",)
    # `orderedBy` is a member of the customer's staff: personal data that no column needs.
    mapped = frozenset({"uuid", "workspaceUuid", "cursor", "orderedBy"})

    @override
    def rows(self) -> Iterable[dict[str, Any]]:
        for item in self.sync_context.directory.studies:
            ids = {"test_id": str(item["uuid"]).lower(), "workspace_id": str(item["workspaceUuid"]).lower()}
            yield self.columns(item) | ids
