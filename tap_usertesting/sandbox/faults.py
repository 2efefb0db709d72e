"""Faults and hooks: which calls they are ordered for, and what each fault does to a reply."""

from __future__ import annotations

import json
import math
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from tap_usertesting.sandbox.endpoints import CALL_KINDS
from tap_usertesting.sandbox.fields import Allowed, Sample, at_least, between, examples, one_of
from tap_usertesting.sandbox.requests_and_replies import JSON_TYPE, Headers, Reply, ServedCall, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

FaultKind = Literal[
    "reset", "cut", "malformed", "html", "hang", "drip", "redirect", "other", "short", "okta", "problem"
]

# RFC 9110: names are tokens, values are printable. Anything else would break the reply itself.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\xa0-\xff]*")
_HEADERS = Allowed(
    "an object of strings in Latin-1 without line breaks, under names of headers",
    lambda headers: all(_HEADER.fullmatch(f"{name}: {value}") for name, value in headers.items()),
    alone=True,
)
_DRIP_PIECES = 20
_TOO_MANY = 429
_OKTA = {
    "errorCode": "E0000011",
    "errorSummary": "Invalid token provided",
    "errorLink": "E0000011",
    "errorId": "oaeSandbox",
    "errorCauses": [],
}
_PROBLEM = {"type": "about:blank", "title": "Forbidden client", "detail": "The client is not active."}
_GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


@dataclass
class Fault:
    """One order: what goes wrong with which calls.

    kind: the kind of calls that fail.
    times: how many of these calls fail (None: all).
    status: the status of the reply, unless ``fault`` sets another one.
    body: the body of the reply: a string unchanged, anything else as JSON (None: an error in the vendor's format).
    headers: additional headers. A Content-Type replaces the usual one and sets the charset of the body.
    fault: what goes wrong (None: the reply consists of ``status``, ``body`` and ``headers``).
    match: only calls whose path contains this string.
    skip: how many matching calls succeed before the first one fails.
    seconds: the duration of ``hang`` and ``drip``.

    ``fault`` is one of:

    reset: the server resets the connection.
    cut: half of the real reply, then the server closes the connection.
    malformed: the start of the real reply's JSON, with the Content-Length of this part.
    html: an HTML page of a gateway with status 200.
    hang: no reply for ``seconds``, then the server resets the connection.
    drip: the real reply in small pieces over ``seconds``.
    redirect: a 302 to another origin, or to the Location in the headers.
    other: the real reply of another session of the test, or of another test; for the Results API.
    short: the real list without its last item, which then starts the next page; for lists.
    okta: ``status`` with an error in Okta's format; a 429 also has X-Rate-Limit-Reset, ``seconds`` from now.
    problem: ``status`` with an error in the format of RFC 9457.
    """

    kind: Annotated[str, one_of(CALL_KINDS)] = field(metadata=examples("list"))
    times: Annotated[int, at_least(1)] | None = field(default=1, metadata=examples(2, None))
    status: Annotated[int, between(200, 599)] = field(default=500, metadata=examples(429, 503))
    # Bytes, which only Python can give, are sent as they are.
    body: object = field(default=None, metadata=examples({"status": "PROCESSING"}, "Try later", status=202))
    headers: Annotated[dict[str, str], _HEADERS] | None = field(
        default=None, metadata=examples({"Retry-After": "7"}, status=429)
    )
    fault: FaultKind | None = None
    match: str | None = field(default=None, metadata=examples(Sample.SESSION, kind="details_v3"))
    skip: Annotated[int, at_least(0)] = field(default=0, metadata=examples(1))
    seconds: Annotated[float, between(0, 86_400)] = field(default=30.0, metadata=examples(1, fault="hang"))


@dataclass
class Hook:
    """A callback that runs before calls of a kind are answered."""

    kind: str
    callback: Callable[[ServedCall], object]
    times: int | None = 1
    skip: int = 0


