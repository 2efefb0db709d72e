"""Prints the table: `python -m tests.benchmarks.peers [--limit N] [--window SECONDS] [--only NAME]`."""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tap_usertesting.sandbox import QuotaRule
from tests.benchmarks.peers.airbyte import Airbyte
from tests.benchmarks.peers.dlt_rest import Dlt
from tests.benchmarks.peers.msdk import Msdk
from tests.benchmarks.peers.own import Own
from tests.benchmarks.peers.report import CASES, report
from tests.benchmarks.peers.scenario import measured, stage, ten_changes, to_fetch
from tests.support.environments import CannotInstallError, install

if TYPE_CHECKING:
    from tests.benchmarks.peers.peer import Peer
    from tests.benchmarks.peers.scenario import Outcome

PEERS: tuple[Peer, ...] = (
    Own("tap-usertesting, by feed", feed=True),
    Own("tap-usertesting, by listing", feed=False),
    Airbyte(),
    Dlt(),
    Msdk(),
)


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=10, help="calls per window (default: %(default)s)")
    parser.add_argument("--window", type=float, default=5.0, help="seconds (default: %(default)s)")
    parser.add_argument("--only", default="", help="tools whose name holds this")
    options = parser.parse_args()
    rule = QuotaRule(limit=options.limit, window=options.window)
    results: dict[str, dict[str, Outcome] | str] = {}
    for peer in PEERS:
        if options.only not in peer.name:
            continue
        print(f"{peer.name} ...", file=sys.stderr, flush=True)
        try:
            if peer.requirements:
                install(peer.name, peer.requirements)
            results[peer.name] = run(peer, rule)
        except CannotInstallError as error:
            results[peer.name] = f"cannot be installed here: {error}"
    versions = ", ".join(requirement.replace("==", " ") for peer in PEERS for requirement in peer.requirements)
    print(f"{versions}; {rule.limit} calls per {rule.window:g} s.\n\n{report(results)}")
    return 0


def run(peer: Peer, rule: QuotaRule) -> dict[str, Outcome]:
    """Let one peer do everything, in worlds of its own."""
    first, idle, changed, killed = CASES
    outcomes = {}
    with tempfile.TemporaryDirectory() as name:
        scene = stage(rule)
        with scene.box:
            job = scene.job(Path(name) / "a")
            outcomes[first] = measured(peer, scene, job, to_fetch(scene))
            outcomes[idle] = measured(peer, scene, job, 0)
            outcomes[changed] = measured(peer, scene, job, ten_changes(scene))
        scene = stage(rule)
        with scene.box:
            outcomes[killed] = measured(peer, scene, scene.job(Path(name) / "b"), to_fetch(scene), kill=True)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
