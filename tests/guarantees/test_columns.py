"""A RECORD has the columns of its stream's SCHEMA, all of them and no others, whatever makes the two differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.harness import Synced, Warehouse, catalog, sync_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox import Sandbox

EVERY = [entry["stream"] for entry in catalog(())["streams"]]
PERSONAL = ("vtt", "text", "cues", "session_participant", "tasks", "answer", "value", "participant_id", "speaker")


def properties_of(entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns of each stream in a catalog, to be changed in place."""
    return {entry["stream"]: entry["schema"]["properties"] for entry in entries["streams"]}


def without(*names: str) -> Callable[[dict[str, Any]], None]:
    """Return what takes these columns out of a catalog."""

    def trim(entries: dict[str, Any]) -> None:
        for columns in properties_of(entries).values():
            for name in names:
                columns.pop(name, None)

    return trim


def with_more(entries: dict[str, Any]) -> None:
    """Add a column to each stream, as of a version that had it."""
    for columns in properties_of(entries).values():
        columns["a_former_column"] = {"type": ["string", "null"]}


def without_inside(entries: dict[str, Any]) -> None:
    """Take fields out of the inside of columns, of an object's and of a list's."""
    columns = properties_of(entries)
    columns["session_details"]["session_participant"]["properties"].pop("participant_id")
    columns["session_details"]["tasks"]["items"]["properties"].pop("text")


def deselected(entries: dict[str, Any]) -> None:
    """Deselect columns that hold what people said."""
    for entry in entries["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] and item["breadcrumb"][-1] in PERSONAL:
                item["metadata"]["selected"] = False


def empty(entries: dict[str, Any]) -> None:
    """Leave entries that say nothing of columns."""
    for entry in entries["streams"]:
        entry["schema"] = {}


CATALOGS = [
    pytest.param(lambda _: None, id="whole"),
    pytest.param(without("status", "details_version", "deleted_at", "_sdc_deleted_at"), id="of an older version"),
    pytest.param(without(*PERSONAL), id="personal columns taken out by hand"),
    pytest.param(with_more, id="of a version with a column more"),
    pytest.param(without("session_id", "test_id", "change_cursor", "workspace_id"), id="without keys"),
    pytest.param(without_inside, id="trimmed inside columns"),
    pytest.param(deselected, id="deselected columns"),
    pytest.param(empty, id="without schemas"),
]
SETTINGS: list[Any] = [
    pytest.param({}, id="plain"),
    pytest.param({"exclude_personal_data": "omit"}, id="omit"),
    pytest.param({"exclude_personal_data": "hash", "personal_data_salt": "0123456789abcdef"}, id="hash"),
    pytest.param({"flattening_enabled": True, "flattening_max_depth": 2}, id="flattened"),
    pytest.param({"flattening_enabled": True}, id="flattened to no named depth"),
    pytest.param({"stream_maps": {"session_details": {"who": "'x'"}, "*s": {"seen": "'yes'"}}}, id="mapped"),
]


def of_all(box: Sandbox, trim: Callable[[dict[str, Any]], None], **settings: Any) -> tuple[Synced, Synced]:  # noqa: ANN401
    """Sync everything twice; in between a session is removed, and another has no participant any more."""
    entries = catalog(EVERY)
    trim(entries)
    first = sync_here(box.config(video_links=True, **settings), entries=entries)
    sessions = list(box.world.sessions.values())
    box.world.reject(sessions[0])
    box.world.update(sessions[1])
    box.before("details_v3", lambda _: box.fail("details_v3", status=200, body=_bare(box, sessions[1].session_id)))
    second = sync_here(box.config(video_links=True, **settings), entries=entries, state=first.state)
    assert (first.exit, second.exit) == (0, 0)
    return first, second


def _bare(box: Sandbox, session_id: str) -> dict[str, Any]:
    body = dict(box.world.sessions[session_id].details_v3())
    return body | {"sessionParticipant": None, "aFieldOfNextYear": {"inner": 1}}


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("trim", CATALOGS)
def test_records_have_the_columns_of_their_schema(
    box: Sandbox, trim: Callable[[dict[str, Any]], None], settings: dict[str, Any]
) -> None:
    """Live rows, nulls in the place of objects, tombstones and fields that no schema names; keys are always there."""
    warehouse = Warehouse()  # which compares each record with its SCHEMA
    for done in of_all(box, trim, **settings):
        warehouse.load(done.messages)
    assert warehouse.tables.keys() >= {"sessions", "session_details", "transcripts", "task_responses"}


@pytest.mark.parametrize(
    "trim", [without(*PERSONAL), deselected], ids=["taken out of the catalog", "deselected in the catalog"]
)
@pytest.mark.parametrize("test", [False, True], ids=["sync", "test"])
def test_columns_that_are_taken_out_stay_inside(
    box: Sandbox, trim: Callable[[dict[str, Any]], None], *, test: bool
) -> None:
    """No word that a participant said, and nothing of who it is, leaves in any record."""
    session = next(iter(box.world.sessions.values()))
    said = session.vtt or ""
    (word, *_) = (line for line in said.splitlines() if line and "-->" not in line and "WEBVTT" not in line)
    person = session.details_v3()["sessionParticipant"]["participantId"]
    entries = catalog(EVERY)
    whole = json.dumps(sync_here(box.config(), entries=entries).messages)
    assert person in whole
    trim(entries)
    done = json.dumps(sync_here(box.config(), entries=entries, test=test).messages)
    assert json.dumps(word)[1:-1] not in done
    assert person not in done


def test_a_field_taken_out_inside_a_column_stays_inside(box: Sandbox) -> None:
    """A catalog without a field of an object, or of a list's items: no record has it, and the rest is there."""
    first, _ = of_all(box, without_inside)
    details = first.records("session_details")
    assert details
    for row in details:
        assert "participant_id" not in row["session_participant"]
        assert row["session_participant"]["demographics_info"]
        assert row["tasks"]
        assert not any("text" in task for task in row["tasks"])
        assert all(task["uuid"] for task in row["tasks"])


def test_a_column_that_flattening_opens_is_null_in_tombstones(box: Sandbox) -> None:
    """The columns of a null object are there, and the object's own name is none."""
    _, second = of_all(box, lambda _: None, flattening_enabled=True, flattening_max_depth=3)
    rows = second.records("session_details")
    assert {row["deleted_at"] is None for row in rows} == {True, False}
    for row in rows:
        assert "session_participant" not in row
        assert row["session_participant__participant_id"] is None
