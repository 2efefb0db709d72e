"""The transport: what it sends and to whom, tokens, quota, and the hooks around waiting."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import ClientCredentials, StaticToken
from tap_usertesting.api.call import BARE, origin_of
from tap_usertesting.api.errors import (
    BadRequestError,
    CredentialsRejectedError,
    ServerFaultError,
    ThrottledError,
    UnreachableError,
)
from tap_usertesting.api.transport import Transport
from tests.api.conftest import TRIES, MakeCall
from tests.support.servers import Reply, Scripted, as_json, nest

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.http_session import ApiSession
    from tap_usertesting.api.transport_hooks import Wait
    from tests.support.fakes import FakeClock


# What is sent


def test_the_user_agent_and_the_bearer_token_are_sent(transport: Transport, make_call: MakeCall) -> None:
    """Each call carries the tap's name and the token."""
    with Scripted() as server:
        transport.send(make_call(f"{server.url}/a?b=c", auth=StaticToken("t1")), as_json)
    assert server.seen[0].headers["user-agent"] == "tap-usertesting/unit"
    assert server.seen[0].headers["authorization"] == "Bearer t1"
    assert server.seen[0].path == "/a?b=c"


def test_the_bare_header_carries_the_token_alone(transport: Transport, make_call: MakeCall) -> None:
    """The legacy API may want the token without the word Bearer, in a header of its own."""
    with Scripted() as server:
        transport.send(make_call(server.url, auth=StaticToken("t1"), token_header=BARE), as_json)
    assert server.seen[0].headers["token"] == "t1"
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("auth", [pytest.param(None, id="no token"), pytest.param(StaticToken("t1"), id="token")])
def test_a_password_from_netrc_is_never_sent(
    transport: Transport,
    make_call: MakeCall,
    auth: StaticToken | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a user keeps in ~/.netrc for a host stays there."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password hush\nmachine 127.0.0.1 login me password hush\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Scripted() as server:
        transport.send(make_call(server.url, auth=auth), as_json)
    assert server.seen[0].headers.get("authorization") == (None if auth is None else "Bearer t1")


def test_a_token_is_never_sent_to_another_origin(transport: Transport, make_call: MakeCall) -> None:
    """A call whose URL is not of its service's origin ends before anything is sent."""
    with Scripted() as server:
        call = make_call(server.url, auth=StaticToken("t1"), origin="https://api.example:443")
        with pytest.raises(BadRequestError, match="sends the token only to the host in"):
            transport.send(call, as_json)
    assert server.seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(transport: Transport, make_call: MakeCall, status: int) -> None:
    """A redirect ends the call with one line that names the setting; the other place hears nothing."""
    with Scripted() as elsewhere, Scripted(Reply(status, headers={"Location": elsewhere.url})) as server:
        with pytest.raises(BadRequestError, match=r"api_url.*redirect"):
            transport.send(make_call(server.url, auth=StaticToken("t1")), as_json)
        assert elsewhere.seen == []
    assert len(server.seen) == 1


# Connections


def test_a_host_that_refuses_connections_is_unreachable(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """After all tries one line names the origin and the setting that holds it, and not the rest of the URL."""
    with Scripted() as server:
        url = f"{server.url}/path?key=hush"
    with pytest.raises(UnreachableError, match="cannot be reached") as caught:
        transport.send(make_call(url), as_json)
    assert caught.value.setting == "api_url"
    assert "api_url" in str(caught.value)
    assert "hush" not in str(caught.value)
    assert len(fake_clock.slept) == TRIES - 1


def test_a_name_that_is_not_known_is_told_from_a_refused_connection(
    transport: Transport, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong host name and a service that is down are different mistakes, in the words of the system."""
    with Scripted() as server:
        url = server.url
    with pytest.raises(UnreachableError, match=r"connection refused, 3 tries\); check api_url"):
        transport.send(make_call(url), as_json)

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UnreachableError, match="the host name cannot be resolved, 3 tries"):
        transport.send(make_call("http://api.invalid"), as_json)


@pytest.mark.parametrize(("most", "tries"), [(8, 2), (2, 2), (1, 1)])
def test_who_is_in_a_hurry_has_two_tries_at_most(
    make_call: MakeCall, fake_clock: FakeClock, session: ApiSession, most: int, tries: int
) -> None:
    """Fewer than `max_retries` if that is more; the wait for a connection is bounded too, the one for an answer not."""
    transport = Transport(user_agent="unit", timeout=60, max_retries=most, clock=fake_clock.clock(), session=session)
    transport.be_quick()
    waits: list[object] = []
    original = session.request

    def request(*args: object, **kwargs: object) -> object:
        waits.append(kwargs["timeout"])
        return original(*args, **kwargs)  # type: ignore[arg-type]

    session.request = request  # type: ignore[method-assign, assignment]
    with Scripted(nest(500)) as server, pytest.raises(ServerFaultError):
        transport.send(make_call(server.url), as_json)
    assert waits == [(5, 60)] * tries


# Tokens


def test_a_refused_token_is_renewed_once_and_the_call_repeated(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """One 401 costs one new token and no wait."""
    tokens = iter(["old", "new"])
    auth = ClientCredentials(fetch=lambda: (next(tokens), 3600), clock=fake_clock.monotonic)
    with Scripted(nest(401), Reply()) as server:
        assert transport.send(make_call(server.url, auth=auth), as_json) == {}
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer old", "Bearer new"]
    assert fake_clock.slept == []


@pytest.mark.parametrize(
    ("renewable", "calls"), [pytest.param(True, 2, id="fetched"), pytest.param(False, 1, id="set")]
)
def test_a_token_that_stays_refused_ends_the_call(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, calls: int, *, renewable: bool
) -> None:
    """A second 401 is final, and so is the first where there is no other token; the service says what it means."""
    fetched = ClientCredentials(fetch=lambda: ("token-1", 3600), clock=fake_clock.monotonic)
    call_auth = fetched if renewable else StaticToken("token-1")
    with Scripted(nest(401, "Unauthorized")) as server, pytest.raises(CredentialsRejectedError) as caught:
        transport.send(make_call(server.url, auth=call_auth), as_json)
    assert len(server.seen) == calls
    assert str(caught.value) == "HTTP 401: Unauthorized"


def test_a_token_is_renewed_before_it_ends_and_after_a_wait(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """The token is taken after the wait for quota, during which the old one may have ended: no 401 is met."""
    tokens = iter(["first", "second"])
    auth = ClientCredentials(fetch=lambda: (next(tokens), 90), clock=fake_clock.monotonic)
    headers = {"x-ratelimit-limit": "1", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "85"}
    with Scripted(Reply(headers=headers)) as server:
        call = make_call(server.url, auth=auth)
        transport.send(call, as_json)
        transport.send(call, as_json)
    assert fake_clock.slept == [85]
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer first", "Bearer second"]


# Quota and hooks


def test_a_429_is_waited_for_and_is_no_try(transport: Transport, make_call: MakeCall, fake_clock: FakeClock) -> None:
    """More refusals than tries: the call still arrives, each wait as long as the server said."""
    refusals = [Reply(429, headers={"Retry-After": str(seconds)}) for seconds in (5, 7, 9, 11)]
    waits: list[Wait] = []
    transport.waiting.hooks.before_wait = waits.append
    with Scripted(*refusals, Reply()) as server:
        assert transport.send(make_call(server.url), as_json) == {}
    assert fake_clock.slept == [5, 7, 9, 11]
    assert [(wait.seconds, wait.reason, wait.service) for wait in waits[:1]] == [(5, "quota", "Results API")]
    assert (transport.calls["list"], transport.calls["429"]) == (5, 4)


@pytest.mark.parametrize(("named", "slept"), [pytest.param(4.0, 4.0, id="named"), pytest.param(None, 60.0, id="not")])
def test_a_body_may_ask_to_wait(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, named: float | None, slept: float
) -> None:
    """A reader that finds a rate limit inside a body has the call repeated after the wait."""
    with Scripted(Reply(body=b"1"), Reply(body=b"2")) as server:

        def read(answer: Answer) -> int:
            if answer.body == b"1":
                raise ThrottledError(named)
            return int(answer.body)

        assert transport.send(make_call(server.url), read) == 2
    assert fake_clock.slept == [slept]


def test_the_hooks_run_before_each_wait_and_idle_tells_waiting(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """A handler may end the process while the transport waits or is on the wire, and only then."""
    seen: list[tuple[str, bool]] = []
    transport.waiting.hooks.before_wait = lambda wait: seen.append((wait.reason, transport.waiting.idle))
    transport.waiting.hooks.checkpoint = lambda: seen.append(("checkpoint", transport.waiting.idle))
    with Scripted(nest(503), Reply()) as server:
        transport.send(make_call(server.url), lambda _answer: seen.append(("read", transport.waiting.idle)))
    assert seen == [
        ("checkpoint", True),
        ("retry", False),
        ("checkpoint", True),
        ("checkpoint", True),
        ("read", False),
    ]
    assert not transport.waiting.idle
    assert fake_clock.slept == [0.5]


def test_a_stop_at_a_checkpoint_leaves_the_transport_usable(transport: Transport, make_call: MakeCall) -> None:
    """What the checkpoint raises goes through untouched, and `idle` is false again."""

    def stop() -> None:
        raise SystemExit(143)

    with Scripted() as server:
        transport.waiting.hooks.checkpoint = stop
        with pytest.raises(SystemExit):
            transport.send(make_call(server.url), as_json)
        assert (transport.waiting.idle, server.seen) == (False, [])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        pytest.param("https://Api.Example/a/b?c", "https://api.example:443", id="https"),
        pytest.param("http://api.example", "http://api.example:80", id="http"),
        pytest.param("https://api.example:8443/", "https://api.example:8443", id="port"),
        pytest.param("HTTPS://api.example:443", "https://api.example:443", id="the usual port, named"),
        pytest.param("https://me:pw@api.example", "https://api.example:443", id="user"),
        pytest.param("http://[::1]:8080/x", "http://::1:8080", id="IPv6"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    """Two spellings of one origin are equal; another scheme or port is another origin."""
    assert origin_of(url) == origin
