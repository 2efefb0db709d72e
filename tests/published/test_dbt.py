"""What can be checked of the dbt package without dbt: files that are written from others, names, variables."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tap_usertesting.streams.catalog import STREAMS
from tests.e2e.dbt import seeds, sources
from tests.e2e.dbt.project import PROJECT, README, section

NAMES = [stream.name for stream in STREAMS]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """dbt_project.yml."""
    found: dict[str, Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    return found


@pytest.mark.timeout(300)
def test_seeds_are_what_the_tap_writes_now() -> None:
    """`python -m tests.published` writes them; a column, a value or an order that has changed shows here."""
    files = {path.name: path.read_text(encoding="utf-8") for path in seeds.FOLDER.iterdir()}
    assert files == seeds.files()


@pytest.mark.parametrize("stream", NAMES)
def test_seeds_have_the_columns_of_the_schemas(stream: str) -> None:
    """Exactly these, and rows below them."""
    with (seeds.FOLDER / f"{seeds.PREFIX}{stream}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(seeds.schema_of(stream)["properties"])
    assert rows
    assert {len(row) for row in rows} == {len(header)}


def test_every_stream_has_staging() -> None:
    """One model of its name for each, beside those of what is nested."""
    models = {path.stem.removeprefix("stg_usertesting__") for path in (PROJECT / "models/staging").glob("*.sql")}
    assert models >= set(NAMES)


def test_no_model_has_the_name_of_a_table() -> None:
    """Dbt replaces a table that has the name of a model, so with one schema for both the tap's would be lost."""
    folders = ("models", "seeds", "snapshots", "analyses")
    made = {path.stem for folder in folders for path in (PROJECT / folder).rglob("*.*")}
    assert len(made) > len(NAMES)
    assert not made & set(NAMES)


def test_variables_are_the_packages_own_and_explained(project: dict[str, Any]) -> None:
    """Each begins with the package's name, is used, and stands in the README; none is used that is not there."""
    variables = project["vars"]
    assert all(name.startswith("usertesting_") for name in variables)
    text = "".join(
        path.read_text(encoding="utf-8") for suffix in ("sql", "yml") for path in PROJECT.glob(f"*/**/*.{suffix}")
    )
    assert set(re.findall(r"""var\(["'](\w+)["']\)""", text)) == variables.keys()
    assert re.findall(r"^\| `(\w+)` \|", section("Variables"), flags=re.MULTILINE) == list(variables)
    switches = {name.removeprefix("usertesting_has_") for name in variables if "_has_" in name}
    assert switches == sources.OPTIONAL


def test_the_defaults_of_answers_in_the_readme_are_those_of_the_project(project: dict[str, Any]) -> None:
    """The README shows them to be copied and changed."""
    shown = yaml.safe_load(section("Answers").partition("```yaml\n")[2].partition("```")[0])
    assert shown["vars"] == {name: project["vars"][name] for name in shown["vars"]}
    assert len(shown["vars"]) == 2


def test_every_mart_is_in_the_readme() -> None:
    """The table at the top."""
    table = README.read_text(encoding="utf-8").partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert sorted(named) == sorted(path.stem for path in (PROJECT / "models/marts").glob("*.sql"))
