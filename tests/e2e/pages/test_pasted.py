"""Who pastes README and docs/ from top to bottom sees every step work, and print what the page shows."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tap_usertesting import __version__
from tests.e2e.pages.blocks import order, page_of
from tests.e2e.pages.reader import Reader, reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.database import Server

PAGES = [name for name in order() if page_of(name).blocks]

# Half an hour, as a busy machine installs for minutes.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def person(postgres_server: Server) -> Iterator[Reader]:
    """One reader of all pages."""
    with reader(postgres_server) as one:
        yield one


@pytest.mark.parametrize("name", PAGES)
def test_every_step_works_when_pasted(name: str, person: Reader, capfd: pytest.CaptureFixture[str]) -> None:
    """No block fails, each prints what is shown, and git sees no trace of them in the clone."""
    commands = "\n".join(block.commands for block in page_of(name).blocks)
    if re.search(r"\bjq\b", commands) and not shutil.which("jq"):
        pytest.skip("the page's commands need jq")
    pasted = person.follow(name)
    with capfd.disabled():
        print("", *pasted, sep="\n")  # noqa: T201 - the list of what was run
    assert "\n".join(one.difference for one in pasted if one.difference) == ""
    assert len(pasted) == len(page_of(name).blocks)


def test_a_version_that_is_asked_for_is_that_of_the_clone(person: Reader) -> None:
    """What runs the tap without installing it, and what installs it, takes this one."""
    asked = [
        one for one in person.follow("docs/without-meltano.md") if "tap-usertesting --version" in one.block.commands
    ]
    assert len(asked) == 3
    assert [one for one in asked if not one.printed.startswith(f"tap-usertesting v{__version__}")] == []
