"""Runs the commands of a page of docs/ in their order, in one shell, and knows what the page says they print.

`python -m tests.e2e.meltano.page` writes the answers of docs/state.md anew.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tap_usertesting.sandbox import Sandbox, World
from tests.e2e.meltano import project as projects
from tests.support.environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.meltano.project import Project

PAGE = ROOT / "docs" / "state.md"
# A block of commands and, below it with nothing between, what it prints.
BLOCKS = re.compile(
    r"^```sh\n(?P<commands>.*?)^```\n(?:\n```(?:text|json)\n(?P<answer>.*?)^```\n)?", flags=re.MULTILINE | re.DOTALL
)
BETWEEN = "\x1e"
TIMEOUT = 600.0  # seconds


@dataclass(frozen=True)
class Block:
    """Commands, what the page says they print (None: it does not say), and what they do print."""

    commands: str
    said: str | None
    printed: str


def followed(page: str, project: Project) -> list[Block]:
    """Run all commands of a page; raises CalledProcessError at the first that fails."""
    found = list(BLOCKS.finditer(page))
    script = f"printf '{BETWEEN}'\n".join(match["commands"] for match in found)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=project.folder,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
        timeout=TIMEOUT,
    )
    printed = done.stdout.split(BETWEEN)
    return [Block(match["commands"], match["answer"], text) for match, text in zip(found, printed, strict=True)]


@contextlib.contextmanager
def reader(template: Project, folder: Path) -> Iterator[Project]:
    """A project as a reader of the page has it: sandbox running, settings exported, a second clone beside it."""
    with Sandbox(World.seeded(), quota=None) as box:
        other = projects.copied(template, folder / "other", {})
        env = projects.variables("TAP_USERTESTING", box.config()) | {"OTHER": str(other.folder)}
        yield projects.copied(template, folder / "project", env)


def written(page: str, blocks: list[Block]) -> str:
    """Return the page with the answers that were printed."""
    for block in blocks:
        if block.said is not None:
            before = f"```sh\n{block.commands}```\n"
            kind = "json" if f"{before}\n```json\n" in page else "text"
            page = page.replace(
                f"{before}\n```{kind}\n{block.said}```\n", f"{before}\n```{kind}\n{block.printed.lstrip()}```\n", 1
            )
    return page


def main() -> None:
    """Write the page's answers anew."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        template = projects.made(Path(folder) / "template")
        with reader(template, Path(folder)) as project:
            PAGE.write_text(written(page, followed(page, project)), encoding="utf-8")


if __name__ == "__main__":
    main()
