"""The command line in this process and in one of its own, without the variables and the `.env` of whoever runs it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.tap import TapUserTesting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PREFIX = "TAP_USERTESTING_"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Three tests of two sessions, without a quota."""
    world = World(seed=11)
    for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD", "SURVEY"):
        test = world.add_test(product_type)
        for _ in range(2):
            world.add_session(test)
    with Sandbox(world, quota=None) as running:
        yield running


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., int]]:
    """Run the command line in this process; returns its exit status."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    caplog.set_level(logging.INFO)

    def run(*args: str) -> int:
        try:
            TapUserTesting.get_singer_command().main(args, standalone_mode=False)
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    yield run
    logging.captureWarnings(capture=False)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def critical(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return the error lines so far."""
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
