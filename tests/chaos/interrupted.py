"""Calls that a signal breaks off, some hundred of them; a program of its own, as alarms go to the whole process.

`python -m tests.chaos.interrupted MOMENTS` ends with 0 if each signal that came let out what its handler raised, and
nothing else.
"""

from __future__ import annotations

import signal
import sys
from random import Random
from typing import TYPE_CHECKING, NoReturn

from requests.adapters import HTTPAdapter

from tap_usertesting.api.http_session import ApiSession
from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import LONG

if TYPE_CHECKING:
    from http.client import HTTPConnection

LONGEST = 0.006  # seconds from the first call to the signal: some calls


class StoppedError(BaseException):
    """What the handler raises, as the tap's raises SystemExit."""


class Alarm:
    """Strikes once a round. `struck` also where what it raised was lost, as in a finalizer."""

    def __init__(self) -> None:
        """Take the process's alarm."""
        self.struck = False
        signal.signal(signal.SIGALRM, self._strike)

    def within(self, seconds: float) -> None:
        """Strike in so many seconds."""
        self.struck = False
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _strike(self, *_: object) -> NoReturn:
        self.struck = True
        raise StoppedError


def main(moments: int) -> None:
    """Break off so many calls, each at a moment of its own."""
    rng = Random(1)  # noqa: S311 - reproducible moments
    alarm = Alarm()
    felt = 0
    with Sandbox(World(seed=1), quota=None) as box, ApiSession() as session:
        adapter = session.get_adapter(box.url)
        assert isinstance(adapter, HTTPAdapter)
        kind = adapter.poolmanager.connection_from_url(box.url).ConnectionCls
        for _ in range(moments):
            connection = kind("127.0.0.1", box.port, timeout=LONG)
            try:
                alarm.within(rng.uniform(0.0005, LONGEST))
                _call(connection, alarm)
            except StoppedError:
                felt += 1
            connection.close()
    assert felt > moments // 2, f"only {felt} of {moments} signals came out of a call"


def _call(connection: HTTPConnection, alarm: Alarm) -> None:
    while not alarm.struck:
        connection.request("GET", "/nothing")
        connection.getresponse().read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
