"""Runs a command and writes what it took: `python launcher.py MEASURES.json STDOUT STDERR command...`.

A small process of its own on purpose: to Linux the peak memory of a new process begins with that of the process which
starts it, and the test runner's is far above the tap's.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    measures, stdout, stderr, *command = sys.argv[1:]
    with Path(stdout).open("wb") as out, Path(stderr).open("wb") as log:
        began = time.monotonic()
        status = subprocess.run(command, stdout=out, stderr=log, check=False).returncode
        seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    took = {"exit": status, "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": peak}
    Path(measures).write_text(json.dumps(took), encoding="utf-8")
