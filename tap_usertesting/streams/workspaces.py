"""`workspaces`. Source: GET /v1/workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.singer.discovered_stream import DiscoveredStream

if TYPE_CHECKING:
    from collections.abc import Iterable


class WorkspacesStream(DiscoveredStream):
    """One row per workspace that the credentials can access."""

    name = "workspaces"
    calls = "one call"
    primary_keys = ("workspace_id",)
    mapped = frozenset({"uuid", "id", "cursor"})

    @override
    def rows(self) -> Iterable[dict[str, Any]]:
        for item in self.sync_context.directory.workspaces:
            yield self.columns(item) | {"workspace_id": str(item["uuid"]).lower()}
