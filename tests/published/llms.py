"""The index of the documentation for programs that read it: `docs/llms.txt`, in the form of llmstxt.org."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RAW = "https://raw.githubusercontent.com/tap-usertesting/tap-usertesting/main/docs"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # as above
    """Of mkdocs.yml, whose names of Python functions are of no interest here."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda _loader, suffix, _node: suffix)


def site() -> dict[str, Any]:
    """mkdocs.yml."""
    found: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Loader)  # noqa: S506 - safe
    return found


def sections() -> Iterator[tuple[str, list[str]]]:
    """The sections of the navigation, with the pages of each."""
    for entry in site()["nav"]:
        [(title, pages)] = entry.items()
        if isinstance(pages, list):
            yield title, [page if isinstance(page, str) else next(iter(page.values())) for page in pages]


def words_of(page: str) -> tuple[str, str]:
    """The title of a page and what the index of docs/ says of it."""
    title = re.search(r"^# (.*)$", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    rows = [line for line in (DOCS / "README.md").read_text(encoding="utf-8").splitlines() if f"]({page})" in line]
    assert rows, f"docs/README.md does not name {page}"
    name = title[1].replace("`", "") if title else Path(page).stem.capitalize()
    return name, rows[0].strip("| ").rpartition(" | ")[2]


def index() -> str:
    """The whole file."""
    lines = [f"# {site()['site_name']}", "", f"> {site()['site_description']}", ""]
    for title, pages in sections():
        lines += [f"## {title}", ""]
        lines += [f"- [{name}]({RAW}/{page}): {said}" for page in pages for name, said in [words_of(page)]]
        lines.append("")
    return "\n".join(lines)
