"""Pages of Markdown as a reader follows them: sections, anchors, links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
# Not what dbt leaves behind where the example is run in place.
PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"target", "dbt_packages"} & set(path.parts))


def without_code(text: str) -> str:
    """A page without its blocks of code, in which a bracket is no link and a hash no heading."""
    return re.sub(r"^\s*```.*?^\s*```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchor_of(heading: str) -> str:
    """What a link to a heading says behind the hash."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """The anchors of a page."""
    titles = re.findall(r"^#+ (.*)$", without_code(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {anchor_of(title) for title in titles}


def section(text: str, heading: str) -> str:
    """The text under a heading of the second level."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def links(page: Path) -> list[str]:
    """The relative links of a page."""
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8")))
    return [link for link in found if "://" not in link]
