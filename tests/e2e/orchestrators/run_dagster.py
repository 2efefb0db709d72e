"""Runs the Dagster example as `dagster dev` would, once: the directory, then each partition, in this process.

Runs in Dagster's own environment, with the folder of the example on the path; the ends of the runs go to its instance.
"""

from __future__ import annotations

import dagster as dg  # type: ignore[import-not-found]  # only in its own environment
import usertesting  # type: ignore[import-not-found]  # the example's folder is on that one's path

with dg.DagsterInstance.ephemeral() as instance:
    ended = [
        usertesting.defs.resolve_job_def(usertesting.directory_job.name).execute_in_process(instance=instance),
        *(
            usertesting.defs.resolve_job_def(usertesting.results_job.name).execute_in_process(
                instance=instance, partition_key=request.partition_key
            )
            for request in usertesting.hourly()
        ),
    ]
    assert all(run.success for run in ended)
