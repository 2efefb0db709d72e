"""The demo's page: foreign text cannot become part of it, and its parts say what PostgreSQL holds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.demo import charts, queries, sections
from tests.demo.page import Chart, Figure, Section, page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.demo.postgres import Database

EVIL = '</script><script>alert("1")</script><img src=x onerror=alert(1)>'
COUNTS = ("source_count", "unread", "waiting", "given_up", "left_out")


class Answers:
    """A database that knows the answers of some queries."""

    def __init__(self, answers: dict[str, list[dict[str, Any]]]) -> None:
        """`answers`: rows by query."""
        self._answers = answers

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query that is known."""
        return self._answers[query]


def database(answers: dict[str, list[dict[str, Any]]]) -> Database:
    """Return a stand-in of a database."""
    return cast("Database", Answers(answers))


def test_foreign_text_stays_text() -> None:
    """In a title, a figure, a cell, a chart's data and the SQL alike."""
    rows = [{"what": EVIL, EVIL: EVIL, "pairs": {EVIL: EVIL}, "answers": 3}]
    spec = {"data": {"values": rows}}
    part = Section(
        name="part",
        title=EVIL,
        about=EVIL,
        sql=EVIL,
        rows=rows,
        figures=[Figure(EVIL, EVIL, EVIL)],
        charts=[Chart(EVIL, spec, EVIL)],
    )
    shown = Section(name="shown", title="t", about="a", sql="s", rows=rows, table=rows)
    made = page(title=EVIL, about=EVIL, sections=[part, shown], library="window.vegaEmbed = () => {};")
    assert "<img" not in made
    assert made.count("<script") == 3  # the chart's data, the library, what draws
    [data] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', made)
    assert json.loads(data)["data"]["values"] == rows
    tables = 2 * 6  # heading, badge, the name and the value of a cell, a pair
    assert made.count("&lt;img src=x") == tables + 2 + 1 + 3 + 3 + 2  # title, about, section, figure, chart


def test_the_policy_lets_in_only_the_two_scripts() -> None:
    """Even a script that got in would not run: the page names the hashes of those that may."""
    made = page(title="t", about="a", sections=[], library="1;")
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', made)
    assert policy.startswith("default-src 'none'")
    assert policy.count("sha256-") == 2
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy


def encodings(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each encoding of x in a chart and its layers."""
    for part in (spec, *spec["layer"]):
        if "x" in part.get("encoding", {}):
            yield part["encoding"]["x"]


def test_labels_of_days_stand_where_their_bars_are() -> None:
    """A layer with an x of its own has the time unit and the scale of the bars."""
    rows = [{"type": "UPDATED", "day": f"2026-01-{day:02d}", "events": day} for day in (3, 4, 9)]
    found = list(encodings(charts.events(rows, days=("2025-12-20", "2026-01-15"), most=12)))
    assert len(found) == 2
    for x in found:
        assert (x["field"], x["type"], x["timeUnit"]) == ("day", "temporal", "utcyearmonthdate")
        first, last = x["scale"]["domain"]
        assert (first["year"], first["month"], first["date"]) == (2025, 12, 20)
        assert (last["year"], last["month"], last["date"]) == (2026, 1, 16)  # the end of the last day


def test_without_sync_status_nobody_says_whether_something_is_missing() -> None:
    """The part is left out, and the table is not asked."""
    assert sections.missing(database({queries.HAS_STATUS: []})) is None


@pytest.mark.parametrize(("rows", "short"), [(5, 0), (4, 1)])
def test_what_is_missing_is_shown(rows: int, short: int) -> None:
    """What does not add up is counted and named."""
    status: dict[str, Any] = {"test": "A test", "stream": "sessions", "status": "complete", **dict.fromkeys(COUNTS, 1)}
    status |= {"source_count": 9, "expected": 5, "rows": rows}
    whole = {**status, "stream": "transcripts", "rows": 5}
    known: dict[str, list[dict[str, Any]]] = {queries.HAS_STATUS: [{"found": 1}], queries.MISSING: [status, whole]}
    part = sections.missing(database(known))
    assert part is not None
    assert (part.figures[0].value, part.figures[0].note) == (str(short), "of 2 pairs of a test and a stream")
    assert [row["stream"] for row in part.table] == ["sessions"] * short


@pytest.mark.parametrize("before", [None, {"cues": 3}])
def test_a_row_that_was_not_there_is_said_to_be_none(before: dict[str, Any] | None) -> None:
    """The columns that changed stand side by side."""
    row = {"what": "new", "test": "A test", "session": "0123456789", "table": "transcripts", "before": before}
    part = sections.changes(database({queries.CHANGES: [{**row, "after": {"cues": 7}}]}))
    [shown] = part.table
    assert (shown["before"], shown["after"]) == (before or "no row", {"cues": 7})
    assert shown["test"] == "A test, session 01234567"
