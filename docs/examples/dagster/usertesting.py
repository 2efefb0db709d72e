"""UserTesting every hour with Dagster: one static partition per shard of tests, each with a state file of its own.

The assets run the commands `tap-usertesting` and the target's, so Dagster's environment needs neither of the two.
Variables of the environment:

USERTESTING_STATE     folder of the state files, kept from run to run
USERTESTING_COMMANDS  folder of sync.sh and shards.py (docs/examples/singer of tap-usertesting)
USERTESTING_SHARDS    how many shards there are, 3 if not set
TAP, TARGET           the two commands with their options, see sync.sh
TAP_USERTESTING_*     the settings of the tap; without TAP_USERTESTING_TEST_IDS every test is discovered
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

STATE = Path(os.environ["USERTESTING_STATE"])
COMMANDS = Path(os.environ["USERTESTING_COMMANDS"])
SHARDS = int(os.environ.get("USERTESTING_SHARDS", "3"))
TARGET = os.environ.get("TARGET", "target-jsonl").split()
DIRECTORY = ("workspaces", "tests")
FOUND = STATE / "shards.json"
TABLES = ("sync_status", "sessions", "result_changes", "qx_scores", "session_details", "transcripts")

shards = dg.StaticPartitionsDefinition([str(number) for number in range(SHARDS)])


def run(command: Sequence[str], env: dict[str, str]) -> int:
    """Run a command to its end. It is asked to stop when the run is, and then waited for: it saves its state."""
    with subprocess.Popen(command, env={**os.environ, **env}) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            raise


@dg.multi_asset(specs=[dg.AssetSpec(name) for name in DIRECTORY], group_name="usertesting")
def directory() -> Iterator[dg.MaterializeResult]:
    """Find the tests, load what the discovery emits, and write down which shard each test is in."""
    messages = STATE / "directory.jsonl"
    messages.unlink(missing_ok=True)
    command = ["python3", str(COMMANDS / "shards.py"), str(SHARDS), str(messages)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    FOUND.write_text(found, encoding="utf-8")
    if messages.exists():
        with messages.open("rb") as lines:
            subprocess.run(TARGET, check=True, stdin=lines, stdout=subprocess.DEVNULL)
    yield from (dg.MaterializeResult(asset_key=name) for name in DIRECTORY)


@dg.multi_asset(
    specs=[dg.AssetSpec(name, deps=DIRECTORY) for name in TABLES], partitions_def=shards, group_name="usertesting"
)
def results(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Sync the tests of one shard; a run that is repeated goes on where the last one was stopped."""
    if not FOUND.exists():
        raise dg.Failure(f"materialize {' and '.join(DIRECTORY)} first: they say which tests there are")
    found = {item["shard"]: item["test_ids"] for item in json.loads(FOUND.read_text(encoding="utf-8"))}
    test_ids = found.get(context.partition_key, [])
    if test_ids:  # to the tap, an empty list of tests is every test
        command = [str(COMMANDS / "sync.sh"), str(STATE / f"shard-{context.partition_key}.json")]
        status = run(command, {"TAP_USERTESTING_TEST_IDS": json.dumps(test_ids)})
        if status:
            raise dg.Failure(f"sync.sh ended with status {status}: see the tap's lines above; what it read is stored")
    yield from (dg.MaterializeResult(asset_key=name, metadata={"tests": len(test_ids)}) for name in TABLES)


directory_job = dg.define_asset_job("usertesting_directory", [directory])
results_job = dg.define_asset_job("usertesting_results", [results], partitions_def=shards)


@dg.schedule(job=results_job, cron_schedule="0 * * * *")
def hourly() -> list[dg.RunRequest]:
    """One run per shard."""
    return [dg.RunRequest(partition_key=key) for key in shards.get_partition_keys()]


defs = dg.Definitions(
    assets=[directory, results],
    jobs=[directory_job, results_job],
    schedules=[dg.ScheduleDefinition(job=directory_job, cron_schedule="55 * * * *"), hourly],
)
