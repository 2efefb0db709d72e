"""What goes wrong around a body: its size, its compression, its headers, and where the connection leads."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.call import Answer, Call, origin_of
from tap_usertesting.api.errors import ApiError, BadRequestError
from tap_usertesting.api.feed import Ask
from tap_usertesting.run import LARGEST_FEED_ANSWER, Run
from tap_usertesting.settings import Settings, SettingsError
from tests.unit.servers import Reply, Scripted, Seen

from . import good
from .conftest import TOKEN, TRIES, Clients, lane
from .spoil import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = 1_000_000
MEGA = 1 << 20


def call(clients: Clients, url: str | None = None, *, bearer: str | None = TOKEN) -> Call:
    """Return a call of the server's root, or of another URL, whose body may be of one megabyte."""
    url = url or clients.server.url
    made = lane(url, clients.clock, auth=StaticToken(bearer or ""))
    made.largest_body = SMALL
    return Call(made, "GET", url, "list")


def size(answer: Answer) -> int:
    """Read an answer."""
    return len(answer.body)


# Size


@contextmanager
def endless(head: bytes, piece: bytes, *, most: int) -> Iterator[tuple[str, list[int]]]:
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
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", sent
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


HEADS = [
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, id="no length"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", b"x" * 65536, id="length"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n", id="chunks"
    ),
    pytest.param(b"HTTP/1.1 500 Oops\r\n\r\n", b"x" * 65536, id="error"),
    pytest.param(b"HTTP/1.1 302 Away\r\nLocation: /b\r\n\r\n", b"x" * 65536, id="redirect"),
    pytest.param(b"HTTP/1.1 404 None\r\n\r\n", b"x" * 65536, id="not found"),
]


@pytest.mark.parametrize(("head", "piece"), HEADS)
def test_a_body_without_end_is_refused(clients: Clients, head: bytes, piece: bytes) -> None:
    """Reading stops soon after the bound, in one try, with one line that says so."""
    with endless(head, piece, most=64 * MEGA) as (url, sent):
        with pytest.raises(BadRequestError, match="a body of over"):
            clients.transport.send(call(clients, url), size)
        # What the kernel holds between the two is not read by anyone.
        assert sent[0] < SMALL + 32 * MEGA


@pytest.mark.parametrize("over", [0, 1])
def test_the_bound_is_exact(clients: Clients, over: int) -> None:
    """A body of just the bound is read."""
    clients.server.replies = [Reply(body=b"x" * (SMALL + over))]
    if over:
        with pytest.raises(BadRequestError, match="a body of over"):
            clients.transport.send(call(clients), size)
    else:
        assert clients.transport.send(call(clients), size) == SMALL
    assert len(clients.server.seen) == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_compressed_bomb_is_refused(clients: Clients, times: int) -> None:
    """What counts is the size after decompression, and it is never held whole, however often it was compressed."""
    bomb = b"\0" * (200 * MEGA)
    for _ in range(times):
        bomb = gzip.compress(bomb)
    clients.server.replies = [Reply(body=bomb, headers={"Content-Encoding": ", ".join(["gzip"] * times)})]
    tracemalloc.start()
    try:
        with pytest.raises(ApiError):
            clients.transport.send(call(clients), size)
        assert tracemalloc.get_traced_memory()[1] < 60 * MEGA
    finally:
        tracemalloc.stop()


def test_each_api_has_a_bound() -> None:
    """A run bounds the Results API and the token endpoint to what they may send, and the feed to a million events."""
    run = Run(
        Settings.parse({"access_token": "t", "feed_url": "https://api.use2.usertesting.com/graphql/"}, selected=[]),
        write_state=lambda: None,
        checkpoint=lambda: None,
    )
    assert run.feed is not None
    assert run.feed._lane.largest_body == LARGEST_FEED_ANSWER == 256 * MEGA  # noqa: SLF001 - no other way to see it
    assert run.results._lane.largest_body == 32 * MEGA  # noqa: SLF001 - as above


def test_a_feed_answer_over_the_bound_is_asked_for_in_smaller_groups(clients: Clients) -> None:
    """An answer too large for many tests may be small enough for each."""
    clients.feed_lane.largest_body = 2_000
    asks = [Ask(f"ut_{n}", None) for n in range(8)]

    def answer(seen: Seen) -> Reply:
        many = seen.body.count(b"ut_") > 3
        return Reply(body=encode({"data": {f"t{n}": {"count": 1} for n in range(8)}}) + b" " * (5_000 if many else 0))

    clients.server.replies = [answer]
    assert not any(isinstance(found, ApiError) for found in clients.feed.counts(asks).values())


# Headers


