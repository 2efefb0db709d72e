"""The index page: ``index.py`` as one HTML document, without scripts or external resources."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_usertesting.sandbox.requests_and_replies import Json

# A click on a command selects all of it.
_STYLE = """\
:root { color-scheme: light dark; --page: #ffffff; --text: #1b2430; --soft: #56637a; --line: #d8dee8; --card: #f3f5f9;
  --link: #0b57c2; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12171f; --text: #e6ebf2; --soft: #a3b0c4; --line: #313c4d; --card: #1c2430; --link: #8db8ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 64rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3, h3 code { font-size: 1rem; }
h3 { margin: 1.25rem 0 0; }
p { margin: 0 0 .5rem; max-width: 46rem; }
a { color: var(--link); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0; width: 100%; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { margin: .25rem 0; padding: .5rem .75rem; white-space: pre-wrap; background: var(--card); user-select: all;
  border: 1px solid var(--line); border-radius: .4rem; }
summary { cursor: pointer; color: var(--link); }
/* Too narrow for columns: each cell follows the name of its column. */
@media (max-width: 44rem) {
  th { display: none; }
  tr, td { display: block; border: 0; padding: 0; }
  td.number { display: inline-block; margin-right: .8rem; }
  tr { border-bottom: 1px solid var(--line); padding: .4rem 0; }
  td + td::before { content: attr(data-head) ": "; color: var(--soft); }
}
"""
_ABOUT = (
    "A local stand-in for the UserTesting Results API, the legacy API and the change feed, at {url}. "
    "All data is invented."
)
_HOW = "The commands are for a POSIX shell. Click a command to select it."
_COUNTS = {
    "Sessions": "sessions",
    "Transcripts": "transcripts",
    "Awaiting transcript": "awaiting_transcript",
    "Rejected": "rejected",
    "Changes": "changes",
}
_SECTIONS = (("connect", "Connect the tap"), ("serves", "What it serves"), ("truth", "Expected rows of each table"))


def page(told: Json) -> str:
    """Return the document."""
    url = escape(told["url"])
    options = [(group["path"].rpartition("/")[2], group["title"]) for group in told["commands"]]
    links = [*_SECTIONS, *options, ("requests", "Inspect and reset")]
    nav = "".join(f'<a href="#{escape(name)}">{escape(title)}</a>' for name, title in links)
    body = "".join(
        (
            f"<h1>UserTesting sandbox</h1><p>{_ABOUT.format(url=url)} {_quota(told['quota'])} {_HOW}</p>",
            f"<nav>{nav}</nav>",
            _connect(told),
            _serves(told),
            _truth(told),
            *(_group(told, group) for group in told["commands"]),
            _requests(told),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>UserTesting sandbox</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Or browsers ask for /favicon.ico, which would stand in the call log.
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body>{body}</body></html>\n'
    )


def _quota(rule: Json | None) -> str:
    if rule is None:
        return "There is no quota."
    return f"The quota of the Results API is {rule['limit']} calls in {rule['window']:g} seconds."


def _connect(told: Json) -> str:
    read_settings = f"curl -sS {told['url']}/_sandbox/settings > config.json"
    return "".join(
        (
            _heading(*_SECTIONS[0]),
            "<p>Paste these lines into a terminal, then run the tap there:</p>",
            _command("\n".join(told["settings"])),
            _command("tap-usertesting --config=ENV > records.jsonl"),
            "<p>Or with a config file:</p>",
            _command(read_settings),
            _command("tap-usertesting --config config.json > records.jsonl"),
        )
    )


def _serves(told: Json) -> str:
    tests = [
        [
            f"{escape(test['title'])}<br><code>{escape(test['test_id'])}</code>{_served_by(test)}",
            f"<code>{escape(test['product_type'])}</code>",
            *(str(test[name]) for name in _COUNTS.values()),
        ]
        for test in told["tests"]
    ]
    calls = "".join(
        f"<h3><code>{escape(one['method'])} {escape(one['path'])}</code></h3>"
        f"<p>{_text(one['says'])} <span class=soft>Kind of call: <code>{escape(one['kind'])}</code></span></p>"
        + (
            _command(one["example"])
            if one["example"]
            else "<p class=soft>The sandbox has no data for this endpoint.</p>"
        )
        for one in ({**endpoint, "says": endpoint["serves"]} for endpoint in told["endpoints"])
    )
    return (
        f"{_heading(*_SECTIONS[1])}{_table(['Test', 'Product type', *_COUNTS], tests, numbers=len(_COUNTS))}"
        "<h3>Endpoints</h3><p>The commands contain a token that was issued for this page. When it expires, reload the "
        f"page. Calls to the Results API count against the quota.</p><details><summary>{len(told['endpoints'])} "
        f"endpoints, each with a call to paste</summary>{calls}</details>"
    )


def _served_by(test: Json) -> str:
    """Return which APIs serve a test, unless all do."""
    lacking = [api for api in ("Results API", "change feed") if api not in test["served_by"]]
    return f"<br><span class=soft>Not in the {' or the '.join(lacking)}</span>" if lacking else ""


def _truth(told: Json) -> str:
    rows = [
        [
            f"<code>{escape(one['table'])}</code>",
            _text(one["row"]),
            f"<code>{escape(one['truth'])}</code>",
            str(one["rows"]),
        ]
        for one in told["tables"]
    ]
    link = escape(told["truth"])
    return (
        f"{_heading(*_SECTIONS[2])}<p>A complete warehouse has these rows now, not counting rows marked as deleted. "
        f'Their contents are at <a href="{link}">{link}</a>, under the name in the column Truth.</p>'
        f"{_table(['Table', 'One row per', 'Truth', 'Rows'], rows, numbers=1)}"
    )


def _group(told: Json, group: Json) -> str:
    """Return the commands of a path, under the fields that they show."""
    parts = [_heading(group["path"].rpartition("/")[2], group["title"]), f"<p>{_text(group['says'])}</p>"]
    for field in group["fields"]:
        allowed = f"Allowed: {field['allowed']}. " + (
            f"Default: {json.dumps(field['default'])}." if "default" in field else "Required."
        )
        parts.append(f"<h3><code>{escape(field['name'])}</code></h3><p>{_text(field['says'])}</p>")
        if field["name"] == "kind" and group["path"].endswith("faults"):
            kinds = [[f"<code>{escape(kind)}</code>", _text(says)] for kind, says in told["call_kinds"].items()]
            parts.append(_table(["Kind", "Which calls"], kinds))
            allowed = "Required."
        parts.append(f"<p class=soft>{escape(allowed)}</p>")
        for one in group["commands"]:
            if one["field"] == field["name"]:
                parts.append("" if one["says"] == field["says"] else f"<p>{_text(one['says'])}</p>")
                parts.append(_command(one["curl"]))
    return "".join(parts)


def _requests(told: Json) -> str:
    shown = "".join(
        f"<h3><code>{escape(one['method'])} {escape(one['path'])}</code></h3><p>{_text(one['says'])}</p>"
        + _command(one["curl"])
        for one in told["requests"]
        if one["curl"] is not None
    )
    return f"{_heading('requests', 'Inspect and reset')}{shown}"


def _heading(name: str, title: str) -> str:
    return f'<h2 id="{escape(name)}">{escape(title)}</h2>'


def _command(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _text(words: str) -> str:
    """Return a sentence as HTML, with its names as code."""
    sentence = words[:1].upper() + words[1:]
    marked = re.sub(r"``(.+?)``", r"<code>\1</code>", escape(sentence))
    return marked if marked.endswith(".") else f"{marked}."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return a table. The last ``numbers`` columns are numbers; cells are HTML already."""
    marks = ["" if place < len(heads) - numbers else " class=number" for place in range(len(heads))]
    top = "".join(f"<th{mark}>{escape(head)}</th>" for mark, head in zip(marks, heads, strict=True))
    lines = [
        "".join(
            f'<td{mark} data-head="{escape(head)}">{cell}</td>'
            for mark, head, cell in zip(marks, heads, cells, strict=True)
        )
        for cells in rows
    ]
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
