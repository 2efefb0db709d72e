"""The HTTP/1.1 server: connections stay open, each has a thread, and each reply is one write without Nagle's algorithm.

So a call costs far less than a millisecond, and a benchmark measures the client.
"""

from __future__ import annotations

import contextlib
import re
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

from tap_usertesting.sandbox.requests_and_replies import Reply, Request, json_reply

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class RequestHandler(Protocol):
    """Answers requests."""

    def answer(self, request: Request, connection: socket.socket) -> bytes | None:
        """Return the bytes to send, None if the connection has to be closed."""


def message(reply: Reply) -> bytes:
    """Return the head and the body of a reply as one message."""
    reason = _REASONS.get(reply.status, "")
    lines = [
        f"HTTP/1.1 {reply.status} {reason}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + reply.body


class Server(ThreadingHTTPServer):
    """A server whose threads end with the process, and which can close its connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], box: RequestHandler) -> None:
        self.box = box
        self.address = address
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the inherited reverse look-up of the host's name, which may take seconds."""
        self.allow_reuse_address = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.address)
        self.address = self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.address

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Remember the connection while it is served."""
        with self._open_lock:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.discard(request)

    def close_connections(self) -> None:
        """Close all connections, which ends the threads that wait for a client."""
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):  # already closed by the client or by a fault
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Ignore clients that disconnected. Any other error is a bug, and is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        length = self._length()
        if length is None:
            reply = json_reply(400, {"error": "the length of the body is unknown; allowed: a Content-Length in digits"})
            self.close_connection = True
            self.connection.sendall(message(reply))
            return
        request = Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        sent = cast("Server", self.server).box.answer(request, self.connection)
        if sent is None:
            self.close_connection = True
        else:
            self.connection.sendall(sent)

    def _length(self) -> int | None:
        """Return the length of the body, None if the head does not say where it ends."""
        told = self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,12}", told):
            return None
        return int(told)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server calls these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Write nothing: `call_log.py` keeps the log."""
