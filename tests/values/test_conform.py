"""From the vendor's JSON to columns that every target loads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from tap_usertesting.values.conform import clean, conform, snake, verbatim

STRING: dict[str, Any] = {"type": ["string", "null"]}
TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
INTEGER: dict[str, Any] = {"type": ["integer", "null"]}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
BOOLEAN: dict[str, Any] = {"type": ["boolean", "null"]}
FREE: dict[str, Any] = {"type": ["object", "null"], "additionalProperties": True}
FREE_LIST: dict[str, Any] = {"type": ["array", "null"]}
FLOATS: dict[str, Any] = {"type": ["array", "null"], "items": {"type": "number"}}
TASK: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": True,
    "properties": {"task_id": STRING, "time_start_ms": NUMBER, "task_response": FREE},
}
TASKS: dict[str, Any] = {"type": ["array", "null"], "items": {**TASK, "type": "object"}}
GROUP: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": True,
    "properties": {"group_id": STRING, "finished_at": TIME, "count": INTEGER, "values": FLOATS, "tasks": TASKS},
}
NUL, LONE = "\x00", "\ud800"


def run(value: object, schema: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return what a value becomes, and where it was not as it should be."""
    problems: list[str] = []
    return conform(value, schema, problems.append, "row"), problems


@pytest.mark.parametrize(
    ("value", "schema", "result"),
    [
        pytest.param(None, STRING, None, id="null stays null"),
        pytest.param("a", STRING, "a", id="text"),
        pytest.param("", STRING, "", id="empty text"),
        pytest.param(4711, STRING, "4711", id="an id that is a number"),
        pytest.param(2**70, STRING, str(2**70), id="an id of any size"),
        pytest.param(True, STRING, "true", id="a boolean for text, as JSON"),
        pytest.param({"a": "é"}, STRING, '{"a": "é"}', id="an object for text, as JSON"),
        pytest.param([1, None], STRING, "[1, null]", id="a list for text, as JSON"),
        pytest.param(f"a{NUL}b", STRING, "a\ufffdb", id="U+0000"),
        pytest.param(f"a{LONE}b\udfff", STRING, "a\ufffdb\ufffd", id="lone surrogates"),
        pytest.param("a\u2028\x01\r\n\t'\"🙂", STRING, "a\u2028\x01\r\n\t'\"🙂", id="all else stays"),
        pytest.param("2026-01-02T03:04:05+02:00", TIME, "2026-01-02T01:04:05.000000Z", id="time in UTC"),
        pytest.param("2026-01-02T03:04:05.1234567Z", TIME, "2026-01-02T03:04:05.123456Z", id="six decimals at most"),
        pytest.param(3, INTEGER, 3, id="integer"),
        pytest.param(3.0, INTEGER, 3, id="a float without decimals"),
        pytest.param("3", INTEGER, 3, id="integer as text"),
        pytest.param("3.0", INTEGER, 3, id="float as text"),
        pytest.param(2**62, INTEGER, 2**62, id="large integer"),
        pytest.param(True, INTEGER, 1, id="boolean for integer"),
        pytest.param(2.5, NUMBER, 2.5, id="number"),
        pytest.param(2, NUMBER, 2, id="integer for number"),
        pytest.param("85.5", NUMBER, 85.5, id="number as text"),
        pytest.param(1e300, NUMBER, 1e300, id="large number"),
        pytest.param(True, BOOLEAN, True, id="boolean"),
        pytest.param("FALSE", BOOLEAN, False, id="boolean as text"),
        pytest.param(1, BOOLEAN, True, id="boolean as number"),
        pytest.param([1, 2.5, "3", None], FLOATS, [1.0, 2.5, 3.0], id="only floats and no null in an array"),
        pytest.param([], FLOATS, [], id="empty array"),
        pytest.param([1, [2, {"aB": None}]], FREE_LIST, [1, [2, {"aB": None}]], id="free list verbatim"),
        pytest.param(
            {"someKey": {"inner": [1, 2.5, None, 2**63]}, "": {}},
            FREE,
            {"someKey": {"inner": [1, 2.5, None, 2**63]}, "": {}},
            id="free object verbatim: names, nulls, large integers",
        ),
        pytest.param({f"k{NUL}": [f"v{LONE}"]}, FREE, {"k\ufffd": ["v\ufffd"]}, id="text inside a free object"),
    ],
)
def test_a_value_takes_the_form_its_column_wants(value: object, schema: dict[str, Any], result: object) -> None:
    """Scalars are coerced to the declared type, free-form values are not touched; nothing is reported."""
    found, problems = run(value, schema)
    assert found == result
    assert type(found) is type(result)
    assert problems == []