@pytest.mark.parametrize(
    "location",
    ["http://[", "http://\xff\xfe", "//", "http://a:99999999/", "mailto:\x01", "\x01", "a" * 60_000, "http://127.0.0.1:1/"],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_any_redirect_is_one_line(clients: Clients, status: int, location: str) -> None:
    """A Location is neither followed nor parsed nor repeated."""
    clients.server.replies = [Reply(status, headers={"Location": location})]
    with pytest.raises(BadRequestError, match="redirect") as caught:
        clients.transport.send(call(clients), size)
    assert len(clients.server.seen) == 1
    assert location.strip("/") == "" or location not in str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nno colon at all"},
        {"X-A": "b\r\n folded\r\n\tagain"},
        {f"X-{n}": "a" for n in range(300)},
        {"X-A": "a" * 70_000},
        {"Content-Length": "5, 7"},
        {"Content-Length": "-5", "Connection": "close"},
        {"Content-Length": "abc", "Connection": "close"},
        {"Content-Length": "9" * 5_000, "Connection": "close"},
        {"Transfer-Encoding": "chunked", "Connection": "close"},
        {"Transfer-Encoding": "gzip, chunked, chunked", "Connection": "close"},
        {"Content-Encoding": ",".join(["gzip"] * 1_000)},
        {"Content-Encoding": "br, zstd, nonsense"},
        {"Content-Type": "\xff; charset=\x01"},
        {"Set-Cookie": "a=b; expires=Wdy, 99-99-9999; Max-Age=x; domain=\xff"},
        {"Connection": "\xff", "Keep-Alive": "timeout=-1"},
        {"WWW-Authenticate": 'Digest realm="x", nonce="y"'},
        {"Retry-After": "(" * 10_000, "x-ratelimit-reset": "\xff"},
    ],
    ids=lambda headers: next(iter(headers)) + "-" + str(len(str(headers))),
)
@pytest.mark.parametrize("status", [200, 401, 429])
def test_any_header_is_read_past_or_a_fault(
    clients: Clients,
    headers: dict[str, str],
    status: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Headers of any shape end as an answer or one of the tap's errors; no library writes a traceback about them."""
    clients.server.replies = [Reply(status, b"{}", headers), Reply(status, b"{}", headers), Reply(200, b"{}")]
    try:
        assert clients.transport.send(call(clients), size) <= 2
    except ApiError as error:
        assert str(error).isprintable()
    assert all(record.name.startswith("tap-usertesting") for record in caplog.records)
    assert all(record.exc_info is None for record in caplog.records)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n{}",
        b"SSH-2.0-OpenSSH\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\x00" * 100_000,
        b"HTTP/1.1 200 " + b"x" * 100_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
    ids=range(12),
)
def test_what_is_no_http_is_a_fault(clients: Clients, head: bytes) -> None:
    """A server that speaks something else is tried again, then given up with one line."""
    with endless(head, b"", most=0) as (url, _), pytest.raises(ApiError) as caught:
        clients.transport.send(call(clients, url), size)
    assert str(caught.value).isprintable()
    assert len(clients.clock.slept) < TRIES


# Where the token goes


def test_cookies_are_neither_kept_nor_sent(clients: Clients) -> None:
    """A cookie would be sent to every port of its host, the feed's too, and the jar would grow with each answer."""
    clients.server.replies = [Reply(headers={"Set-Cookie": f"a={TOKEN}; Path=/"})]
    for _ in range(2):
        clients.transport.send(call(clients), size)
    assert all("cookie" not in seen.headers for seen in clients.server.seen)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_plain_http_goes_to_no_proxy(clients: Clients, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http is for this machine alone: a proxy of the environment would read the token."""
    for other in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(other, raising=False)
    with Scripted() as proxy:
        monkeypatch.setenv(name, proxy.url)
        clients.transport.send(call(clients), size)
        assert proxy.seen == []
    assert clients.server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_https_goes_to_the_proxy_which_does_not_see_the_token(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment is honoured for https: it is asked for a tunnel, and shown no token."""
    for other in ("no_proxy", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    with endless(b"HTTP/1.1 403 Forbidden\r\n\r\n", b"", most=0) as (url, _):
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises(ApiError, match="the proxy refuses") as caught:
            clients.transport.send(call(clients, "https://api.example/"), size)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("name", ["api_url", "auth_endpoint", "feed_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://evil.example#@127.0.0.1/",
        "http://evil.example\\@127.0.0.1/",
        "http://0.0.0.0/",
        "HTTP://api.example",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
    ],
)
def test_plain_http_to_another_machine_is_refused_before_anything_is_sent(name: str, url: str) -> None:
    """However the address is dressed up."""
    config = {"access_token": "t", "feed_access_token": "f", name: url}
    with pytest.raises(SettingsError, match=name):
        Settings.parse(config, selected=[])


@pytest.mark.parametrize("path", ["../../../other", "a@evil.example", "//evil.example/", "?x=y", "#f", "a/b", ".."])
def test_no_id_changes_where_a_call_goes(clients: Clients, path: str) -> None:
    """An id of the server that could change host or path is refused without a request."""
    for ask in (
        lambda: clients.results.details(path, version="v3"),
        lambda: clients.results.transcript(path),
        lambda: clients.results.qx_scores(path),
        lambda: clients.results.studies(path, after=None),
    ):
        with pytest.raises(BadRequestError) as caught:
            ask()
        assert path not in str(caught.value)
    assert clients.server.seen == []


def test_a_base_that_is_extended_stays_on_its_origin(clients: Clients) -> None:
    """Whatever is asked for, the request goes to the origin of `api_url`."""
    clients.server.replies = [Reply(body=b"{}")]
    clients.results.details(good.SESSION, version="v3")
    assert clients.server.seen[0].path == f"/api/v3/sessionResults/{good.SESSION}"
    assert clients.lane.origin == origin_of(clients.server.url)
