"""The whole tap against answers of any kind: what comes out always fits its schema, and nothing ends in a traceback."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from tap_usertesting.sandbox import Sandbox, World
from tests.hostile import good
from tests.hostile.spoil import NASTY_IDS, SYNCS, bodies, encode
from tests.support.harness import Synced, sync_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox.model import Test

CALLS: dict[str, tuple[str, str | None, Any]] = {
    "v1 workspaces": ("v1", "workspaces", good.WORKSPACES),
    "v1 studies": ("v1", "workspaces/", good.STUDIES),
    # These name nothing, as a body about another test or session than the one asked for is refused at once.
    "list": ("list", None, {**good.LIST, "testId": None}),
    "details v3": ("details_v3", None, {**good.DETAILS_V3, "sessionId": None}),
    "details v2": ("details_v2", None, {**good.DETAILS_V2, "sessionId": None}),
    "transcript": ("transcript", None, good.VTT),
    "scores": ("qx_scores", None, good.QX_SCORES),
    "counts": ("feed_count", None, good.COUNTS),
    "changes": ("feed_changes", None, good.CHANGES),
    "token": ("token", None, good.TOKEN),
}
FIXED_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z", re.ASCII)
FORMATS = FormatChecker(formats=())
BANNED = re.compile("[\x00\ud800-\udfff]")


@FORMATS.checks("date-time", raises=ValueError)
def _is_fixed_time(value: object) -> bool:
    """Tell the one form in which the tap writes times."""
    if not isinstance(value, str):
        return True
    datetime.fromisoformat(value.replace("Z", "+00:00"))
    return FIXED_TIME.fullmatch(value) is not None


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One test of each kind, of two sessions each."""
    world = World(seed=5)
    for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD"):
        test = world.add_test(product_type)
        world.add_session(test)
        world.add_session(test)
    with Sandbox(world) as running:
        yield running


def of_type(box: Sandbox, product_type: str) -> Test:
    """Return the sandbox's test of this type."""
    return next(test for test in box.world.tests.values() if test.product_type == product_type)


def run(box: Sandbox, **settings: object) -> Synced:
    """Sync everything in one try per call, and assert what holds of every run."""
    box.clear_calls()
    done = sync_here(box.config(max_retries=1, **settings), state_every=60)
    assert done.exit in {0, 1}
    assert len(box.calls) < 120
    assert_conform(done)
    return done


def assert_conform(done: Synced) -> None:
    """Assert that each record has its keys and the columns its schema names, and holds nothing targets refuse."""
    checks: dict[str, tuple[list[str], set[str], Draft7Validator]] = {}
    for message in done.messages:
        if message["type"] == "SCHEMA":
            checker = Draft7Validator(message["schema"], format_checker=FORMATS)
            checks[message["stream"]] = (message["key_properties"], set(message["schema"]["properties"]), checker)
        elif message["type"] == "RECORD":
            keys, columns, checker = checks[message["stream"]]
            checker.validate(message["record"])
            assert all(message["record"][key] for key in keys), "a key that is empty"
            assert not BANNED.search(json.dumps(message["record"], ensure_ascii=False))
            assert message["record"].keys() == columns
        else:
            assert not BANNED.search(json.dumps(message["value"], ensure_ascii=False))
            assert len(json.dumps(message["value"])) < 50_000


@pytest.mark.parametrize("source", ["feed", "listing"])
@pytest.mark.parametrize("name", CALLS)
@SYNCS
@given(data=st.data())
def test_records_conform_whatever_comes_in(box: Sandbox, name: str, source: str, data: st.DataObject) -> None:
    """One endpoint answers anything with 200 while the others are well: every record and STATE is still sound."""
    kind, match, body = CALLS[name]
    box.orders.clear()
    if kind == "details_v2":
        box.fail("details_v3", times=None, status=404, body={"message": "Cannot GET"})
    spoilt = data.draw(bodies(body))
    if kind == "v1" and match == "workspaces":  # only the list itself, whose path ends there
        box.fail(kind, times=1, status=200, body=spoilt)
    else:
        box.fail(kind, times=None, status=200, body=spoilt, match=match)
    run(box, change_source="auto" if source == "feed" else "listing")


@pytest.mark.parametrize("source", ["auto", "listing"])
@SYNCS
@given(data=st.data())
def test_records_conform_when_everything_is_odd(box: Sandbox, source: str, data: st.DataObject) -> None:
    """Every endpoint answers a spoiled body at once."""
    box.orders.clear()
    for name, (kind, match, body) in CALLS.items():
        if name not in {"v1 workspaces", "token"} and data.draw(st.booleans()):
            box.fail(kind, times=None, status=200, body=data.draw(bodies(body)), match=match)
    run(box, change_source=source)


