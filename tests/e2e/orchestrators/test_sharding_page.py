"""The commands of docs/sharding.md, run as they stand there: a sync of every shard, and another number of shards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.e2e.orchestrators.conftest import NO_RESULTS
from tests.e2e.pages.blocks import page_of
from tests.support import environments
from tests.support.harness import COMMAND, Warehouse, parse
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = environments.ROOT
NEEDED = ("jq", "flock")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in NEEDED), reason=f"the page's commands need {' and '.join(NEEDED)}"
    ),
]

# Appends what it is sent to a file, and writes the last state at its end.
TARGET = """
import json, sys
lines = sys.stdin.buffer.readlines()
with open(sys.argv[1], "ab") as stored:
    stored.writelines(lines)
for line in lines:
    message = json.loads(line)
    if message["type"] == "STATE":
        state = message["value"]
        print(json.dumps(state))
"""


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """The page's commands by the heading above them; of several under one heading, the last."""
    examples = str(ROOT / "docs/examples")
    return {
        block.heading: block.commands.replace("docs/examples", examples) for block in page_of("docs/sharding.md").blocks
    }


@pytest.fixture
def world() -> World:
    """A world whose tests fall into shards of different sizes."""
    return World.seeded(seed=7, scale="small")


@pytest.fixture
def box(world: World) -> Iterator[Sandbox]:
    """Its sandbox."""
    with Sandbox(world, quota=None) as served:
        yield served


@pytest.fixture
def shell(box: Sandbox, tmp_path: Path) -> Callable[[str], list[str]]:
    """Run a block of commands in a folder of its own; return the kinds of the calls under the quota that it made."""
    (tmp_path / "target.py").write_text(TARGET, encoding="utf-8")
    settings = {f"TAP_USERTESTING_{name.upper()}": str(value) for name, value in box.config().items()}
    env = {
        **os.environ,
        **settings,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TAP": " ".join([*COMMAND, "--config=ENV"]),
        "TARGET": f"{sys.executable} target.py stored.jsonl",
    }

    def run(block: str) -> list[str]:
        box.clear_calls()
        script = f"set -euo pipefail\n{block}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-5_000:]
        return [call.kind for call in box.calls if call.kind not in NO_RESULTS]

    return run


def test_commands_of_the_page(
    blocks: dict[str, str], world: World, shell: Callable[[str], list[str]], tmp_path: Path
) -> None:
    """Three shards read everything; four shards, made of the joined states, read only what has changed since."""
    sync = blocks["Without Meltano"]
    assert shell(blocks["One state per shard"]) == []
    assert shell(sync)
    assert shell(sync) == []
    stored = tmp_path / "stored.jsonl"
    stored.write_bytes(stored.read_bytes() + (tmp_path / "messages.jsonl").read_bytes())
    warehouse = Warehouse()
    warehouse.load(parse(stored.read_bytes()))
    assert_true(warehouse, world)

    shell(blocks["Changing the number of shards"])
    states = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("shard-*.json")]
    assert len(states) > 3
    ids = [part["context"]["test_id"] for state in states for part in state["bookmarks"]["sessions"]["partitions"]]
    assert len(ids) == len(set(ids))
    test = next(test for test in world.tests.values() if test.product_type == "THINK_OUT_LOUD")
    world.add_session(test)
    assert sorted(shell(sync)) == ["details_v3", "list", "transcript"]
    warehouse.load(parse(stored.read_bytes()))
    assert_true(warehouse, world)
