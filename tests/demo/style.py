"""The style sheet of the demo's page, and the script that draws its charts."""

from __future__ import annotations

DRAW = """\
"use strict";
const places = [...document.querySelectorAll(".chart[data-spec]")];
Promise.allSettled(places.map((place) => {
  const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
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
:root { color-scheme: light dark; --page: #ffffff; --text: #1b2430; --soft: #56637a; --line: #d8dee8; --card: #f4f6fa;
  --good: #17683b; --bad: #a32929; --note: #1d57a5; --late: #7a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12171f; --text: #e6ebf2; --soft: #9fadc2; --line: #313c4d; --card: #1a212c;
    --good: #6fd39b; --bad: #ff9a94; --note: #8fbcff; --late: #eab968; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 0 0 .25rem; }
h3 { font-size: .95rem; line-height: 1.35; margin: 0; }
p { margin: 0 0 1rem; color: var(--soft); max-width: 46rem; }
section { margin-top: 1.5rem; padding: 1.25rem; border: 1px solid var(--line); border-radius: .6rem; }
ul.figures { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr));
  gap: .75rem; margin: 0; padding: 0; }
ul.figures li { background: var(--card); border-radius: .5rem; padding: .75rem .9rem; }
ul.figures strong { display: block; font-size: 1.9rem; line-height: 1.15; font-variant-numeric: tabular-nums; }
ul.figures span { display: block; font-weight: 600; line-height: 1.3; }
ul.figures small { display: block; color: var(--soft); line-height: 1.35; margin-top: .2rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); column-gap: 2rem; }
.charts.wide { grid-template-columns: minmax(0, 1fr); }
figure { margin: 0 0 1.25rem; min-width: 0; display: grid; grid-template-columns: minmax(0, 1fr); grid-row: span 2;
  grid-template-rows: subgrid; row-gap: .4rem; }
figcaption small { display: block; color: var(--soft); line-height: 1.35; }
.chart, .chart.vega-embed { display: block; width: 100%; min-height: 3rem; color: var(--text); }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
.scroll { overflow-x: auto; max-height: 24rem; overflow-y: auto; }
th, td { padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td dl { margin: 0; }
td dt { color: var(--soft); font-size: .8rem; line-height: 1.3; }
td dd { margin: 0 0 .35rem; line-height: 1.35; }
td dd:last-child { margin: 0; }
td[data-name="test"] { min-width: 10rem; }
td[data-name="table"] { white-space: nowrap; }
td[data-name="before"], td[data-name="after"] { width: 30%; overflow-wrap: anywhere; }
.none { color: var(--soft); }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .55rem;
  font-size: .8rem; font-weight: 600; white-space: nowrap; color: var(--note); }
.badge.new { color: var(--good); } .badge.removed { color: var(--bad); } .badge.late { color: var(--late); }
details { margin-top: .75rem; }
summary { cursor: pointer; color: var(--soft); }
pre { margin: .5rem 0 0; padding: .75rem; background: var(--card); border-radius: .4rem; overflow-x: auto;
  font: .8rem/1.45 ui-monospace, monospace; overflow-wrap: normal; max-height: 24rem; }
#vg-tooltip-element { color: #1b2430; }
@media (max-width: 44rem) {
  body { padding: 1.25rem .75rem 3rem; }
  section { padding: .9rem .8rem; }
  table.cards thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  table.cards, table.cards tbody, table.cards td { display: block; }
  table.cards tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); column-gap: 1rem; padding: .6rem 0;
    border-bottom: 1px solid var(--line); }
  table.cards tr:last-child { border-bottom: 0; }
  table.cards td, table.cards td.number { border: 0; padding: .1rem 0; grid-column: span 2; width: auto;
    text-align: left; }
  table.cards td[data-name="before"], table.cards td[data-name="after"] { grid-column: span 1; }
  table.cards td[data-name]::before { content: attr(data-name) " "; color: var(--soft); font-weight: 600; }
}
"""