# Ids


def _sessions(*ids: object) -> dict[str, Any]:
    items = [{**good.LIST["sessions"][0], "sessionId": one} for one in ids]
    return {"sessions": items, "meta": {"pagination": {"totalCount": len(ids)}}}


ODD_IDS: list[object] = [*NASTY_IDS, None, 7, True, {"a": 1}, ["x"], 1e308]


def test_session_ids_that_are_none_are_left_out_and_counted(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A session whose id could climb out of a URL is never asked for; one warning says how many there are."""
    test = of_type(box, "THINK_OUT_LOUD")
    box.orders.clear()
    known = next(iter(test.sessions))
    box.fail("list", times=None, status=200, body=encode(_sessions(known, *ODD_IDS)))
    done = run(box, test_ids=[test.test_id], change_source="listing")
    assert {row["session_id"] for row in done.records("sessions")} == {known}
    assert {call.session_id for call in box.calls if call.kind in {"details_v3", "transcript"}} == {known}
    assert (
        len([line for line in caplog.messages if f"left out {len(ODD_IDS)} sessions without a usable id" in line]) == 1
    )
    assert all("admin" not in line for line in caplog.messages)


def test_session_ids_of_the_feed_that_are_none_are_of_no_session(box: Sandbox) -> None:
    """Such an event stays in `result_changes`, without a session; nothing is asked for it and nothing is pending."""
    test = of_type(box, "THINK_OUT_LOUD")
    box.orders.clear()
    known = next(iter(test.sessions))
    texts = [one for one in ODD_IDS if isinstance(one, str)]
    edges = [
        {
            "node": {
                "cursor": f"ut_{n}",
                "responseUuid": f"ut_response_{one}",
                "testResultId": n,
                "changeType": "UPDATED" if n % 3 else "REJECTED\ud800\x00",
                "changedAt": f"2026-01-05T12:{n:02}:00.000000+00:00",
            }
        }
        for n, one in enumerate([known, *texts])
    ]
    box.fail(
        "feed_count",
        times=None,
        status=200,
        body=encode({"data": {"t0": {"count": len(edges), "latestCursor": "ut_0"}}}),
    )
    box.fail("feed_changes", times=None, status=200, body=encode({"data": {"t0": {"edges": edges}}}))
    done = run(box, test_ids=[test.test_id])
    rows = done.records("result_changes")
    assert len(rows) == len(edges)
    assert [row["session_id"] for row in rows if row["session_id"]] == [known]
    assert {call.session_id for call in box.calls if call.session_id} == set(test.sessions)
    assert all("waiting" not in done.partition(stream, test.test_id) for stream in ("session_details", "transcripts"))


def test_cursors_that_are_none_are_left_out_and_counted(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A cursor is opaque, but goes into keys and state: what no text column holds, or has no end, is no cursor."""
    test = of_type(box, "THINK_OUT_LOUD")
    box.orders.clear()
    edges = [
        {"node": {**good.CHANGES["data"]["t0"]["edges"][0]["node"], "cursor": cursor}}
        for cursor in ("ut_1", "a\x00b", "\ud800", "x" * 100_000, ["a"], "", None)
    ]
    box.fail("feed_changes", times=None, status=200, body=encode({"data": {"t0": {"edges": edges}}}))
    done = run(box, test_ids=[test.test_id])
    assert [row["cursor"] for row in done.records("result_changes")] == ["ut_1"]
    assert any("6 events without a usable cursor" in line for line in caplog.messages)


def test_uuids_of_tests_that_are_none_are_left_out_and_counted(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A discovered test whose id could climb out of a URL is not synced; the others are."""
    test = of_type(box, "NON_THINK_OUT_LOUD")
    box.orders.clear()
    items = [{**test.study_item(), "uuid": one} for one in [*ODD_IDS, test.test_id]]
    box.fail("v1", times=None, status=200, body=encode(items), match="workspaces/")
    done = run(box)
    assert {row["test_id"] for row in done.records() if "test_id" in row} == {test.test_id}
    assert {call.test_id for call in box.calls if call.test_id} == {test.test_id}
    assert any(f"left out {len(ODD_IDS)} items without a usable uuid" in line for line in caplog.messages)


def test_uuids_of_workspaces_that_are_none_are_left_out(box: Sandbox) -> None:
    """No request leaves the paths of the API, whatever the workspaces are called."""
    box.orders.clear()
    items = [{"uuid": one, "name": "x"} for one in ODD_IDS]
    box.fail("v1", times=1, status=200, body=encode(items))
    done = run(box)
    assert done.records() == []
    assert {call.path for call in box.calls} <= {"/usertesting/api/v1/workspaces", box.auth_endpoint[len(box.url) :]}
