"""What the tests that run real programs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e import database as databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.database import Database, Server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server of this session."""
    with databases.server() as server:
        yield server


@pytest.fixture
def database(postgres_server: Server) -> Database:
    """An empty database of that server, for one test."""
    return postgres_server.database()
