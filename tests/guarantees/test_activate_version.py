"""ACTIVATE_VERSION has a target delete what was not written again: it goes out only after all was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.harness import Synced, catalog, sync_here

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Sandbox

TABLES = ["workspaces", "tests"]
SESSIONS = ["sessions", "session_details", "task_responses"]


def activated(done: Synced) -> list[str]:
    """Return the streams whose version was activated."""
    return [message["stream"] for message in done.messages if message["type"] == "ACTIVATE_VERSION"]


def in_full(*streams: str) -> dict[str, Any]:
    """Return a catalog that selects these streams and reads them in full."""
    entries = catalog(streams, replication_method="FULL_TABLE")
    for entry in entries["streams"]:
        entry.pop("replication_key", None)
    return entries


def go(box: Sandbox, *streams: str, test: bool = False, **settings: Any) -> Synced:  # noqa: ANN401 - as JSON
    """Sync these streams in full."""
    config = box.config(emit_activate_version_messages=True, max_retries=1, **settings)
    return sync_here(config, entries=in_full(*streams), test=test)


def test_what_was_read_whole_is_activated_after_its_records(box: Sandbox) -> None:
    """The message comes last of its stream, with the version of its records."""
    done = go(box, *TABLES, *SESSIONS)
    assert done.exit == 0
    assert sorted(activated(done)) == sorted([*TABLES, *SESSIONS])
    for stream in [*TABLES, *SESSIONS]:
        own = [m for m in done.messages if m.get("stream") == stream and m["type"] in {"RECORD", "ACTIVATE_VERSION"}]
        assert [m["type"] for m in own[:-1]] == ["RECORD"] * (len(own) - 1)
        assert own[-1]["type"] == "ACTIVATE_VERSION"
        assert {m["version"] for m in own} == {own[-1]["version"]}


@pytest.mark.parametrize("status", [500, 403])
@pytest.mark.parametrize("fails", ["workspaces", "list", "details_v3"])
def test_nothing_is_activated_that_could_not_be_read(box: Sandbox, fails: str, status: int) -> None:
    """Discovery, a list or one session that fails: the streams that lack it are not activated, the others are."""
    box.fail("v1" if fails == "workspaces" else fails, status=status)
    done = go(box, *TABLES, *SESSIONS)
    assert done.exit == 1
    left = {"workspaces": [], "list": TABLES, "details_v3": [*TABLES, "sessions"]}[fails]
    assert sorted(activated(done)) == sorted(left)


def test_a_list_whose_second_page_fails_is_not_activated(box: Sandbox) -> None:
    """Half a list is no list."""
    test = next(iter(box.world.tests.values()))
    for _ in range(600):
        box.world.add_session(test)
    box.fail("list", status=500, times=1, skip=1)
    assert activated(go(box, "sessions", test_ids=[test.test_id])) == []


def test_a_test_that_is_not_readable_any_more_keeps_its_rows(box: Sandbox) -> None:
    """A discovered test that answers 404 is left out with exit 0, and its rows are not deleted."""
    box.world.lose_access(next(iter(box.world.tests.values())))
    done = go(box, *TABLES, "sessions")
    assert done.exit == 0
    assert sorted(activated(done)) == sorted(TABLES)


def test_what_is_empty_by_configuration_is_not_activated(box: Sandbox) -> None:
    """With `test_ids` nothing is discovered, and without `feed_url` there are no events."""
    test_ids = list(box.world.tests)
    done = go(box, *TABLES, "result_changes", "sessions", test_ids=test_ids, feed_url=None)
    assert done.exit == 0
    assert activated(done) == ["sessions"]


def test_the_connection_test_activates_nothing(box: Sandbox) -> None:
    """`--test` reads one row of each stream."""
    assert activated(go(box, *TABLES, *SESSIONS, test=True)) == []


def test_incremental_streams_are_not_activated(box: Sandbox) -> None:
    """They never write all rows again."""
    done = sync_here(box.config(emit_activate_version_messages=True), select=[*TABLES, "sessions"])
    assert sorted(activated(done)) == sorted(TABLES)
