"""The data contract is current, valid under its standard, and true of the tables.

`python -m tests.published` writes it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from copy import deepcopy
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own
from jsonschema import Draft201909Validator

from tap_usertesting.sandbox import Sandbox, World
from tests.published import contract, data_contract
from tests.support.harness import Warehouse, sync_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATH = contract.FOLDER / contract.DATA_CONTRACT
COUNTED = ("sessions", "session_details", "transcripts")


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The contract as its readers have it."""
    return dict(yaml.safe_load(PATH.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def standard() -> Draft201909Validator:
    """The standard's own schema, from the package of it."""
    text = (files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8")
    return Draft201909Validator(json.loads(text))


def test_it_is_current() -> None:
    """It says what schemas and declarations say; if not: python -m tests.published."""
    assert PATH.read_text(encoding="utf-8") == data_contract.as_yaml()


def test_it_is_valid(published: dict[str, Any], standard: Draft201909Validator) -> None:
    """Every tool that reads the standard can read it."""
    assert [error.message for error in standard.iter_errors(published)] == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole.pop("version"), id="no version"),
        pytest.param(lambda whole: whole.update(apiVersion="v9"), id="unknown standard"),
        pytest.param(lambda whole: whole["schema"][0].update(colour="red"), id="unknown word of a table"),
        pytest.param(lambda whole: whole["schema"][0]["properties"][0].pop("name"), id="column without a name"),
        pytest.param(lambda whole: whole["schema"][0]["properties"][0].update(logicalType="text"), id="unknown type"),
    ],
)
def test_the_standard_refuses_what_is_wrong(
    published: dict[str, Any], standard: Draft201909Validator, damage: Callable[[dict[str, Any]], object]
) -> None:
    """The check can fail."""
    wrong = deepcopy(published)
    damage(wrong)
    assert not standard.is_valid(wrong)


def elements(properties: list[dict[str, Any]], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each property with its path."""
    for one in properties:
        full = f"{path}{one['name']}"
        while True:
            yield full, one
            yield from elements(one.get("properties", []), f"{full}.")
            if "items" not in one:
                break
            full, one = f"{full}[]", one["items"]  # noqa: PLW2901 - goes on with what is in the array


def kinds(element: Mapping[str, Any]) -> dict[str, Any]:
    """What an element says of its type, in the words of the other contract."""
    is_time = element["logicalType"] == "timestamp"
    kind = "string" if is_time else element["logicalType"]
    null = [] if element.get("required") else ["null"]
    return {"types": sorted([kind, *null]), **({"format": "date-time"} if is_time else {})}


def test_it_has_the_columns_of_the_other_contract(published: dict[str, Any]) -> None:
    """Both name the same streams, keys and columns, with the same types."""
    told = contract.streams()
    assert [table["name"] for table in published["schema"]] == [*told]
    for table in published["schema"]:
        found = dict(elements(table["properties"]))
        facts = told[table["name"]]
        assert {path: kinds(one) for path, one in found.items()} == {
            path: {fact: value for fact, value in column.items() if fact != "personal"}
            for path, column in facts["columns"].items()
        }
        positions = {one["primaryKeyPosition"]: path for path, one in found.items() if one.get("primaryKey")}
        assert [positions[place] for place in sorted(positions)] == facts["key"]


def test_whatever_holds_personal_data_is_classified(published: dict[str, Any]) -> None:
    """So is what it is part of; and, beyond that, only what is kept for a few harmless fields."""
    told = contract.streams()
    more = []
    for table in published["schema"]:
        name = table["name"]
        personal = {path for path, facts in told[name]["columns"].items() if "personal" in facts}
        holders = {path[: found.start()] for path in personal for found in re.finditer(r"\.|\[\]", path)}
        found = {path for path, one in elements(table["properties"]) if one.get("classification") == "personal"}
        assert found >= personal | holders
        more += sorted(f"{name}.{path}" for path in found - personal - holders)
    assert more == [
        "session_details.task_groups",
        "session_details.task_groups[]",
        "session_details.task_groups[].response",
    ]


def loaded(warehouse: Warehouse) -> sqlite3.Connection:
    """The tables that were counted, in a database."""
    database = sqlite3.connect(":memory:")
    for table in (*COUNTED, "sync_status"):
        rows = [*warehouse.tables[table].values()]
        names = [*rows[0]]
        database.execute(f"create table {table} ({', '.join(names)})")
        places = ", ".join("?" for _ in names)
        flat = [
            [json.dumps(value) if isinstance(value, (dict, list)) else value for value in row.values()] for row in rows
        ]
        database.executemany(f"insert into {table} values ({places})", flat)  # noqa: S608 - names from the schema
    return database


def test_its_rule_holds_and_finds_a_row_that_is_missing(published: dict[str, Any]) -> None:
    """The query counts nothing after a sync, and a table from which a row was lost."""
    [status] = [table for table in published["schema"] if "quality" in table]
    [rule] = status["quality"]
    assert (status["name"], rule["mustBe"]) == ("sync_status", 0)
    warehouse = Warehouse()
    with Sandbox(World.seeded(7, "small"), quota=None) as box:
        warehouse.load(sync_here(box.config(), select=[*COUNTED, "sync_status"], state_every=1.0).messages)
    with closing(loaded(warehouse)) as database:
        assert database.execute("select count(*) from sync_status where source_count > 0").fetchone()[0] > len(COUNTED)
        assert database.execute(rule["query"]).fetchone() == (0,)
        one = "(select min(session_id) from {} where deleted_at is null)"
        for table in COUNTED:
            database.execute(f"delete from {table} where session_id = {one.format(table)}")  # noqa: S608 - as above
        assert database.execute(rule["query"]).fetchone() == (len(COUNTED),)