@dataclass
class Orders:
    """The faults and hooks that were ordered, oldest first."""

    faults: list[Fault] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault_for(self, call: ServedCall) -> Fault | None:
        """Return the first fault that is due for this call, and count the call."""
        with self.lock:
            for fault in self.faults:
                if (fault.match is None or fault.match in call.path) and _due(fault, call):
                    return fault
        return None

    def hooks_for(self, call: ServedCall) -> list[Hook]:
        """Return every hook that is due for this call, and count the call."""
        with self.lock:
            return [hook for hook in self.hooks if _due(hook, call)]

    def clear(self) -> None:
        """Forget all of them."""
        with self.lock:
            self.faults.clear()
            self.hooks.clear()


def _due(order: Fault | Hook, call: ServedCall) -> bool:
    """Count a call against an order, and tell whether the order is due for it."""
    if order.times == 0 or (order.kind != "any" and order.kind not in call.kinds):
        return False
    if order.skip > 0:
        order.skip -= 1
        return False
    if order.times is not None:
        order.times -= 1
    return True


def faulty_reply(fault: Fault, reply: Reply, other_origin: str) -> Reply:
    """Return the reply that a fault puts in place of the true one. Other faults act on the connection."""
    declared = next((value for name, value in (fault.headers or {}).items() if name.lower() == "content-type"), None)
    extra: Headers = [(name, value) for name, value in (fault.headers or {}).items() if name.lower() != "content-type"]
    if fault.fault == "malformed":
        return Reply(reply.status, reply.body[: max(len(reply.body) * 2 // 3, 1)], reply.content_type, extra)
    if fault.fault == "html":
        return Reply(200, _GATEWAY_PAGE, "text/html; charset=utf-8", extra)
    if fault.fault in {"other", "short"}:
        # Only the Results API knows another; any other call gets its own reply.
        content = _shortened(reply.body) if fault.fault == "short" else reply.body
        return Reply(reply.status, content, reply.content_type, extra)
    if fault.fault == "redirect":
        location = [] if any(name.lower() == "location" for name, _ in extra) else [("Location", other_origin)]
        return Reply(302, b"", headers=extra + location)
    if fault.fault in {"okta", "problem"}:
        return _error_of_another_form(fault, extra)
    body = {"statusCode": fault.status, "message": "Internal server error"} if fault.body is None else fault.body
    if isinstance(body, str):
        body = _encoded(body, (declared or "").partition("charset=")[2])
    sent = body if isinstance(body, bytes) else json_reply(fault.status, body).body
    return Reply(fault.status, sent, declared or JSON_TYPE, extra)


def _encoded(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset or "utf-8", "replace")
    except (LookupError, ValueError):  # an order may declare a charset that does not exist, or not for such a text
        return text.encode()


def _shortened(body: bytes) -> bytes:
    """Return a list of the Results API or of v1 without its last item, and any other body unchanged."""
    try:
        content = json.loads(body)
    except ValueError:  # a transcript, say
        return body
    items = content.get("sessions") if isinstance(content, dict) else content
    if isinstance(items, list) and items:
        items.pop()
    return json_reply(200, content).body


def _error_of_another_form(fault: Fault, extra: Headers) -> Reply:
    """Return an error in the form of an authorization server or gateway of another vendor."""
    if fault.fault == "problem":
        return Reply(fault.status, json.dumps(_PROBLEM).encode(), "application/problem+json", extra)
    return json_reply(fault.status, _OKTA, extra + (_okta_limits(fault) if fault.status == _TOO_MANY else []))


def _okta_limits(fault: Fault) -> Headers:
    ends = math.ceil(time.time() + fault.seconds)
    return [("X-Rate-Limit-Limit", "600"), ("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", str(ends))]


def reset(connection: socket.socket) -> None:
    """Close a connection so that the client sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drip(connection: socket.socket, message: bytes, seconds: float, closing: threading.Event) -> None:
    """Send a message in pieces over so many seconds, or until the server stops."""
    size = max(len(message) // _DRIP_PIECES, 1)
    pieces = [message[start : start + size] for start in range(0, len(message), size)]
    for piece in pieces:
        connection.sendall(piece)
        if closing.wait(seconds / len(pieces)):
            return
