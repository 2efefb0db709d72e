"""The Airflow example, run by Airflow itself: a database of its own, every task in its own process, no scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.orchestrators.conftest import EXAMPLES, REQUIREMENTS, SHARDS, assert_incremental
from tests.support import environments

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.orchestrators.conftest import Pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def airflow() -> Path:
    """The command airflow."""
    return environments.install("airflow", environments.requirements_in(REQUIREMENTS / "airflow.txt")) / "airflow"


def test_mapped_tasks_keep_a_state_each_and_load_the_truth(pipeline: Pipeline, airflow: Path) -> None:
    """Two runs of the DAG: the first reads all, the second what has changed; each shard has its state file."""
    home = pipeline.folder / "airflow"
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    pipeline.run([str(airflow), "db", "migrate"], **settings)

    def run() -> None:
        log = pipeline.run([str(airflow), "dags", "test", "usertesting"], **settings)
        assert log.count("state=success") >= 1, log[-10_000:]

    assert_incremental(pipeline, run)


def test_the_page_can_be_pasted(pipeline: Pipeline, airflow: Path) -> None:
    """Each command works as it stands there, and a task for each shard leaves its state."""
    clone = pipeline.paste("docs/airflow.md", airflow.parent)
    states = {path.name for path in (clone / "state").glob("shard-*.json")}
    assert states == {f"shard-{shard}.json" for shard in range(SHARDS)}
