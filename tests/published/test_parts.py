"""What is generated is current; if not: `python -m tests.published`."""

from __future__ import annotations

import re

import pytest

from tests.published.errors import ERRORS, Error, anonymous, row
from tests.published.parts import DOCS, PAGES, PARTS, ROOT, part_of

TABLE_OF_ERRORS = ("docs/troubleshooting.md", "errors")


@pytest.mark.parametrize(("page", "name"), [key for key in PARTS if key != TABLE_OF_ERRORS])
def test_part_is_current(page: str, name: str) -> None:
    """It is what the code says today."""
    assert part_of((ROOT / page).read_text(encoding="utf-8"), name) == PARTS[page, name]()


@pytest.mark.parametrize("page", PAGES)
def test_page_is_current(page: str) -> None:
    """It is what schemas and navigation say today."""
    assert (ROOT / page).read_text(encoding="utf-8") == PAGES[page]()


def quoted_errors() -> list[str]:
    """The rows of the table of errors, without what differs from run to run."""
    page, name = TABLE_OF_ERRORS
    rows = part_of((ROOT / page).read_text(encoding="utf-8"), name).splitlines()[2:]
    return [anonymous(line) for line in rows]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name)
def test_quoted_error_is_the_real_one(error: Error) -> None:
    """A user who searches the page for the line on the screen finds it."""
    assert anonymous(row(error.line(), error.advice)) in quoted_errors()


def test_no_error_is_quoted_that_is_not_caused() -> None:
    """One row per error."""
    assert len(quoted_errors()) == len(ERRORS)


def test_no_page_has_a_part_that_nobody_writes() -> None:
    """Each marker belongs to a part, and stands once."""
    for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))):
        names = re.findall(r"^<!-- begin (.*) -->$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        page = path.relative_to(ROOT).as_posix()
        assert sorted(names) == sorted(name for found, name in PARTS if found == page)
