"""A release is what its tag says: changelog, version and workflow agree, and nothing but the workflow publishes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

import tap_usertesting
from tap_usertesting.config.schema import DEFAULTS
from tests.published.release_notes import CHANGELOG, UNRELEASED, NotReadyError, notes, sections
from tests.published.sbom import faults

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.name: path for path in (ROOT / ".github/workflows").glob("*.yml")}
READY = """\
# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-31

### Added

- More.

## [1.2.2] - 2026-01-30

- Less.
"""


def _workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOWS[name].read_text(encoding="utf-8"))
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


# The changelog


def test_changelog_has_a_place_for_what_comes_and_the_newest_version_first() -> None:
    """New entries go under Unreleased, on top; each version below has a date, and none is newer than the code's."""
    first, *released = sections(CHANGELOG.read_text(encoding="utf-8"))
    assert (first.name, first.date) == (UNRELEASED, None)
    versions = [_numbers(section.name) for section in released]
    assert versions == sorted(set(versions), reverse=True)
    assert all(version <= _numbers(tap_usertesting.__version__) for version in versions)
    dates = [date.fromisoformat(str(section.date)) for section in released]
    assert dates == sorted(dates, reverse=True)


def test_there_is_something_to_say_of_the_version() -> None:
    """The version has its section or, before its release, entries under Unreleased that will be it."""
    told = {section.name: section.text for section in sections(CHANGELOG.read_text(encoding="utf-8"))}
    assert "\n- " in told.get(tap_usertesting.__version__, told[UNRELEASED])


def test_the_notes_are_the_section_of_the_version() -> None:
    """As it stands there, without its heading and without another version's."""
    assert notes("v1.2.3", "1.2.3", READY) == "### Added\n\n- More.\n"


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "reason"),
    [
        pytest.param("v1.2.4", "1.2.3", READY, "the tag is v1.2.4", id="another version"),
        pytest.param("1.2.3", "1.2.3", READY, "the tag is 1.2.3", id="no v"),
        pytest.param("v1.2.4", "1.2.4", READY, "no section", id="no section"),
        pytest.param("v1.2.3", "1.2.3", READY.replace(" - 2026-01-31", ""), "its date", id="no date"),
        pytest.param("v1.2.3", "1.2.3", READY.replace("2026-01-31", "soon"), "its date", id="no real date"),
        pytest.param("v1.2.3", "1.2.3", READY.replace("- More.", "More."), "no entry", id="no entry"),
        pytest.param("v1.2.3", "1.2.3", READY.replace("[1.2.3] -", "1.2.3 -"), "as '## [1.2.3]", id="another form"),
        pytest.param("v1.2.3", "1.2.3", READY.replace("ed]\n", "ed]\n\n- New.\n"), "move the", id="left behind"),
    ],
)
def test_what_is_not_ready_is_refused(tag: str, version: str, changelog: str, reason: str) -> None:
    """One line says what to do."""
    with pytest.raises(NotReadyError, match=re.escape(reason)):
        notes(tag, version, changelog)


