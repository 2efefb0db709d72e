"""The parts of pages that are generated, and the pages that are generated whole.

`python -m tests.published` writes all of them anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tap_usertesting.doctor.assumptions import ASSUMPTIONS
from tests.e2e.dbt import sources
from tests.published import describing, dictionary, errors, llms, personal, screens

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def assumptions() -> str:
    """The table of what `--doctor` tries, by its declarations."""
    rows = [f"| `{one.name}`: {one.sentence} | {one.otherwise} | {one.advice} |" for one in ASSUMPTIONS]
    return "\n".join(["| assumption | if it is wrong | what to set |", "|---|---|---|", *rows])


# By the page and the name in its markers.
PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("README.md", "streams in short"): describing.streams_in_short,
    ("docs/settings.md", "settings"): describing.settings,
    ("docs/settings.md", "capabilities"): describing.capabilities,
    ("docs/personal-data.md", "personal"): lambda: personal.table().rstrip(),
    ("docs/streams.md", "streams"): describing.streams,
    ("docs/quota.md", "plan"): screens.plan,
    ("docs/quota.md", "summary"): screens.summary,
    ("docs/troubleshooting.md", "errors"): errors.table,
    ("docs/status.md", "assumptions"): assumptions,
}
PAGES: dict[str, Callable[[], str]] = {
    "docs/data-dictionary.md": dictionary.dictionary,
    "docs/entities.md": dictionary.entities,
    "docs/examples/dbt/models/staging/sources.yml": sources.text,
    "docs/llms.txt": llms.index,
}


def marks(name: str) -> tuple[str, str]:
    """The lines around a part."""
    return f"<!-- begin {name} -->\n", f"<!-- end {name} -->"


def part_of(text: str, name: str) -> str:
    """A part as it stands on its page; raises ValueError if the page has no place for it."""
    begin, end = marks(name)
    return text[text.index(begin) + len(begin) : text.index(end)].strip("\n")


def with_part(text: str, name: str, body: str) -> str:
    """A page with one part written anew."""
    begin, end = marks(name)
    return f"{text[: text.index(begin)]}{begin}\n{body}\n\n{text[text.index(end) :]}"


def write() -> None:
    """Write every part and every page anew; the index of the pages last, as it is made of them."""
    for (page, name), body in PARTS.items():
        path = ROOT / page
        path.write_text(with_part(path.read_text(encoding="utf-8"), name, body()), encoding="utf-8")
    for page, whole in PAGES.items():
        (ROOT / page).write_text(whole(), encoding="utf-8")
