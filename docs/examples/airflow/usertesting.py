"""UserTesting every hour with Airflow 3: one mapped task per shard of tests, each with a state file of its own.

Tasks run the commands `tap-usertesting` and the target's, so Airflow's environment needs neither of the two. Variables
of the worker's environment:

USERTESTING_STATE     folder of the state files, the same for every worker and kept from run to run
USERTESTING_COMMANDS  folder of sync.sh and shards.py (docs/examples/singer of tap-usertesting)
USERTESTING_SHARDS    how many shards there are, 3 if not set
TAP, TARGET           the two commands with their options, see sync.sh
TAP_USERTESTING_*     the settings of the tap; without TAP_USERTESTING_TEST_IDS every test is discovered
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import dag, task

STATE = Path(os.environ["USERTESTING_STATE"])
COMMANDS = Path(os.environ["USERTESTING_COMMANDS"])
SHARDS = os.environ.get("USERTESTING_SHARDS", "3")
TARGET = os.environ.get("TARGET", "target-jsonl")
STILL_RUNNING = 75  # exit status of sync.sh


@dag(
    schedule="@hourly",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,  # the state says where to go on, so hours that were missed are not run one by one
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": pendulum.duration(minutes=5)},
)
def usertesting() -> None:
    """Find the tests, then sync shard by shard."""

    @task.bash(output_processor=json.loads)
    def shards() -> str:
        """Load the tables `workspaces` and `tests`; return the shards."""
        found, messages = (shlex.quote(str(STATE / name)) for name in ("shards.json", "directory.jsonl"))
        find = shlex.join(["python3", str(COMMANDS / "shards.py"), SHARDS])
        return (
            f"set -e; rm -f {messages}; {find} {messages} > {found}; "
            f"if [ -s {messages} ]; then {TARGET} < {messages} > /dev/null; fi; cat {found}"
        )

    @task.bash(skip_on_exit_code=STILL_RUNNING, map_index_template="shard {{ task.op_kwargs['shard'] }}")
    def sync(shard: str, test_ids: list[str]) -> str:
        """Sync the tests of one shard. A retry goes on where the last try was stopped."""
        command = shlex.join([str(COMMANDS / "sync.sh"), str(STATE / f"shard-{shard}.json")])
        return f"TAP_USERTESTING_TEST_IDS={shlex.quote(json.dumps(test_ids))} exec {command}"

    found: Any = shards()
    sync.expand_kwargs(found)


usertesting()
