"""What goes wrong around a body: its size, its compression, its headers, and where the connection leads."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc

import pytest

from tap_usertesting.api.call import Call
from tap_usertesting.api.clock import Clock
from tap_usertesting.api.errors import ApiError, BadRequestError, ServerFaultError
from tap_usertesting.api.feed import Ask
from tap_usertesting.api.redaction import Secrets
from tap_usertesting.api.transport import Transport
from tap_usertesting.api.turns import Turns
from tap_usertesting.config.settings import Settings
from tap_usertesting.sync import clients as of_sync
from tests.hostile import good
from tests.hostile.conftest import MEGA, SMALL, TRIES, Clients, call, endless, service, size
from tests.hostile.spoil import encode
from tests.support.fakes import FakeClock
from tests.support.harness import LONG
from tests.support.servers import Reply, Scripted, Seen

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
        with pytest.raises(BadRequestError, match="the response is larger than"):
            clients.transport.send(call(clients, url), size)
        # What the kernel holds between the two is not read by anyone.
        assert sent[0] < SMALL + 32 * MEGA


@pytest.mark.parametrize("over", [0, 1])
def test_the_bound_is_exact(clients: Clients, over: int) -> None:
    """A body of just the bound is read."""
    clients.server.replies = [Reply(body=b"x" * (SMALL + over))]
    if over:
        with pytest.raises(BadRequestError, match="the response is larger than"):
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


@pytest.mark.parametrize(("bound", "read"), [(1, False), (2, True)])
def test_the_bound_is_a_setting(*, bound: int, read: bool) -> None:
    """An answer above `max_body_mb` is refused in a line that names the setting; a higher one reads it."""
    body = encode({"sessions": [], "meta": {"pagination": {"totalCount": 0}}, "more": "x" * MEGA})
    with Scripted(Reply(body=body)) as server:
        settings = {"access_token": "t", "api_url": server.url, "max_body_mb": bound}
        clock = Clock()
        made = of_sync.Clients(
            Settings.parse(settings, selected=[]), clock=clock, turns=Turns(clock=clock), secrets=Secrets()
        )
        with contextlib.ExitStack() as stack:
            if not read:
                stack.enter_context(pytest.raises(BadRequestError, match="max_body_mb"))
            assert made.results.session_page(good.TEST, offset=0).total_count == 0


def test_the_changes_of_the_feed_may_be_larger(clients: Clients) -> None:
    """Many tests' changes come in one answer; a count is as small as anything else."""
    clients.transport.exchange.largest_body = 2_000
    ask = Ask("ut_1", None)
    clients.server.replies = [Reply(body=encode(good.CHANGES) + b" " * 50_000)]
    assert not isinstance(clients.feed.changes([ask])[ask], ApiError)
    clients.server.replies = [Reply(body=encode(good.COUNTS) + b" " * 50_000)]
    assert isinstance(clients.feed.counts([ask])[ask], ApiError)


def test_an_answer_that_says_what_went_wrong_is_short(clients: Clients) -> None:
    """Nothing of an error's body is used but a line."""
    clients.server.replies = [Reply(400, body=b" " * (2 * MEGA))]
    with pytest.raises(BadRequestError, match="the response is larger than 1 MB"):
        clients.transport.send(
            Call(service(clients.server.url, clients.clock), "GET", clients.server.url, "list"), size
        )


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n", id="headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"1", id="one header"),
    ],
)
def test_a_head_without_end_is_a_fault(monkeypatch: pytest.MonkeyPatch, head: bytes, piece: bytes) -> None:
    """Each byte comes within the timeout; the whole head has a deadline, here of half a second, or this hangs."""
    monkeypatch.setattr("tap_usertesting.api.http_session.SLOWEST", 0.5 / LONG)
    clock = FakeClock()
    with endless(head, piece, most=64 * MEGA, pause=0.02) as (url, _):
        transport = Transport(user_agent="t", timeout=LONG, max_retries=2, clock=clock.clock())
        with pytest.raises(ServerFaultError):
            transport.send(Call(service(url, clock), "GET", url, "list"), size)
        transport.exchange.session.close()  # a run never closes it; a test may leave no socket


def test_a_feed_answer_over_the_bound_is_asked_for_in_smaller_groups(clients: Clients) -> None:
    """An answer too large for many tests may be small enough for each."""
    clients.transport.exchange.largest_body = 2_000
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
