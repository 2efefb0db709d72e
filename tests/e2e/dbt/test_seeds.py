"""The seeds, without a tap: the same marts on PostgreSQL and on DuckDB, in this project and in one that installs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tap_usertesting.streams.catalog import STREAMS
from tests.e2e.dbt import found, seeds
from tests.e2e.dbt.comparison import ANSWERS, assert_same
from tests.e2e.dbt.project import (
    BUILD,
    EVERY_STREAM,
    MARTS,
    PROJECT,
    SEEDS,
    Dbt,
    commands_of_the_readme,
    on_duckdb,
    on_postgres,
    section,
    with_vars,
)
from tests.support.environments import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.database import Server
    from tests.e2e.dbt.expected import Truth

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

Held = dict[str, dict[str, list[dict[str, Any]]]]
WAYS: dict[str, dict[str, Any]] = {"taken apart": {}, "every stream": EVERY_STREAM}
UNIT_TESTS = {
    "a_cue_belongs_to_the_task_in_whose_time_it_begins",
    "an_answer_of_unknown_shape_is_one_row",
    "no_list_need_be_known",
    "the_places_in_an_answer_are_yours_to_name",
}


@cache
def truth() -> Truth:
    """What the seeds are to tell of."""
    return seeds.synced()[1]


def held_by(dbt: Dbt) -> Held:
    """Every row in the DuckDB file of a project, by schema and table."""
    command = [str(dbt.programs / "python"), "-m", "tests.e2e.dbt.in_duckdb", dbt.env["DBT_DUCKDB_PATH"]]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    held: Held = json.loads(done.stdout)
    return held


def assert_true(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Assert that every mart is what Python computes from what the sandbox served when the seeds were made."""
    for mart, answers in ANSWERS.items():
        assert_same(found.shaped(mart, tables[mart]), answers(truth()))


@pytest.mark.parametrize("way", WAYS)
def test_seeds_on_duckdb(tmp_path: Path, way: str) -> None:
    """As the README says; models, data tests and unit tests pass."""
    dbt = on_duckdb(tmp_path)
    before = set(PROJECT.rglob("*"))
    dbt.run(with_vars(BUILD, {**SEEDS, **WAYS[way]}))
    statuses = dbt.results()
    assert set(statuses.values()) == {"success", "pass"}
    assert {node.rpartition(".")[2] for node in statuses if node.startswith("unit_test.")} == UNIT_TESTS
    held = held_by(dbt)
    assert held.keys() == {MARTS}
    assert_true(held[MARTS])
    assert set(PROJECT.rglob("*")) == before


@pytest.mark.parametrize("way", WAYS)
def test_seeds_on_postgres(postgres_server: Server, tmp_path: Path, way: str) -> None:
    """The same on PostgreSQL."""
    database = postgres_server.database()
    dbt = on_postgres(database, tmp_path)
    dbt.run(with_vars(BUILD, {**SEEDS, **WAYS[way]}))
    statuses = dbt.results()
    assert set(statuses.values()) == {"success", "pass"}
    assert {node.rpartition(".")[2] for node in statuses if node.startswith("unit_test.")} == UNIT_TESTS
    assert_true({mart: found.every_row(database, mart) for mart in ANSWERS})


def test_the_seeds_hold_what_the_marts_are_about() -> None:
    """A comparison is no stronger than its data: some of everything is there."""
    told = truth()
    assert told["rejected"]
    by_task = ANSWERS["transcript_by_task"](told)
    assert {None, 1, 2} <= {row[1] for row in by_task.values()}
    outcomes = {row[3] for row in ANSWERS["task_results"](told).values()}
    assert outcomes == {"answered", "skipped", "none"}
    answers = ANSWERS["answers"](told)
    assert {row[1] for row in answers.values()} >= {"MULTIPLE_CHOICE", "RANK_ORDER", "MATRIX", "WRITTEN", "FIGMA"}
    assert any(row[1] == "MULTIPLE_CHOICE" and place > 1 for (_, _, place), row in answers.items())


def test_commands_of_the_readme_run(tmp_path: Path) -> None:
    """Those of the section on seeds, one after the other."""
    dbt = on_duckdb(tmp_path)
    dbt.env.pop("DBT_TARGET")  # the commands name the target themselves
    for command in commands_of_the_readme("Try it without a tap"):
        assert dbt.run(command)


def test_seeds_are_off_unless_asked_for(tmp_path: Path) -> None:
    """No build of a user's writes invented people beside their data; the tables that all have are read."""
    kinds = [option for kind in ("seed", "source") for option in ("--resource-type", kind)]
    listed = on_duckdb(tmp_path).run(["dbt", "ls", "--profiles-dir", ".", "--output", "json", "--quiet", *kinds])
    nodes = [json.loads(line) for line in listed.splitlines()]
    optional = {name.removeprefix("usertesting_has_") for name in EVERY_STREAM}
    assert {node["resource_type"] for node in nodes} == {"source"}
    assert {node["name"] for node in nodes} == {stream.name for stream in STREAMS} - optional


