"""Whether an SBOM is one of this version: `make sbom` ends with `python -m tests.published.sbom FILE`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import tomli

from tap_usertesting import __version__

ROOT = Path(__file__).parents[2]


def faults(sbom: dict[str, Any]) -> list[str]:
    """Return what is wrong with a CycloneDX document, nothing if it is right."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomli.load(file)["project"]
    found = []
    about = sbom.get("metadata", {}).get("component", {})
    if (about.get("name"), about.get("version")) != (project["name"], __version__):
        found.append(f"it is of {about.get('name')} {about.get('version')}, not of {project['name']} {__version__}")
    listed = {_plain(component["name"]) for component in sbom.get("components", ()) if component.get("version")}
    needed = {_plain(re.split(r"[\[<>=~! ;]", requirement)[0]) for requirement in project["dependencies"]}
    found += [f"{name} is not listed with a version" for name in sorted(needed - listed)]
    found += [f"{name} is no part of a release" for name in sorted({"pip", "pytest", "ruff"} & listed)]
    if "file://" in json.dumps(sbom):
        found.append("it names a folder of the machine that made it")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit("\n".join(faults(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))) or 0)
