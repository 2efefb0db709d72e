"""A signal that ends a run on the wire ends it cleanly, at whatever moment of a call it comes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.harness import LONG

MOMENTS = 300


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals")
def test_a_signal_in_the_midst_of_a_call_lets_nothing_else_out() -> None:
    """Whatever the connection waits for, what the handler raises comes out of it, and no error of a lock or thread."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.interrupted", str(MOMENTS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stderr
