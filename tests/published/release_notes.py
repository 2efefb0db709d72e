"""The notes of a release, from CHANGELOG.md; refuses what is not ready to be one.

    python -m tests.published.release_notes v0.1.0 > notes.md

`.github/workflows/release.yml` starts with it, before anything is installed: it uses only the standard library.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
UNRELEASED = "Unreleased"
HEADING = re.compile(r"## \[(?P<name>[^\]]+)\](?: - (?P<date>\S+))?")


class NotReadyError(Exception):
    """This cannot be released. The message says what to do."""


class Section(NamedTuple):
    """A version of the changelog; `date` is None for what is not released."""

    name: str
    date: str | None
    text: str


def sections(changelog: str) -> list[Section]:
    """Return them from the top down. Raises NotReadyError if a heading has another form."""
    _, *parts = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)
    found = []
    for part in parts:
        heading, _, text = part.partition("\n")
        match = HEADING.fullmatch(heading)
        if match is None:
            raise NotReadyError(f"CHANGELOG.md: write {heading!r} as '## [1.2.3] - 2026-01-31'")
        found.append(Section(match["name"], match["date"], text.strip("\n")))
    return found


def notes(tag: str, version: str, changelog: str) -> str:
    """Return what the changelog says of the tag's version. Raises NotReadyError if that is not ready to be released."""
    if tag != f"v{version}":
        raise NotReadyError(f"the tag is {tag}, but tap_usertesting/__init__.py has the version {version}")
    for name, date, text in sections(changelog):
        if name == version:
            if date is None or not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
                raise NotReadyError(f"CHANGELOG.md: give [{version}] its date, as in '## [{version}] - 2026-01-31'")
            if "\n- " not in f"\n{text}":
                raise NotReadyError(f"CHANGELOG.md: [{version}] has no entry")
            return f"{text}\n"
        if name == UNRELEASED and text:
            raise NotReadyError(f"CHANGELOG.md: move the entries of [{UNRELEASED}] to a section [{version}]")
    raise NotReadyError(f"CHANGELOG.md has no section [{version}]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the notes; return the exit status."""
    (tag,) = sys.argv[1:] if arguments is None else arguments
    try:
        sys.stdout.write(notes(tag, __version__, CHANGELOG.read_text(encoding="utf-8")))
    except NotReadyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
