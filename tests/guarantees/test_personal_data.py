"""`exclude_personal_data`: what participants are and say does not leave the tap, and all else does as before."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import LONG, Synced, Warehouse, catalog, sync, sync_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MARK = "Zanzibar-Quetzal"
SALT = "pepper-and-salt-4711"
ALL = (
    "workspaces",
    "tests",
    "sessions",
    "result_changes",
    "qx_scores",
    "highlight_reels",
    "session_details",
    "task_responses",
    "participant_demographics",
    "transcripts",
    "transcript_cues",
    "session_clips",
    "session_videos",
)
# What is left out of the records, by the name of the innermost field.
LEFT_OUT = {
    "workspaces": {"extra_fields"},
    "tests": {"extra_fields"},
    "sessions": {"extra_fields"},
    "session_details": {"participant_id", "value", "task_response", "answer", "extra_fields"},
    "task_responses": {"answer"},
    "participant_demographics": {"participant_id", "value"},
    "transcripts": {"vtt", "text", "speaker"},
    "transcript_cues": {"speaker", "text"},
    "session_clips": {"name", "description", "extra_fields"},
    "highlight_reels": {"name", "extra_fields"},
    "session_videos": {"video_url"},
}
MODES: dict[str, dict[str, Any]] = {
    "omit": {"exclude_personal_data": "omit"},
    "in capitals": {"exclude_personal_data": " OMIT\n"},
    "hash": {"exclude_personal_data": "hash", "personal_data_salt": SALT},
}
DIGEST = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Two tests whose participants, words, clips and reels carry a mark wherever something of a person may stand."""
    world = World(seed=3)
    for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD"):
        test = world.add_test(product_type)
        for number in range(2):
            marked = f"{MARK} {number}"
            vtt = f"WEBVTT\n\nNOTE {marked}\n\n{marked}\n00:01.000 --> 00:02.000\n<v {marked}>I am {marked}.\n"
            session = world.add_session(test, transcript="ready", details=a_participant(marked), vtt=vtt)
            session.clips.clear()
            world.clip(session, marked)["description"] = marked
        world.edit_reel(test)["name"] = MARK
    world.undocumented = {"panelNote": {"said": [MARK]}}
    with Sandbox(world, quota=None) as running:
        yield running


def a_participant(marked: str) -> dict[str, Any]:
    """Return who took part and what was answered, of every shape that the vendor leaves open."""
    answers = [
        {"written": {"value": marked, "words": [marked, {"deep": [marked]}]}},
        {"rankOrder": {"value": marked, "ranking": [{"rank": 1, "text": marked}]}, "written": None},
        {"nps": {"value": 9, "sure": True, "note": marked}},
    ]
    return {
        "sessionParticipant": {
            "participantId": MARK,  # one person, in all sessions
            "demographicsInfo": [
                {"id": "q1", "code": "NAME", "label": "Who?", "value": MARK, "type": None},
                {"id": "q2", "code": "JOB", "label": "What?", "value": marked, "type": None},
            ],
        },
        "tasks": [
            {
                "uuid": f"t{n}",
                "text": "Say something",
                "type": "WRITTEN",
                "response": {"startTimeMs": n, "endTimeMs": n + 1, "skipped": False, "answer": answer},
            }
            for n, answer in enumerate(answers)
        ],
    }


@pytest.fixture
def go(box: Sandbox, caplog: pytest.LogCaptureFixture) -> Callable[..., Synced]:
    """Sync every stream in this process at DEBUG."""
    caplog.set_level(logging.DEBUG)

    def run(select: tuple[str, ...] | None = ALL, **settings: object) -> Synced:
        done = sync_here(box.config(video_links=True, **settings), select=select)
        assert done.exit == 0
        done.log = caplog.text
        return done

    return run


def written(done: Synced) -> str:
    """Return all that a run has let out."""
    return json.dumps(done.messages) + done.log + done.stdout.decode()


def schemas(done: Synced) -> dict[str, dict[str, Any]]:
    """Return the SCHEMA of each stream."""
    return {m["stream"]: m["schema"] for m in done.messages if m["type"] == "SCHEMA"}


def without(node: Any, names: set[str]) -> Any:  # noqa: ANN401 - JSON is anything
    """Return a record without these fields at any depth."""
    if isinstance(node, dict):
        return {key: without(inner, names) for key, inner in node.items() if key not in names}
    return [without(inner, names) for inner in node] if isinstance(node, list) else node


