"""More histories: `python -m tests.ledger [--histories N] [--steps M] [--first SEED]`."""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.ledger.histories import History

SHOWN = 5  # histories that ended wrong
TOGETHER = 500  # histories of one task


def wrong_one(seed: int, steps: int) -> str:
    """Run a history; return what is wrong, or nothing."""
    try:
        History(seed).run(steps)
    except AssertionError as error:
        return str(error)
    return ""


def main() -> int:
    """Run the histories; prints those that end wrong, and returns 1 if any did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--first", type=int, default=1_000_000)
    options = parser.parse_args()
    began, seeds = time.monotonic(), range(options.first, options.first + options.histories)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = [one for one in pool.map(partial(wrong_one, steps=options.steps), seeds, chunksize=TOGETHER) if one]
    for one in found[:SHOWN]:
        print(one)
    took = time.monotonic() - began
    print(f"{options.histories} histories of {options.steps} steps in {took:.0f} s: {len(found)} ended wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
