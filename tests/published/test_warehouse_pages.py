"""The page of each warehouse recommends what meltano.yml has, which the tests load."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tests.published.pages import DOCS, ROOT

PAGES = {
    "postgresql.md": "target-postgres",
    "snowflake.md": "target-snowflake",
    "bigquery.md": "target-bigquery",
    "duckdb.md": "target-duckdb",
    "files.md": "target-jsonl",
}
NAMES_OF_SCHEMAS = {"default_target_schema", "filepath"}


def loader_of(text: str, name: str) -> dict[str, Any]:
    """The loader of this name in the first block of YAML that has it."""
    for block in re.findall(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for loader in yaml.safe_load(block)["loaders"]:
            if loader["name"] == name:
                return dict(loader)
    raise AssertionError(f"no block of YAML has {name}")


@pytest.mark.parametrize(("page", "name"), PAGES.items(), ids=PAGES)
def test_a_page_shows_the_loader_of_meltano_yml(page: str, name: str) -> None:
    """The same package, in the same versions, with the same values of what it sets."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    [loader] = [one for one in project["plugins"]["loaders"] if one["name"] == name]
    values = {one["name"]: one["value"] for one in loader["settings"] if "value" in one} | loader.get("config", {})
    text = (DOCS / page).read_text(encoding="utf-8")
    shown = loader_of(text, name)
    assert shown["pip_url"] == loader["pip_url"]
    assert shown.get("python") == loader.get("python")
    own = shown["config"].keys() - NAMES_OF_SCHEMAS
    assert {key: shown["config"][key] for key in own} == {key: values[key] for key in own}
    assert loader.get("config", {}).keys() <= shown["config"].keys()


@pytest.mark.parametrize("page", [page for page in PAGES if page != "files.md"])
def test_a_page_says_why(page: str) -> None:
    """Each value that is set to keep rows right stands in the table below."""
    text = (DOCS / page).read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)", "".join(re.findall(r"^\| (`.*?) \|", text, flags=re.MULTILINE))))
    assert loader_of(text, PAGES[page])["config"].keys() - NAMES_OF_SCHEMAS <= explained
