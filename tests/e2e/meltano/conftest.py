"""A Meltano project with its plugins, made once, and copies of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.meltano import project as projects

if TYPE_CHECKING:
    from tests.e2e.meltano.project import Project


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project whose plugins all others share."""
    return projects.made(tmp_path_factory.mktemp("meltano") / "template")
