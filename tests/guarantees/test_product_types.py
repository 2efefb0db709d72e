"""`product_types`: which of the discovered tests are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import SESSION_STREAMS, Synced, Warehouse, sync, sync_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TYPES = ("SURVEY", "NON_THINK_OUT_LOUD", "THINK_OUT_LOUD", "LIVE_CONVERSATION")
READ = ("tests", "workspaces", "result_changes", *SESSION_STREAMS)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """One test of each product type with one session each, and a classic one."""
    world = World(seed=3)
    for product_type in TYPES:
        world.add_session(world.add_test(product_type))
    world.add_test("INSIGHT_CORE", type="CLASSIC")
    with Sandbox(world, quota=None) as running:
        yield running


def types_read(box: Sandbox, done: Synced, stream: str = "sessions") -> set[str]:
    """Return the product types of the tests of which rows came."""
    return {box.world.tests[row["test_id"]].product_type for row in done.records(stream)}


@pytest.mark.parametrize(
    ("wanted", "read"),
    [
        pytest.param(["THINK_OUT_LOUD"], {"THINK_OUT_LOUD"}, id="one"),
        pytest.param(["survey", " Live_Conversation "], {"SURVEY", "LIVE_CONVERSATION"}, id="however it is written"),
        pytest.param([*TYPES, "CARD_SORT"], set(TYPES), id="one that there is not"),
        pytest.param([], set(TYPES), id="an empty list is none"),
        pytest.param(None, set(TYPES), id="none"),
    ],
)
@pytest.mark.parametrize("source", ["auto", "listing"])
def test_only_tests_of_these_types_are_read(
    box: Sandbox, wanted: list[str] | None, read: set[str], source: str
) -> None:
    """No call is made for another test, no state is kept of it, and `tests` lists all of them all the same."""
    done = sync_here(box.config(product_types=wanted, change_source=source), select=READ)
    assert done.exit == 0
    for stream in ("sessions", "session_details", "result_changes"):
        assert types_read(box, done, stream) == read
    asked = {call.test_id for call in box.calls if call.test_id}
    for call in box.calls:
        asked |= {str(operation["testUUID"]).removeprefix("ut_") for operation in call.operations}
    assert {box.world.tests[test_id].product_type for test_id in asked} == read
    assert {row["test_id"] for row in done.records("tests")} == set(box.world.tests)
    assert done.state is not None
    for stream, bookmarks in done.state["bookmarks"].items():
        kept = {partition["context"]["test_id"] for partition in bookmarks.get("partitions", [])}
        assert {box.world.tests[test_id].product_type for test_id in kept} <= read, stream


def test_narrowing_and_widening_keeps_what_is_known(box: Sandbox) -> None:
    """A test that is left out keeps its bookmark, and goes on from it when it is read again."""
    world, warehouse = box.world, Warehouse()
    readable = [test for test in world.tests.values() if test.type == "STUDYV2"]
    for wanted, new in ((None, 4), (["SURVEY"], 1), (None, 4 + 3)):
        done = sync_here(box.config(product_types=wanted), state=warehouse.state, select=["sessions"])
        assert len(done.records("sessions")) == new
        warehouse.load(done.messages)
        for test in readable:
            world.add_session(test)


def test_no_test_of_these_types_is_a_warning(box: Sandbox, tmp_path: Path) -> None:
    """It names the setting and the types that there are; the run is no failure, and the tests are listed."""
    done = sync(box.config(product_types=["CARD_SORT"]), tmp_path, select=READ)
    assert done.exit == 0
    [line] = done.lines("product_types: ")
    assert " | WARNING " in line
    assert all(product_type in line for product_type in TYPES)
    assert {row["test_id"] for row in done.records("tests")} == set(box.world.tests)
    assert not done.records("sessions")


def test_the_types_that_there_are_cause_no_warning(box: Sandbox, tmp_path: Path) -> None:
    """One of them is enough: a type may be there tomorrow."""
    done = sync(box.config(product_types=["survey", "LIVE_CONVERSATION"]), tmp_path, select=["sessions"])
    assert done.exit == 0
    assert not [line for line in done.log.splitlines() if " | WARNING " in line]


def test_a_test_of_unknown_type_is_left_out(box: Sandbox) -> None:
    """Where v1 names no product type, the setting can not want it; without the setting it is read."""
    unknown = box.world.add_test("SURVEY")
    box.world.add_session(unknown)
    unknown.product_type = None  # type: ignore[assignment]  # as a server might
    for wanted, read in ((["SURVEY"], False), (["NONE", "SURVEY"], False), (None, True)):
        done = sync_here(box.config(product_types=wanted), select=["sessions"])
        assert (unknown.test_id in {row["test_id"] for row in done.records("sessions")}) is read


def test_it_has_no_effect_on_configured_tests(box: Sandbox, tmp_path: Path) -> None:
    """What `test_ids` names is read, whatever its type, and a line says that the other setting does nothing."""
    [survey] = [test.test_id for test in box.world.tests.values() if test.product_type == "SURVEY"]
    done = sync(box.config(product_types=["THINK_OUT_LOUD"], test_ids=[survey]), tmp_path, select=["sessions"])
    assert done.exit == 0
    assert types_read(box, done) == {"SURVEY"}
    [line] = done.lines("product_types")
    assert "test_ids" in line


def test_it_goes_with_chosen_workspaces(box: Sandbox) -> None:
    """Both narrow discovery."""
    other = box.world.add_workspace("Other")
    there = box.world.add_test("SURVEY", workspace=other)
    box.world.add_session(there)
    box.world.add_session(box.world.add_test("THINK_OUT_LOUD", workspace=other))
    done = sync_here(box.config(product_types=["SURVEY"], workspace_ids=[other.uuid]), select=["sessions"])
    assert {row["test_id"] for row in done.records("sessions")} == {there.test_id}


@pytest.mark.parametrize("wrong", ["'SURVEY'", [1], [""], {"SURVEY": True}])
def test_what_is_no_list_of_texts_is_one_line(box: Sandbox, tmp_path: Path, wrong: Any) -> None:  # noqa: ANN401
    """The line names the setting; a type with the quotes of a shell would match no test, silently."""
    done = sync(box.config(product_types=wrong), tmp_path)
    assert done.exit == 78
    [line] = done.errors
    assert "product_types" in line
