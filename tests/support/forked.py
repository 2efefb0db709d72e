"""Runs of the command line, each a process of its own, forked from one that has imported the tap already.

Importing the SDK takes longer than most syncs of these tests. Everything else is as in a process that was started from
a shell: arguments, environment, working folder, standard streams, signals, exit status.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    """What a run left behind."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Nursery:
    """A process that has imported the tap, and forks one run at a time."""

    def __init__(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "tests.support.forked"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self._end)

    def run(self, arguments: list[str], *, env: dict[str, str], cwd: Path, timeout: float) -> Done:
        """Run the command line to its end."""
        with TemporaryDirectory() as folder:
            order = {"arguments": arguments, "env": env, "cwd": str(cwd), "folder": folder, "timeout": timeout}
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            status = json.loads(self._process.stdout.readline())
            if status is None:
                raise subprocess.TimeoutExpired(arguments, timeout)
            return Done(status, Path(folder, "out").read_bytes(), Path(folder, "err").read_bytes())

    def _end(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


_FREE: list[Nursery] = []  # a run that finds none free, as another one is under way, starts one


def run_tap(arguments: list[str], *, env: dict[str, str], timeout: float, cwd: Path | None = None) -> Done:
    """Run the command line in a process of its own; raises subprocess.TimeoutExpired after so many seconds."""
    nursery = _FREE.pop() if _FREE else Nursery()
    done = nursery.run(arguments, env=env, cwd=cwd or Path.cwd(), timeout=timeout)
    _FREE.append(nursery)
    return done


def _serve(orders: IO[str]) -> None:
    """Fork for each order that comes, and answer with the exit status, null for a run that took too long."""
    import tap_usertesting.tap  # noqa: F401, PLC0415 - here and in no other process that uses this module

    for line in orders:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _be_the_tap(order)
        alarm = threading.Timer(order["timeout"], os.kill, (child, signal.SIGKILL))
        alarm.start()
        _, status = os.waitpid(child, 0)
        timed_out = not alarm.is_alive()
        alarm.cancel()
        alarm.join()  # a process must not fork while it has a second thread
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps(None if timed_out and code < 0 else code), flush=True)  # noqa: T201 - the answer


def _be_the_tap(order: dict[str, object]) -> None:
    """Become what a shell would have started; never returns."""
    code: object = 1
    try:
        os.chdir(str(order["cwd"]))
        os.environ.clear()
        os.environ.update(order["env"])  # type: ignore[call-overload]
        time.tzset()
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(Path(str(order["folder"]), name), os.O_WRONLY | os.O_CREAT), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["tap-usertesting", *order["arguments"]]  # type: ignore[misc]
        from tap_usertesting.tap import TapUserTesting  # noqa: PLC0415 - as above

        TapUserTesting.cli()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as the interpreter does at its end
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _serve(sys.stdin)
