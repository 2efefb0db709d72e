"""Prints the table: `python -m tests.peers [--limit N] [--window SECONDS] [--only NAME]`."""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tap_usertesting.sandbox import QuotaRule
from tests.peers.airbyte import Airbyte
from tests.peers.dlt_rest import Dlt
from tests.peers.msdk import Msdk
from tests.peers.own import Own
from tests.peers.peer import install
from tests.peers.scenario import measured, stage, ten_changes, to_fetch

if TYPE_CHECKING:
    from tests.peers.peer import Peer
    from tests.peers.scenario import Outcome

PEERS: tuple[Peer, ...] = (
    Own("tap-usertesting, by listing", feed=False),
    Own("tap-usertesting, by feed", feed=True),
    Airbyte(),
    Dlt(),
    Msdk(),
)
CASES = ("first sync", "nothing new", "after ten changes", "killed and resumed")
OWN = "tap-usertesting"
NOTES = """
*Calls* are those under the quota, 429s included; *least* is what the rows cost at the least where there is no feed: one
list per test, and one call for each thing to fetch. *Seconds* contain the start of the processes, which weighs far less
where a window lasts 60 s; beside them stands what the quota alone takes for the least calls. *Missing* and *wrong* are
rows that the API has and the warehouse lacks or has otherwise; *not removed* those that only the warehouse still has.

The peers are told by hand which test has transcripts and which has QXscores. The tap is told neither: it discovers the
types of the tests (two calls of v1 in each sync, outside the quota here and in no column), and tries five transcripts
of the interaction test, as the vendor's pages contradict each other.
Airbyte's transcripts are one row a line, put together for this table; `tap-rest-api-msdk` cannot read them at all."""
HEADINGS = (
    "tool",
    "calls (least)",
    "429s",
    "token, feed calls",
    "seconds (quota alone)",
    "rows right",
    "missing",
    "wrong",
    "not removed",
    "ended",
)


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=10, help="calls per window (default: %(default)s)")
    parser.add_argument("--window", type=float, default=2.0, help="seconds (default: %(default)s)")
    parser.add_argument("--only", default="", help="peers whose name holds this")
    options = parser.parse_args()
    rule = QuotaRule(limit=options.limit, window=options.window)
    results: dict[str, dict[str, Outcome] | str] = {}
    for peer in PEERS:
        if options.only not in peer.name:
            continue
        print(f"{peer.name} ...", file=sys.stderr, flush=True)
        problem = install(peer.name, peer.requirements)
        results[peer.name] = f"cannot be installed here: {problem}" if problem else run(peer, rule)
    versions = ", ".join(requirement.replace("==", " ") for peer in PEERS for requirement in peer.requirements)
    print(f"{versions}; {rule.limit} calls per {rule.window:g} s.\n{NOTES}")
    for case in CASES:
        print(f"\n**{case}**\n\n{table(case, results)}")
        print(*("", *(f"- {line}" for line in better(case, results))), sep="\n")
    return 0


def run(peer: Peer, rule: QuotaRule) -> dict[str, Outcome]:
    """Let one peer do everything, in a world of its own."""
    outcomes = {}
    with tempfile.TemporaryDirectory() as name:
        scene = stage(rule)
        with scene.box:
            job, things = scene.job(Path(name) / "a"), to_fetch(scene)
            outcomes[CASES[0]] = measured(peer, scene, job, things)
            outcomes[CASES[1]] = measured(peer, scene, job, 0)
            outcomes[CASES[2]] = measured(peer, scene, job, ten_changes(scene))
        scene = stage(rule)
        with scene.box:
            outcomes[CASES[3]] = measured(peer, scene, scene.job(Path(name) / "b"), things, kill=True)
    return outcomes


def table(case: str, results: dict[str, dict[str, Outcome] | str]) -> str:
    """Return one case as a Markdown table."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    for name, outcomes in results.items():
        if isinstance(outcomes, str):
            lines.append(f"| {name} | {outcomes} {'| ' * (len(HEADINGS) - 1)}".rstrip())
            continue
        it = outcomes[case]
        lines.append(
            f"| {name} | {it.calls} ({it.least}) | {it.refused} | {it.tokens}, {it.feed} "
            f"| {it.seconds:.1f} ({it.floor:.1f}) | {it.right} of {it.expected} | {it.missing} | {it.wrong} "
            f"| {it.extra} | {it.error or 'well'} |"
        )
    return "\n".join(lines)


def better(case: str, results: dict[str, dict[str, Outcome] | str]) -> list[str]:
    """Say where a peer spends fewer calls or less time than the tap, and what it then lacks."""
    outcomes = {name: found[case] for name, found in results.items() if not isinstance(found, str)}
    lines = []
    for own, ours in ((name, it) for name, it in outcomes.items() if name.startswith(OWN)):
        for name, it in outcomes.items():
            if name.startswith(OWN) or it.error:
                continue
            ahead = [f"{it.calls} calls instead of {ours.calls}"] if it.calls < ours.calls else []
            if it.seconds < ours.seconds:
                ahead.append(f"{it.seconds:.1f} s instead of {ours.seconds:.1f} s")
            if it.extra < ours.extra:
                ahead.append(f"{it.extra} rows not removed instead of {ours.extra}")
            if ahead:
                lack = f", with {it.missing + it.wrong} rows missing or wrong" if it.missing + it.wrong else ""
                lines.append(f"Better than {own}: {name}, {' and '.join(ahead)}{lack}.")
    return lines or ["No peer does better."]


if __name__ == "__main__":
    sys.exit(main())
