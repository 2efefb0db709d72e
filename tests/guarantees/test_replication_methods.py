"""What a catalog says of the replication method, and what becomes of the state under each."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.guarantees.test_activate_version import in_full
from tests.support.harness import COMMAND, arguments, catalog, sync, sync_here

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox


@pytest.mark.parametrize("where", ["entry", "metadata"])
def test_log_based_is_incremental(box: Sandbox, where: str) -> None:
    """A bookmark is kept, and the second sync costs no call for a session."""
    entries = catalog(["sessions", "session_details", "result_changes"])
    for entry in entries["streams"]:
        entry.pop("replication_key", None)
        entry.pop("replication_method", None)
        root = next(item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == [])
        root.pop("forced-replication-method", None)
        (entry if where == "entry" else root).update(
            {"replication_method": "LOG_BASED"} if where == "entry" else {"forced-replication-method": "LOG_BASED"}
        )
    first = sync_here(box.config(), entries=entries)
    assert first.records("session_details")
    box.clear_calls()
    second = sync_here(box.config(), entries=entries, state=first.state)
    assert second.records() == []
    assert not [call for call in box.calls if call.kind == "details_v3"]


def test_full_table_neither_reads_nor_writes_the_state(box: Sandbox) -> None:
    """An old state is passed by, and repeated as it was; without one there is no STATE."""
    old = sync_here(box.config(), select=["sessions"]).state
    assert old is not None
    done = sync_here(box.config(), entries=in_full("sessions"), state=old)
    assert len(done.records("sessions")) == len(box.world.sessions)
    assert done.state == old
    assert sync_here(box.config(), entries=in_full("sessions")).state is None


@pytest.mark.parametrize("budget", ["max_calls", "max_duration"])
def test_a_budget_is_refused_where_nothing_is_kept(box: Sandbox, tmp_path: Path, budget: str) -> None:
    """It would end in the same tests each time."""
    done = sync(box.config(**{budget: 100}), tmp_path, entries=in_full("sessions", "session_details"))
    assert done.exit == 78
    [line] = done.errors
    assert f"{budget}: the catalog sets FULL_TABLE for sessions and session_details" in line
    assert not box.calls


def test_a_budget_goes_with_the_tables_of_discovery(box: Sandbox) -> None:
    """They are always read in full, at a call or two."""
    assert sync_here(box.config(max_calls=100), select=["workspaces", "tests", "sessions"]).exit == 0


@pytest.mark.parametrize(
    ("full", "said"),
    [
        (["sessions", "session_details"], "the next sync starts over"),
        (["session_details"], "continues from the last STATE, but rereads session_details"),
        ([], "the next sync continues from the last STATE"),
    ],
)
def test_what_a_stopped_run_says_is_true(box: Sandbox, tmp_path: Path, full: list[str], said: str) -> None:
    """The line names what the next sync does."""
    entries = catalog(["sessions", "session_details"])
    for entry in entries["streams"]:
        if entry["stream"] in full:
            entry.update(replication_method="FULL_TABLE", replication_key=None)
    box.fail("details_v3", fault="hang", seconds=60, skip=1, times=None)
    with subprocess.Popen(
        [*COMMAND, *arguments(box.config(), tmp_path, entries=entries)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tap:
        assert tap.stdout is not None
        while b'"session_details","record"' not in tap.stdout.readline().replace(b", ", b",").replace(b": ", b":"):
            assert tap.poll() is None
        tap.send_signal(signal.SIGTERM)
        _, log = tap.communicate(timeout=100)
    assert tap.returncode == 143
    [line] = [line for line in log.decode().splitlines() if "incomplete: stopped by SIGTERM" in line]
    assert line.endswith(said)
