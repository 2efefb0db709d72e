"""`tests`. Source: GET /v1/workspaces/{workspaceUuid}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.singer.discovered_stream import DiscoveredStream

if TYPE_CHECKING:
    from collections.abc import Iterable


class TestsStream(DiscoveredStream):
    """One row per test of any type, also of those that the Results API does not read."""

    __test__ = False  # not a test class of pytest
    name = "tests"
    calls = "one call per 50 of a workspace, and one more"
    primary_keys = ("test_id",)
    mapped = frozenset(
        {"uuid", "workspaceUuid", "cursor", "orderedBy"}
    )  # `orderedBy` is a person of the customer's staff

    @override
    def rows(self) -> Iterable[dict[str, Any]]:
        for item in self.sync_context.directory.studies:
            ids = {"test_id": str(item["uuid"]).lower(), "workspace_id": str(item["workspaceUuid"]).lower()}
            yield self.columns(item) | ids
