"""Measures syncs of the real command line against a sandbox in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.harness import COMMAND, arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Measured:
    """What a sync took (wall and processor seconds, peak bytes), its messages by type, and its last STATE."""

    seconds: float
    cpu: float
    peak: int
    messages: Counter[str]
    state: dict[str, Any]


def measured(
    config: dict[str, Any],
    folder: Path,
    *,
    state: dict[str, Any] | None = None,
    select: Sequence[str] | None = None,
) -> Measured:
    """Sync once; stdout goes to a file, as no target may slow the tap. The run must succeed."""
    measures, stdout, stderr = folder / "measures.json", folder / "out.jsonl", folder / "log.txt"
    options = arguments(config, folder, state=state, select=select)
    launch = [sys.executable, "-S", str(LAUNCHER), str(measures), str(stdout), str(stderr)]
    subprocess.run([*launch, *COMMAND, *options], check=True, cwd=ROOT)
    took = json.loads(measures.read_text(encoding="utf-8"))
    assert took["exit"] == 0, stderr.read_text(encoding="utf-8")
    messages: Counter[str] = Counter()
    last = b"{}"
    with stdout.open("rb") as lines:
        for line in lines:
            kind = line[:20].split(b'"')[3].decode()  # the writer puts the type first; parsing 170,000 lines is slow
            messages[kind] += 1
            last = line if kind == "STATE" else last
    return Measured(took["seconds"], took["cpu"], took["peak"], messages, json.loads(last).get("value", {}))


@contextlib.contextmanager
def bulk_sandbox(**data: int | str | bool) -> Iterator[dict[str, Any]]:
    """Serve `World.bulk(**data)` without a quota in a process of its own; yields the tap's settings."""
    command = [sys.executable, "-m", "tests.shows.bulk_sandbox", json.dumps(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()  # tells it to end
