"""What was measured, as Markdown: one table, what its columns mean, and where a peer does better than the tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.peers.scenario import Outcome

CASES = ("first sync", "nothing new", "after ten changes", "killed and resumed")
OWN = "tap-usertesting"
HEADINGS = (
    "",
    "calls",
    "429s",
    "other calls",
    "seconds",
    "times the least",
    "rows right",
    "missing or wrong",
    "not removed",
)
NOTES = """
*Calls* are those under the quota, 429s included; *other calls* are those for tokens, of the feed and of v1, which the
sandbox does not count. *The least* is what the rows cost without a feed: one list per test and one call for each thing
to fetch, in the time that the quota alone takes for them; *times the least* is the wall time over that. *Seconds*
contain the start of the processes, which weighs less where a window lasts 60 s. *Not removed* are rows that the API no
longer has.

The peers are told by hand which test has transcripts and which has QXscores. The tap is told neither: it discovers the
types of the tests, and by listing tries some transcripts of the interaction test, as the vendor's pages contradict each
other. Airbyte's transcripts are one row a line, put together for this table; `tap-rest-api-msdk` cannot read them."""


def report(results: dict[str, dict[str, Outcome] | str]) -> str:
    """Return everything; instead of its outcomes by case a tool may have the reason why there are none."""
    lines = [_row(*HEADINGS), _row("---", *["--:"] * (len(HEADINGS) - 1))]
    for case in CASES:
        lines += _rows(case, results)
    lines += [NOTES, "", "Where a peer does better:", ""]
    ahead = [f"- {line}" for case in CASES for line in better(case, results)]
    return "\n".join(lines + (ahead or ["- nowhere."]))


def better(case: str, results: dict[str, dict[str, Outcome] | str]) -> list[str]:
    """Say, a line for each peer, in what it beats the tap, and what it then lacks."""
    outcomes = {name: found[case] for name, found in results.items() if not isinstance(found, str)}
    own = {name.removeprefix(f"{OWN}, "): it for name, it in outcomes.items() if name.startswith(OWN)}
    lines = []
    for name, it in outcomes.items():
        if name.startswith(OWN) or it.error:
            continue
        wins = []
        for what, theirs, ours in (
            ("calls", it.calls, {source: tap.calls for source, tap in own.items()}),
            ("429s", it.refused, {source: tap.refused for source, tap in own.items()}),
            ("seconds", round(it.seconds, 1), {source: round(tap.seconds, 1) for source, tap in own.items()}),
            ("rows not removed", it.extra, {source: tap.extra for source, tap in own.items()}),
        ):
            beaten = [f"{count} {source}" for source, count in ours.items() if theirs < count]
            if beaten:
                wins.append(f"{theirs} {what} (the tap {' and '.join(beaten)})")
        if wins:
            lack = it.missing + it.wrong
            but = f", but {lack} rows missing or wrong" if lack else ""
            lines.append(f"{case}: {name}, {', '.join(wins)}{but}.")
    return lines


def _rows(case: str, results: dict[str, dict[str, Outcome] | str]) -> list[str]:
    """Return the lines of one case: what it takes at the least, and what it took each tool."""
    blank = [""] * (len(HEADINGS) - 2)
    rows = []
    for name, outcomes in results.items():
        if isinstance(outcomes, str):
            rows.append(_row(name, outcomes, *blank))
            continue
        it = outcomes[case]
        if not rows:
            rows.append(_row(f"**{case}: the least**", it.least, 0, "", f"{it.floor:.1f}", "", it.expected, 0, 0))
        rows.append(
            _row(
                f"{name}: {it.error}" if it.error else name,
                it.calls,
                it.refused,
                it.others,
                f"{it.seconds:.1f}",
                f"{it.seconds / it.floor:.2f}" if it.floor else "",
                it.right,
                it.missing + it.wrong,
                it.extra,
            )
        )
    return rows


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"
