"""What is personal, column by column, and what becomes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.api.results import DETAILS_VERSION
from tap_usertesting.config.settings import Settings
from tap_usertesting.config.validation import SettingsError
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.streams.session_details import Details
from tap_usertesting.tap import TapUserTesting
from tap_usertesting.values.privacy import Privacy
from tests.support.harness import personal_paths, sync

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parents[2] / "schemas").glob("*.json")
}
SALT = "pepper-and-salt-4711"
ACCESS = {"client_id": "me", "client_secret": "hush"}
DIGEST = re.compile(r"[0-9a-f]{64}")
DECLARED = {stream.name: stream for stream in STREAMS}
PERSONAL = personal_paths()
NAMED_BY_TEAMS = {
    ("tests", "title"),
    ("sync_status", "title"),
    ("workspaces", "name"),
}  # what a test is called is no word of a participant

scalars = st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans()
json_values = st.recursive(
    scalars | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def privacy_of(stream: str, mode: str, salt: str = SALT) -> Privacy:
    """Return what a stream's declaration makes of a mode."""
    declared = DECLARED[stream]
    return Privacy(mode, salt, personal=declared.personal, harmless=declared.harmless)


def hashed(value: Any, salt: str = SALT) -> Any:  # noqa: ANN401 - JSON is anything
    """Return what becomes of an answer."""
    schema = SCHEMAS["task_responses"]
    return privacy_of("task_responses", "hash", salt).row({"answer": value}, schema)["answer"]


def leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON is anything
    """Return each text, number, truth and null of a JSON value, in order."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def shape(value: Any) -> Any:  # noqa: ANN401 - JSON is anything
    """Return a JSON value with nothing but its keys, lengths and nulls."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return None if value is None else "x"


def marked(schema: dict[str, Any], at: str = "") -> Iterator[tuple[str, bool]]:
    """Return the path of each column and field, and whether its description calls it personal data."""
    for name, node in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield path, "ersonal data" in node.get("description", "")
        yield from marked(node, path)
    if "items" in schema:
        yield from marked(schema["items"], f"{at}[]")


def test_what_the_schemas_call_personal_is_what_is_left_out() -> None:
    """Each field that is described so is covered, itself or by what is in it; each that is covered is described so."""
    for stream, schema in SCHEMAS.items():
        covered = PERSONAL.get(stream, ())
        described = {path for path, personal in marked(schema) if personal}
        assert described >= set(covered), stream
        for path in described:
            assert any(one == path or one.startswith((f"{path}.", f"{path}[]")) for one in covered), (stream, path)


def test_what_people_of_a_team_call_things_is_left_out_where_it_is_of_participants() -> None:
    """Clips and reels are named after what is seen in them; titles of tests and workspaces stay."""
    named = {
        (stream, path)
        for stream, schema in SCHEMAS.items()
        for path, _ in marked(schema)
        if path in {"name", "title", "description"}
    }
    assert {one for one in named if one[1] not in PERSONAL.get(one[0], ())} == NAMED_BY_TEAMS


@pytest.mark.parametrize("stream", PERSONAL)
def test_omitting_leaves_schema_and_row_with_the_same_columns(stream: str) -> None:
    """No covered path is left in either, the schema file is not changed, and what is left keeps its order."""
    whole = SCHEMAS[stream]
    before = json.dumps(whole)
    pruned = privacy_of(stream, "omit").schema(whole)
    assert json.dumps(whole) == before
    left = [path for path, _ in marked(pruned)]
    gone = [path for path, _ in marked(whole) if path not in left]
    assert {path for path in gone if path in PERSONAL[stream]} == set(PERSONAL[stream])
    assert all(path.startswith(PERSONAL[stream]) for path in gone)
    row = privacy_of(stream, "omit").row(dict.fromkeys(whole["properties"]), whole)
    assert list(row) == list(pruned["properties"])


@pytest.mark.parametrize("mode", ["omit", "hash"])
@pytest.mark.parametrize(
    ("response", "left"),
    [
        ({"score": 85}, {"score": 85}),
        ({"sequence": "BA"}, {"sequence": "BA"}),
        ({"score": 85, "comment": "my words"}, {"score": 85}),
        ({"answer": {"text": "my words"}}, {}),
        ({"score": {"why": "my words"}, "sequence": ["my words"]}, {}),
        (None, None),
    ],
)
def test_of_a_group_of_tasks_only_documented_results_stay(mode: str, response: object, left: object) -> None:
    """A result of a kind that no document names may be what a participant said."""
    row = {"task_groups": [{"uuid": "g", "type": "UNRECOGNIZED", "response": response}]}
    kept = privacy_of("session_details", mode).row(row, SCHEMAS["session_details"])
    assert kept["task_groups"][0] == {"uuid": "g", "type": "UNRECOGNIZED", "response": left}


@pytest.mark.parametrize("mode", ["omit", "hash"])
@pytest.mark.parametrize("stream", [stream for stream in SCHEMAS if stream not in PERSONAL])
def test_other_streams_are_untouched(stream: str, mode: str) -> None:
    """Sessions, events and scores are ids, times and numbers."""
    privacy = privacy_of(stream, mode)
    row = dict.fromkeys(SCHEMAS[stream]["properties"], "x")
    assert privacy.schema(SCHEMAS[stream]) == SCHEMAS[stream]
    assert privacy.row(dict(row), SCHEMAS[stream]) == row


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"properties": {}}, id="no column"),
        pytest.param({"properties": {"tasks": {"type": ["array", "null"]}}}, id="an array of anything"),
        pytest.param({"properties": {"session_participant": {"type": ["string", "null"]}}}, id="another type"),
    ],
)
def test_a_catalog_may_have_been_edited(schema: dict[str, Any]) -> None:
    """What is not there needs not be left out."""
    assert privacy_of("session_details", "omit").schema(schema) == schema


