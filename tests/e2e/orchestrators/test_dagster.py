"""The Dagster example, run by Dagster's own library: the jobs that its schedules start, in one process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.orchestrators.conftest import EXAMPLES, REQUIREMENTS, assert_incremental
from tests.support import environments

if TYPE_CHECKING:
    from tests.e2e.orchestrators.conftest import Pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

RUNS = Path(__file__).with_name("run_dagster.py")


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter that has Dagster."""
    return environments.install("dagster", environments.requirements_in(REQUIREMENTS / "dagster.txt")) / "python"


def test_partitions_keep_a_state_each_and_load_the_truth(pipeline: Pipeline, python: Path) -> None:
    """All partitions twice: first everything is read, then what has changed; each shard has its state file."""

    def run() -> None:
        pipeline.run([str(python), str(RUNS)], PYTHONPATH=str(EXAMPLES / "dagster"), DAGSTER_DISABLE_TELEMETRY="yes")

    assert_incremental(pipeline, run)


def test_the_page_can_be_pasted(pipeline: Pipeline, python: Path) -> None:
    """Each command works as it stands there, and the partition that it runs leaves its state."""
    clone = pipeline.paste("docs/dagster.md", python.parent)
    assert [path.name for path in (clone / "state").glob("shard-*.json")] == ["shard-0.json"]
