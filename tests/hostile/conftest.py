"""The real clients against a server that answers what it is told, with a clock that lets nobody wait."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.call import Call, Service, origin_of
from tap_usertesting.api.errors import CredentialsRejectedError, FeedRefusedError
from tap_usertesting.api.feed import ChangeFeed
from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.api.results import ResultsClient
from tap_usertesting.api.transport import Transport
from tests.support.fakes import FakeClock
from tests.support.harness import LONG
from tests.support.servers import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.auth import Auth

TOKEN = "bearer-5f2c-of-the-results-api"
TRIES = 2
SMALL = 1_000_000  # bytes, the bound of a body in these tests
MEGA = 1 << 20


@dataclass
class Clients:
    """Both clients over one transport, as a run has them, and the server they talk to."""

    server: Scripted
    clock: FakeClock
    transport: Transport
    results_service: Service
    feed_service: Service
    results: ResultsClient
    feed: ChangeFeed


def service(url: str, clock: FakeClock, *, feed: bool = False, auth: Auth | None = None) -> Service:
    """Return the service at this URL, with no assumed quota."""
    return Service(
        name="change feed" if feed else "Results API",
        setting="feed_url" if feed else "api_url",
        origin=origin_of(url),
        windows=Windows(clock=clock.monotonic, limit=None),
        auth=auth or StaticToken(TOKEN),
        refused=FeedRefusedError if feed else CredentialsRejectedError,
    )


def connect(server: Scripted) -> Clients:
    """Return clients of a server; two tries."""
    clock = FakeClock()
    transport = Transport(user_agent="hostile", timeout=LONG, max_retries=TRIES, clock=clock.clock())
    results_service, feed_service = service(server.url, clock), service(server.url, clock, feed=True)
    return Clients(
        server,
        clock,
        transport,
        results_service,
        feed_service,
        ResultsClient(transport=transport, service=results_service, api_url=server.url),
        ChangeFeed(transport=transport, service=feed_service, url=f"{server.url}/graphql/"),
    )


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Clients of a server of their own."""
    with Scripted() as server:
        made = connect(server)
        yield made
        made.transport.exchange.session.close()  # a run never closes it; a test may leave no socket


def call(clients: Clients, url: str | None = None, *, bearer: str | None = TOKEN) -> Call:
    """Return a call of the server's root, or of another URL, whose body may be of one megabyte."""
    url = url or clients.server.url
    made = service(url, clients.clock, auth=StaticToken(bearer or ""))
    clients.transport.exchange.largest_body = SMALL
    return Call(made, "GET", url, "list")


def size(answer: Answer) -> int:
    """Read an answer."""
    return len(answer.body)


@contextlib.contextmanager
def endless(head: bytes, piece: bytes, *, most: int, pause: float = 0) -> Iterator[tuple[str, list[int]]]:
    """Serve an answer that goes on until the client leaves, or `most` bytes; yields the URL and the bytes sent."""
    sent = [0]

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(head)
                    while sent[0] < most:
                        connection.sendall(piece)
                        sent[0] += len(piece)
                        time.sleep(pause)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", sent
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)
