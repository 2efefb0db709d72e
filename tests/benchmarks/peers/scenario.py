"""The world that every tool reads, what happens in it, and what a sync of it cost and brought."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.benchmarks.peers.peer import TABLES, Job
from tests.support.environments import ROOT
from tests.support.tables import truth

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox.model import Session, Test
    from tests.benchmarks.peers.peer import Peer

SPOKEN, SCORED = 22, 14  # sessions of the two tests
LATE = (12, 13, 14)  # sessions of the spoken test whose transcripts appear days after them
KILLED_AFTER = 15  # calls for details, of 36
KILLED = "killed"
PATIENCE = 60  # seconds for one command beside the quota
WINDOWS = 20  # of the quota that one command may take; the worst needs half of that
# dlt: keep the vendor's names of columns, and tell nobody that it runs
ENVIRONMENT = {"SCHEMA__NAMING": "direct", "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}


@dataclass(frozen=True)
class Outcome:
    """One sync, or a killed one with its resume: calls under the quota and others, seconds, rows against the truth.

    `refused` calls are among `calls`. `least` is the number of calls without which the rows cannot be had where there
    is no feed: one list per test, and one call for each thing to fetch. `floor` is the time that the quota alone takes
    for them. `missing` and `wrong` are rows that the warehouse lacks or holds otherwise, `extra` those only it has.
    """

    calls: int
    refused: int
    others: int
    seconds: float
    least: int
    floor: float
    right: int
    missing: int
    wrong: int
    extra: int
    error: str

    @property
    def expected(self) -> int:
        """Rows that there should be."""
        return self.right + self.missing + self.wrong


@dataclass(frozen=True)
class Stage:
    """A sandbox with its two tests under a quota."""

    box: Sandbox
    spoken: Test
    scored: Test
    rule: QuotaRule

    def job(self, home: Path) -> Job:
        """Return the job of a warehouse in a new folder."""
        home.mkdir(parents=True)
        ids = [self.spoken.test_id], [self.scored.test_id]
        return Job(home, self.box.config(), *ids, self.rule.limit, self.rule.window)


def stage(rule: QuotaRule) -> Stage:
    """Make the sandbox, not started: 36 sessions over four days, the newest an hour ago."""
    world = World(seed=7, real_time=True)
    spoken = world.add_test("THINK_OUT_LOUD")
    scored = world.add_test("NON_THINK_OUT_LOUD", qx_groups=1)
    newest = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
    for test, count in ((spoken, SPOKEN), (scored, SCORED)):
        for number in range(count):
            finished = newest - timedelta(hours=4 * (count - 1 - number))
            late = test is spoken and number in LATE
            world.add_session(test, finished_at=finished, transcript="later" if late else None)
    return Stage(Sandbox(world, quota=rule), spoken, scored, rule)


def ten_changes(scene: Stage) -> int:
    """Let ten things happen; return how many things there are then to fetch."""
    world, spoken, scored = scene.box.world, scene.spoken, scene.scored
    known: list[Session] = list(spoken.sessions.values())
    for number in LATE:
        world.transcribe(known[number])
    world.reject(known[4])
    world.reject(next(iter(scored.sessions.values())))
    for test in (spoken, spoken, scored, scored):
        world.add_session(test)
    newest_start = max(session.started_at for session in known)
    world.add_session(spoken, started_at=newest_start - timedelta(hours=2), finished_at=datetime.now(timezone.utc))
    # 5 details, 3 transcripts of new sessions, 3 late ones, 1 QXscore
    return 12


def to_fetch(scene: Stage) -> int:
    """Return how many things a first sync has to fetch."""
    now = scene.box.world.truth()
    return sum(len(now[name]) for name in ("details", "transcripts", "qx_scores"))


def measured(peer: Peer, scene: Stage, job: Job, things: int, *, kill: bool = False) -> Outcome:
    """Sync once in a new window of the quota; with `kill`, kill it in the middle first and then sync again."""
    box = scene.box
    box.clear_calls()
    box.set_quota(scene.rule)
    began = time.monotonic()
    if kill and (end := _sync(peer, job, box, killed_after=KILLED_AFTER)) != KILLED:
        raise RuntimeError(f"{peer.name} was to be killed: {end or 'it ended before that'}")
    error = _sync(peer, job, box)
    seconds = time.monotonic() - began
    kinds = Counter(call.kind for call in box.calls)
    others = kinds["token"] + kinds["feed"] + kinds["v1"]
    refused = sum(call.status == 429 for call in box.calls)
    expected, found = truth(box.world), peer.tables(job)
    right = missing = wrong = extra = 0
    for table in TABLES:
        rows = found.get(table, {})
        right += sum(rows.get(key) == row for key, row in expected[table].items())
        missing += len(expected[table].keys() - rows.keys())
        wrong += sum(rows[key] != row for key, row in expected[table].items() if key in rows)
        extra += len(rows.keys() - expected[table].keys())
    least = things + len(job.test_ids)
    return Outcome(
        calls=sum(kinds.values()) - others,
        refused=refused,
        others=others,
        seconds=seconds,
        least=least,
        floor=(math.ceil(least / scene.rule.limit) - 1) * scene.rule.window,
        right=right,
        missing=missing,
        wrong=wrong,
        extra=extra,
        error=error,
    )


def _sync(peer: Peer, job: Job, box: Sandbox, *, killed_after: int | None = None) -> str:
    """Run the commands of one sync; return what became of the one that failed, or nothing."""
    patience = PATIENCE + WINDOWS * job.window
    running: list[subprocess.Popen[bytes]] = []
    if killed_after is not None:
        # The hook runs in the sandbox before the answer: asking was the last thing the tool did.
        box.before("details_v3", lambda _: _kill(running[-1]), skip=killed_after)
    for command in peer.sync(job):
        with (job.home / "out.jsonl").open("ab") as out, (job.home / "log.txt").open("ab") as log:
            running.append(
                subprocess.Popen(
                    command,
                    stdout=out,
                    stderr=log,
                    cwd=ROOT,
                    env={**os.environ, **ENVIRONMENT},
                    start_new_session=True,
                )
            )
        try:
            status = running[-1].wait(patience)
        except subprocess.TimeoutExpired:
            return f"not done after {patience:.0f} s"
        finally:
            if running[-1].poll() is None:
                _kill(running[-1])
        if status:
            return KILLED if status == -signal.SIGKILL else f"exit status {status}"
    return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
