"""What a stranger finds: the top level, the version, the dependencies, the make targets."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import tap_usertesting

ROOT = Path(__file__).parents[2]

TOP_LEVEL = {
    # what a user reads
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "SECURITY.md",
    "docs",
    "mkdocs.yml",
    # what runs
    "pyproject.toml",
    "meltano.yml",
    "Makefile",
    "schemas",
    "tap_usertesting",
    "tests",
    # what tools look for
    ".ci",
    ".editorconfig",
    ".env.example",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
}
# A checkout has its history, an unpacked sdist its metadata.
NOT_OURS = {".git", "PKG-INFO"}


def _files_of_the_project(sdist_files: set[str]) -> set[str]:
    """Everything git does not ignore; outside a checkout, what the sdist holds."""
    if not (ROOT / ".git").exists():
        return sdist_files
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name for name in listed.split("\0") if name}


def test_whatever_the_package_imports_is_a_dependency_of_its_own(project: dict[str, Any]) -> None:
    """What another distribution brings along may be gone with its next release, or on another Python."""
    named = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["sandbox"]
    dependencies = {re.split(r"[^a-z0-9-]", one.lower())[0] for one in named}
    brought = packages_distributions()
    imported = {
        name.partition(".")[0]
        for path in (ROOT / "tap_usertesting").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    foreign = imported - sys.stdlib_module_names - {"tap_usertesting"}
    assert {"requests", "singer_sdk", "graphql"} <= foreign
    of = {name: {one.lower().replace("_", "-") for one in brought.get(name, ())} for name in foreign}
    assert [name for name in sorted(foreign) if not of[name] & dependencies] == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def test_top_level_is_small(sdist_files: set[str]) -> None:
    """A new name at the top is a decision: it is added here, or it belongs in a folder or in .gitignore."""
    names = {Path(name).parts[0] for name in _files_of_the_project(sdist_files)}
    assert names - TOP_LEVEL - NOT_OURS == set()


def test_version_stands_in_one_place(project: dict[str, Any], built: Path, sdist_files: set[str]) -> None:
    """`__version__` is the version: pyproject.toml and the packages have it from there."""
    version = tap_usertesting.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert "version" in project["project"]["dynamic"]
    assert {path.name for path in built.iterdir()} >= {
        f"tap_usertesting-{version}-py3-none-any.whl",
        f"tap_usertesting-{version}.tar.gz",
    }
    assignment = re.compile(rf"""version\w*["']?\s*[:=]+\s*["']?{re.escape(version)}\b""", re.IGNORECASE)
    holders = {
        name
        for name in _files_of_the_project(sdist_files)
        if name.endswith((".py", ".toml", ".yml", ".cfg"))
        and assignment.search((ROOT / name).read_text(encoding="utf-8"))
    }
    assert holders == {"tap_usertesting/__init__.py"}


def test_one_distribution_provides_backoff(project: dict[str, Any]) -> None:
    """`backoff` and `python-backoff` write the same files: with both, removing one breaks the other."""
    names = {re.split(r"[\[<>=~! ;]", requirement)[0] for requirement in project["project"]["dependencies"]}
    assert "python-backoff" in names
    assert "backoff" not in names


def test_every_supported_python_is_tested(project: dict[str, Any]) -> None:
    """The classifiers, `requires-python` and the matrix of the test workflow say the same."""
    prefix = "Programming Language :: Python :: 3."
    claimed = [
        text.removeprefix("Programming Language :: Python :: ")
        for text in project["project"]["classifiers"]
        if text.startswith(prefix)
    ]
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    matrix = re.search(r"python: \[(.*)\]", workflow)
    assert matrix is not None
    assert re.findall(r'"(.*?)"', matrix[1]) == claimed
    assert project["project"]["requires-python"] == f">={claimed[0]}"


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a shell, also where make runs these tests: a make inside a make says more."""
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, check=False, capture_output=True, text=True)


def test_make_without_a_target_explains_itself() -> None:
    """`make` alone builds nothing and names every target that a person would call."""
    shown = make().stdout
    targets = set(re.findall(r"^  make ([\w-]+)", shown, flags=re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].split())


@pytest.mark.parametrize("target", ["lint", "demo"])
def test_make_says_in_one_line_that_a_python_is_too_old(target: str, tmp_path: Path) -> None:
    """Without a Python that is new enough nothing starts, and the one line says what to do."""
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    run = make(target, f"VENV={tmp_path}/venv", f"DEMO_VENV={tmp_path}/demo", f"PYTHON={old}")
    assert run.stdout == ""
    lines = [line for line in run.stderr.splitlines() if not line.startswith("make")]
    assert run.returncode != 0
    assert len(lines) == 1
    assert "Python 3.10 or newer" in lines[0]
    assert list(tmp_path.iterdir()) == [old]


def test_make_demo_says_that_it_installs(tmp_path: Path) -> None:
    """One line before the first thing that takes time says what and how long; a second run installs nothing."""
    fake = tmp_path / "python3"
    # Makes an environment with itself as its Python, and notes what it is asked to run.
    fake.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = -m ] && echo "$2" >> {tmp_path}/ran\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi\n'
        'if [ "$2" = venv ] || [ "$2" = pip ]; then echo "takes long"; fi\n'
    )
    fake.chmod(0o755)
    first, second = (make("demo", f"DEMO_VENV={tmp_path}/demo", f"PYTHON={fake}") for _ in range(2))
    announced, *rest = first.stdout.splitlines()
    assert announced.startswith("Installing ")
    assert "target-postgres" in announced
    assert "about a minute" in announced
    assert rest == ["takes long"] * 2
    assert second.stdout == second.stderr == ""
    assert (tmp_path / "ran").read_text().split() == ["venv", "pip", "tests.demo.run", "tests.demo.run"]
