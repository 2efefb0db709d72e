"""The pages under docs/ are all found from their index, link to what is there, and name what the code has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from tap_usertesting.ledger.state_keys import KEYS
from tap_usertesting.ledger.tally import Tally
from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.sandbox.admin import ANSWERS, Admin
from tap_usertesting.sandbox.faults import FaultKind
from tap_usertesting.sandbox.feed_options import FeedOptions
from tap_usertesting.singer.status_stream import FAILED, WRITTEN

DOCS = Path(__file__).parents[2] / "docs"
INDEX = DOCS / "README.md"
PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"node_modules", "target", "dbt_packages"} & set(path.parts))


def links(page: Path) -> list[str]:
    """Return the relative targets of a page's links, without their anchors."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link.partition("#")[0] for link in found if "://" not in link and not link.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file of the repository."""
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    """Nothing is written that a reader does not find."""
    listed = {(DOCS / link).resolve() for link in links(INDEX)}
    pages = {path.resolve() for path in DOCS.glob("*.md")} - {INDEX.resolve()}
    assert pages <= listed
    examples = {path.name for path in (DOCS / "examples").iterdir() if path.is_dir()}
    assert examples == {path.relative_to(DOCS / "examples").parts[0] for path in listed if "examples" in path.parts}


def test_the_state_page_names_every_field() -> None:
    """A field of a bookmark is explained, and no other is."""
    table = (
        (DOCS / "state.md").read_text(encoding="utf-8").partition("## What a bookmark means")[2].partition("\n## ")[0]
    )
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {"context", "replication_key", "rows", WRITTEN, FAILED, *KEYS}
    assert {f.name for f in fields(Tally) if f"`{f.name}`" not in table} == {"fates", "is_lost"}


def test_the_sandbox_page_names_all_that_can_be_asked_for() -> None:
    """Every request of the back door, every fault, and every way to answer has its row, and no other."""
    page = (DOCS / "sandbox.md").read_text(encoding="utf-8")
    with Sandbox(World()) as box:
        routes = {f"{method} /_sandbox/{path}" for method, path in Admin(box).routes}
    tables = {title: body for title, _, body in (part.partition("\n") for part in page.split("\n## "))}
    rows = {title: re.findall(r"^\| (`.*?`) \|", body, flags=re.MULTILINE) for title, body in tables.items()}
    named = {title: {name for row in found for name in re.findall(r"`(.*?)`", row)} for title, found in rows.items()}
    assert named["The back door"] == routes
    assert named["Faults"] - {"fault"} == set(get_args(FaultKind))
    assert named["Answers"] == set(ANSWERS)
    assert named["The change feed"] == {one.name for one in fields(FeedOptions)}