# Installed


@pytest.fixture
def consumer(tmp_path: Path) -> Dbt:
    """A project with a name, a profile and a model of its own, that has what the README says in its files."""
    folder = tmp_path / "consumer"
    (folder / "models").mkdir(parents=True)
    settings, *_ = (block for block in blocks_of_yaml("Add it to your project") if "models" in block)
    project = {"name": "ours", "config-version": 2, "profile": "ours", "model-paths": ["models"]}
    output = {"type": "duckdb", "path": "{{ env_var('DBT_DUCKDB_PATH') }}", "schema": "analytics", "threads": 1}
    files = {
        "dbt_project.yml": json.dumps({**project, **settings}),
        "profiles.yml": json.dumps({"ours": {"target": "dev", "outputs": {"dev": output}}}),
        "models/participants_per_test.sql": "select test_id, count(*) as n from {{ ref('participants') }} group by 1",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Dbt(tmp_path, {"DBT_DUCKDB_PATH": str(tmp_path / "usertesting.duckdb")}, project=folder)


def blocks_of_yaml(title: str) -> list[dict[str, Any]]:
    """What a section of the README tells its readers to write into files."""
    blocks = section(title).split("```yaml\n")[1:]
    return [yaml.safe_load(block.partition("```")[0]) for block in blocks]


def repository(folder: Path) -> str:
    """Make a repository that has the package where the tap's has it, and return its address."""
    shutil.copytree(PROJECT, folder / PROJECT.relative_to(ROOT))
    author = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    for command in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "--quiet", "-m", "All")):
        subprocess.run(["git", *author, *command], cwd=folder, check=True)
    return folder.as_uri()


@pytest.mark.parametrize("kind", ["local", "git"])
def test_another_project_installs_the_package(consumer: Dbt, tmp_path: Path, kind: str) -> None:
    """By `packages.yml` of the README: built with the project's own profile, into the schemas that its files name."""
    packages, *_ = (block for block in blocks_of_yaml("Add it to your project") if "packages" in block)
    (package,) = packages["packages"]
    assert package["subdirectory"] == str(PROJECT.relative_to(ROOT))
    named = {"local": str(PROJECT)} if kind == "local" else {**package, "git": repository(tmp_path / "tap")}
    (consumer.project / "packages.yml").write_text(json.dumps({"packages": [named]}), encoding="utf-8")
    install, build = commands_of_the_readme("Add it to your project")
    consumer.run(install)
    consumer.run(with_vars(build, SEEDS))
    statuses = consumer.results()
    assert set(statuses.values()) == {"success", "pass"}
    assert all(node.split(".")[1] == "usertesting" for node in statuses)
    consumer.run(with_vars(["dbt", "run", "--select", "participants_per_test"], SEEDS))
    held = held_by(consumer)
    assert held.keys() == {"analytics", "analytics_usertesting"}
    assert held["analytics"].keys() == {"participants_per_test"}
    assert_true(held["analytics_usertesting"])
    assert sum(row["n"] for row in held["analytics"]["participants_per_test"]) == len(truth()["details"])


def test_streams_that_are_not_selected_can_be_left_out(consumer: Dbt) -> None:
    """What the README says to disable is enough: no model or test still asks for the table."""
    (consumer.project / "packages.yml").write_text(
        json.dumps({"packages": [{"local": str(PROJECT)}]}), encoding="utf-8"
    )
    path = consumer.project / "dbt_project.yml"
    settings = json.loads(path.read_text(encoding="utf-8"))
    off = {"+enabled": False}
    settings["models"]["usertesting"] |= {
        "staging": {"stg_usertesting__result_changes": off},
        "marts": {"session_funnel": off, "session_milestones": off},
    }
    path.write_text(json.dumps(settings), encoding="utf-8")
    consumer.run(["dbt", "deps"])
    consumer.run(with_vars(["dbt", "build"], SEEDS))
    tables = held_by(consumer)["analytics_usertesting"]
    assert "participants" in tables
    assert not tables.keys() & {"stg_usertesting__result_changes", "session_funnel", "session_milestones"}


def test_variables_of_one_package_reach_it(consumer: Dbt) -> None:
    """A project may set them for all or for the package alone."""
    (consumer.project / "packages.yml").write_text(
        json.dumps({"packages": [{"local": str(PROJECT)}]}), encoding="utf-8"
    )
    path = consumer.project / "dbt_project.yml"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["vars"] = {"usertesting": {**SEEDS, "usertesting_demographics": ["GENDER"]}}
    path.write_text(json.dumps(settings), encoding="utf-8")
    consumer.run(["dbt", "deps"])
    consumer.run(["dbt", "seed"])
    consumer.run(["dbt", "run", "--select", "+participants"])
    (row, *_) = held_by(consumer)["analytics_usertesting"]["participants"]
    assert "gender" in row
    assert "age_group" not in row
