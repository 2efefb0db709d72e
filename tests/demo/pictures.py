"""The demo's page: which parts it has, and where the file goes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo import sections
from tests.demo.errors import DemoError
from tests.demo.page import page

if TYPE_CHECKING:
    from tap_usertesting.sandbox import QuotaRule
    from tests.demo.page import Section
    from tests.demo.postgres import Database

# `output/` is what git ignores for data that a sync writes.
PAGE = Path(__file__).parents[2] / "output" / "demo.html"
LIBRARY = "vl_convert"
TITLE = "What three syncs loaded"
ABOUT = (
    "Invented data of the sandbox, read by tap-usertesting, loaded by target-postgres, and selected from PostgreSQL. "
    "Each part shows its SQL."
)


def draw(database: Database, *, changes: Section, rule: QuotaRule) -> Path:
    """Write the page from what the warehouse holds, and return where it is. Raises DemoError.

    `changes`: the part about the second sync, which is made when it has ended.
    """
    parts = [
        sections.figures(database),
        changes,
        sections.missing(database),
        sections.windows(database, rule),
        sections.qx_scores(database),
        sections.ratings(database),
        sections.choices(database),
        sections.events(database),
        sections.transcript(database),
    ]
    text = page(title=TITLE, about=ABOUT, sections=[part for part in parts if part is not None], library=library())
    try:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DemoError(f"the page with the pictures could not be written: {error}") from None
    return PAGE


def library() -> str:
    """Return the script of Vega-Lite with all it needs, as `window.vegaEmbed`. Raises DemoError."""
    try:
        bundler = importlib.import_module(LIBRARY)
    except ModuleNotFoundError:
        raise DemoError(f"the package {LIBRARY} is not installed; run: make demo") from None
    script: str = bundler.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script