def names_in(schema: dict[str, Any]) -> set[str]:
    """Return the names of all columns and fields of a schema."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return set(schema.get("properties", {})).union(*map(names_in, inner))


def pruned(schema: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Return a schema without these columns and fields."""
    left = dict(schema)
    if "items" in schema:
        left["items"] = pruned(schema["items"], names)
    if "properties" in schema:
        left["properties"] = {
            name: pruned(node, names) for name, node in schema["properties"].items() if name not in names
        }
    return left


def rows(done: Synced, stream: str) -> list[dict[str, Any]]:
    """Return the records of a stream, without the times at which they were read."""
    return [without(row, {"fetched_at", "expires_at"}) for row in done.records(stream)]


def test_the_mark_is_found_without_the_setting(go: Callable[..., Synced]) -> None:
    """What the other tests do not find is there to be found, in each stream that says what participants do."""
    for off in ({}, {"exclude_personal_data": None}, {"exclude_personal_data": ""}):
        done = go(**off)
        for stream in LEFT_OUT.keys() - {"session_videos"}:
            assert MARK in json.dumps(done.records(stream)), stream


@pytest.mark.parametrize("version", ["v3", "v2"])
@pytest.mark.parametrize("source", ["auto", "listing"])
@pytest.mark.parametrize("mode", MODES)
def test_nothing_personal_is_let_out(go: Callable[..., Synced], mode: str, source: str, version: str) -> None:
    """Not in a record, a schema, the state or the log at DEBUG, whichever API says what changed."""
    done = go(change_source=source, session_details_version=version, **MODES[mode])
    assert MARK not in written(done)
    assert "X-Amz" not in written(done)
    assert SALT not in written(done)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_all_else_is_as_before(go: Callable[..., Synced], mode: str, version: str) -> None:
    """The same rows with the same keys in the same order, and every other column untouched; a target loads them."""
    before = go(session_details_version=version)
    done = go(session_details_version=version, **MODES[mode])
    Warehouse().load(done.messages)  # each record fits its schema, and no key is null
    for stream in ALL:
        expected, found = rows(before, stream), rows(done, stream)
        assert expected, stream
        names = LEFT_OUT.get(stream, set())
        if mode == "hash":
            found = [without(row, names) for row in found]
        assert found == [without(row, names) for row in expected], stream
    assert timeless(done.state) == timeless(before.state)


def timeless(state: dict[str, Any] | None) -> str:
    """Return a state as text, without when its tests were asked and counted."""
    return re.sub(r'"(asked|counted)_at": "[^"]*"', "", json.dumps(state))


def test_the_columns_are_not_in_the_schemas(go: Callable[..., Synced]) -> None:
    """With a catalog that was discovered without the setting, and with none; the rest of each schema is the same."""
    before = schemas(go((*ALL, "sync_status")))
    for select in (ALL, None):
        left = schemas(go(select, exclude_personal_data="omit"))
        for stream, schema in left.items():
            assert schema == pruned(before[stream], LEFT_OUT.get(stream, set())), stream
    hashed = schemas(go((*ALL, "sync_status"), **MODES["hash"]))
    assert hashed == {stream: pruned(schema, {"extra_fields"}) for stream, schema in before.items()}


def test_discovery_shows_what_a_sync_will_write(box: Sandbox, tmp_path: Path) -> None:
    """The catalog of a config with the setting has no such column, and a sync with it lets nothing out."""
    config = box.config(exclude_personal_data="omit")
    found = json.loads(sync_text(config, tmp_path, "--discover"))
    for entry in found["streams"]:
        names = LEFT_OUT.get(entry["stream"], set())
        assert not names & names_in(entry["schema"])
        assert not [item for item in entry["metadata"] if names.intersection(item["breadcrumb"])]
    done = sync(config, tmp_path, entries=found, env={"TAP_USERTESTING_LOGLEVEL": "DEBUG"})
    assert done.exit == 0
    assert done.records("transcripts")
    assert MARK not in written(done)


def sync_text(config: dict[str, Any], folder: Path, *args: str) -> str:
    """Return what a command prints that is no stream of messages."""
    import subprocess  # noqa: PLC0415 - the one command whose stdout is one document
    import sys  # noqa: PLC0415 - as above

    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "tap_usertesting", "--config", str(path), *args]
    return subprocess.run(command, capture_output=True, check=True, timeout=LONG).stdout.decode()