@pytest.mark.parametrize(
    "row",
    [
        {"session_participant": None, "tasks": None},
        {"session_participant": {"demographics_info": None}, "tasks": []},
        {"session_participant": {"demographics_info": []}, "tasks": [{"response": None}]},
    ],
)
@pytest.mark.parametrize("mode", ["omit", "hash"])
def test_where_nothing_stands_nothing_happens(row: dict[str, Any], mode: str) -> None:
    """Null and empty parts stay as they are."""
    copy = json.loads(json.dumps(row))
    assert privacy_of("session_details", mode).row(copy, SCHEMAS["session_details"]) == row


@given(json_values)
def test_a_hash_hides_every_value_and_keeps_the_shape(value: object) -> None:
    """Keys, lengths and nulls stay; each other leaf is 64 hexadecimal digits; once more gives the same."""
    found = hashed(json.loads(json.dumps(value)))
    assert shape(found) == shape(value)
    for before, after in zip(leaves(value), leaves(found), strict=True):
        assert (after is None) if before is None else (DIGEST.fullmatch(after) and after != before)
    assert hashed(json.loads(json.dumps(value))) == found


@given(st.text(), st.text())
def test_hashes_tell_values_apart(one: str, other: str) -> None:
    """As far as values differ; and with another salt all hashes do."""
    assert (hashed(one) == hashed(other)) == (one == other)
    assert hashed(one) != hashed(one, SALT + "x")


MARK = "Zanzibar-Quetzal"
# Where these stand, something of the test itself stands, or an id, and no word of a participant.
HARMLESS = ("id", "uuid", "taskId", "text", "type", "taskType", "code", "label", "testPlanId")
FIELDS = (*HARMLESS, "participantId", "demographicsInfo", "value", "response", "answer", "taskResponse", "email")
bodies: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([MARK, None, 1, {}]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4).map(
            lambda found: {name: "fine" if name in HARMLESS else value for name, value in found.items()}
        )
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def details_streams() -> list[SessionStream]:
    """Return the streams that are made from a session's details, leaving out and hashing."""
    found: list[SessionStream] = []
    for mode in ("omit", "hash"):
        tap = TapUserTesting(
            config={**ACCESS, "exclude_personal_data": mode, "personal_data_salt": SALT}, setup_mapper=False
        )
        found += [stream for stream in tap.streams.values() if isinstance(stream, SessionStream)]
        found = [stream for stream in found if stream.resource_class is Details]
    assert len(found) == 6
    return found


@pytest.mark.parametrize("version", ["v2", "v3"])
@given(participant=bodies, tasks=bodies, results=bodies)
def test_whatever_a_server_sends_no_word_gets_through(
    details_streams: list[SessionStream], version: str, participant: object, tasks: object, results: object
) -> None:
    """Fields in places and of types that no document knows, and unknown fields, are left out or hashed as well."""
    answer = {
        "sessionParticipant": participant,
        "tasks": tasks,
        "sessionTaskResults": results,
        DETAILS_VERSION: version,
    }
    for stream in details_streams:
        assert MARK not in json.dumps(stream.rows("t", {**answer, DETAILS_VERSION: version}))


WRONG = [
    pytest.param({"exclude_personal_data": "hash"}, "personal_data_salt", id="no salt"),
    pytest.param(
        {"exclude_personal_data": "hash", "personal_data_salt": "5c1a-short-9d8"}, "personal_data_salt", id="short"
    ),
]


@pytest.mark.parametrize(("config", "named"), WRONG)
def test_a_wrong_setting_is_named(config: dict[str, Any], named: str) -> None:
    """Whichever streams are selected; the message has no salt in it."""
    with pytest.raises(SettingsError, match=rf"^{named}: ") as caught:
        Settings.parse({**ACCESS, **config}, selected=["workspaces"])
    assert "5c1a" not in str(caught.value)


def test_a_salt_alone_does_nothing() -> None:
    """It is no fault to have it ready."""
    found = Settings.parse({**ACCESS, "personal_data_salt": "x"}, selected=["sessions"])
    assert found.exclude_personal_data is None


@pytest.mark.parametrize(
    ("config", "named"),
    [
        *WRONG,
        pytest.param({"exclude_personal_data": "drop"}, "exclude_personal_data", id="another word"),
        pytest.param({"exclude_personal_data": True}, "exclude_personal_data", id="true"),
        pytest.param({"exclude_personal_data": False}, "exclude_personal_data", id="false"),
        pytest.param({"exclude_personal_data": ["omit"]}, "exclude_personal_data", id="a list"),
        pytest.param({"exclude_personal_data": "hash", "personal_data_salt": 51}, "personal_data_salt", id="no text"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, config: dict[str, Any], named: str) -> None:
    """The run ends with a line that names the setting, and not the salt, before anything is written."""
    done = sync({**ACCESS, **config}, tmp_path)
    assert done.exit == 78
    [line] = done.errors
    assert f"{named}: " in line
    assert "Traceback" not in done.log
    assert "5c1a" not in done.log
    assert done.stdout == b""


def test_the_connection_check_names_it_too(tmp_path: Path) -> None:
    """`--test` reads no row with a setting that may have meant to leave something out."""
    done = sync({**ACCESS, "exclude_personal_data": "drop"}, tmp_path, args=["--test"])
    assert done.exit == 78
    assert "exclude_personal_data: " in done.log + done.stdout.decode()
