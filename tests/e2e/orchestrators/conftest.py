"""What the example pipelines run against: a served world, the commands on the PATH, and a folder of JSON lines."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.streams.session_videos import SessionVideosStream
from tests.e2e.pages.blocks import page_of
from tests.e2e.pages.clone import cloned, environment, left_in
from tests.e2e.pages.terminals import Terminal
from tests.support import environments
from tests.support.harness import Warehouse, catalog
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_usertesting.sandbox import ServedCall
    from tap_usertesting.sandbox.model import Session, Test

# Without a catalog: what is selected by default.
SELECTED = {stream.name for stream in STREAMS if stream.selected_by_default} - {SessionVideosStream.name}
EXAMPLES = environments.ROOT / "docs/examples"
REQUIREMENTS = environments.ROOT / "tests/e2e/requirements"
NO_RESULTS = frozenset({"token", "feed", "v1"})
SHARDS = 3
TIMEOUT = 300.0  # seconds; two cores may be shared with other tests


@dataclass(frozen=True)
class Pipeline:
    """A world with its sandbox, and the environment in which a user's pipeline finds both and its commands."""

    world: World
    box: Sandbox
    folder: Path
    env: Mapping[str, str]

    @property
    def state(self) -> Path:
        """The folder of the state files."""
        return self.folder / "state"

    def run(self, command: Sequence[str], **variables: str) -> str:
        """Run a command of the pipeline to its end; return what it wrote. Fails with that where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.env, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert done.returncode == 0, done.stdout[-10_000:]
        return done.stdout

    def paste(self, page: str, programs: Path) -> Path:
        """Paste the blocks of a page into a fresh clone, with more programs on the PATH; return the clone."""
        clone = cloned(self.folder / "clone")
        (self.folder / "home").mkdir()
        settings = {name: value for name, value in self.env.items() if name.startswith("TAP_USERTESTING_")}
        env = environment(self.folder / "home") | settings
        env["PATH"] = os.pathsep.join([str(programs), self.env["PATH"]])
        with Terminal(clone, env, self.folder / "scratch") as terminal:
            for block in page_of(page).blocks:
                terminal.paste(block.commands)
        assert left_in(clone) == ""
        return clone

    def calls(self) -> list[ServedCall]:
        """Return the calls under the quota since the last time that this was asked."""
        calls = [call for call in self.box.calls if call.kind not in NO_RESULTS]
        self.box.clear_calls()
        return calls

    def assert_true(self) -> None:
        """Assert that the loaded files, read as upserts in their order, hold the sandbox's truth in every stream."""
        warehouse = Warehouse()
        for entry in catalog(())["streams"]:
            if entry["stream"] not in SELECTED:
                continue
            warehouse.load([{"type": "SCHEMA", **entry}])
            path = self.folder / "loaded" / f"{entry['stream']}.jsonl"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            warehouse.load({"type": "RECORD", "stream": entry["stream"], "record": json.loads(line)} for line in lines)
        assert_true(warehouse, self.world)


def change(world: World) -> set[str]:
    """Let things happen in one test of each shard; return the ids of the sessions that are to be read again."""
    read = set()
    for shard in range(SHARDS):
        test = next(test for test in world.tests.values() if _shard(test) == shard and len(_live(test)) >= 2)
        updated, rejected = _live(test)[:2]
        world.update(updated)
        world.reject(rejected)
        read |= {updated.session_id, world.add_session(test).session_id}
    return read


def assert_incremental(pipeline: Pipeline, run: Callable[[], object]) -> None:
    """Run a pipeline before and after changes: tables right, only what changed read again, no test in two states."""
    run()
    pipeline.assert_true()
    first = len(pipeline.calls())

    changed = change(pipeline.world)
    run()
    pipeline.assert_true()
    calls = pipeline.calls()
    assert {call.session_id for call in calls if call.kind == "details_v3"} == changed
    assert len(calls) < first / 2

    states = [json.loads(path.read_text(encoding="utf-8")) for path in pipeline.state.glob("shard-*.json")]
    kept = [
        partition["context"]["test_id"]
        for state in states
        for partition in state["bookmarks"]["sessions"]["partitions"]
    ]
    assert len(states) == SHARDS
    assert len(kept) == len(set(kept))


def _shard(test: Test) -> int:
    return UUID(test.test_id).int % SHARDS


def _live(test: Test) -> list[Session]:
    return [session for session in test.sessions.values() if session.visible and not session.rejected]


@pytest.fixture(scope="session")
def target_jsonl() -> Path:
    """The folder of the command target-jsonl, in the version that meltano.yml names."""
    project = yaml.safe_load((environments.ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (target,) = (loader for loader in project["plugins"]["loaders"] if loader["name"] == "target-jsonl")
    return environments.install("target-jsonl", shlex.split(target["pip_url"]))


@pytest.fixture
def pipeline(tmp_path: Path, target_jsonl: Path) -> Iterator[Pipeline]:
    """A seeded world, served without a quota, and the environment of a user who has installed tap and target."""
    world = World.seeded(seed=7, scale="small")
    for name in ("state", "loaded"):
        (tmp_path / name).mkdir()
    config = tmp_path / "target.json"
    config.write_text(json.dumps({"destination_path": str(tmp_path / "loaded"), "do_timestamp_file": False}))
    with Sandbox(world, quota=None) as box:
        settings = {f"TAP_USERTESTING_{name.upper()}": value for name, value in box.config().items()}
        own = {name: value for name, value in os.environ.items() if not name.startswith("TAP_USERTESTING_")}
        paths = (str(Path(sys.executable).parent), str(target_jsonl), os.environ["PATH"])
        env = {
            **own,
            **settings,
            "PATH": os.pathsep.join(paths),
            "TARGET": f"target-jsonl --config {config}",
            "USERTESTING_STATE": str(tmp_path / "state"),
            "USERTESTING_COMMANDS": str(EXAMPLES / "singer"),
            "USERTESTING_SHARDS": str(SHARDS),
        }
        yield Pipeline(world=world, box=box, folder=tmp_path, env=env)
