"""The HTTP session: requests and urllib3, without four habits that a hostile server or proxy could use.

It keeps no cookies, does not look at redirects, sends plain http through no proxy, and sets a deadline for the head of
an answer. Without one a head could take for ever, because the timeout of a socket starts anew with each byte, and
http.client skips any number of `100 Continue`.
"""

from __future__ import annotations

import socket
import threading
import time
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from tap_usertesting.api.certificates_and_proxies import authorities, check_proxy

if TYPE_CHECKING:
    from urllib3.poolmanager import PoolManager
    from urllib3.response import HTTPResponse

SLOWEST = 5  # times the request timeout; a head that takes longer is a fault, and so is a body


class ApiSession(requests.Session):
    """A session for APIs: no cookies, no redirects, no proxy for plain http, a deadline for the head of an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        _watch()  # starts its thread here, while no call is under way
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter())

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None. For a redirect requests reads the whole body, and fails if the Location is odd."""
        return

    @override
    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return the settings of a request, without a proxy for plain http, because that would see the token.

        `proxies={"no_proxy": "*"}` would do the same, but requests writes it into the environment of all threads.
        Raises SetupError if the environment names a proxy or a file of authorities that cannot be used.
        """
        if url.startswith("http:"):
            return {"proxies": {}, "stream": stream, "verify": verify, "cert": cert}
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        check_proxy(url, settings["proxies"])
        return {**settings, "verify": authorities()}


class _Watch:
    """Breaks off connections whose head is late. One thread looks after all of them, twice a second.

    A thread for each call would not do: starting one waits on a lock, and a signal that ends the run there causes an
    error of its own. `begin` and `end` each change the dict in one step, so it needs no lock.
    """

    def __init__(self) -> None:
        self._heads: dict[int, tuple[float, Any]] = {}
        threading.Thread(target=self._look, name="head deadlines", daemon=True).start()

    def begin(self, connection: HTTPConnection, seconds: float) -> None:
        """Expect the head of an answer within so many seconds."""
        self._heads[id(connection)] = (time.monotonic() + seconds, connection.sock)

    def end(self, connection: HTTPConnection) -> bool:
        """Expect no head any more; returns whether it came in time."""
        return self._heads.pop(id(connection), None) is not None

    def _look(self) -> None:
        pause = threading.Event()
        while not pause.wait(0.5):
            now = time.monotonic()
            for key, (due, sock) in list(self._heads.items()):
                if now >= due and self._heads.pop(key, None) is not None:
                    _break_off(sock)


@cache
def _watch() -> _Watch:
    return _Watch()


class _Deadline(HTTPConnection):
    """A connection that breaks off if the head of an answer does not come in time."""

    @override
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
        if not isinstance(self.timeout, (int, float)):
            return super().getresponse()
        _watch().begin(self, SLOWEST * self.timeout)
        in_time = False
        try:
            response = super().getresponse()
        finally:
            in_time = _watch().end(self)
        if not in_time:  # http.client takes headers that break off for all of them
            response.close()
            message = "timed out"
            raise TimeoutError(message)
        return response


class _SecureDeadline(_Deadline, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Deadline


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureDeadline


class _Adapter(HTTPAdapter):
    """Uses the connections above, also through a proxy."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _equip(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if not proxy.lower().startswith("socks"):  # SOCKS has connections of its own
            _equip(manager)
        return manager


def _equip(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def _break_off(sock: Any) -> None:  # noqa: ANN401 - a socket, or TLS within TLS around one
    try:
        # The method of a TLS socket would also drop its TLS state, which the thread that reads still needs.
        socket.socket.shutdown(getattr(sock, "socket", sock), socket.SHUT_RDWR)
    except OSError:  # the socket has just been closed
        return
