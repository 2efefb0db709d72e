"""Snowflake's and BigQuery's SQL, compiled by the real adapters without a warehouse.

Shown for both: it compiles, a parser of the dialect reads it, every column it asks for exists. Shown for Snowflake: an
emulation that runs the statements gives the right marts, but for the numbers of elements in their array. Not shown for
either: what the real warehouse does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox
from tests.e2e.dbt import expected, found
from tests.e2e.dbt.comparison import ANSWERS, assert_same
from tests.e2e.dbt.project import EVERY_STREAM, PROJECT, SEEDS, Dbt, demo_world, with_vars
from tests.support.environments import ROOT, install, requirements_in
from tests.support.harness import sync

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.dbt.expected import Rows, Truth

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),  # the first run installs two warehouses' clients
    pytest.mark.skipif(sys.version_info < (3, 11), reason="fakesnow, and the parser it brings, need Python 3.11"),
]

# The form of each warehouse's profile. The credentials are nobody's: nothing could be asked of a warehouse with them.
OUTPUTS = {
    "snowflake": {"account": "none", "user": "none", "password": "none", "database": "raw", "warehouse": "none"},
    "bigquery": {"method": "oauth-secrets", "token": "none", "project": "raw"},
}


# The statements differ by these variables.
WAYS: dict[str, dict[str, Any]] = {"default": {}, "every stream": EVERY_STREAM, "seeds": SEEDS}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Dbt's manifest with the compiled SQL, for each warehouse and way."""
    made = {}
    for name, way in product(OUTPUTS, WAYS):
        output = OUTPUTS[name]
        folder = tmp_path_factory.mktemp(name)
        outputs = {name: {"type": name, "schema": "marts", "threads": 1, **output}}
        profile = {"usertesting": {"target": name, "outputs": outputs}}
        (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")  # JSON is YAML
        dbt = Dbt(folder, {}, requirements="dbt-offline")
        command = ["dbt", "compile", "--profiles-dir", str(folder), "--no-introspect", "--no-populate-cache"]
        dbt.run(with_vars(command, WAYS[way]))
        made[name, way] = folder / "target" / "manifest.json"
    return made


@cache
def _environment() -> Path:
    """The environment with fakesnow and the SQL parser that comes with it."""
    return install("snowflake", requirements_in(ROOT / "tests" / "e2e" / "requirements" / "snowflake.txt"))


def ask(program: str, *arguments: object) -> Any:  # noqa: ANN401 - what the program prints
    """Run a program of this folder in that environment and return its answer."""
    command = [str(_environment() / "python"), "-m", f"tests.e2e.dbt.{program}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("warehouse", OUTPUTS)
@pytest.mark.parametrize("way", WAYS)
def test_every_statement_is_of_the_dialect_and_asks_for_columns_that_exist(
    manifests: dict[tuple[str, str], Path], warehouse: str, way: str
) -> None:
    """Models, data tests and the analysis: the parser reads each, and finds a table for each column."""
    answer = ask("columns", warehouse, manifests[warehouse, way])
    assert answer["wrong"] == {}
    nodes = json.loads(manifests[warehouse, way].read_text(encoding="utf-8"))["nodes"].values()
    # A test of a model that is switched off stays in the manifest, and depends on nothing.
    read = [node for node in nodes if node["resource_type"] not in {"snapshot", "seed"} and node["depends_on"]["nodes"]]
    assert answer["read"] == len(read)
    assert answer["read"] > len(list(PROJECT.glob("models/*/*.sql")))


@pytest.mark.parametrize("warehouse", OUTPUTS)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("tasks.outcome", "tasks.outcom", id="no such column"),
        pytest.param("select", "select (", id="no SQL"),
    ],
)
def test_a_wrong_statement_would_be_found(
    manifests: dict[tuple[str, str], Path], tmp_path: Path, warehouse: str, right: str, wrong: str
) -> None:
    """The check above is not blind: a slip in one model is named."""
    manifest = json.loads(manifests[warehouse, "default"].read_text(encoding="utf-8"))
    node = manifest["nodes"]["model.usertesting.task_results"]
    assert right in node["compiled_code"]
    node["compiled_code"] = node["compiled_code"].replace(right, wrong, 1)
    spoilt = tmp_path / "manifest.json"
    spoilt.write_text(json.dumps(manifest), encoding="utf-8")
    assert "task_results" in ask("columns", warehouse, spoilt)["wrong"]


def test_macros_are_written_for_each_warehouse(manifests: dict[tuple[str, str], Path]) -> None:
    """What differs between warehouses is their own SQL, not a default that happens to compile."""
    for warehouse, own in (("snowflake", "lateral flatten"), ("bigquery", "json_query_array")):
        nodes = json.loads(manifests[warehouse, "default"].read_text(encoding="utf-8"))["nodes"]
        tasks = nodes["model.usertesting.stg_usertesting__task_responses"]["compiled_code"]
        assert own in tasks
        assert "jsonb" not in tasks


@pytest.fixture(scope="module")
def emulated(
    manifests: dict[tuple[str, str], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Truth]:
    """The marts that an emulation of Snowflake makes of a sync, and what the sandbox served."""
    folder = tmp_path_factory.mktemp("emulated")
    world = demo_world()
    with Sandbox(world, quota=None) as box:
        synced = sync(box.config(), folder)
    assert synced.exit == 0, synced.log
    messages = folder / "messages.jsonl"
    messages.write_bytes(synced.stdout)
    return ask("on_fakesnow", manifests["snowflake", "default"], messages), world.truth()


@pytest.mark.parametrize("mart", ANSWERS)
def test_emulated_snowflake_gives_the_right_answers(emulated: tuple[dict[str, Any], Truth], mart: str) -> None:
    """fakesnow, which runs Snowflake's SQL on DuckDB, makes the marts that Python computes from the truth."""
    marts, truth = emulated
    rows, answers = found.shaped(mart, marts[mart]), ANSWERS[mart](truth)
    if found.KEYS[mart][-1].endswith("_number"):
        rows, answers = without_numbers(mart, rows), without_numbers(mart, answers)
    assert_same(rows, answers)


def without_numbers(mart: str, rows: Rows) -> Rows:
    """Rows by all but places in an array: the INDEX of fakesnow's FLATTEN does not follow the array's order."""
    names = (*found.KEYS[mart], *found.VALUES[mart])
    told = [(*key, *(row if isinstance(row, tuple) else (row,))) for key, row in rows.items()]
    kept = [[value for name, value in zip(names, row, strict=True) if not name.endswith("_number")] for row in told]
    return dict(enumerate(sorted(map(tuple, kept), key=repr)))


def test_emulated_snowflake_has_the_current_scores(emulated: tuple[dict[str, Any], Truth]) -> None:
    """The scores that the snapshot would keep are the vendor's."""
    marts, truth = emulated
    rows = {(row["test_id"], row["task_group_id"]): row for row in marts["qx_score_changes"]}
    held = {key: tuple(row[column] for column in found.QX_VALUES) for key, row in rows.items()}
    assert_same(held, expected.qx_scores(truth))
