"""The real target-bigquery without its waits for a cloud to settle; a program of the environment `bigquery`.

    BIGQUERY_EMULATOR_HOST=... python bigquery_bridge.py --config FILE < messages

It sleeps 7.5 s a stream and 12.5 s where it makes a table. Nothing else is changed.
"""

from __future__ import annotations

import time

from target_bigquery.target import TargetBigQuery  # type: ignore[import-not-found]  # in an environment of its own

if __name__ == "__main__":
    time.sleep = lambda _: None
    TargetBigQuery.cli()
