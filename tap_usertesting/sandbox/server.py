"""The sandbox: one HTTP/1.1 server on loopback for the token endpoint, v1, v2, v3 and the change feed.

``Sandbox.answer`` shows the way of a call: log, quota, hooks, faults, credentials, API.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox.admin import Admin
from tap_usertesting.sandbox.call_log import ServedCalls, kind_of_call
from tap_usertesting.sandbox.endpoints import AUTH_PATH, FEED_PATH
from tap_usertesting.sandbox.faults import Fault, FaultKind, Hook, Orders, drip, faulty_reply, reset
from tap_usertesting.sandbox.feed_api import (
    FeedApi,
    FeedRequest,
    bad_token,
    feed_operations,
    unauthenticated,
)
from tap_usertesting.sandbox.legacy_api import LEGACY_UNAUTHORISED, LegacyApi, legacy_token
from tap_usertesting.sandbox.quota import QuotaRule, ServedQuota
from tap_usertesting.sandbox.requests_and_replies import (
    RESULTS_KINDS,
    Headers,
    Reply,
    Request,
    ServedCall,
    nest_error,
    no_route,
)
from tap_usertesting.sandbox.results_api import ResultsApi
from tap_usertesting.sandbox.tokens import Tokens
from tap_usertesting.sandbox.wire import Server, message
from tap_usertesting.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

_NOT_AUTHORISED = nest_error(401, "Unauthorized")
_TOO_MANY = nest_error(429, "ThrottlerException: Too Many Requests")


class Sandbox:
    """Serves a world as both APIs; a context manager."""

    def __init__(
        self,
        world: World | None = None,
        *,
        quota: QuotaRule | None = None,
        token_lifetime: float = 3600,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the port (0: any free one), but serve nothing yet.

        quota: None for no limit; the headers then tell a huge one.
        token_lifetime: seconds.
        clock: monotonic seconds, for windows, tokens and the call log.
        """
        self.world = world or World()
        self.clock = clock
        self.tokens = Tokens(token_lifetime, clock=clock)
        self.quota = ServedQuota(quota, clock=clock)
        self.orders = Orders()
        self.closing = threading.Event()
        self.stop_requested = threading.Event()
        self.feed_token = f"sandbox-feed-{secrets.token_hex(12)}"
        self._results = ResultsApi(self.world)
        self._legacy = LegacyApi(self.world)
        self._feed = FeedApi(self.world)
        self._admin = Admin(self)
        self._log = ServedCalls(self.world, clock=clock)
        self._server = Server(("127.0.0.1", port), self)
        self.port: int = self._server.address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def start(self) -> Self:
        """Serve in the background."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and the port."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()

    def __enter__(self) -> Self:
        """Serve in the background."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.stop()

    # Addresses and credentials

    @property
    def auth_endpoint(self) -> str:
        """URL of the token endpoint."""
        return self.url + AUTH_PATH

    @property
    def feed_url(self) -> str:
        """URL of the change feed."""
        return self.url + FEED_PATH

    @property
    def client_id(self) -> str:
        """The id of the only client."""
        return self.tokens.client_id

    @property
    def client_secret(self) -> str:
        """The secret of the only client."""
        return self.tokens.client_secret

    def config(self, **overrides: object) -> dict[str, Any]:
        """Return settings that make the tap use this sandbox. An override of None leaves a setting out."""
        settings = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "api_url": self.url,
            "auth_endpoint": self.auth_endpoint,
            "feed_url": self.feed_url,
            **overrides,
        }
        return {name: value for name, value in settings.items() if value is not None}

    # What a test can read and order

    @property
    def calls(self) -> list[ServedCall]:
        """Every call so far, in the order of arrival (a copy)."""
        return self._log.calls()

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        self._log.clear()

    def before(
        self, kind: str, callback: Callable[[ServedCall], object], times: int | None = 1, *, skip: int = 0
    ) -> None:
        """Run ``callback(call)`` before calls of a kind are answered: skip the first ``skip``, meet the next ``times``.

        ``kind``: a ``ServedCall.kind``, or ``feed_count``, ``feed_changes``, ``results`` (all of v2 and v3) or ``any``.
        """
        with self.orders.lock:
            self.orders.hooks.append(Hook(kind, callback, times, skip))

    def fail(  # noqa: PLR0913 - all but the first are seldom given
        self,
        kind: str,
        times: int | None = 1,
        *,
        status: int = 500,
        body: object = None,
        headers: dict[str, str] | None = None,
        fault: FaultKind | None = None,
        match: str | None = None,
        skip: int = 0,
        seconds: float = 30.0,
    ) -> None:
        """Order a fault for the next ``times`` calls of a kind (None: all); ``Fault`` explains the arguments."""
        order = Fault(kind, times, status, body, headers, fault, match, skip, seconds)
        with self.orders.lock:
            self.orders.faults.append(order)

    def revoke_tokens(self) -> None:
        """Make every token of the Results API issued so far invalid."""
        self.tokens.revoke()

    def set_quota(self, rule: QuotaRule | None) -> None:
        """Change the quota and start a new count."""
        self.quota.set_rule(rule)

    # The way of a call

    def answer(self, request: Request, connection: socket.socket) -> bytes | None:
        """Return the bytes to send for a request, None if the connection has to be closed."""
        if self._admin.serves(request.path):
            return message(self._admin.answer(request))
        kind, ids = kind_of_call(request.path)
        # A feed request is parsed first, because hooks and faults depend on its operations.
        asked = self._feed.read(request) if kind == "feed" else None
        operations = feed_operations(asked) if isinstance(asked, FeedRequest) else []
        call = self._log.write(request, kind, ids, operations)
        headers: Headers = []
        if call.kind in RESULTS_KINDS or (call.kind == "v1" and (self.world.v1_in_quota or self.quota.rule is None)):
            if call.kind in RESULTS_KINDS and not self._results.has_route(call.kind):
                return self._done(call, no_route(request))
            verdict = self.quota.take(endpoint=call.kind, version=request.path[:7])
            call.window_closes = verdict.closes
            if not verdict.allowed:
                return self._done(call, _TOO_MANY.adding(verdict.headers))
            headers = verdict.headers
        for hook in self.orders.hooks_for(call):
            hook.callback(call)
        fault = self.orders.fault_for(call)
        if fault is None:
            return self._done(call, self._route(call, ids, request, asked).adding(headers))
        if fault.fault == "other" and call.kind in RESULTS_KINDS:
            return self._done(call, self._results.answer_about_another(call.kind, ids, request).adding(headers))
        return self._send_faulty(fault, call, self._route(call, ids, request, asked).adding(headers), connection)

    def _route(
        self, call: ServedCall, ids: dict[str, str], request: Request, asked: FeedRequest | Reply | None
    ) -> Reply:
        return self.world.variant.alter(call.kind, self._true_reply(call, ids, request, asked))

    def _true_reply(
        self, call: ServedCall, ids: dict[str, str], request: Request, asked: FeedRequest | Reply | None
    ) -> Reply:
        if call.kind in RESULTS_KINDS:
            is_other = self.world.variant.answers == "another"
            answer = self._results.answer_about_another if is_other else self._results.answer
            return answer(call.kind, ids, request) if self.tokens.valid(request.bearer) else _NOT_AUTHORISED
        if call.kind == "v1":
            authorised = self.tokens.valid(legacy_token(request, self.world.v1_auth))
            return self._legacy.answer(request) if authorised else LEGACY_UNAUTHORISED
        if call.kind == "token":
            return self.tokens.answer(request)
        if asked is not None:
            return self._answer_feed(request, asked)
        if request.path + "/" == FEED_PATH:
            # The feed's framework redirects to the path with a slash, and a client that follows loses its POST body.
            return Reply(301, headers=[("Location", FEED_PATH)])
        return no_route(request)

    def _answer_feed(self, request: Request, asked: FeedRequest | Reply) -> Reply:
        if self.world.variant.feed == "gone":
            return no_route(request)
        if "authorization" not in request.headers:
            return unauthenticated()
        if request.bearer != self.feed_token and not self.tokens.valid(request.bearer):
            return bad_token()
        return asked if isinstance(asked, Reply) else self._feed.answer(asked)

    def _send_faulty(self, fault: Fault, call: ServedCall, reply: Reply, connection: socket.socket) -> bytes | None:
        """Apply a fault to a reply or to the connection."""
        if fault.fault in {"reset", "hang"}:
            call.status = 0
            if fault.fault == "hang":
                self.closing.wait(fault.seconds)
            reset(connection)
            return None
        if fault.fault not in {"cut", "drip"}:
            other_origin = f"http://localhost:{self.port}{call.path}"
            limits = [item for item in reply.headers if item[0].startswith("x-ratelimit")]
            return self._done(call, faulty_reply(fault, reply, other_origin).adding(limits))
        sent = self._done(call, reply)
        if fault.fault == "cut":
            connection.sendall(sent[: len(sent) - len(reply.body) + len(reply.body) // 2])
            connection.shutdown(socket.SHUT_RDWR)
            return None
        drip(connection, sent, fault.seconds, self.closing)
        return b""

    def _done(self, call: ServedCall, reply: Reply) -> bytes:
        call.status = reply.status
        ahead = self.quota.rule.ahead if self.quota.rule is not None else 0.0
        return message(reply.adding([("Date", formatdate(time.time() + ahead, usegmt=True))]))
