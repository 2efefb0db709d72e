"""Exceptions of requests, urllib3 and OpenSSL by meaning: why a call failed, and whether another try may help. Pure.

Their texts may hold a URL with a secret, so they are not repeated. Only three parts are: the reason that OpenSSL names,
the one that the operating system names, and the status with which a proxy refuses.
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD_PROXY_LOGIN = "407"
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}[ A-Za-z]{0,40})")
_NAMES = (
    (requests.exceptions.ConnectTimeout, "the connection timed out"),
    (requests.exceptions.Timeout, "the response timed out"),
    (requests.exceptions.ChunkedEncodingError, "the response was cut off"),
    (ReadTimeoutError, "the response timed out"),
    (ProtocolError, "the response was cut off"),
)
_UNKNOWN = "{authorities}, or check {setting}"
_STRICT = "Python 3.13 and later are stricter: have the certificate of the authority reissued, or use Python 3.12"
# What to do, by a part of the reason that OpenSSL names
_ADVICE = (
    ("expired", "check this machine's clock and {setting}"),
    ("not yet valid", "check this machine's clock and {setting}"),
    ("not valid for", "check that the host in {setting} matches the certificate"),
    ("critical", _STRICT),
    ("key identifier", _STRICT),
    ("key usage", _STRICT),
    ("certificate was rejected", _UNKNOWN),
)


def cause(fault: Exception) -> str:
    """Return why a call failed, in a few words."""
    if isinstance(fault, requests.exceptions.ProxyError):
        refusal = proxy_refusal(fault)
        return f"the proxy refused the connection{refusal and f': {refusal}'}" if refusal is not None else _proxy(fault)
    if isinstance(fault, requests.exceptions.SSLError):
        return _tls(fault)
    if (name := next((text for kind, text in _NAMES if isinstance(fault, kind)), None)) is not None:
        return name
    if isinstance(fault, requests.exceptions.ConnectionError):
        return _system(fault) or "the connection failed"
    return type(fault).__name__


def advice(fault: Exception, *, setting: str, authorities: str | None) -> str:
    """Return what a person can do if no connection can be made to the address in `setting`.

    `authorities`: the variable that names the file of certificate authorities; None if none is set.
    """
    if not isinstance(fault, requests.exceptions.SSLError):
        return f"check {setting}, the network and the proxy"
    reason = _tls(fault).lower()
    found = next((text for part, text in _ADVICE if part in reason), "check {setting} and the proxy")
    file = f"the PEM file in {authorities}" if authorities else "a PEM file and set REQUESTS_CA_BUNDLE to it"
    return found.format(setting=setting, authorities=f"add your company's root certificate to {file}")


def is_final(fault: Exception) -> bool:
    """Tell whether another try cannot help: a refused certificate and a wrong password of a proxy stay as they are."""
    if isinstance(fault, requests.exceptions.ProxyError):
        return (proxy_refusal(fault) or "").startswith(BAD_PROXY_LOGIN)
    if not isinstance(fault, requests.exceptions.SSLError):
        return False
    return not any(isinstance(inner, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for inner in _chain(fault))


def never_connected(fault: Exception) -> bool:
    """Tell whether the host was not reached at all. That ends the run; a connection that breaks off does not."""
    exceptions = requests.exceptions
    if isinstance(fault, (exceptions.ConnectTimeout, exceptions.ProxyError, exceptions.SSLError)):
        return True
    return isinstance(fault, exceptions.ConnectionError) and any(
        type(inner).__name__ in {"NewConnectionError", "NameResolutionError"} for inner in _chain(fault)
    )


def proxy_refusal(fault: Exception) -> str | None:
    """Return the status with which a proxy refuses, such as `407 Proxy Authentication Required`; None if none did."""
    found = (_TUNNEL.search(str(inner)) for inner in _chain(fault) if isinstance(inner, OSError))
    return next((match[1].strip() for match in found if match), None)


def _proxy(fault: Exception) -> str:
    return f"the proxy cannot be reached: {_system(fault) or 'the connection failed'}"


def _tls(fault: Exception) -> str:
    for inner in _chain(fault):
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"the certificate was rejected: {(inner.verify_message or 'it could not be verified').rstrip('.')}"
    reason = next((inner.reason for inner in _chain(fault) if isinstance(inner, ssl.SSLError) and inner.reason), None)
    return f"TLS failed: {reason.replace('_', ' ').lower()}" if reason else "TLS failed"


def _system(fault: Exception) -> str:
    """Return the reason that the operating system names; "" if it names none."""
    for inner in _chain(fault):
        if isinstance(inner, socket.gaierror):
            return "the host name cannot be resolved"
        if isinstance(inner, OSError) and inner.errno is not None and inner.strerror:
            return str(inner.strerror).lower()
    return ""


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all those that it holds or that caused it."""
    seen: set[int] = set()
    left: list[object] = [fault]
    while left:
        inner = left.pop(0)
        if isinstance(inner, BaseException) and id(inner) not in seen:
            seen.add(id(inner))
            yield inner
            left += [*inner.args, getattr(inner, "reason", None), inner.__cause__, inner.__context__]
