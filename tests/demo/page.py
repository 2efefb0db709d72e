"""One HTML page with everything in it: charts, the tables they are drawn from, a transcript, the charting library.

What the warehouse holds is foreign text: it is escaped wherever it stands, and the page's own policy lets no script
run but the two that were put into it here, and asks no host for anything.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.demo.charts import Row, Spec

DRAW = """\
"use strict";
const figures = [...document.querySelectorAll("figure[data-spec]")];
Promise.allSettled(figures.map((figure) => {
  const spec = JSON.parse(document.getElementById(figure.dataset.spec).textContent);
  const place = figure.querySelector(".chart");
  // An interpreter instead of compiled expressions: the page's policy forbids code made from text.
  return vegaEmbed(place, spec, {renderer: "svg", actions: false, ast: true}).catch((error) => {
    place.textContent = `This chart could not be drawn: ${error.message}`;
    throw error;
  });
})).then((drawn) => {
  document.documentElement.dataset.drawn = drawn.filter((one) => one.status === "fulfilled").length;
});
"""
STYLE = """\
:root { color-scheme: light dark; --page: #ffffff; --text: #1b2430; --soft: #56637a; --line: #d8dee8; --card: #f6f8fb; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12171f; --text: #e6ebf2; --soft: #9fadc2; --line: #313c4d; --card: #1a212c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 0 0 .25rem; }
p { margin: 0 0 1rem; color: var(--soft); max-width: 46rem; }
section { margin-top: 2rem; padding: 1.25rem; border: 1px solid var(--line); border-radius: .6rem; }
figure { margin: 0; }
.chart { overflow-x: auto; color: var(--text); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin-top: .5rem; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; color: var(--soft); margin-top: .75rem; }
"""
ABOUT = (
    "Invented data of the sandbox, read by tap-usertesting in three syncs, loaded by target-postgres, and selected "
    "from PostgreSQL. Rejected sessions are left out, but for the events that say so."
)
LIGHT_SCHEME_TOOLTIP = "#vg-tooltip-element { color: #1b2430; }"


@dataclass(frozen=True)
class Picture:
    """A chart: its title, what it shows in a sentence, its specification and the rows it is drawn from."""

    title: str
    about: str
    spec: Spec
    rows: Sequence[Row]


def page(*, pictures: Sequence[Picture], transcript: Row, library: str) -> str:
    """Return the whole HTML document.

    `transcript` has `title`, `session_id` and `cues` (`start_ms`, `speaker`, `text`); `library` is the script that
    defines `vegaEmbed`.
    """
    scripts = f"{_hash(library)} {_hash(DRAW)}"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; base-uri 'none'"
    sections = [_section(picture, f"spec-{number}") for number, picture in enumerate(pictures, 1)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>tap-usertesting: what the demo loaded</title>",
            f"<style>\n{STYLE}{LIGHT_SCHEME_TOOLTIP}\n</style>",
            "</head>",
            "<body>",
            "<main>",
            "<h1>What the demo loaded</h1>",
            f"<p>{ABOUT}</p>",
            *sections,
            _transcript(transcript),
            "</main>",
            f"<script>{library}</script>",
            f"<script>{DRAW}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(picture: Picture, spec_id: str) -> str:
    # Ended by no text in it: a script element ends at the first "</script", and a "<!--" changes how it is read.
    spec = json.dumps({**picture.spec, "description": f"{picture.title}. {picture.about}"}).replace("<", "\\u003c")
    return "\n".join(
        [
            "<section>",
            f"<h2>{html.escape(picture.title)}</h2>",
            f"<p>{html.escape(picture.about)}</p>",
            f'<figure data-spec="{spec_id}">',
            '<div class="chart"></div>',
            f"<details><summary>The same as a table</summary>{_table(picture.rows)}</details>",
            "</figure>",
            f'<script type="application/json" id="{spec_id}">{spec}</script>',
            "</section>",
        ]
    )


def _transcript(row: Row) -> str:
    cues = [
        {"time": _clock(cue["start_ms"]), "speaker": cue["speaker"] or "", "what was said": cue["text"]}
        for cue in row["cues"]
    ]
    if not any(cue["speaker"] for cue in cues):
        cues = [{name: value for name, value in cue.items() if name != "speaker"} for cue in cues]
    about = html.escape(f"Session {row['session_id']} of the test '{row['title']}': the transcript with the most cues.")
    return f'<section id="transcript">\n<h2>A transcript</h2>\n<p>{about}</p>\n{_table(cues)}\n</section>'


def _table(rows: Sequence[Row]) -> str:
    """Return rows that have the same columns as a table."""
    if not rows:
        return "<p>No rows.</p>"
    head = "".join(_cell("th", name, like=rows[0][name]) for name in rows[0])
    body = "\n".join(f"<tr>{''.join(_cell('td', value, like=value) for value in row.values())}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _cell(tag: str, value: Any, *, like: Any) -> str:  # noqa: ANN401 - whatever a column holds
    scope = ' scope="col"' if tag == "th" else ""
    number = ' class="number"' if isinstance(like, (int, float)) else ""
    return f"<{tag}{scope}{number}>{'' if value is None else html.escape(str(value))}</{tag}>"


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:02d}:{seconds:02d}"


def _hash(script: str) -> str:
    """Return a script as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
