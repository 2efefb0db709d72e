"""The recipe without Meltano: `sync.sh`, which keeps the state of a tap and a target, and `shards.py`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.support.harness import COMMAND, Warehouse, parse
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

SCRIPTS = Path(__file__).parents[2] / "docs/examples/singer"
SYNC = SCRIPTS / "sync.sh"
STILL_RUNNING = 75
SESSIONS = 24

# Stores every line at once, and acknowledges each STATE once the lines before it are stored, as targets do.
TARGET = """
import json, sys
with open(sys.argv[1], "ab", buffering=0) as stored:
    for line in sys.stdin.buffer:
        stored.write(line)
        message = json.loads(line)
        if message["type"] == "STATE":
            print(json.dumps(message["value"]), flush=True)
"""


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, at most as long as a slow machine may take."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


@dataclass(frozen=True)
class Recipe:
    """sync.sh with the tap, a target and a state file in a folder."""

    world: World
    box: Sandbox
    folder: Path

    @property
    def state(self) -> Path:
        """The state file."""
        return self.folder / "state.json"

    @property
    def log(self) -> Path:
        """What the target of a sync that runs or was killed has acknowledged."""
        return self.folder / "state.json.log"

    def start(self) -> subprocess.Popen[bytes]:
        """Begin a sync in a process group of its own."""
        settings = {f"TAP_USERTESTING_{name.upper()}": str(value) for name, value in self.box.config().items()}
        commands = {
            "TAP": " ".join([*COMMAND, "--config=ENV"]),
            "TARGET": f"{sys.executable} {self.folder / 'target.py'} {self.folder / 'stored.jsonl'}",
        }
        env = {**os.environ, **settings, **commands}
        return subprocess.Popen([str(SYNC), str(self.state)], env=env, stderr=subprocess.PIPE, start_new_session=True)

    def sync(self) -> int:
        """Run a sync to its end; return the exit status."""
        self.box.clear_calls()
        with self.start() as process:
            process.communicate(timeout=100)
        return process.returncode

    def asked(self, kind: str) -> int:
        """Return how many calls of a kind the last sync made."""
        return sum(call.kind == kind for call in self.box.calls)

    def spent(self) -> int:
        """Return how many calls of the last sync took a place in the quota."""
        return sum(self.asked(kind) for kind in ("list", "details_v3", "transcript", "qx_scores"))

    def messages(self) -> list[dict[str, Any]]:
        """Return what the target has stored, over all syncs."""
        return parse((self.folder / "stored.jsonl").read_bytes())

    def stored(self, stream: str) -> int:
        """Return how many rows of a stream the target has stored, those that came twice counted twice."""
        return sum(message["type"] == "RECORD" and message["stream"] == stream for message in self.messages())

    def assert_true(self) -> None:
        """Assert that what the target has stored is the truth."""
        warehouse = Warehouse()
        warehouse.load(self.messages())
        assert_true(warehouse, self.world)


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[Recipe]:
    """The recipe and a served world with one test."""
    (tmp_path / "target.py").write_text(TARGET, encoding="utf-8")
    world = World(seed=7)
    test = world.add_test(product_type="THINK_OUT_LOUD")
    for _ in range(SESSIONS):
        world.add_session(test)
    with Sandbox(world, quota=None) as box:
        yield Recipe(world, box, tmp_path)


needs_flock = pytest.mark.skipif(shutil.which("flock") is None, reason="sync.sh needs flock, of util-linux")


@needs_flock
def test_a_second_sync_reads_what_changed(recipe: Recipe) -> None:
    """First all, then nothing, then one session: the state file carries over what the target has acknowledged."""
    assert recipe.sync() == 0
    recipe.assert_true()
    assert recipe.sync() == 0
    assert (recipe.asked("details_v3"), recipe.asked("transcript")) == (0, 0)
    recipe.world.add_session(next(iter(recipe.world.tests.values())))
    assert recipe.sync() == 0
    assert (recipe.asked("details_v3"), recipe.asked("transcript")) == (1, 1)
    recipe.assert_true()


@needs_flock
def test_a_killed_sync_is_resumed(recipe: Recipe) -> None:
    """`kill -9` of everything in the middle: the next sync goes on from what the target had acknowledged by then."""
    process = recipe.start()

    def kill(_call: object) -> None:
        wait_until(lambda: recipe.log.exists() and b"total_count" in recipe.log.read_bytes())
        os.killpg(process.pid, signal.SIGKILL)

    recipe.box.before("details_v3", kill, skip=10)
    process.communicate(timeout=100)
    assert process.returncode == -signal.SIGKILL
    assert not recipe.state.exists()

    recipe.log.write_bytes(recipe.log.read_bytes() + b'{"bookmarks": {}')
    assert recipe.sync() == 0
    recipe.assert_true()
    assert recipe.stored("sessions") == SESSIONS, "a row that was acknowledged before the kill came again"
    assert not recipe.log.exists()


@needs_flock
def test_sigterm_saves_the_state(recipe: Recipe) -> None:
    """A scheduler that stops the script stops the tap, and what was read until then is not read again.

    But for a call that was under way: the server has counted it, and the tap has not seen its answer.
    """
    recipe.box.set_quota(QuotaRule(limit=10, window=170.0))
    process = recipe.start()
    # The tenth call closes the window for minutes.
    wait_until(lambda: recipe.spent() == 10 and recipe.log.exists() and recipe.log.stat().st_size > 0)
    left = 2 * SESSIONS - recipe.asked("details_v3") - recipe.asked("transcript")
    process.terminate()
    process.communicate(timeout=100)
    assert process.returncode == 143
    recipe.box.set_quota(None)
    assert recipe.sync() == 0
    assert left <= recipe.asked("details_v3") + recipe.asked("transcript") <= left + 1
    recipe.assert_true()


@needs_flock
def test_no_two_syncs_of_one_state_run_at_once(recipe: Recipe) -> None:
    """The second one ends at once and touches nothing, even where the first one's script was killed and its tap not."""
    recipe.box.set_quota(QuotaRule(limit=10, window=170.0))
    process = recipe.start()
    wait_until(lambda: recipe.spent() == 10)
    calls = len(recipe.box.calls)
    process.kill()
    process.wait(timeout=100)
    with recipe.start() as second:
        _, errors = second.communicate(timeout=100)
    assert second.returncode == STILL_RUNNING
    assert b"is still running" in errors
    assert len(recipe.box.calls) == calls
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=100)