@pytest.mark.parametrize("mode", MODES)
def test_the_command_line_lets_nothing_out(box: Sandbox, tmp_path: Path, mode: str) -> None:
    """A whole run at DEBUG under FULL_TABLE, and `--test`, of which each stream emits a row."""
    config = box.config(video_links=True, **MODES[mode])
    debug = {"TAP_USERTESTING_LOGLEVEL": "DEBUG"}
    for done in (
        sync(config, tmp_path, entries=catalog(ALL, replication_method="FULL_TABLE"), env=debug),
        sync(config, tmp_path, args=["--test"], env=debug),
    ):
        assert done.exit == 0, done.log
        assert MARK not in written(done)
        assert SALT not in written(done)


def test_the_same_value_has_the_same_hash_everywhere(go: Callable[..., Synced]) -> None:
    """A participant can be joined across sessions and streams, with another salt not; shapes and nulls stay."""
    ids = []
    for salt in (SALT, SALT, SALT[::-1]):
        done = go(exclude_personal_data="hash", personal_data_salt=salt)
        people = {row["session_participant"]["participant_id"] for row in done.records("session_details")}
        assert people == {row["participant_id"] for row in done.records("participant_demographics")}
        [who] = people
        assert DIGEST.fullmatch(who)
        ids.append(who)
        [name] = {row["value"] for row in done.records("participant_demographics") if row["code"] == "NAME"}
        assert name == who  # one value, one hash
        answer = done.records("task_responses")[1]["answer"]
        assert answer["written"] is None
        assert DIGEST.fullmatch(answer["rankOrder"]["ranking"][0]["text"])
        assert all(DIGEST.fullmatch(row["vtt"]) for row in done.records("transcripts"))
    assert ids[0] == ids[1] != ids[2]


def test_stream_maps_and_selection_work_on_top(go: Callable[..., Synced], box: Sandbox, tmp_path: Path) -> None:
    """A map sees what is left, and a column that is not selected is not there."""
    maps = {
        "participant_demographics": {"seen": "value[:8]", "label": None},
        "transcript_cues": {"length_ms": "end_ms - start_ms"},
    }
    done = go(**MODES["hash"], stream_maps=maps)
    for row in done.records("participant_demographics"):
        assert row["seen"] == row["value"][:8]
        assert "label" not in row
    assert MARK not in written(done)
    done = go(exclude_personal_data="omit", stream_maps={"transcript_cues": maps["transcript_cues"]})
    assert {row["length_ms"] for row in done.records("transcript_cues")} == {1000}
    entries = catalog(("session_details",))
    [details] = [entry for entry in entries["streams"] if entry["stream"] == "session_details"]
    for item in details["metadata"]:
        if item["breadcrumb"] == ["properties", "session_participant"]:
            item["metadata"]["selected"] = False
    for mode in ("omit", "hash"):
        done = sync(box.config(**MODES[mode]), tmp_path, entries=entries)
        assert done.exit == 0
        assert "session_participant" not in schemas(done)["session_details"]["properties"]
        assert all("session_participant" not in row and row["tasks"] for row in done.records())
        assert MARK not in written(done)


def test_fields_that_no_document_names_are_left_out(go: Callable[..., Synced], box: Sandbox) -> None:
    """What a vendor adds beside personal data may be personal too: with the setting it is not passed on unseen."""
    for session in box.world.sessions.values():
        details = a_participant("nothing")
        details["sessionParticipant"] |= {"email": MARK, "participantId": "p", "demographicsInfo": [{"freeText": MARK}]}
        details["tasks"][0] |= {"comment": MARK}
        details["tasks"][0]["response"] |= {"recording": MARK}
        box.world.update(session, details)
        box.world.transcribe(session, "WEBVTT\n\n00:01.000 --> 00:02.000\nWell.\n")
    done = go(("session_details",), exclude_personal_data="omit")
    assert MARK not in written(done)
    assert MARK not in written(go(("session_details",), **MODES["hash"]))


@pytest.mark.parametrize("word", ["omit", "Omit\r\n", "hash"])
def test_a_variable_of_the_environment_means_the_same(box: Sandbox, tmp_path: Path, word: str) -> None:
    """As a container or a shell hands the setting over."""
    variables = {f"TAP_USERTESTING_{name.upper()}": str(value) for name, value in box.config().items()}
    more = {"TAP_USERTESTING_EXCLUDE_PERSONAL_DATA": word, "TAP_USERTESTING_PERSONAL_DATA_SALT": SALT}
    done = sync({}, tmp_path, args=["--config=ENV"], env=variables | more)
    assert done.exit == 0, done.log
    assert done.records("transcripts")
    assert MARK not in written(done)
