"""docs/state.md: every command of the page works, and prints what the page says."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.e2e.meltano.page import PAGE, followed, reader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.meltano.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page's recipes need jq")
def test_recipes_print_what_the_page_says(template: Project, tmp_path: Path) -> None:
    """Who follows the page from its top to its end with the sandbox sees the same answers, ids included."""
    with reader(template, tmp_path) as project:
        blocks = followed(PAGE.read_text(encoding="utf-8"), project)
    assert len(blocks) > 10
    for block in blocks:
        if block.said is not None:
            assert block.printed.lstrip() == block.said, block.commands
