"""What PyPI gets: a wheel that runs without this repository, and an sdist from which anybody builds the same wheel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tap_usertesting

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def metadata(wheel_files: dict[str, bytes]) -> Message:
    """METADATA of the wheel: what PyPI shows and pip resolves."""
    return message_from_bytes(next(body for name, body in wheel_files.items() if name.endswith("/METADATA")))


@pytest.fixture(scope="module")
def run(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a command of the wheel, installed into a folder of its own and without this repository's."""
    place = tmp_path_factory.mktemp("installed")
    wheel = next(built.glob("*.whl"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(place)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("TAP_")}

    def go(name: str, *options: str) -> str:
        given = [str(place / "bin" / name), *options]
        own = {**env, "PYTHONPATH": str(place)}
        done = subprocess.run(given, cwd=place, env=own, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return go


# The wheel


def test_wheel_holds_the_schemas_and_the_typing_marker(wheel_files: dict[str, bytes]) -> None:
    """An installed tap finds every schema, byte for byte, and type checkers believe its annotations."""
    folder = "tap_usertesting/schemas/"
    shipped = {name: body for name, body in wheel_files.items() if name.startswith(folder)}
    assert shipped == {folder + path.name: path.read_bytes() for path in (ROOT / "schemas").iterdir()}
    assert "tap_usertesting/py.typed" in wheel_files


def test_wheel_holds_every_module_and_no_test(wheel_files: dict[str, bytes]) -> None:
    """Nothing of the package is left behind, and nothing else is installed beside it."""
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tap_usertesting").rglob("*.py")}
    assert modules <= wheel_files.keys()
    assert {name.split("/")[0].partition("-")[0] for name in wheel_files} == {"tap_usertesting"}


def test_wheel_has_the_commands_and_the_licence(wheel_files: dict[str, bytes], metadata: Message) -> None:
    """Both commands of the README, and the text of the licence."""
    inside = {Path(name).name: body for name, body in wheel_files.items() if ".dist-info/" in name}
    assert b"tap-usertesting = tap_usertesting.tap:TapUserTesting.cli" in inside["entry_points.txt"]
    assert b"tap-usertesting-sandbox = tap_usertesting.sandbox.cli:main" in inside["entry_points.txt"]
    assert inside["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"


def test_metadata_says_what_the_project_says(metadata: Message, project: dict[str, Any]) -> None:
    """Name, version, Pythons, extras and requirements; in a form of the metadata that uploading tools know."""
    own = project["project"]
    assert metadata["Metadata-Version"] == "2.4"
    assert (metadata["Name"], metadata["Version"]) == ("tap-usertesting", tap_usertesting.__version__)
    assert (metadata["Summary"], metadata["Requires-Python"]) == (own["description"], own["requires-python"])
    assert metadata.get_all("Provides-Extra") == list(own["optional-dependencies"])
    required = metadata.get_all("Requires-Dist") or []
    of_sandbox = [text.partition(";")[0] for text in required if text.endswith("extra == 'sandbox'")]
    always = [text for text in required if ";" not in text]
    assert _names(always) == _names(own["dependencies"])
    assert _names(of_sandbox) == _names(own["optional-dependencies"]["sandbox"])
    assert len(required) == len(always) + len(of_sandbox)


def test_every_requirement_has_both_bounds(metadata: Message) -> None:
    """A new major version of a dependency cannot break an installation of a release."""
    for text in metadata.get_all("Requires-Dist") or []:
        assert re.search(r"<\d", text), text
        assert re.search(r">=\d", text), text


def _names(requirements: list[str]) -> list[str]:
    return sorted(re.split(r"[<>=~! ;]", text)[0] for text in requirements)


def test_project_urls_are_this_repositorys(metadata: Message, project: dict[str, Any]) -> None:
    """PyPI shows them beside the page; a path that one names is there."""
    urls = dict(text.split(", ", 1) for text in metadata.get_all("Project-URL") or [])
    assert urls == project["project"]["urls"]
    assert urls.keys() >= {"Homepage", "Documentation", "Changelog", "Issues", "Source"}
    for url in urls.values():
        assert url.startswith("https://github.com/tap-usertesting/tap-usertesting"), url
        _, blob, path = url.partition("/blob/main/")
        assert not blob or (ROOT / path.partition("#")[0]).exists(), url


def test_the_page_on_pypi_needs_no_file_of_the_repository(metadata: Message) -> None:
    """Links and pictures of the README are absolute or lead inside it: PyPI has nothing else of the repository."""
    assert metadata["Description-Content-Type"] == "text/markdown"
    body = metadata.get_payload(decode=True)
    assert isinstance(body, bytes)
    page = body.decode()
    assert page == (ROOT / "README.md").read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)\s]+)", prose)
    targets += re.findall(r"^\[[^\]]+\]: (\S+)", prose, flags=re.MULTILINE)
    targets += re.findall(r"<(?:a|img|source)\b[^>]*?(?:href|src|srcset)=\"([^\"]+)", prose)
    assert targets
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    ours = "https://github.com/tap-usertesting/tap-usertesting/blob/main/"
    paths = [target.removeprefix(ours).partition("#")[0] for target in targets if target.startswith(ours)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


# What is installed runs


def test_the_installed_commands_tell_the_version(run: Callable[..., str]) -> None:
    """One version: of the package, of `--version`, of `--about` and in the User-Agent that the APIs see."""
    version = tap_usertesting.__version__
    assert run("tap-usertesting", "--version").startswith(f"tap-usertesting v{version}, ")
    about = json.loads(run("tap-usertesting", "--about", "--format", "json"))
    assert (about["name"], about["version"]) == ("tap-usertesting", version)
    assert about["settings"]["properties"]["user_agent"]["default"] == f"tap-usertesting/{version}"


def test_the_installed_tap_discovers_its_streams(run: Callable[..., str], tmp_path: Path) -> None:
    """The schemas are found in the package, every stream's; nothing is asked of a server."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"client_id": "id", "client_secret": "secret", "video_links": True}))
    found = json.loads(run("tap-usertesting", "--discover", "--config", str(config)))
    assert {entry["tap_stream_id"] for entry in found["streams"]} == {p.stem for p in (ROOT / "schemas").iterdir()}


def test_the_installed_sandbox_says_how_to_use_it(run: Callable[..., str]) -> None:
    """The second command."""
    assert "usage: tap-usertesting-sandbox" in run("tap-usertesting-sandbox", "--help")


# The sdist


def test_sdist_can_be_built_and_tested(sdist_files: set[str]) -> None:
    """Who packages from the sdist has the schemas, the tests and all that they read; no more than git would give."""
    needed = {
        "pyproject.toml",
        "Makefile",
        "schemas/sessions.json",
        "tests/published/test_distributions.py",
        "docs/README.md",
    }
    assert needed <= sdist_files
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
        assert sdist_files == {name for name in listed if name and (ROOT / name).exists()} | {"PKG-INFO"}


def test_the_sdist_builds_the_same_wheel_and_itself(built: Path, tmp_path: Path) -> None:
    """Byte for byte, from a copy at another place, of another time: whoever rebuilds a release can compare it."""
    subprocess.run(["tar", "-xzf", str(next(built.glob("*.tar.gz")))], cwd=tmp_path, check=True)
    (copy,) = tmp_path.iterdir()
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = tmp_path / "again"
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(again)]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in (built, again))
    assert first.keys() == second.keys()
    assert [name for name, body in first.items() if body != second[name]] == []
