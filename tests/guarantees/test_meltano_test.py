"""`meltano config test`: it runs a sync, reads messages and log from one pipe, and passes with the first RECORD."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import COMMAND, arguments, sync

if TYPE_CHECKING:
    from pathlib import Path


def passes(box: Sandbox, folder: Path, *args: str, **settings: object) -> bool:
    """Do what Meltano does."""
    command = [*COMMAND, *arguments(box.config(**settings), folder), *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=100)
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("{")]
    return any(json.loads(line).get("type") in {"RECORD", "BATCH"} for line in lines)


@pytest.mark.parametrize("discovered", [True, False])
def test_a_test_without_sessions_passes(tmp_path: Path, *, discovered: bool) -> None:
    """All is well, and there is nothing yet."""
    world = World()
    test = world.add_test("SURVEY")
    with Sandbox(world, quota=None) as box:
        assert passes(box, tmp_path, **({} if discovered else {"test_ids": [test.test_id], "feed_url": None}))


def test_what_cannot_be_read_does_not_pass(tmp_path: Path) -> None:
    """A test that is unknown, and wrong credentials."""
    with Sandbox(World(), quota=None) as box:
        assert not passes(box, tmp_path, test_ids=["0f0e0d0c-0000-4000-8000-000000000000"])
        assert not passes(box, tmp_path, client_secret="wrong")


def test_what_was_not_read_does_not_pass(tmp_path: Path) -> None:
    """A plan reads nothing; a spent budget leaves tests unread; a test that has gone was not read either."""
    world = World()
    tests = [world.add_test("SURVEY") for _ in range(3)]
    with Sandbox(world, quota=None) as box:
        settings = {"test_ids": [test.test_id for test in tests], "feed_url": None}
        assert not passes(box, tmp_path, "--plan", **settings)
        assert not passes(box, tmp_path, max_calls=1, **settings)
        box.fail("list", times=None, status=404, match="sessionResults")
        assert not passes(box, tmp_path, **settings)


def test_no_target_sees_such_a_record(tmp_path: Path) -> None:
    """Where the log goes its own way, a sync without news writes no record but its status."""
    world = World()
    test = world.add_test("SURVEY")
    with Sandbox(world, quota=None) as box:
        done = sync(box.config(test_ids=[test.test_id]), tmp_path)
    assert done.exit == 0
    assert done.records() == done.records("sync_status")
    assert not done.lines('"RECORD"')
