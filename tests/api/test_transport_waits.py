"""Waits that a server asks for: with which statuses, how long they are believed, and when a run had better end."""

from __future__ import annotations

import logging
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import ClientCredentials, StaticToken
from tap_usertesting.api.errors import (
    BadRequestError,
    CredentialsRejectedError,
    LongWaitError,
    ServerFaultError,
    ThrottledError,
)
from tests.api.conftest import TRIES, MakeCall
from tests.support.servers import Reply, Scripted, as_json, nest

if TYPE_CHECKING:
    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.transport import Transport
    from tests.support.fakes import FakeClock

DAY = 86_400


def busy(status: int, seconds: object) -> Reply:
    """Return an error that asks to wait."""
    return Reply(status, b'{"message": "busy"}', {"Retry-After": str(seconds)})


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tap-usertesting")


@pytest.mark.parametrize("status", [401, 403, 408, 425, 500, 502, 503, 504, 520])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_says_when_is_asked_again_then(
    transport: Transport,
    make_call: MakeCall,
    fake_clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    status: int,
    form: str,
) -> None:
    """`Retry-After` counts with whatever is tried again, and makes a 401 and a 403 something that is."""
    until = formatdate(fake_clock.wall() + 45, usegmt=True)
    with Scripted(busy(status, 45 if form == "seconds" else until), Reply()) as server:
        assert transport.send(make_call(server.url, auth=StaticToken("token-1")), as_json) == {}
    assert fake_clock.slept == [45]
    assert f"HTTP {status}: busy; the server asks to wait 45 s; try 2 of {TRIES} in 45.0 s" in caplog.text


def test_a_server_that_always_says_when_ends_the_call_after_all_tries(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """Each try is 45 seconds after the last, and their number is what `max_retries` says."""
    with Scripted(busy(503, 45)) as server, pytest.raises(ServerFaultError, match=r"HTTP 503: busy \(3 tries\)"):
        transport.send(make_call(server.url), as_json)
    assert fake_clock.slept == [45] * (TRIES - 1)
    assert len(server.seen) == TRIES


@pytest.mark.parametrize(
    ("status", "kind", "line"),
    [
        pytest.param(401, CredentialsRejectedError, "HTTP 401: busy", id="401"),
        pytest.param(403, BadRequestError, "Results API, list: HTTP 403: busy", id="403"),
    ],
)
def test_a_refusal_that_never_ends_keeps_its_meaning(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, status: int, kind: type[Exception], line: str
) -> None:
    """After all tries a 401 is still about the token, and a 403 what it would be without the header."""
    with Scripted(busy(status, 5)) as server, pytest.raises(kind) as caught:
        transport.send(make_call(server.url, auth=StaticToken("token-1")), as_json)
    assert (type(caught.value), str(caught.value)) == (kind, line)
    assert (len(server.seen), fake_clock.slept) == (TRIES, [5] * (TRIES - 1))


def test_a_401_with_a_wait_is_asked_with_another_token(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """The token may have ended all the same: one new one is fetched, not one for each try."""
    tokens = iter(["old-token", "new-token"])
    auth = ClientCredentials(fetch=lambda: (next(tokens), 3600), clock=fake_clock.monotonic)
    with Scripted(busy(401, 5), busy(401, 5), Reply()) as server:
        transport.send(make_call(server.url, auth=auth), as_json)
    sent = [seen.headers["authorization"] for seen in server.seen]
    assert sent == ["Bearer old-token", "Bearer new-token", "Bearer new-token"]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("said", [None, "soon", "0", "-5"])
def test_a_refusal_without_a_wait_is_final(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, status: int, said: str | None
) -> None:
    """Nothing is tried again that does not say when."""
    with Scripted(nest(status) if said is None else busy(status, said)) as server:
        with pytest.raises((BadRequestError, CredentialsRejectedError)):
            transport.send(make_call(server.url, auth=StaticToken("token-1")), as_json)
        assert (len(server.seen), fake_clock.slept) == (1, [])


# Waits that are hard to believe


@pytest.mark.parametrize("status", [429, 503, 403])
def test_a_wait_of_a_day_said_twice_ends_the_run(
    transport: Transport,
    make_call: MakeCall,
    fake_clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    """One window, one more call, one line with when; neither a day asleep nor a call each minute."""
    with Scripted(busy(status, DAY)) as server:
        call = make_call(server.url, auth=StaticToken("token-1"))
        with pytest.raises(LongWaitError, match=r"Results API: the server asks to wait until .*86400 s"):
            transport.send(call, as_json)
        assert (len(server.seen), fake_clock.slept) == (2, [60])
    assert "the server asks to wait 86400 s" in caplog.text


def test_after_such_an_end_nothing_waits_and_nothing_is_asked(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """Whoever goes on with another call of this API meets the same end, at once."""
    with Scripted(busy(429, DAY)) as server:
        call = make_call(server.url)
        for _ in range(3):
            with pytest.raises(LongWaitError):
                transport.send(call, as_json)
        assert (len(server.seen), fake_clock.slept) == (2, [60])


def test_a_wait_of_a_day_said_once_is_asked_about(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The server answers when it is asked again: the run goes on, and the log has said what was asked for."""
    with Scripted(busy(429, DAY), Reply()) as server:
        assert transport.send(make_call(server.url), as_json) == {}
    assert fake_clock.slept == [60]
    assert "over the quota; the server asks to wait 86400 s; next try in 60 s" in caplog.text


def test_a_429_without_a_word_says_so(
    transport: Transport, make_call: MakeCall, caplog: pytest.LogCaptureFixture
) -> None:
    """The log never puts words into the server's mouth."""
    with Scripted(nest(429), Reply()) as server:
        transport.send(make_call(server.url), as_json)
    assert "over the quota; the server names no wait time; next try in 60 s" in caplog.text


@pytest.mark.parametrize("skew", [1200, -1200])
@pytest.mark.parametrize("factor", [1, 1000], ids=["seconds", "milliseconds"])
def test_clocks_that_differ_make_no_wait_longer(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, skew: float, factor: int
) -> None:
    """A reset as a point in time is 42 seconds away by the server's own clock, whatever ours says."""
    now = fake_clock.wall() + skew
    limits = {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str((now + 42) * factor)}
    with Scripted(Reply(headers=limits | {"Date": formatdate(now, usegmt=True)}), Reply()) as server:
        call = make_call(server.url)
        for _ in range(2):
            transport.send(call, as_json)
    assert fake_clock.slept == [42]


def test_a_far_wait_in_a_body_is_doubted_once(transport: Transport, make_call: MakeCall, fake_clock: FakeClock) -> None:
    """What a GraphQL answer asks for is no more believed than a header, and no less."""
    with Scripted(Reply(body=b"1"), Reply(body=b"1"), Reply(body=b"2")) as server:

        def read(answer: Answer) -> int:
            if answer.body == b"1":
                raise ThrottledError(1200.0)
            return int(answer.body)

        assert transport.send(make_call(server.url), read) == 2
    assert fake_clock.slept == [60, 1200]
