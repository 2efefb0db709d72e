"""Where a call goes, and with it the token: only to the origin of its setting, never in the clear over a network."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest

from tap_usertesting.api.call import origin_of
from tap_usertesting.api.errors import ApiError, BadRequestError
from tap_usertesting.config.settings import Settings
from tap_usertesting.config.validation import SettingsError
from tests.hostile import good
from tests.hostile.conftest import TOKEN, Clients, call, endless, size
from tests.hostile.spoil import encode
from tests.support.servers import Reply, Scripted


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


@pytest.mark.parametrize("url", [None, "https://127.0.0.1:9/"])
def test_no_call_writes_into_the_environment(
    clients: Clients, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to all threads, and one that reads it meanwhile fails: requests says `no_proxy` by way of it."""
    written: list[str] = []
    for name in ("putenv", "unsetenv"):
        monkeypatch.setattr(os, name, lambda key, *_: written.append(os.fsdecode(key)))
    with suppress(ApiError):
        clients.transport.send(call(clients, url), size)
    assert written == []


def test_https_goes_to_the_proxy_which_does_not_see_the_token(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment is honoured for https: it is asked for a tunnel, and shown no token."""
    for other in ("no_proxy", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    with endless(b"HTTP/1.1 403 Forbidden\r\n\r\n", b"", most=0) as (url, _):
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises(ApiError, match="the proxy refused") as caught:
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
    clients.server.replies = [Reply(body=encode(good.DETAILS_V3))]
    clients.results.details(good.SESSION, version="v3")
    assert clients.server.seen[0].path == f"/api/v3/sessionResults/{good.SESSION}"
    assert clients.results_service.origin == origin_of(clients.server.url)
