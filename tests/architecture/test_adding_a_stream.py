"""A new stream is one file, one schema and one line in the catalog: everything else follows from its declaration.

The stream below is added to a copy of the repository, in which the tap, its documentation and its tests then run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import LONG, parse

ROOT = Path(__file__).parents[2]
LEFT = (".git", ".venv*", ".*_cache", ".hypothesis", ".coverage*", "__pycache__", "dist")
STREAM = '''"""`participants`: who took part in a session. Source: GET /api/v3/sessionResults/{sessionId}."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.resource import Resource


class Participants(Resource):
    """Asked for by itself, as if it were another endpoint."""

    name = "participants"
    endpoint = "participants"
    cost = "one call for each of its {sessions} sessions"

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self.context.results.details(session_id)


class ParticipantsStream(SessionStream):
    """One row per participant of a session."""

    name = "participants"
    calls = "one call each"
    resource_class = Participants
    selected_by_default = False
    personal = ("participant_id",)

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.columns(answer["sessionParticipant"] or {})]
'''
PARTICIPANT_ID = {
    "type": ["string", "null"],
    "title": "Participant id",
    "description": "Id of the participant. Personal data. Source: sessionParticipant.participantId.",
}
MEMBER = "    SessionVideosStream,\n)"
IMPORT = "from tap_usertesting.streams.qx_scores import"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository with the stream in it."""
    copy = tmp_path_factory.mktemp("new") / "house"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT))
    (copy / "tap_usertesting/streams/participants.py").write_text(STREAM, encoding="utf-8")
    schema = json.loads((ROOT / "schemas/sessions.json").read_text(encoding="utf-8"))
    shared = ("test_id", "session_id", "change_cursor", "change_type", "changed_at", "deleted_at", "_sdc_deleted_at")
    columns = {name: schema["properties"][name] for name in shared}
    schema["description"] = "One row per participant of a session."
    schema["properties"] = {"participant_id": PARTICIPANT_ID, **columns}
    details = json.loads((ROOT / "schemas/session_details.json").read_text(encoding="utf-8"))["properties"]
    schema["properties"]["session_id"] = details["session_id"]
    (copy / "schemas/participants.json").write_text(json.dumps(schema), encoding="utf-8")
    catalog = copy / "tap_usertesting/streams/catalog.py"
    text = catalog.read_text(encoding="utf-8")
    assert MEMBER in text
    assert IMPORT in text
    text = text.replace(MEMBER, f"    ParticipantsStream,\n{MEMBER}")
    text = text.replace(IMPORT, f"from tap_usertesting.streams.participants import ParticipantsStream\n{IMPORT}")
    catalog.write_text(text, encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def box() -> Any:  # noqa: ANN401 - a generator of what pytest hands on
    """Serve a test with two sessions."""
    world = World(seed=7)
    test = world.add_test(product_type="THINK_OUT_LOUD")
    world.add_session(test)
    world.add_session(test)
    with Sandbox(world, quota=None) as served:
        yield served


def run(house: Path, *command: str, **config: object) -> subprocess.CompletedProcess[bytes]:
    """Run Python in the copy; with a config the tap, with the new stream alone selected."""
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = list(command)
    if config:
        selected = json.loads(tap(house, "--discover").stdout)
        for entry in selected["streams"]:
            root = next(item for item in entry["metadata"] if item["breadcrumb"] == [])
            root["metadata"]["selected"] = entry["stream"] == "participants"
        for name, content in (("config", config), ("catalog", selected)):
            (house / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", f"{name}.json"]
    return subprocess.run(
        [sys.executable, *arguments], cwd=house, env=environment, capture_output=True, timeout=LONG, check=False
    )


def tap(house: Path, *options: str, **config: object) -> subprocess.CompletedProcess[bytes]:
    """Run the tap in the copy."""
    return run(house, "-m", "tap_usertesting", *options, **config)


def test_it_is_discovered(house: Path) -> None:
    """With its key, its bookmark and its columns."""
    entries = {entry["stream"]: entry for entry in json.loads(tap(house, "--discover").stdout)["streams"]}
    found = entries["participants"]
    assert found["key_properties"] == ["session_id"]
    assert found["replication_key"] == "change_cursor"
    assert "participant_id" in found["schema"]["properties"]


def test_it_is_planned(house: Path, box: Sandbox) -> None:
    """The plan counts its calls under the name of its endpoint."""
    plan = json.loads(tap(house, "--plan=json", **box.config()).stdout)
    [row] = [row for row in plan["rows"] if row["stream"] == "participants"]
    assert row["endpoints"] == {"list": 1, "participants": 2}


def test_it_is_synced(house: Path, box: Sandbox) -> None:
    """Each session has its row, and the state its bookmark."""
    done = tap(house, **box.config())
    assert done.returncode == 0, done.stderr.decode()
    messages = parse(done.stdout)
    rows = [message["record"] for message in messages if message["type"] == "RECORD"]
    [test] = box.world.tests.values()
    assert {row["session_id"] for row in rows} == set(test.sessions)
    assert all(row["participant_id"] for row in rows)
    [state] = [message["value"] for message in messages if message["type"] == "STATE"][-1:]
    assert [one["context"] for one in state["bookmarks"]["participants"]["partitions"]] == [{"test_id": test.test_id}]


def test_its_personal_data_is_left_out(house: Path, box: Sandbox) -> None:
    """What the stream declares is what `exclude_personal_data` leaves out."""
    done = tap(house, **box.config(exclude_personal_data="omit"))
    assert done.returncode == 0
    assert b"participant_id" not in done.stdout
    assert b"session_id" in done.stdout


def test_its_declaration_is_held_against_its_schema(house: Path) -> None:
    """A column that the schema calls personal has to be declared so: the tests that there are see that."""
    path = house / "tap_usertesting/streams/participants.py"
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/values/test_privacy.py", "-k", "call_personal"]
    assert run(house, *tests).returncode == 0
    try:
        path.write_text(STREAM.replace('    personal = ("participant_id",)\n', ""), encoding="utf-8")
        assert run(house, *tests).returncode == 1
    finally:
        path.write_text(STREAM, encoding="utf-8")


def test_it_is_documented(house: Path) -> None:
    """The generated pages have it, and the tests of pages and schemas pass."""
    assert run(house, "-m", "tests.published").returncode == 0
    table = (house / "docs/streams.md").read_text(encoding="utf-8")
    assert (
        "| `participants` | session_id | participant of a session | INCREMENTAL by `change_cursor` | one call each |"
        in table
    )
    assert "| `participants` | `session_id` | not selected |" in (house / "README.md").read_text(encoding="utf-8")
    assert "## participants\n" in (house / "docs/data-dictionary.md").read_text(encoding="utf-8")
    pages = [f"tests/published/test_{name}.py" for name in ("schemas", "joins", "parts", "readme", "docs")]
    wanted = "current or schema or join or links"
    done = run(house, "-m", "pytest", "-q", "-p", "no:cacheprovider", *pages, "-k", wanted)
    assert done.returncode == 0, done.stdout.decode()
