"""Certificates: verified, never retried, and from the user's own authority when he names one."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.errors import UnreachableError

from .servers import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_usertesting.api.transport import Transport

    from .conftest import MakeCall
    from .fakes import FakeClock


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", key, "-out", made, "-days", "2", "-subj", "/CN=unit"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    made.write_text(made.read_text() + key.read_text())
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
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
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
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    call = make_call(server.url, auth=StaticToken("t"))
    assert transport.send(call, lambda answer: answer.status) == 200
    assert server.seen[0].headers["authorization"] == "Bearer t"
