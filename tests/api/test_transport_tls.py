"""Certificates: verified, never retried, and from the user's own authority when he names one."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
import requests
import trustme
from urllib3.exceptions import MaxRetryError, SSLError

from tap_usertesting.api import connection_faults
from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.errors import ApiError, UnreachableError
from tests.api.conftest import TRIES
from tests.support.servers import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_usertesting.api.transport import Transport
    from tests.api.conftest import MakeCall
    from tests.support.fakes import FakeClock


AUTHORITY = "authority.pem"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Path:
    """A certificate for 127.0.0.1 of that authority, with its key in the same file."""
    made = tmp_path_factory.mktemp("tls") / "certificate.pem"
    authority.cert_pem.write_to_path(str(made.with_name(AUTHORITY)))
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
    made.write_bytes(chain + issued.private_key_pem.bytes())
    return made


@pytest.fixture
def server(certificate: Path) -> Iterator[Scripted]:
    """An https server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Scripted(tls=context) as running:
        yield running


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


def test_a_certificate_of_nobody_is_refused_at_once(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, server: Scripted
) -> None:
    """A certificate does not get better by trying: one try, one line, no request with a token."""
    with pytest.raises(UnreachableError, match=r"certificate.*one try.*api_url") as caught:
        transport.send(make_call(server.url, auth=StaticToken("t")), lambda answer: answer.status)
    assert caught.value.setting == "api_url"
    assert (fake_clock.slept, server.seen) == ([], [])


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_authority_of_the_environment_is_believed(
    transport: Transport,
    make_call: MakeCall,
    server: Scripted,
    certificate: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Companies whose proxy reads along name their own, in the variable that the program they know reads."""
    monkeypatch.setenv(name, str(certificate.with_name(AUTHORITY)))
    call = make_call(server.url, auth=StaticToken("t"))
    assert transport.send(call, lambda answer: answer.status) == 200
    assert server.seen[0].headers["authorization"] == "Bearer t"


def _context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("host", "ended", "words"),
    [
        pytest.param("127.0.0.1", True, "certificate has expired.*clock", id="expired"),
        pytest.param(
            "api.example", False, "not valid for '127.0.0.1'.*check that the host in api_url matches", id="another host"
        ),
    ],
)
def test_openssls_reason_is_shown_with_what_to_do(
    transport: Transport,
    make_call: MakeCall,
    authority: trustme.CA,
    certificate: Path,
    host: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    ended: bool,
) -> None:
    """Why a certificate is refused decides what has to be done about it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name(AUTHORITY)))
    past = datetime(2020, 1, 1, tzinfo=timezone.utc)
    leaf = authority.issue_cert(host, not_before=past, not_after=past) if ended else authority.issue_cert(host)
    with Scripted(tls=_context(leaf)) as server, pytest.raises(UnreachableError, match=words):
        transport.send(make_call(server.url), lambda answer: answer.status)


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("Basic Constraints of CA cert not marked critical", "Python 3.13 and later"),
        ("Missing Authority Key Identifier", "Python 3.13 and later"),
        ("self-signed certificate in certificate chain", "root certificate"),
        ("unable to get local issuer certificate", "root certificate"),
        ("certificate is not yet valid", "clock"),
        ("something new", "api_url"),
    ],
)
def test_each_reason_has_its_advice(reason: str, advice: str) -> None:
    """As OpenSSL words them; a reason that no one knows yet is shown all the same."""
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_message = reason
    fault = requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(refused)))  # type: ignore[arg-type]
    assert connection_faults.cause(fault) == f"the certificate was rejected: {reason}"
    assert advice in connection_faults.advice(fault, setting="api_url", authorities=None)
    assert connection_faults.is_final(fault)


def test_a_server_without_tls_is_told_at_once(transport: Transport, make_call: MakeCall, fake_clock: FakeClock) -> None:
    """Https at the port of a plain server: OpenSSL says so, in words that differ from version to version."""
    with Scripted() as server, pytest.raises(UnreachableError, match=r"TLS failed: .*one try.*api_url"):
        transport.send(make_call(server.url.replace("http:", "https:")), lambda answer: answer.status)
    assert fake_clock.slept == []


def test_a_handshake_that_breaks_off_is_tried_again(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock
) -> None:
    """A server that restarts closes in the middle of a handshake: that passes, unlike a certificate."""

    def serve() -> None:
        for _ in range(TRIES):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(ApiError, match=f"{TRIES} tries"):
            transport.send(make_call(url), lambda answer: answer.status)
        thread.join(5)
    assert len(fake_clock.slept) == TRIES - 1
