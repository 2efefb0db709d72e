"""An environment that makes every call impossible: one line with the variable, at once, and exit status 78."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from urllib3.exceptions import LocationParseError

from tap_usertesting.api.certificates_and_proxies import authorities, check_proxy
from tap_usertesting.api.errors import SetupError, UnreachableError
from tap_usertesting.singer.command_line import EX_CONFIG
from tests.hostile.conftest import TOKEN, Clients, call, endless, size
from tests.support.harness import sync

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUSH = "hush-4711"
HTTPS = "https://api.example/"
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")
CONFIG = {"access_token": TOKEN, "api_url": HTTPS, "test_ids": ["0f0e0d0c-0000-4000-8000-000000000000"]}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no variable of this machine's own."""
    for name in VARIABLES + PROXIES:
        monkeypatch.delenv(name, raising=False)


def _nowhere(folder: Path) -> str:
    return str(folder / "nowhere.pem")


def _empty(folder: Path) -> str:
    (folder / "empty.pem").touch()
    return str(folder / "empty.pem")


def _key(folder: Path) -> str:
    (folder / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nbm90aGluZw==\n-----END PRIVATE KEY-----\n")
    return str(folder / "key.pem")


@pytest.mark.parametrize("args", [pytest.param((), id="sync"), pytest.param(("--test",), id="test")])
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("REQUESTS_CA_BUNDLE", _nowhere, "nowhere.pem", id="CA file that is not there"),
        pytest.param("SSL_CERT_FILE", _empty, "no PEM certificate", id="CA file without a certificate"),
        pytest.param("ALL_PROXY", f"socks5h://me:{HUSH}@proxy.example:1080", "PySocks", id="SOCKS"),
        pytest.param("https_proxy", f"http://me:{HUSH}#1@proxy.example:8080", "%23", id="proxy with #"),
    ],
)
def test_a_wrong_variable_is_one_line_at_once(
    tmp_path: Path, args: tuple[str, ...], name: str, value: str | Callable[[Path], str], words: str
) -> None:
    """No try is repeated, no password is shown, and an orchestrator sees that a second run would end alike."""
    env = {name: value if isinstance(value, str) else value(tmp_path)}
    run = sync(CONFIG, tmp_path, args=args, env=env)
    assert run.exit == EX_CONFIG
    [line] = run.errors
    assert name in line
    assert words in line
    for absent in ("Traceback", "try 2", HUSH, TOKEN):
        assert absent not in run.log


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", [_nowhere, _empty, _key], ids=["nowhere", "empty", "a key"])
def test_a_file_of_authorities_is_looked_at_before_a_call(
    clients: Clients,
    name: str,
    value: Callable[[Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of the three variables, each way to be wrong: the line has the variable and the path."""
    monkeypatch.setenv(name, value(tmp_path))
    with pytest.raises(SetupError, match=rf"^{name}: .*{tmp_path}") as caught:
        clients.transport.send(call(clients, HTTPS), size)
    assert clients.clock.slept == []
    assert caught.value.setting == ""


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://me:{HUSH}#@proxy.example:8080",
        f"http://me:1/{HUSH}@proxy.example",
        f"http://me:1?{HUSH}@proxy.example",
        "http://proxy.example:port",
        "http://proxy.example:99999",
        "http://proxy.example:8080\r",
        "http://proxy..example:8080",
        "http:/proxy.example:8080",
        "'http://proxy.example:8080'",
        "http://",
        "localhost:8080",
        "ftp://proxy.example:21",
    ],
)
def test_a_proxy_that_is_none_is_named_by_its_variable(
    clients: Clients, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says which variable and how to write it, never what stands in it."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SetupError, match=r"^HTTPS_PROXY: ") as caught:
        clients.transport.send(call(clients, HTTPS), size)
    assert HUSH not in str(caught.value)
    assert clients.clock.slept == []


@pytest.mark.parametrize(
    "proxy",
    [
        "http://proxy.example:8080",
        "http://proxy.example/",
        "https://me:p%23w%2F@proxy.example:8080",
        "http://[::1]:3128",
        "proxy.example:8080",
        "127.0.0.1:3128",
        "http://proxy",
    ],
)
def test_a_proxy_that_requests_can_use_is_left_alone(proxy: str) -> None:
    """However short it is written."""
    check_proxy(HTTPS, {"https": proxy})


def test_what_is_not_used_does_not_matter(clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http on this machine needs neither authorities nor a proxy, and `no_proxy` spares a host the proxy."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", _nowhere(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example")
    assert clients.transport.send(call(clients), size) == 2
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(UnreachableError, match="connection refused"):
        clients.transport.send(call(clients, "https://127.0.0.1:9/"), size)


def test_empty_variables_and_folders_of_authorities_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty is unset; a folder holds hashed names, which OpenSSL looks up only when it meets a certificate."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    assert authorities() is True
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path))
    assert authorities() == str(tmp_path)


def test_a_wrong_password_of_a_proxy_is_not_tried_again(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """407 is about the variable, so the line names it, once."""
    with endless(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"", most=0) as (url, _):
        monkeypatch.setenv("https_proxy", url.replace("//", f"//me:{HUSH}@"))
        with pytest.raises(SetupError, match=r"407 Proxy Authentication Required.*https_proxy") as caught:
            clients.transport.send(call(clients, HTTPS), size)
    assert HUSH not in str(caught.value)
    assert clients.clock.slept == []


def test_a_proxy_that_can_not_be_reached_is_named(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """That may pass, so it is tried again; the line then names the variable as well."""
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match=r"the proxy cannot be reached: connection refused.*ALL_PROXY"):
        clients.transport.send(call(clients, HTTPS), size)
    assert len(clients.clock.slept) == 1


# What a setting makes impossible


@pytest.mark.parametrize(
    ("error", "named"),
    [
        pytest.param(requests.exceptions.InvalidURL(HUSH), "api_url", id="InvalidURL"),
        pytest.param(requests.exceptions.MissingSchema(HUSH), "api_url", id="MissingSchema"),
        pytest.param(requests.exceptions.InvalidSchema(HUSH), "api_url", id="InvalidSchema"),
        pytest.param(LocationParseError(HUSH), "api_url", id="LocationParseError"),
        pytest.param(UnicodeError(HUSH), "api_url", id="UnicodeError"),
        pytest.param(requests.exceptions.InvalidHeader(HUSH), "access_token", id="InvalidHeader"),
        pytest.param(UnicodeEncodeError("latin-1", HUSH, 0, 1, "no"), "access_token", id="UnicodeEncodeError"),
    ],
)
def test_what_can_not_be_sent_is_not_tried_again(
    clients: Clients, error: Exception, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests, urllib3 and http.client each have names for it; the line has the setting, and no part of its value."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(clients.transport.exchange.session, "request", fail)  # what stands before the network
    with pytest.raises(SetupError, match=named) as caught:
        clients.transport.send(call(clients), size)
    assert HUSH not in str(caught.value)
    assert clients.clock.slept == []


@pytest.mark.parametrize("agent", ["a\nb", "a\u2013b"])
def test_a_user_agent_that_can_not_be_sent_names_its_setting(clients: Clients, agent: str) -> None:
    """With the real library: a line break, and a dash that is not ASCII."""
    clients.transport.exchange.session.headers["User-Agent"] = agent  # as a setting would
    with pytest.raises(SetupError, match="user_agent"):
        clients.transport.send(call(clients), size)
    assert clients.server.seen == []
    assert clients.clock.slept == []


@pytest.mark.parametrize("bearer", ["secret-of-mine\n", "secret\u2013of-mine"])
def test_a_token_that_can_not_be_sent_names_its_setting(clients: Clients, bearer: str) -> None:
    """As for the header of the setting beside it; the token itself is shown nowhere."""
    with pytest.raises(SetupError, match="access_token") as caught:
        clients.transport.send(call(clients, bearer=bearer), size)
    assert "of-mine" not in str(caught.value)
    assert clients.server.seen == []
    assert clients.clock.slept == []


@pytest.mark.parametrize("url", ["https://api..example/", f"https://{'a' * 64}.example/", "https:///path"])
def test_a_host_that_is_none_is_not_tried_again(clients: Clients, url: str) -> None:
    """The name's form is wrong, so it never comes to a look-up."""
    with pytest.raises(SetupError, match="api_url"):
        clients.transport.send(call(clients, url), size)
    assert clients.clock.slept == []