OLDER, NEWER = (b'{"bookmarks": {"sessions": {"partitions": [%d]}}}\n' % n for n in (1, 2))


@pytest.mark.parametrize(
    ("log", "kept"),
    [
        pytest.param(OLDER + NEWER, NEWER, id="whole lines"),
        pytest.param(OLDER + NEWER[:-2], OLDER, id="the last line is cut short"),
        pytest.param(NEWER[:-2], None, id="the only line is cut short"),
        pytest.param(b"", None, id="nothing was acknowledged"),
        pytest.param(OLDER + NEWER + b"bye\n", NEWER, id="the target says more at its end"),
        pytest.param(OLDER + b'{"level": "info"}\n\n', OLDER, id="the target logs JSON"),
        pytest.param(b"loaded\n" + OLDER + b"\xff\xfe\n", OLDER, id="bytes that are no text"),
        pytest.param(b'{"rows": 2}\nbye\n', None, id="the target says other things alone"),
    ],
)
@needs_flock
def test_last_whole_state_is_kept(tmp_path: Path, log: bytes, kept: bytes | None) -> None:
    """After a crash the last whole state becomes the state; where there is none, the old state stays."""
    state = tmp_path / "state.json"
    state.write_bytes(b'{"old": true}\n')
    state.with_name("state.json.log").write_bytes(log)
    env = {**os.environ, "TAP": "true", "TARGET": "true"}
    subprocess.run([str(SYNC), str(state)], env=env, check=True)
    assert state.read_bytes() == (kept or b'{"old": true}\n')
    assert {path.name for path in tmp_path.iterdir()} == {"state.json", "state.json.lock"}


@needs_flock
def test_exit_status_is_the_taps_or_the_targets(tmp_path: Path) -> None:
    """A scheduler sees either of the two fail."""
    for tap, target in (("true", "false"), ("false", "true")):
        env = {**os.environ, "TAP": tap, "TARGET": target}
        assert subprocess.run([str(SYNC), str(tmp_path / "state.json")], env=env, check=False).returncode == 1


@pytest.fixture(scope="module")
def sharding() -> ModuleType:
    """The module shards.py."""
    spec = importlib.util.spec_from_file_location("shards", SCRIPTS / "shards.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_new_test_moves_no_other(sharding: ModuleType) -> None:
    """A test's shard hangs on its id alone, in whatever order the tests are listed and however it is written."""
    ids = list(World.seeded(seed=7, scale="demo").tests)
    before = {test_id: part["shard"] for part in sharding.shards(ids[:-1], 3) for test_id in part["test_ids"]}
    after = {test_id: part["shard"] for part in sharding.shards(ids[::-1], 3) for test_id in part["test_ids"]}
    assert sorted(before) == sorted(ids[:-1])
    assert before.items() <= after.items()
    assert sharding.shards([f"ut_{ids[0]}"], 3)[0]["shard"] == before[ids[0]]


def test_a_shard_without_tests_is_left_out(sharding: ModuleType) -> None:
    """Without `test_ids` the tap would read everything."""
    ids = list(World.seeded(seed=7, scale="small").tests)[:2]
    found = sharding.shards(ids, 100)
    assert sorted(test_id for part in found for test_id in part["test_ids"]) == sorted(ids)
    assert all(part["test_ids"] for part in found)
    assert sharding.shards([], 3) == []


def test_shards_are_discovered(tmp_path: Path) -> None:
    """Without ids the tap is asked, for no call under the quota; what it emits is kept for the target."""
    world = World.seeded(seed=7, scale="small")
    messages = tmp_path / "directory.jsonl"
    with Sandbox(world, quota=None) as box:
        settings = {f"TAP_USERTESTING_{name.upper()}": str(value) for name, value in box.config().items()}
        env = {**os.environ, **settings, "TAP": " ".join([*COMMAND, "--config=ENV"])}
        command = [sys.executable, str(SCRIPTS / "shards.py"), "3", str(messages)]
        found = json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout)
        kinds = {call.kind for call in box.calls}
    assert kinds == {"token", "v1"}
    readable = [test.test_id for test in world.tests.values() if test.type == "STUDYV2"]
    assert sorted(test_id for part in found for test_id in part["test_ids"]) == sorted(readable)
    warehouse = Warehouse()
    warehouse.load(parse(messages.read_bytes()))
    assert_true(warehouse, world, ("workspaces", "tests"))
