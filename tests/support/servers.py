"""A small HTTP server on loopback that sends scripted replies and keeps the requests."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from tap_usertesting.api.answer import Answer


@dataclass(frozen=True)
class Reply:
    """One scripted reply."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One request. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect."""


class Scripted:
    """A server that sends the replies in turn, and then repeats the last one. A reply may depend on the request."""

    def __init__(self, *replies: Reply | Callable[[Seen], Reply], tls: ssl.SSLContext | None = None) -> None:
        """Take a free port. `tls`: serve https."""
        self.replies: list[Reply | Callable[[Seen], Reply]] = list(replies) or [Reply()]
        self.seen: list[Seen] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one write per answer, because a second one would wait for an acknowledgement

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, self.path, headers, body)
                outer.seen.append(seen)
                chosen = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                reply = chosen if isinstance(chosen, Reply) else chosen(seen)
                self.send_response_only(reply.status) if "Date" in reply.headers else self.send_response(reply.status)
                framed = {} if "Transfer-Encoding" in reply.headers else {"Content-Length": str(len(reply.body))}
                for name, value in (framed | reply.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_POST = do_GET  # noqa: N815 - the name http.server wants

            def log_message(self, *_: object) -> None:
                """Write no log."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def as_json(answer: Answer) -> Any:  # noqa: ANN401 - JSON is anything
    """Return the JSON of an answer."""
    return answer.json()


def nest(status: int, message: object = "Some message") -> Reply:
    """Return an error in the form of NestJS, as the vendor sends it."""
    return Reply(status, json.dumps({"statusCode": status, "message": message}).encode())
