"""The certificate authorities and proxies that variables of the environment name, checked before they are used.

A wrong one makes every call fail deep inside requests, with a text that names no variable and may hold a password.
"""

from __future__ import annotations

import os
import ssl
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from requests.utils import get_environ_proxies, prepend_scheme_if_needed, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from tap_usertesting.api.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")  # the first one that is set counts
PROXIES = frozenset({"https_proxy", "all_proxy"})  # in lower or upper case
SOCKS = frozenset({"socks4", "socks4a", "socks5", "socks5h"})


def authorities() -> str | bool:
    """Return the file or folder of certificate authorities that a variable names; True if none is set.

    Raises SetupError if there is no such file, or no certificate in it.
    """
    if (name := authorities_variable()) is None:
        return True
    path = os.environ[name]
    try:
        if not Path(path).is_dir():
            _load(path, Path(path).stat().st_mtime_ns)
    except ssl.SSLError:
        reason = "contains no PEM certificate"
    except (OSError, ValueError) as error:
        reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    else:
        return path
    raise SetupError(f"{name}: the file {path!r} {reason}; set the variable to a PEM file of certificates, or unset it")


def authorities_variable() -> str | None:
    """Return the name of the variable that `authorities` reads; None if none is set."""
    return next((name for name in AUTHORITIES if os.environ.get(name)), None)


@cache
def _load(path: str, _changed: int) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)


def check_proxy(url: str, proxies: MutableMapping[str, str] | None) -> None:
    """Raise SetupError if the proxy that requests takes for a URL cannot be used. Its address may hold a password."""
    proxy = select_proxy(url, proxies)
    if not proxy:
        return
    variable = _holder(proxy)
    try:
        parts = parse_url(str(prepend_scheme_if_needed(proxy, "http")))  # type: ignore[no-untyped-call]  # as requests does
        (parts.host or "").encode("idna")
    except (LocationParseError, UnicodeError):
        parts = None
    rest = "" if parts is None else parts.request_uri
    if parts is None or not parts.host or parts.fragment is not None or "@" in rest or "//" in rest:
        raise SetupError(
            f"{variable}: not a proxy URL, such as http://user:password@host:8080; in the user name and password, "
            "encode # as %23, / as %2F, : as %3A, @ as %40 and ? as %3F"
        )
    if parts.scheme in SOCKS:
        if find_spec("socks") is None:
            raise SetupError(
                f"{variable}: a SOCKS proxy needs PySocks, which is not installed; install it in the tap's "
                "environment (pip install 'requests[socks]'), or use an http proxy"
            )
    elif parts.scheme not in {"http", "https"}:
        raise SetupError(f"{variable}: a proxy URL starts with http://, https:// or socks5h://, not {parts.scheme}://")


def proxy_variable(url: str) -> str:
    """Return the name of the variable that holds the proxy for a URL."""
    return _holder(select_proxy(url, get_environ_proxies(url)))


def _holder(proxy: str | None) -> str:
    held = (name for name, value in os.environ.items() if name.lower() in PROXIES and value == proxy)
    return next(held, "the system's proxy settings")
