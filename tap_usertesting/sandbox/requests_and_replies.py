"""What server and APIs exchange: the request that arrived, the call it is logged as, and the reply."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tap_usertesting.sandbox.endpoints import RESULTS

Json = dict[str, Any]
Headers = list[tuple[str, str]]

JSON_TYPE = "application/json; charset=utf-8"

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
RESULTS_KINDS = frozenset(endpoint.kind for endpoint in RESULTS)


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are in lower case. ``query``: the last value of each name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def bearer(self) -> str | None:
        """The token in ``Authorization: Bearer``, None without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def form(self) -> dict[str, str]:
        """Return the body as a submitted form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class ServedCall:
    """One entry of the call log.

    n: the number of the call.
    at: when it arrived, in monotonic seconds.
    status: None until it is answered, 0 if no status line was sent.
    window_closes: when its quota window closes, in monotonic seconds; None if it is under no quota.
    operations: the root fields of a feed request: ``field``, ``testUUID``, ``sinceCursor``.
    headers: those of the request, with masked tokens.
    """

    n: int
    at: float
    kind: str
    method: str
    path: str
    query: dict[str, str]
    status: int | None = None
    test_id: str | None = None
    session_id: str | None = None
    operations: list[dict[str, str | None]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    window_closes: float | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds under which hooks and faults can match this call."""
        names = {self.kind}
        if self.kind in RESULTS_KINDS:
            names.add("results")
        fields = {operation["field"] for operation in self.operations}
        if "testResultChanges" in fields:
            names.add("feed_changes")
        if "testResultChangesCount" in fields:
            names.add("feed_count")
        return frozenset(names)


@dataclass(frozen=True)
class Reply:
    """One HTTP reply. ``headers``: all but Content-Type and Content-Length."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Headers = field(default_factory=list)

    def adding(self, headers: Headers) -> Reply:
        """Return the same reply with more headers."""
        return Reply(self.status, self.body, self.content_type, self.headers + headers)


def json_reply(status: int, body: object, headers: Headers | None = None) -> Reply:
    """Return a JSON reply without white space, as web frameworks write it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, text.encode(), headers=headers or [])


_TITLES = {400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


def nest_error(status: int, message: str | list[str]) -> Reply:
    """Return an error in the form of NestJS, where 401 and 429 have no key ``error``."""
    body: Json = {"message": message, "statusCode": status}
    if status in _TITLES:
        body["error"] = _TITLES[status]
    return json_reply(status, body)


def no_route(request: Request) -> Reply:
    """Return the reply for a path that the service does not have."""
    return nest_error(404, f"Cannot {request.method} {request.path}")


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID with dashes."""
    return _UUID.fullmatch(text) is not None


def results_call(path: str) -> tuple[str, dict[str, str]] | None:
    """Return the kind of a Results API path and the ids in it, None for any other path."""
    for endpoint in RESULTS:
        ids = endpoint.ids(path)
        if ids is not None:
            return endpoint.kind, ids
    return None
