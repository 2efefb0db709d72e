"""Runs one seed: a few runs under chaos, clean runs until nothing is left to do, then the costs and the tables."""
# ruff: noqa: S311 - reproducible test data, nothing secret is drawn here

from __future__ import annotations

import logging
import re
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from tap_usertesting.sandbox import QuotaRule, Sandbox
from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS
from tests.chaos.ledger import Ledger, least
from tests.chaos.mirror import Mirror
from tests.chaos.process import Blow, Ended, TapProcess
from tests.chaos.report import Report
from tests.chaos.scene import Scene
from tests.chaos.weather import FINAL, WINDOW, Weather
from tests.support.harness import Synced, Warehouse, catalog, sync_here
from tests.support.tables import assert_accounted, held, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.requests_and_replies import ServedCall
    from tests.chaos.mirror import Target

LIMIT = 10  # calls a window
TRIES = 4  # of one call
MOST_CLEAN_RUNS = 8
TARGET_LIVES = 0.7  # how often the target outlives the tap
KILL_REPEATS = round(LIMIT / WINDOW) + LIMIT  # calls: the last second of activity, and the burst it ends in
IN_TURN = 0.15  # of all seeds: streams run one after the other
STREAMS_AT_ONCE = 4  # that make calls of the Results API; what a signal may find between an answer and its record
UNBUFFERED = 0.5  # how often PYTHONUNBUFFERED is set
IN_A_CALL = 0.1  # how often something happens while a call is made
MOST_BETWEEN = 8  # things that happen between two runs
SHARES = (0.0, 0.03, 0.08, 0.15, 0.25)  # of all calls that meet a fault, one per seed
CALM = 0.15  # of all seeds: no fault, no signal, and nothing happens in mid-run, so that each call can be accounted for
MOST_CALLS = 1.02  # times the least possible, where nothing goes wrong
HASTY, PATIENT = 1, 30  # seconds that the tap waits for an answer: less than a hang lasts, and more than any load takes
LATE = "the response timed out"  # an answer that was given: a machine under load may be slower than a hasty tap waits
SESSION = re.compile(r"session ([0-9a-f-]{36}): ")
SIGNALS = {signal.SIGKILL: 4, signal.SIGTERM: 3, signal.SIGINT: 2, None: 2}


class ChaosError(AssertionError):
    """A seed ended wrong; the message says how, and the command that repeats it."""


