"""Certificates: verified, never retried, and from the user's own authority when he names one."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.errors import UnreachableError

from .servers import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_usertesting.api.transport import Transport

    from .conftest import MakeCall
    from .fakes import FakeClock


AUTHORITY = "authority.pem"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 of an authority that nobody knows, with its key in the same file."""
    made = tmp_path_factory.mktemp("tls") / "certificate.pem"
    authority = trustme.CA()
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


def test_requests_ca_bundle_is_honoured(
    transport: Transport,
    make_call: MakeCall,
    server: Scripted,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An authority that the user names in the environment, as companies with a proxy do, is believed."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.with_name(AUTHORITY)))
    call = make_call(server.url, auth=StaticToken("t"))
    assert transport.send(call, lambda answer: answer.status) == 200
    assert server.seen[0].headers["authorization"] == "Bearer t"
