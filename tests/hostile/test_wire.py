"""What goes wrong around a body: its size, its compression, its headers, and where the connection leads."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc

import pytest

from tap_usertesting.api.errors import ApiError, BadRequestError
from tap_usertesting.api.feed import Ask
from tap_usertesting.run import LARGEST_FEED_ANSWER, Run
from tap_usertesting.settings import Settings
from tests.unit.servers import Reply, Seen

from .conftest import MEGA, SMALL, TRIES, Clients, call, endless, size
from .spoil import encode

# Size


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
    assert 8 * MEGA <= run.results._lane.largest_body <= 32 * MEGA  # noqa: SLF001 - as above


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
    [
        "http://[",
        "http://\xff\xfe",
        "//",
        "http://a:99999999/",
        "mailto:\x01",
        "\x01",
        "a" * 60_000,
        "http://127.0.0.1:1/",
    ],
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
    with contextlib.suppress(ApiError):
        assert clients.transport.send(call(clients), size) <= 2
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