class Trial:
    """One seed. `tell` is called with a line for each event."""

    def __init__(
        self, seed: int, tell: Callable[[str], None] = lambda _line: None, target: Target | None = None
    ) -> None:
        """Prepare the world of the seed; `run` starts it. `target`: load everything into PostgreSQL as well."""
        self._rng = Random(f"story/{seed}")
        self._calm = Random(f"calm/{seed}").random() < CALM
        self._share = 0.0 if self._calm else Random(f"share/{seed}").choice(SHARES)
        self._scene = Scene(seed, calm=self._calm)
        self._config: dict[str, Any] = {}
        self._tell = tell
        self._warehouse = Warehouse()
        self._process: TapProcess | None = None
        self._target = target
        self._mirror: Mirror | None = None
        self._is_exact = True  # no kill has left rows of which the state does not know
        self._ledger = Ledger(self._scene.world, strict=self._calm, by_feed=self._scene.by_feed)
        self._allowed = 0  # calls that may have been repeated
        self._scope: Literal["shared", "endpoint", "version"] = Random(f"scope/{seed}").choice(
            ("shared", "endpoint", "version")
        )
        self._side_by_side = Random(f"turns/{seed}").random() >= IN_TURN
        self._told = threading.Lock()  # calls come in at once
        weather = "calm" if self._calm else f"{self._share:.0%}" if self._share else "kills"
        self.report = Report(seed, self._scene.kind + ("" if self._scene.by_feed else " list"), weather, self._scope)

    def run(self) -> Report:
        """Run the seed and report; what is wrong stands in the report."""
        began = time.monotonic()
        kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        catalog(self._scene.streams)  # made once, by a tap, which takes the signals; they are to end this process
        for number, handler in kept.items():
            signal.signal(number, handler)
        retry_after: Literal["seconds"] | None = self._rng.choice(("seconds", None))
        rule = QuotaRule(limit=LIMIT, window=WINDOW, retry_after=retry_after, scope=self._scope)
        with Sandbox(self._scene.world, quota=rule) as box, tempfile.TemporaryDirectory() as folder:
            # Where no call is to hang, a machine under load is given time: a timeout would be a fault of ours.
            self._config = box.config(
                **self._scene.settings,
                max_retries=TRIES,
                request_timeout=HASTY if self._share else PATIENT,
                parallel_streams=self._side_by_side,
            )
            if self._target is not None:
                self._mirror = Mirror(self._target, Path(folder), seed=self.report.seed)
            self._weather = Weather(box, self.report.seed)
            self._weather.share = self._share
            box.before("any", self._before_call, times=None)
            self._tell(
                f"{self.report.kind}, {self.report.weather}, faults on {self._share:.0%} of the calls, {self._config}"
            )
            for _ in range(self._rng.randint(2, 4)):
                self._chaos(box, Path(folder))
                for _ in range(self._rng.randint(0, MOST_BETWEEN) if self._scene.restless else 0):
                    self._scene.happen()
            self._weather.share = 0.0
            self._config["request_timeout"] = PATIENT
            self._process = None
            self._scene.settle()
            self._clean_up(box, rule)
            self._compare("the resumed runs", self._warehouse)
            if self._mirror is not None:
                self._compare("PostgreSQL after the resumed runs", self._mirror.tables())
                self.report.wrong += [f"PostgreSQL: not accounted for: {row}" for row in self._mirror.unaccounted()]
            self._count(box)
            self._reference(box)
        self.report.loads = self._mirror.loads if self._mirror is not None else 0
        self.report.faults = self._weather.met
        self.report.happened = self._scene.happened.total()
        self.report.seconds = time.monotonic() - began
        return self.report

    def _before_call(self, call: ServedCall) -> None:
        with self._told:
            self._note(call)

    def _note(self, call: ServedCall) -> None:
        process = self._process
        # A draw of its own, so that the plan of the runs does not hang on how many calls were made before a blow.
        restless = self._scene.restless and not self._calm
        lively = restless and Random(f"{self.report.seed}/{call.n}/happens").random() < IN_A_CALL
        if process is not None and lively:
            self._scene.happen()
        met = self._weather.disturb(call)
        self._ledger.note(call, faulted=bool(met), final=call.kind == "feed" and met in FINAL)
        if process is not None and call.headers.get("user-agent") == self._config["user_agent"]:
            process.seen()  # and not the last call of a process that was killed, which may come in late

    def _chaos(self, box: Sandbox, folder: Path) -> None:
        """Run the tap once under everything at once."""
        before = len(box.calls)
        blow = self._blow()
        self._ledger.begin()
        slowly = self._scene.kind == "wordy" and self._rng.random() < 0.7
        unbuffered = Random(f"{self.report.seed}/{self.report.runs}/unbuffered").random() < UNBUFFERED
        self._config["user_agent"] = f"run {self.report.runs}"
        process = self._process = TapProcess(blow, slowly=slowly, unbuffered=unbuffered)
        ended = process.run(
            self._config, folder, state=self._warehouse.state, select=[*self._scene.streams, "sync_status"]
        )
        arrived = self._arrived(ended)
        self._load(arrived)
        # A killed run, or one whose target died, may leave rows of which the state does not know, until they are
        # written again.
        whole = len(arrived) == len(ended.messages) and not (ended.moment and blow and blow.signal is signal.SIGKILL)
        self._is_exact = whole and (self._is_exact or ended.exit == 0)
        self._account()
        self.report.torn += ended.torn
        if ended.moment and blow is not None:
            self.report.blows[blow.signal.name] += 1
            self.report.moments[ended.moment] += 1
            # A signal may come between an answer and its record; kill -9 also loses what no STATE has told yet.
            windows = STREAMS_AT_ONCE if self._scope != "shared" else 1
            self._allowed += KILL_REPEATS * windows if blow.signal is signal.SIGKILL else STREAMS_AT_ONCE
        self._allowed += ended.log.count(LATE)
        if self._config["client_secret"] in ended.log:
            ended.wrong.append("the client secret is in its log")
        excuses = self._ledger.excuses(box.calls[before:], tries=TRIES)
        if ended.exit == 1:
            ended.wrong += [f"given up too early: {line}" for line in ended.errors if not _excused(line, excuses)]
        self.report.wrong += ended.wrong
        late, torn = f" ({ended.moment})" if ended.moment else " (never)", ", a line is torn" if ended.torn else ""
        self._tell(
            f"\nrun {self.report.runs}: {blow or 'no signal'}{late}, exit {ended.exit}, "
            f"{len(arrived)} of {len(ended.messages)} messages arrive{torn}\n"
            + "\n".join(line for line in ended.log.splitlines() if "METRIC" not in line)
        )

    def _blow(self) -> Blow | None:
        """Draw a signal and its moment: at a call or just after it, or anywhere in the time that a run takes.

        A run spends most of its time waiting for quota, and so that is where most of the latter fall.
        """
        rng = self._rng
        chosen = rng.choices(list(SIGNALS), list(SIGNALS.values()))[0]
        calls = 10
        if self._scene.kind != "wide":
            done = [len(self._warehouse.tables.get(stream, ())) for stream in ("session_details", "transcripts")]
            calls = max(8, 6 + 2 * sum(len(test.sessions) for test in self._scene.tests) - sum(done))
        twice = rng.random() < 0.2
        if chosen is None or self._calm:
            return None
        if rng.random() < 0.5:
            return Blow(chosen, 1, rng.uniform(0, 0.1 + WINDOW * calls / LIMIT), twice)
        return Blow(chosen, rng.randint(1, calls), rng.choice((0.0, 0.001, 0.003, 0.01, 0.03)), twice)

    def _arrived(self, ended: Ended) -> list[dict[str, Any]]:
        """Return the messages that the target has kept: all, or a part where it was killed as well."""
        if self._calm or self._rng.random() < TARGET_LIVES:
            return ended.messages
        self._allowed = sys.maxsize
        return ended.messages[: int(len(ended.messages) * self._rng.random())]

    def _load(self, messages: list[dict[str, Any]]) -> None:
        """Give what a run wrote to the model of a target, and to PostgreSQL."""
        self.report.runs += 1
        self._warehouse.load(messages)
        if self._mirror is not None:
            self.report.wrong += self._mirror.load(messages)

    def _clean_up(self, box: Sandbox, rule: QuotaRule) -> None:
        """Sync without faults until a run has nothing to do."""
        for _ in range(MOST_CLEAN_RUNS):
            self._ledger.begin()
            box.set_quota(rule)  # it begins at once, where a process takes longer to start than the window lasts
            done = self._sync_here(self._warehouse.state)
            self._load(done.messages)
            self._is_exact = True
            self._account()
            if done.exit:
                self.report.wrong.append(f"exit status {done.exit} in a clean run")
                return
            if not _moved(done):
                return
        self.report.wrong.append(f"not idle after {MOST_CLEAN_RUNS} clean runs")

    def _account(self) -> None:
        """Hold `sync_status` against the tables."""
        if self._is_exact:
            try:
                assert_accounted(self._warehouse)
            except AssertionError as error:
                self.report.wrong.append(f"run {self.report.runs}: sync_status and the table differ: {error}")

    def _sync_here(self, state: dict[str, Any] | None) -> Synced:
        return sync_here(self._config, state=state, select=[*self._scene.streams, "sync_status"], state_every=1.0)

    def _compare(self, whose: str, warehouse: Warehouse) -> None:
        """Compare every table with what the sandbox serves."""
        expected, found = truth(self._scene.world), held(warehouse)
        for stream in self._scene.streams:
            right, table = expected[stream], found.get(stream, {})
            lost, extra = right.keys() - table.keys(), table.keys() - right.keys()
            stale = [key for key in right.keys() & table.keys() if right[key] != table[key]]
            self.report.rows += len(right)
            self.report.lost += len(lost) + len(stale)
            self.report.extra += len(extra)
            for what, keys in (("lost", lost), ("too many", extra), ("not as they are", stale)):
                if keys:
                    self.report.wrong.append(f"{whose}: {stream}: {len(keys)} rows {what}, such as {min(keys)}")

    def _count(self, box: Sandbox) -> None:
        spent = self.report.spent = self._ledger.sum_up(box.calls)
        if self._calm and spent.ratio > MOST_CALLS:
            self.report.wrong.append(f"{spent.again} calls repeated, though nothing went wrong")
        if not self._scene.restless and spent.again > self._allowed:
            self.report.wrong.append(f"{spent.again} calls repeated, {self._allowed} at most may be")
        if spent.refused:
            self.report.wrong.append(f"{spent.refused} calls over the quota that nobody made fail")
        strangers = [call for call in box.calls if call.headers.get("host", "").startswith("localhost")]
        if strangers:
            self.report.wrong.append(f"{len(strangers)} redirects were followed")

    def _reference(self, box: Sandbox) -> None:
        """Sync once more from nothing, undisturbed: the same tables."""
        box.set_quota(None)
        box.clear_calls()
        clean = Warehouse()
        clean.load(self._sync_here(None).messages)
        self._compare("one clean run", clean)
        scene = self._scene
        self.report.first = sum(call.kind in RESULTS_KINDS for call in box.calls)
        self.report.least = least(
            scene.world, scene.streams, by_feed=scene.by_feed, types_known="test_ids" not in scene.settings
        )
        if self.report.first > MOST_CALLS * self.report.least:
            self.report.wrong.append(f"a first sync makes {self.report.first} calls, {self.report.least} are enough")


def _excused(line: str, paths: set[str]) -> bool:
    """Tell whether an error line is of a call that had to be given up; one that names no session, of any call."""
    session = SESSION.search(line)
    return any(session is None or session[1] in path for path in paths)


def _moved(done: Synced) -> list[dict[str, Any]]:
    """Return the records of a run but for the tables that are read in full each time."""
    whole = {"workspaces", "tests"}
    return [m["record"] for m in done.messages if m["type"] == "RECORD" and m["stream"] not in whole]


def play(seed: int, tell: Callable[[str], None] = lambda _line: None) -> Report:
    """Run a seed. Raises ChaosError when anything is wrong."""
    report = Trial(seed, tell).run()
    if report.wrong:
        raise ChaosError("\n  ".join([f"seed {seed} ended wrong; repeat it with: {report.repeat}", *report.wrong]))
    return report


def run_quietly(seed: int, target: Target | None = None) -> Report:
    """Run a seed without the log of the clean runs' tap, which is in this process; a struck one's goes to a file."""
    logging.disable(logging.CRITICAL)
    return Trial(seed, target=target).run()
