"""One HTML page with everything in it: figures, tables, charts, the SQL behind each, and the charting library.

What the warehouse holds is foreign text: it is escaped wherever it stands, and the page's own policy lets no script
run but the two that were put into it here, and asks no host for anything.
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.demo.style import DRAW, STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.demo.charts import Row, Spec

FEW = 3  # columns that stay side by side on a narrow page
BADGES = {"new": "new", "removed": "removed", "late transcript": "late"}


@dataclass(frozen=True)
class Figure:
    """A number that matters, what it counts, and a remark."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart: what it is of, a remark, and its specification."""

    title: str
    spec: Spec
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    name: its id.
    sql: the query whose result `rows` is.
    table: the rows to show as a table; without it, `rows` can be unfolded below figures and charts.
    wide: each chart takes the whole width.
    """

    name: str
    title: str
    about: str
    sql: str
    rows: Sequence[Row]
    table: Sequence[Row] = ()
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = field(default=())
    wide: bool = False


def page(*, title: str, about: str, sections: Sequence[Section], library: str) -> str:
    """Return the whole HTML document; `library` is the script that defines `vegaEmbed`."""
    scripts = f"{_hash(library)} {_hash(DRAW)}"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; base-uri 'none'"
    numbers = itertools.count(1)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title>",
            f"<style>\n{STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{html.escape(title)}</h1>",
            f"<p>{html.escape(about)}</p>",
            *(_section(section, numbers) for section in sections),
            "</main>",
            f"<script>{library}</script>",
            f"<script>{DRAW}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(section: Section, numbers: Iterator[int]) -> str:
    parts = [f'<section id="{section.name}">', f"<h2>{html.escape(section.title)}</h2>"]
    parts.append(f"<p>{html.escape(section.about)}</p>")
    if section.figures:
        parts.append(f'<ul class="figures">{"".join(map(_figure, section.figures))}</ul>')
    if section.table:
        parts.append(_table(section.table, style="cards" if len(section.table[0]) > FEW else "plain"))
    if section.charts:
        charts = "\n".join(_chart(chart, f"spec-{next(numbers)}") for chart in section.charts)
        parts.append(f'<div class="charts{" wide" if section.wide else ""}">\n{charts}\n</div>')
    parts.append(f"<details><summary>SQL</summary><pre>{html.escape(section.sql)}</pre></details>")
    if not section.table:
        folded = f'<div class="scroll">{_table(section.rows)}</div>'
        parts.append(f"<details><summary>Its result as a table</summary>{folded}</details>")
    return "\n".join([*parts, "</section>"])


def _figure(figure: Figure) -> str:
    note = f"<small>{html.escape(figure.note)}</small>" if figure.note else ""
    return f"<li><strong>{html.escape(figure.value)}</strong><span>{html.escape(figure.name)}</span>{note}</li>"


def _chart(chart: Chart, spec_id: str) -> str:
    # Ended by no text in it: a script element ends at the first "</script", and a "<!--" changes how it is read.
    spec = json.dumps({**chart.spec, "description": f"{chart.title}. {chart.note}"}).replace("<", "\\u003c")
    note = f"<small>{html.escape(chart.note)}</small>" if chart.note else ""
    return "\n".join(
        [
            f"<figure><figcaption><h3>{html.escape(chart.title)}</h3>{note}</figcaption>",
            f'<div class="chart" data-spec="{spec_id}"></div></figure>',
            f'<script type="application/json" id="{spec_id}">{spec}</script>',
        ]
    )


def _table(rows: Sequence[Row], *, style: str = "plain") -> str:
    """Return rows that have the same columns as a table."""
    if not rows:
        return "<p>No rows.</p>"
    head = "".join(f'<th scope="col"{_number(value)}>{html.escape(name)}</th>' for name, value in rows[0].items())
    body = "\n".join(f"<tr>{''.join(_cell(name, value) for name, value in row.items())}</tr>" for row in rows)
    return f'<table class="{style}">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'


def _cell(name: str, value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    if name == "what":
        return f'<td><span class="badge {BADGES.get(value, "")}">{html.escape(str(value))}</span></td>'
    if value is None:
        shown = '<span class="none">—</span>'
    elif isinstance(value, dict):
        pairs = (f"<dt>{html.escape(key)}</dt><dd>{html.escape(str(each))}</dd>" for key, each in value.items())
        shown = f"<dl>{''.join(pairs)}</dl>"
    else:
        shown = html.escape(str(value))
    return f'<td data-name="{html.escape(name)}"{_number(value)}>{shown}</td>'


def _number(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    return ' class="number"' if isinstance(value, (int, float)) else ""


def _hash(script: str) -> str:
    """Return a script as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
