"""SIGTERM and Ctrl-C: a run ends at a moment when nothing is being written, with a last STATE and its own status."""

from __future__ import annotations

import logging
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_usertesting.api.turns import Turns

logger = logging.getLogger("tap-usertesting")

EXIT_BY_SIGNAL = {signal.SIGTERM: 143, signal.SIGINT: 130}


class Running(Protocol):
    """A sync, as far as a signal has to know it."""

    turns: Turns

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being written."""


class Signals:
    """What a signal does to a run. The handler runs in the main thread, in the midst of anything."""

    def __init__(
        self, *, context: Callable[[], Running | None], last_words: Callable[[], None], next_sync: Callable[[], str]
    ) -> None:
        """`context`: None before there is one; `last_words` writes what must be out before the process ends.

        `next_sync` says where the next sync goes on.
        """
        self._context = context
        self._last_words = last_words
        self._next_sync = next_sync
        self.ends_process = False  # no one is left to whom handlers could be given back
        self._taken = False
        self._came: int | None = None
        self._settled = False
        self._ends = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Handle signals inside, and give them back to whom they were taken from."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        before = {number: signal.signal(number, self.handle) for number in EXIT_BY_SIGNAL}
        self._taken = True
        try:
            yield
        finally:
            self._taken = False
            for number, handler in before.items() if not self.ends_process else ():
                signal.signal(number, handler)

    def handle(self, signum: int, _frame: object = None) -> None:
        """End at once only while nothing is being written; otherwise leave a flag that is looked at soon."""
        if self._settled or self._ends:
            return
        self._came = signum
        context = self._context()
        if context is None:
            return
        if context.turns.active:
            self._ends = True  # a second signal may interrupt this one when it has the lock
            context.turns.lock_for_good()
        elif not context.is_idle:
            return
        try:
            self._stop(signum)
        except SystemExit as end:
            # An exception that comes out of a handler can come out of the middle of anything, a lock of urllib3
            # among it, which whoever cleans up on the way out would then wait for. All is written: leave from here.
            logging.shutdown()
            os._exit(int(end.code or 0))

    def stop_if_one_came(self) -> None:
        """End the run if a signal came while a message was being written or state moved."""
        if self._came is None:
            return
        context = self._context()
        if context is not None and context.turns.active:
            context.turns.release_for_good()  # the handler takes over
        self._stop(self._came)

    def look_again(self) -> None:
        """End the run if a signal came just before the threads did, and left its flag only. In the main thread."""
        if self._came is not None:
            self.handle(self._came)

    def settle(self) -> None:
        """Take no more signals: the exit status is settled, and the interpreter's way out takes a while."""
        self._settled = True
        if self._taken and threading.current_thread() is threading.main_thread():
            for number in EXIT_BY_SIGNAL:
                signal.signal(number, signal.SIG_IGN)

    def _stop(self, signum: int) -> NoReturn:
        self.settle()
        self._last_words()
        logger.warning("incomplete: stopped by %s; %s", signal.Signals(signum).name, self._next_sync())
        raise SystemExit(EXIT_BY_SIGNAL.get(signal.Signals(signum), 128 + signum))
