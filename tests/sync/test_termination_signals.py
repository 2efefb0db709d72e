"""Signals that come at the worst moment."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from tap_usertesting.api.turns import Turns
from tap_usertesting.sync.termination_signals import Signals


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_that_comes_while_the_first_takes_the_lock_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, second: signal.Signals
) -> None:
    """An impatient user: the handler that has taken the lock is interrupted by itself, and must not want it again."""
    said: list[str] = []
    ended: list[int] = []

    def leave(status: int) -> None:
        ended.append(status)
        raise SystemExit

    class Impatient(Turns):
        def lock_for_good(self) -> None:
            super().lock_for_good()
            signals.handle(second)

    turns = Impatient()
    turns.active = True
    run: Any = SimpleNamespace(turns=turns)
    signals = Signals(context=lambda: run, before_exit=lambda: said.append("STATE"), next_sync=str)
    monkeypatch.setattr(os, "_exit", leave)

    def strike() -> None:
        with suppress(SystemExit):
            signals.handle(signal.SIGTERM)

    thread = threading.Thread(target=strike, daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive(), "it waits for itself"
    assert (ended, said) == ([143], ["STATE"])
