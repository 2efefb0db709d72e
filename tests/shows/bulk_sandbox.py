"""Serves uniform data until stdin closes: `python -m tests.shows.bulk_sandbox '{"tests": 400}'`.

A process of its own, so that what is measured is the tap's alone. The first line of stdout is the tap's settings.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import json
import sys

from tap_usertesting.sandbox import Sandbox, World

if __name__ == "__main__":
    world = World.bulk(**json.loads(sys.argv[1]))
    with Sandbox(world, quota=None) as box:
        print(json.dumps(box.config(test_ids=list(world.tests))), flush=True)
        sys.stdin.read()
