"""Each mart's answers are those that Python computes from what the APIs serve, at first and after changes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.streams.catalog import STREAMS
from tests.e2e.dbt import expected, expected_answers, found
from tests.e2e.dbt.comparison import ANSWERS, assert_same
from tests.e2e.dbt.conftest import a_day_passes
from tests.e2e.dbt.project import (
    BUILD,
    EVERY_STREAM,
    MARTS,
    PROJECT,
    README,
    commands_of_the_readme,
    demo_world,
    load,
    on_postgres,
    with_vars,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.database import Server
    from tests.e2e.dbt.conftest import Build, Built

# The first test waits for the environments, two syncs and two builds.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

RUN = "Run this folder as a project"


@pytest.fixture(params=["first", "second"])
def build(built: Built, request: pytest.FixtureRequest) -> Build:
    """One of the two builds."""
    chosen: Build = getattr(built, request.param)
    return chosen


@pytest.mark.parametrize("mart", ANSWERS)
def test_mart_equals_the_truth(build: Build, mart: str) -> None:
    """Every row of the mart is there, with the right numbers, and none more; rejected sessions count nowhere."""
    assert_same(build.marts[mart], ANSWERS[mart](build.truth))


def test_every_mart_is_compared() -> None:
    """No mart is built whose answers nobody checks; `qx_score_changes` has tests of its own below."""
    models = {path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")}
    assert models == ANSWERS.keys() | {"qx_score_changes"}
    assert found.KEYS.keys() == ANSWERS.keys()


@pytest.mark.parametrize("mart", ANSWERS)
def test_every_mart_has_changed_by_the_second_build(built: Built, mart: str) -> None:
    """The second comparison is not a second look at the same numbers."""
    assert built.first.marts[mart] != built.second.marts[mart]


def test_dbt_ran_every_kind_of_node_and_none_failed(build: Build) -> None:
    """Models, the snapshot and data tests of each generic kind are in the build, and all pass."""
    assert set(build.statuses.values()) == {"success", "pass"}
    names = [identifier.partition(".usertesting.")[2] for identifier in build.statuses]
    for kind in ("unique_", "not_null_", "relationships_", "accepted_values_", "unique_together_", "within_"):
        assert any(name.startswith(kind) for name in names), kind
    for path in (PROJECT / "tests").glob("*.sql"):
        assert path.stem in names
    assert "qx_scores_history" in names


def test_the_aggregates_history_begins_with_what_is_current(built: Built) -> None:
    """The first build has one row per task group: the score as the vendor has it, current, from when it was read."""
    rows = {(row["test_id"], row["task_group_id"]): row for row in built.first.history}
    assert len(rows) == len(built.first.history)
    assert_same(
        {key: tuple(row[column] for column in found.QX_VALUES) for key, row in rows.items()},
        expected.qx_scores(built.first.truth),
    )
    assert {(row["is_current"], row["valid_to"]) for row in rows.values()} == {(True, None)}


def test_the_aggregates_history_keeps_what_was(built: Built) -> None:
    """A score that changed has both values, the older one closed when the newer began; others have one row."""
    before, after = expected.qx_scores(built.first.truth), expected.qx_scores(built.second.truth)
    changed = {key for key, values in after.items() if values != before[key]}
    assert 0 < len(changed) < len(after)
    for key, values in after.items():
        rows = [row for row in built.second.history if (row["test_id"], row["task_group_id"]) == key]
        rows.sort(key=lambda row: row["valid_from"])
        held = [tuple(row[column] for column in found.QX_VALUES) for row in rows]
        assert held == ([before[key], values] if key in changed else [values])
        assert [row["valid_to"] for row in rows] == [*(row["valid_from"] for row in rows[1:]), None]


def test_words_are_found_in_transcripts(built: Built) -> None:
    """The analysis of the README finds exactly the cues that hold all its words, through the index if it can."""
    command = next(command for command in commands_of_the_readme(RUN) if "find_in_transcripts" in command)
    words = json.loads(command[command.index("--vars") + 1])["usertesting_words"].split()
    shown = built.dbt.run([*command, "--output", "json", "--limit", "-1", "--quiet"])
    cues = expected.cues(built.second.truth)
    holding = [
        (session_id, cue[-2])
        for (session_id, _), cue in cues.items()
        if all(word in "".join(c if c.isalnum() else " " for c in cue[-1]).split() for word in words)
    ]
    rows = json.loads(shown)["show"]
    assert sorted((row["session_id"], row["text"]) for row in rows) == sorted(holding)
    assert 0 < len(holding) < len(cues)
    plan = built.database.run(
        f"SET enable_seqscan = off; EXPLAIN SELECT * FROM {MARTS}.transcript_search"  # noqa: S608 - names of this project
        " WHERE search_vector @@ plainto_tsquery('simple', 'delivery')"
    )
    assert "Bitmap Index Scan" in plan


def test_commands_of_the_readme_run(built: Built) -> None:
    """What else the README tells readers to type works as it stands; its build and its search are run above."""
    commands = commands_of_the_readme(RUN)
    assert commands[0] == [*BUILD]
    others = [command for command in commands[1:] if "find_in_transcripts" not in command]
    assert others
    for command in others:
        assert built.dbt.run(command)


def test_queries_of_the_readme_find_something(built: Built) -> None:
    """They name models and columns that are there."""
    queries = re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(queries) == 2
    for query in queries:
        assert built.database.run(f"SET search_path = {MARTS}; {query}")


def test_the_project_is_left_as_it_was(built: Built) -> None:
    """A build writes only where it is told to: no logs, and no file with an id of the user, in the project."""
    assert built.written == set()


def test_the_older_shape_and_chosen_tests_build_too(postgres_server: Server, tmp_path: Path) -> None:
    """With v2 details and `test_ids` (so no `tests`), and no feed: the build passes and the tasks are right."""
    world = World.seeded(scale="small")
    world.details_versions = {"v2"}
    chosen = [test.test_id for test in world.tests.values() if test.served_by_results]
    database = postgres_server.database()
    dbt = on_postgres(database, tmp_path)
    with Sandbox(world, quota=None) as box:
        load(box, database, tmp_path, test_ids=chosen, feed_url=None)
    dbt.run(with_vars(BUILD, {"usertesting_tests_are_discovered": False}))
    assert set(dbt.results().values()) == {"success", "pass"}
    truth = world.truth()
    assert_same(found.mart(database, "task_results"), expected.task_results_v2(truth))
    assert_same(found.mart(database, "answers"), expected_answers.answers_v2(truth))
    assert found.mart(database, "session_funnel") == {}
    told = found.mart(database, "transcript_by_task")
    assert told.keys() == expected.cues(truth).keys()
    assert {row[1] for row in told.values()} == {None}


def test_with_every_stream_the_marts_are_the_same(postgres_server: Server, tmp_path: Path) -> None:
    """Where the tap fills the tables of what staging makes of others, it reads these; all streams have staging."""
    world = demo_world()
    database = postgres_server.database()
    dbt = on_postgres(database, tmp_path)
    with Sandbox(world, quota=None) as box:
        every = [stream.name for stream in STREAMS]
        state = load(box, database, tmp_path, select=every, video_links=True)
        a_day_passes(world)
        load(box, database, tmp_path, state, select=every, video_links=True)
    dbt.run(with_vars(BUILD, EVERY_STREAM))
    assert set(dbt.results().values()) == {"success", "pass"}
    truth = world.truth()
    for mart in ANSWERS:
        assert_same(found.mart(database, mart), ANSWERS[mart](truth))
    counts = {"clips": "session_clips", "reels": "highlight_reels"}
    for part, stream in counts.items():
        rows = found.every_row(database, f"stg_usertesting__{stream}")
        assert len(rows) == sum(map(len, truth[part].values())) > 0
    videos = found.every_row(database, "stg_usertesting__session_videos")
    assert {row["session_id"] for row in videos} == truth["clips"].keys()
