"""Other ways in: the image's build steps, and the Hub definition in a Meltano project."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tap_usertesting import __version__
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.streams.catalog import STREAMS
from tests.e2e.meltano.project import programs
from tests.e2e.orchestrators.conftest import EXAMPLES, TIMEOUT
from tests.support import environments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = environments.ROOT
VERSION = f"tap-usertesting v{__version__}"


def output(command: list[str], **variables: str) -> str:
    """Run a command in the top folder; return what it printed. Fails with its log where it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stderr[-5_000:]
    return done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /opt/tap as the recipe builds it, elsewhere: its own copies, its own commands, nothing besides."""
    folder = tmp_path_factory.mktemp("image")
    source, built = folder / "source", folder / "tap"
    source.mkdir()
    text = (EXAMPLES / "container/Dockerfile").read_text(encoding="utf-8")
    first_stage = text.split("\nFROM ")[1]
    for word, _, rest in (line.partition(" ") for line in first_stage.splitlines()):
        if word == "COPY":
            *names, target = rest.split()
            for name in names:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, source / target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / name, source / target)
        elif word == "RUN":
            command = rest.replace("/opt/tap", str(built))
            done = subprocess.run(["sh", "-c", command], cwd=source, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-5_000:]
    return built


@pytest.fixture
def settings() -> Iterator[dict[str, str]]:
    """Settings for a sandbox whose quota is used up by a few calls, for minutes."""
    world = World(seed=7)
    test = world.add_test()
    for _ in range(20):
        world.add_session(test)
    with Sandbox(world, quota=QuotaRule(limit=10, window=170.0)) as box:
        config = {**box.config(), "test_ids": json.dumps([test.test_id])}
        yield {f"TAP_USERTESTING_{name.upper()}": str(value) for name, value in config.items()}


def test_image_holds_the_tap(image: Path) -> None:
    """What the entry point names runs, with its schemas, and the extra is not in it unless asked for."""
    tap = str(image / "bin/tap-usertesting")
    assert output([tap, "--version"]).startswith(VERSION)
    assert json.loads(output([tap, "--about", "--format", "json"]))["name"] == "tap-usertesting"
    assert len(json.loads(output([tap, "--discover"]))["streams"]) == len(STREAMS) - 1  # all but links to videos
    done = subprocess.run([str(image / "bin/tap-usertesting-sandbox")], capture_output=True, text=True, check=False)
    assert "graphql-core is missing" in done.stderr


def test_stopping_the_container_saves_the_state(image: Path, settings: dict[str, str], tmp_path: Path) -> None:
    """SIGTERM to the entry point, as `docker stop` sends it: a last STATE, and the exit status that says so."""
    written = tmp_path / "written.jsonl"
    command = [str(image / "bin/tap-usertesting"), "--config=ENV"]
    env = {**os.environ, **settings}
    with (
        written.open("wb") as out,
        subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.PIPE, text=True) as tap,
    ):
        assert tap.stderr is not None
        line = next(line for line in tap.stderr if "no calls left" in line or "ERROR" in line)
        tap.terminate()
        _, log = tap.communicate(timeout=TIMEOUT)
    assert tap.returncode == 128 + signal.SIGTERM, f"{line}{log}"
    assert json.loads(written.read_bytes().splitlines()[-1])["type"] == "STATE"


def test_meltano_takes_the_hub_definition(tmp_path: Path) -> None:
    """`meltano add --from-ref` puts the tap into a project from the definition alone, with every setting."""
    definition = EXAMPLES / "hub/tap-usertesting.yml"
    project = tmp_path / "meltano.yml"
    project.write_text("send_anonymous_usage_stats: false\nproject_id: hub\n", encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MELTANO_", "TAP_USERTESTING_"))}
    # A hub that no one serves: the definition must be enough.
    env["MELTANO_HUB_URL"] = "http://127.0.0.1:9"
    command = [str(programs() / "meltano"), "add", "--no-install", "--from-ref", str(definition), "tap-usertesting"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr[-5_000:]
    (tap,) = yaml.safe_load(project.read_text(encoding="utf-8"))["plugins"]["extractors"]
    expected = yaml.safe_load(definition.read_text(encoding="utf-8"))
    for key in ("name", "variant", "namespace", "pip_url", "capabilities", "settings_group_validation"):
        assert tap[key] == expected[key], key
    assert {setting["name"]: setting for setting in tap["settings"]} == {
        setting["name"]: setting for setting in expected["settings"]
    }