def test_the_command_refuses_a_tag_that_is_not_the_version(tmp_path: Path) -> None:
    """As the workflow calls it: without an installed package, from the top of the repository."""
    command = [sys.executable, "-S", "-m", "tests.published.release_notes", "v99.0.0"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**env, "PYTHONPYCACHEPREFIX": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.splitlines() == [
        f"the tag is v99.0.0, but tap_usertesting/__init__.py has the version {tap_usertesting.__version__}"
    ]


def test_no_other_place_names_a_version() -> None:
    """The User-Agent has the code's; the Hub and meltano.yml name none."""
    assert DEFAULTS["user_agent"] == f"tap-usertesting/{tap_usertesting.__version__}"
    for name in ("docs/examples/hub/tap-usertesting.yml", "meltano.yml"):
        assert "tap-usertesting/" not in (ROOT / name).read_text(encoding="utf-8").replace("tap-usertesting/tap-", "")


# The SBOM


def _an_sbom(project: dict[str, Any]) -> dict[str, Any]:
    names = [re.split(r"[\[<>=]", text)[0] for text in project["project"]["dependencies"]]
    about = {"name": "tap-usertesting", "version": tap_usertesting.__version__}
    return {"metadata": {"component": about}, "components": [{"name": name, "version": "1"} for name in names]}


def test_an_sbom_of_this_version_is_right(project: dict[str, Any]) -> None:
    """It is of this version and lists what the package needs."""
    assert faults(_an_sbom(project)) == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(lambda sbom: sbom["metadata"]["component"].pop("version"), "not of tap-", id="no version"),
        pytest.param(lambda sbom: sbom["metadata"]["component"].update(version="99"), "not of tap-", id="another"),
        pytest.param(lambda sbom: sbom["components"].pop(0), "click is not listed", id="one less"),
        pytest.param(lambda sbom: sbom["components"][0].pop("version"), "click is not listed", id="without version"),
        pytest.param(lambda sbom: sbom["components"].append({"name": "pip", "version": "1"}), "pip is no", id="a tool"),
        pytest.param(lambda sbom: sbom["components"][0].update(purl="file:///here"), "names a folder", id="a folder"),
    ],
)
def test_an_sbom_that_says_less_or_more_is_refused(
    project: dict[str, Any], damage: Callable[[dict[str, Any]], object], reason: str
) -> None:
    """One line for each fault."""
    sbom = _an_sbom(project)
    damage(sbom)
    (fault,) = faults(sbom)
    assert reason in fault


# The workflow


def test_the_release_checks_the_tag_first_and_publishes_last() -> None:
    """Nothing is built of a tag that is not ready, nothing is published that is not tested and attested."""
    jobs = _workflow("release.yml")["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "build": None,
        "attest": "build",
        "publish": "attest",
        "release": "publish",
    }
    commands = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    assert commands[0].startswith("python -m tests.published.release_notes ")
    assert commands[1:] == [".ci/run", "make sbom"]


def test_only_who_needs_it_may_write() -> None:
    """No job has more than the least: none may write but the three that attest, publish and announce a release."""
    granted = {
        f"{name}:{job}": {scope for scope, level in declared["permissions"].items() if level == "write"}
        for name in WORKFLOWS
        for job, declared in _workflow(name)["jobs"].items()
    }
    assert {job: scopes for job, scopes in granted.items() if scopes} == {
        "release.yml:attest": {"attestations", "id-token"},
        "release.yml:publish": {"id-token"},
        "release.yml:release": {"contents"},
    }
    assert all(_workflow(name)["permissions"] == {} for name in WORKFLOWS)


def test_what_is_published_is_attested() -> None:
    """PyPI's attestations are asked for by name, and no password is; GitHub's are of both files and of the SBOM."""
    jobs = _workflow("release.yml")["jobs"]
    publish = jobs["publish"]["steps"][-1]
    assert publish["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert publish["with"] == {"attestations": True}
    assert jobs["publish"]["environment"]["name"] == "pypi"
    given = [step["with"] for step in jobs["attest"]["steps"] if step.get("uses", "").startswith("actions/attest@")]
    assert [one["subject-path"] for one in given] == ["dist/*", "dist/*.whl"]
    assert given[1]["sbom-path"].endswith(".cdx.json")


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    """A tag can be moved; what the comment says is what dependabot updates. One action has one version everywhere."""
    used = {
        match.groups()
        for path in WORKFLOWS.values()
        for match in re.finditer(r"uses: (\S+?)@(\S+)(?: # (\S+))?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert used
    for _action, commit, version in used:
        assert re.fullmatch(r"[0-9a-f]{40}", commit)
        assert version is not None
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version)
    assert len({action for action, _, _ in used}) == len(used)