@pytest.mark.parametrize(
    ("value", "schema", "result"),
    [
        pytest.param("yesterday", TIME, None, id="no time"),
        pytest.param("", TIME, None, id="empty time"),
        pytest.param(1_767_322_800, TIME, None, id="number for time"),
        pytest.param({"at": 1}, TIME, None, id="object for time"),
        pytest.param(2.5, INTEGER, None, id="decimals for integer"),
        pytest.param("many", INTEGER, None, id="word for integer"),
        pytest.param([1], INTEGER, None, id="list for integer"),
        pytest.param(float("inf"), INTEGER, None, id="infinite integer"),
        pytest.param(float("nan"), NUMBER, None, id="NaN"),
        pytest.param("Infinity", NUMBER, None, id="infinity as text"),
        pytest.param("1" * 5000, INTEGER, None, id="too long for a number"),
        pytest.param("perhaps", BOOLEAN, None, id="word for boolean"),
        pytest.param({}, BOOLEAN, None, id="object for boolean"),
        pytest.param("a", TASK, None, id="text for a declared object"),
        pytest.param("a", FREE, {"value": "a"}, id="text for a free object is wrapped"),
        pytest.param([f"a{NUL}"], FREE, {"value": ["a\ufffd"]}, id="list for a free object is wrapped"),
        pytest.param("a", FREE_LIST, None, id="text for a list"),
        pytest.param({"a": 1}, FLOATS, None, id="object for a list"),
    ],
)
def test_what_does_not_fit_is_null_and_reported(value: object, schema: dict[str, Any], result: object) -> None:
    """Never the raw value: targets would end the run on it. One report names the column."""
    found, problems = run(value, schema)
    assert found == result
    assert problems == ["row"]


def test_objects_get_snake_case_columns_and_keep_what_is_unknown() -> None:
    """Declared fields are renamed and always there; unknown ones stay under the vendor's name, verbatim."""
    found, problems = run(
        {
            "groupId": 7,
            "finishedAt": "2026-01-02T03:04:05Z",
            "newField": {"deepKey": None},
            "tasks": [{"taskId": "t1", "timeStartMs": "5", "taskResponse": {"aB": 1}, "extraKey": 1}, None],
        },
        GROUP,
    )
    assert found == {
        "group_id": "7",
        "finished_at": "2026-01-02T03:04:05.000000Z",
        "count": None,
        "values": None,
        "tasks": [{"task_id": "t1", "time_start_ms": 5.0, "task_response": {"aB": 1}, "extraKey": 1}],
        "newField": {"deepKey": None},
    }
    assert problems == []


def test_a_problem_names_its_place() -> None:
    """The path of columns leads to the value that did not fit."""
    _, problems = run({"count": 0.5, "tasks": [{"timeStartMs": "x"}, "y"], "values": [1, "z"]}, GROUP)
    assert problems == ["row.count", "row.tasks[].time_start_ms", "row.tasks[]", "row.values[]"]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("sessionId", "session_id"),
        ("testID", "test_id"),
        ("qxScore", "qx_score"),
        ("totalQXTasks", "total_qx_tasks"),
        ("timeStartMs", "time_start_ms"),
        ("UUID", "uuid"),
        ("already_snake", "already_snake"),
        ("value2Go", "value2_go"),
        ("", ""),
    ],
)
def test_names_become_snake_case(name: str, column: str) -> None:
    """Humps and abbreviations are told apart."""
    assert snake(name) == column


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(codec=None)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["groupId", "finishedAt", "count", "values", "tasks", "taskId", "x"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_comes_fits_its_schema(value: object) -> None:
    """Any JSON at all becomes something that a strict target accepts, and that UTF-8 can hold."""
    found, _ = run(value, GROUP)
    Draft7Validator(GROUP, format_checker=FormatChecker()).validate(found)


@given(st.text(alphabet=st.characters(codec=None)))
def test_clean_text_can_be_stored_and_is_otherwise_the_same(text: str) -> None:
    """Only U+0000 and surrogates are replaced, one for one."""
    cleaned = clean(text)
    assert NUL not in cleaned
    cleaned.encode()
    assert len(cleaned) == len(text)
    assert all(was in {now, NUL} or "\ud800" <= was <= "\udfff" for was, now in zip(text, cleaned, strict=True))


@given(JSON)
def test_verbatim_changes_nothing_but_text(value: object) -> None:
    """A payload of unknown shape comes through with every key, null and number."""
    once = verbatim(value)
    assert json.dumps(verbatim(once)) == json.dumps(once)
    if "\\ud" not in json.dumps(value) and "\\u0000" not in json.dumps(value):
        assert json.dumps(once) == json.dumps(value)
