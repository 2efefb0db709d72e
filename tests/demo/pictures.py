"""The demo's page: what to show of the warehouse, and where the file goes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo import charts, warehouse
from tests.demo.errors import DemoError
from tests.demo.page import Picture, page

if TYPE_CHECKING:
    from tests.demo.postgres import Database

# `output/` is what git ignores for data that a sync writes.
PAGE = Path(__file__).parents[2] / "output" / "demo.html"
LIBRARY = "vl_convert"


def draw(database: Database) -> Path:
    """Write the page from what the warehouse holds, and return where it is. Raises DemoError."""
    scores, ratings = warehouse.qx_scores(database), warehouse.ratings(database)
    choices, events = warehouse.choices(database), warehouse.events(database)
    pictures = [
        Picture(
            title="QXscore per test",
            about="The score of each task group of a test, and the two parts that make it up (table qx_scores).",
            spec=charts.qx_scores(scores),
            rows=scores,
        ),
        Picture(
            title="Answers: ratings",
            about="How many participants of each test gave which rating (table session_details, column tasks).",
            spec=charts.ratings(ratings),
            rows=ratings,
        ),
        Picture(
            title="Answers: choices",
            about="How many participants took each option, all tests together (table session_details, column tasks).",
            spec=charts.choices(choices),
            rows=choices,
        ),
        Picture(
            title="Change events per day",
            about="What the change feed reported, by type of event (table result_changes).",
            spec=charts.events(events),
            rows=events,
        ),
    ]
    text = page(pictures=pictures, transcript=warehouse.longest_transcript(database), library=library())
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
