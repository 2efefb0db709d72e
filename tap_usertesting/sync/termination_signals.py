"""SIGTERM and Ctrl-C: the run ends when no message is being written, with a last STATE and a status of its own."""

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


class RunningSync(Protocol):
    """What signals need from a sync."""

    turns: Turns

    @property
    def is_idle(self) -> bool:
        """Whether no message is being written."""


class Signals:
    """Ends a run when a signal arrives. The handler runs in the main thread and may interrupt any code."""

    def __init__(
        self,
        *,
        context: Callable[[], RunningSync | None],
        before_exit: Callable[[], None],
        next_sync: Callable[[], str],
    ) -> None:
        """`context` returns None before a sync. `before_exit` writes the last STATE and the summary.

        `next_sync` returns, for the log, where the next sync goes on.
        """
        self._context = context
        self._before_exit = before_exit
        self._next_sync = next_sync
        self.ends_process = False  # then nobody needs the former handlers back
        self._handling = False
        self._pending: int | None = None
        self._ignores = False
        self._stopping = False

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Handle signals inside the block, then restore the former handlers."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        before = {number: signal.signal(number, self.handle) for number in EXIT_BY_SIGNAL}
        self._handling = True
        try:
            yield
        finally:
            self._handling = False
            for number, handler in before.items() if not self.ends_process else ():
                signal.signal(number, handler)

    def handle(self, signum: int, _frame: object = None) -> None:
        """End the run at once if no message is being written; otherwise set a flag that is checked soon."""
        if self._ignores or self._stopping:
            return
        self._pending = signum
        context = self._context()
        if context is None:
            return
        if context.turns.active:
            self._stopping = True  # a second signal may interrupt this handler while it holds the lock
            context.turns.lock_for_good()
        elif not context.is_idle:
            return
        try:
            self._stop(signum)
        except SystemExit as end:
            # An exception from a handler may interrupt any code, even code that holds a lock of urllib3, and cleaning
            # up would then wait for that lock forever. Everything is written, so leave from here.
            logging.shutdown()
            os._exit(int(end.code or 0))

    def stop_if_pending(self) -> None:
        """End the run if a signal arrived while a message was being written or a ledger moved."""
        if self._pending is None:
            return
        context = self._context()
        if context is not None and context.turns.active:
            context.turns.release_for_good()  # the handler takes over
        self._stop(self._pending)

    def handle_pending(self) -> None:
        """End the run if a signal just before the threads started only set the flag. Call it in the main thread."""
        if self._pending is not None:
            self.handle(self._pending)

    def ignore_further(self) -> None:
        """Ignore signals from now on: the exit status is decided, and the interpreter takes a while to exit."""
        self._ignores = True
        if self._handling and threading.current_thread() is threading.main_thread():
            for number in EXIT_BY_SIGNAL:
                signal.signal(number, signal.SIG_IGN)

    def _stop(self, signum: int) -> NoReturn:
        self.ignore_further()
        self._before_exit()
        logger.warning("incomplete: stopped by %s; %s", signal.Signals(signum).name, self._next_sync())
        raise SystemExit(EXIT_BY_SIGNAL.get(signal.Signals(signum), 128 + signum))
