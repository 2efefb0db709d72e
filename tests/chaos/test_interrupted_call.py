"""A signal that ends a run on the wire ends it cleanly, at whatever moment of a call it comes."""

from __future__ import annotations

import signal
from random import Random
from typing import TYPE_CHECKING, NoReturn

import pytest
from requests.adapters import HTTPAdapter

from tap_usertesting.api.session import ApiSession
from tap_usertesting.sandbox import Sandbox, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection

MOMENTS = 300
LONGEST = 0.006  # seconds from the first call to the signal: some calls


class StoppedError(BaseException):
    """What the handler raises, as the tap's raises SystemExit."""


@pytest.fixture
def alarm() -> Iterator[None]:
    """Have the alarm raise StoppedError."""

    def stop(*_: object) -> NoReturn:
        raise StoppedError

    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it may also come in a finalizer
@pytest.mark.usefixtures("alarm")
def test_a_signal_in_the_midst_of_a_call_lets_nothing_else_out() -> None:
    """Whatever the connection waits for, what the handler raises comes out of it, and no error of a lock or thread."""
    rng = Random(1)  # noqa: S311 - reproducible moments
    with Sandbox(World(seed=1), quota=None) as box, ApiSession() as session:
        adapter = session.get_adapter(box.url)
        assert isinstance(adapter, HTTPAdapter)
        kind = adapter.poolmanager.connection_from_url(box.url).ConnectionCls
        for _ in range(MOMENTS):
            connection = kind("127.0.0.1", box.port, timeout=5)
            with pytest.raises(StoppedError):
                _call_until_stopped(connection, rng.uniform(0.0005, LONGEST))
            connection.close()


def _call_until_stopped(connection: HTTPConnection, seconds: float) -> None:
    # Again soon after, should the first signal have been lost in a finalizer.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        while True:
            connection.request("GET", "/nothing")
            connection.getresponse().read()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
