"""A `meltano run` that is stopped halfway, and the next one, which goes on from the state that Meltano kept."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.e2e import truth
from tests.e2e.meltano.project import copied, variables

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_usertesting.sandbox.model import Test
    from tests.e2e.database import Database
    from tests.e2e.meltano.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

STATE_ID = "prod:tap-usertesting-to-target-postgres"
SCHEMA = "usertesting"
STREAMS = ("sessions", "result_changes", "session_details")
MANY = 150  # sessions: more than are read while the target wakes up
PATIENCE = 120.0  # seconds


@dataclass
class Pipeline:
    """A pipeline of one test whose sessions come at 10 calls a second, so that there is a middle to be stopped in.

    The target acknowledges every five minutes; with E2E_ACKNOWLEDGE_EVERY=1 every second, so that a middle comes soon.
    """

    project: Project
    world: World
    test: Test
    box: Sandbox
    database: Database

    def asked(self) -> list[str]:
        """The sessions whose details were asked for."""
        return [call.session_id or "" for call in self.box.calls if call.kind == "details_v3"]

    def stop(self, number: signal.Signals, *options: str, when: Callable[[], bool], **env: str) -> list[str]:
        """Start a run, stop it at a moment, and return the sessions whose details it had asked for.

        SIGKILL goes to Meltano and its plugins alike, as when a machine goes down; any other signal to Meltano alone.
        """
        self.box.clear_calls()
        process = self.project.start("run", "usertesting-to-postgres", *options, **env)
        try:
            _await(when, while_running=process)
            if number is signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            assert process.wait(PATIENCE) != 0
            _await(lambda: _ended(process.pid))
        finally:
            if not _ended(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
        return self.asked()

    def run(self, *options: str) -> list[str]:
        """Run it to its end, check every row against the sandbox, and return the sessions that it asked for."""
        self.box.clear_calls()
        self.project.meltano("run", "usertesting-to-postgres", *options)
        truth.assert_rows_true(self.rows(), self.world, STREAMS)
        return self.asked()

    def acknowledged(self) -> bool:
        """Whether Meltano has been given a state with a bookmark of the details."""
        file = self.project.folder / ".meltano" / "meltano.db"
        if not file.exists():
            return False
        with closing(sqlite3.connect(file, timeout=PATIENCE)) as store:
            if not store.execute("SELECT name FROM sqlite_master WHERE name = 'state'").fetchall():
                return False
            kept = store.execute("SELECT completed_state FROM state").fetchall()
        states = [json.loads(text or "{}").get("singer_state", {}) for (text,) in kept]
        details = [state.get("bookmarks", {}).get("session_details", {}) for state in states]
        return any("replication_key_value" in partition for one in details for partition in one.get("partitions", ()))

    def done(self) -> set[str]:
        """The sessions from the bookmark of the details down to their history; all are in the database by then."""
        (partition,) = self.project.state(STATE_ID)["bookmarks"]["session_details"]["partitions"]
        cursors = [event.cursor for event in self.test.events]
        assert partition["replication_key_value"] == cursors[-1]
        down_to = cursors.index(partition["history"]["cursor"])
        sessions = {session_id for session_id in self.test.sessions if self._first(session_id) >= down_to}
        assert sessions <= {row["session_id"] for row in self.rows()["session_details"]}
        assert 0 < len(sessions) < MANY
        return sessions

    def _first(self, session_id: str) -> int:
        """Return the place of a session's first event in the feed's log."""
        uuid = self.test.sessions[session_id].response_uuid
        return next(place for place, event in enumerate(self.test.events) if event.response_uuid == uuid)

    def rows(self) -> truth.Rows:
        """The tables of the selected streams."""
        return {name: self.database.rows(f"SELECT * FROM {SCHEMA}.{name}") for name in STREAMS}  # noqa: S608 - names of this module


def _await(moment: Callable[[], bool], *, while_running: subprocess.Popen[bytes] | None = None) -> None:
    """Return when something is so."""
    until = time.monotonic() + PATIENCE
    while not moment():
        assert while_running is None or while_running.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < until, "that moment does not come"
        time.sleep(0.05)


def _ended(group: int) -> bool:
    """Whether no process of a group is left; plugins end a moment after Meltano."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def pipeline(template: Project, database: Database, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline in the environment `prod` that has not run yet."""
    world = World(seed=3)
    test = world.add_test(product_type="THINK_OUT_LOUD")
    for _ in range(MANY):
        world.add_session(test, transcript="none")
    with Sandbox(world, quota=QuotaRule(limit=10, window=1.0)) as box:
        env = variables("TAP_USERTESTING", box.config(test_ids=[test.test_id]))
        env["TAP_USERTESTING__SELECT"] = json.dumps([f"{name}.*" for name in STREAMS])
        env |= {"MELTANO_ENVIRONMENT": "prod", "TARGET_POSTGRES_SQLALCHEMY_URL": database.url}
        yield Pipeline(copied(template, tmp_path / "project", env), world, test, box, database)


def test_a_killed_run_loses_nothing(pipeline: Pipeline) -> None:
    """After a kill -9 the state is what the target has acknowledged, be it nothing: the next runs go on from there."""
    pipeline.stop(signal.SIGKILL, when=pipeline.acknowledged, E2E_ACKNOWLEDGE_EVERY="1")
    done, kept = pipeline.done(), pipeline.project.state(STATE_ID)
    # Once more, at the target's own pace: nothing is acknowledged, so this run counts for nothing. Meltano takes a
    # killed run for a running one for five minutes, hence --force.
    again = pipeline.stop(signal.SIGKILL, "--force", when=lambda: len(pipeline.asked()) >= 10)
    assert not done & set(again)
    assert pipeline.project.state(STATE_ID) == kept
    pipeline.box.set_quota(None)
    asked = pipeline.run("--force")
    assert len(asked) == len(set(asked)) == MANY - len(done)
    assert not done & set(asked)


def test_a_terminated_run_goes_on_from_its_state(pipeline: Pipeline) -> None:
    """SIGTERM to Meltano ends tap and target too; the next run, without further ado, goes on from the state."""
    pipeline.stop(signal.SIGTERM, when=pipeline.acknowledged, E2E_ACKNOWLEDGE_EVERY="1")
    done = pipeline.done()
    pipeline.box.set_quota(None)
    asked = pipeline.run()
    assert len(asked) == len(set(asked)) == MANY - len(done)
    assert not done & set(asked)
