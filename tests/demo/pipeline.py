"""One sync: the command `tap-usertesting` piped into the command `target-postgres`, as an orchestrator runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.demo.errors import DemoError, log_tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox import ServedCall

SCHEMA = "usertesting"
TIMEOUT = 90.0  # seconds


@dataclass(frozen=True)
class Sync:
    """What one sync took. `began` is epoch milliseconds, as in the target's column `_sdc_sequence`."""

    began: int
    seconds: float
    calls: list[ServedCall]


@dataclass(frozen=True)
class Pipeline:
    """The pair of commands, their settings in files of `folder`, and the state kept from run to run."""

    folder: Path
    env: dict[str, str]

    def configure(self, *, tap: dict[str, Any], target_url: str) -> None:
        """Write the settings of both commands."""
        target = {"sqlalchemy_url": target_url, "default_target_schema": SCHEMA, "add_record_metadata": True}
        for name, settings in (("tap", tap), ("target", target)):
            self._file(name).write_text(json.dumps(settings), encoding="utf-8")

    def sync(self, calls: Callable[[], list[ServedCall]]) -> Sync:
        """Run both commands to their end, from the state of the last run. Raises DemoError."""
        tap = [_command("tap-usertesting"), "--config", str(self._file("tap"))]
        if self._file("state").exists():
            tap += ["--state", str(self._file("state"))]
        target = [_command("target-postgres"), "--config", str(self._file("target"))]
        began, clock = time.time(), time.monotonic()
        states = self._pipe(tap, target)
        seconds = time.monotonic() - clock
        if not states:
            raise DemoError("target-postgres wrote no state")
        # A target repeats a STATE once the records before it are stored: the last one is the one to go on from.
        self._file("state").write_text(states[-1], encoding="utf-8")
        return Sync(began=int(began * 1000), seconds=seconds, calls=calls())

    def _pipe(self, tap: list[str], target: list[str]) -> list[str]:
        """Return the lines that the target printed."""
        logs = {name: self.folder / f"{name}.log" for name in ("tap-usertesting", "target-postgres")}
        with (
            logs["tap-usertesting"].open("wb") as tap_log,
            logs["target-postgres"].open("wb") as target_log,
            _Child(tap, env=self.env, stdout=subprocess.PIPE, stderr=tap_log) as source,
            _Child(target, env=self.env, stdin=source.stdout, stdout=subprocess.PIPE, stderr=target_log) as sink,
        ):
            assert source.stdout is not None
            # The tap is to notice when the target ends, so the target alone may hold its end of the pipe.
            source.stdout.close()
            try:
                printed, _ = sink.communicate(timeout=TIMEOUT)
                source.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                raise DemoError(f"the sync did not end within {TIMEOUT:.0f} s") from None
        for name, ended in (("target-postgres", sink), ("tap-usertesting", source)):
            if ended.returncode:
                raise DemoError(f"{name} ended with status {ended.returncode}:{log_tail(logs[name])}")
        return [line for line in printed.decode().splitlines() if line.strip()]

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"


class _Child(subprocess.Popen[bytes]):
    """A process that does not outlive its `with` block, whatever ends the block."""

    def __exit__(self, *details: object) -> None:
        if self.poll() is None:
            self.kill()
        super().__exit__(*details)  # type: ignore[arg-type]  # passed on as they came


def _command(name: str) -> str:
    """Return the path of a command of this environment."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise DemoError(f"{name} is not installed beside {sys.executable}; run: make demo")
    return str(path)
