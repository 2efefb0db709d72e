"""A warehouse that the tap filled and dbt built, twice: before and after a day of a research team."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox
from tests.e2e.dbt import found
from tests.e2e.dbt.project import BUILD, PROJECT, demo_world, load, on_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import World
    from tap_usertesting.sandbox.model import Session, Test
    from tests.e2e.database import Database, Server
    from tests.e2e.dbt.expected import Rows, Truth
    from tests.e2e.dbt.project import Dbt


@dataclass(frozen=True)
class Build:
    """What the sandbox served when dbt built, what the marts held then, and how each of dbt's nodes ended."""

    truth: Truth
    marts: dict[str, Rows]
    history: list[dict[str, Any]]
    statuses: dict[str, str]


@dataclass(frozen=True)
class Built:
    """Two builds of one warehouse, the programs to ask it further, and what the builds wrote into the project."""

    first: Build
    second: Build
    written: set[str]
    dbt: Dbt
    database: Database


@pytest.fixture(scope="package")
def built(postgres_server: Server) -> Iterator[Built]:
    """The warehouse of these tests."""
    world = demo_world()
    database = postgres_server.database()
    with tempfile.TemporaryDirectory() as name, Sandbox(world, quota=None) as box:
        folder = Path(name)
        dbt = on_postgres(database, folder)
        before = _names()
        state = load(box, database, folder)
        first = _build(dbt, database, world)
        a_day_passes(world)
        load(box, database, folder, state)
        second = _build(dbt, database, world)
        yield Built(first, second, _names() - before, dbt, database)


def _names() -> set[str]:
    return {str(path) for path in PROJECT.rglob("*")}


def _build(dbt: Dbt, database: Database, world: World) -> Build:
    """Build as the README says."""
    dbt.run(BUILD)
    marts = {name: found.mart(database, name) for name in found.KEYS}
    return Build(world.truth(), marts, found.every_row(database, "qx_score_changes"), dbt.results())


def a_day_passes(world: World) -> None:
    """Let one of everything happen that changes an answer: to scores, tasks, transcripts and removals."""
    scored, other = _tests(world, "NON_THINK_OUT_LOUD")[:2]
    spoken = _tests(world, "THINK_OUT_LOUD")[0]
    world.add_session(scored)
    world.update(_served(scored)[0])
    world.reject(_served(other)[1])
    world.add_session(spoken)
    world.reject(next(session for session in _served(spoken) if session.has_transcript))
    world.transcribe(next(session for session in _served(spoken) if not session.has_transcript))
    world.accept(next(session for session in world.sessions.values() if session.rejected))


def _tests(world: World, product_type: str) -> list[Test]:
    """Tests of a kind that the feed knows, those with the most sessions first."""
    fitting = [test for test in world.tests.values() if test.product_type == product_type and test.in_feed]
    return sorted(fitting, key=lambda test: len(_served(test)), reverse=True)


def _served(test: Test) -> list[Session]:
    return [session for session in test.sessions.values() if session.served]
