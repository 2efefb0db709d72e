"""The back door ``/_sandbox/``: read the call log and the truth, change the world. No credentials, no quota.

Like the whole server, it listens on loopback only. What its bodies may contain is read from ``commands.BODIES``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.answer_options import AnswerOptions
from tap_usertesting.sandbox.change_by_kind import make_change
from tap_usertesting.sandbox.commands import BODIES
from tap_usertesting.sandbox.feed_options import FeedOptions
from tap_usertesting.sandbox.fields import Refused, parse, put_back, read, shown
from tap_usertesting.sandbox.index import index
from tap_usertesting.sandbox.index_page import page
from tap_usertesting.sandbox.quota import QuotaRule
from tap_usertesting.sandbox.requests_and_replies import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.controls import Controls
    from tap_usertesting.sandbox.requests_and_replies import Json

PREFIX = "/_sandbox/"
# The page is also served at the bare address of the sandbox.
_INDEX = {"/", PREFIX, PREFIX.rstrip("/")}


@dataclass(frozen=True)
class Route:
    """A request that the back door answers. ``answer`` gets the fields of the body; None answers with the body."""

    method: str
    path: str
    says: str
    answer: Callable[[Json], object]


@dataclass(frozen=True)
class _NoFields:
    """The body of a request that takes none."""


class Admin:
    """Answers the requests to the back door."""

    def __init__(self, box: Controls) -> None:
        """Serve the back door of a sandbox."""
        self._box = box
        self._first_quota = box.quota.rule
        world = box.world
        self.routes = (
            Route("GET", "settings", "a config file that makes the tap use this sandbox", self._settings),
            Route("GET", "truth", "the current contents of a complete warehouse", lambda _: world.truth()),
            Route("GET", "calls", "all calls to the APIs so far, oldest first", self._calls),
            Route("DELETE", "calls", "clears the list of calls", self._clear_calls),
            Route(
                "POST",
                "events",
                "changes or adds a session",
                lambda body: make_change(world, **body),
            ),
            Route("POST", "faults", "makes future calls fail", self._order_fault),
            Route("GET", "faults", "the faults that future calls will meet", self._faults),
            Route("DELETE", "faults", "cancels all faults", self._clear_faults),
            Route("POST", "feed", "configures the change feed", self._set_feed),
            Route("DELETE", "feed", "restores the defaults of the change feed", self._reset_feed),
            Route("POST", "answers", "configures the Results API and the legacy API", self._set_answers),
            Route("DELETE", "answers", "restores the defaults of both APIs", self._reset_answers),
            Route("POST", "quota", "replaces the quota; omitted fields get their defaults", self._set_quota),
            Route("DELETE", "quota", "restores the initial quota", self._reset_quota),
            Route("POST", "tokens/revoke", "revokes all tokens issued so far", self._revoke),
            Route("POST", "shutdown", "stops the sandbox", self._shut_down),
        )

    def serves(self, path: str) -> bool:
        """Tell whether a path is one of the back door."""
        return path in _INDEX or path.startswith(PREFIX)

    def answer(self, request: Request) -> Reply:
        """Answer one request: with 400 or 404 and one line that says what is wrong if it makes no sense."""
        try:
            if request.path in _INDEX:
                return self._index(request)
            name = request.path.removeprefix(PREFIX).rstrip("/")
            route = self._route(request.method, name)
            takes = BODIES.get(name, _NoFields) if route.method == "POST" else _NoFields
            body = parse(request.body)
            answer = route.answer(read(takes, body))
            return _line(200, {route.path: body} if answer is None else answer)
        except Refused as refusal:
            return _line(refusal.status, {"error": str(refusal)})

    def _route(self, method: str, name: str) -> Route:
        for route in self.routes:
            if (route.method, route.path) == (method, name):
                return route
        methods = [route.method for route in self.routes if route.path == name]
        allowed = [f"{one} {PREFIX}{name}" for one in methods] or [
            f"{route.method} {PREFIX}{route.path}" for route in self.routes
        ]
        raise Refused(f"nothing answers {method} {PREFIX}{name[:80]}; allowed: {', '.join(allowed)}", 404)

    def _index(self, request: Request) -> Reply:
        """Answer with the page, or with what it says as JSON for a client that wants no HTML."""
        if request.method != "GET":
            raise Refused(f"nothing answers {request.method} {request.path}; allowed: GET {PREFIX}", 404)
        read(_NoFields, parse(request.body))
        requests = [(route.method, f"{PREFIX}{route.path}", route.says) for route in self.routes]
        told = index(self._box, requests)
        wanted = request.headers.get("accept", "")
        if "json" in wanted and "html" not in wanted:
            return _line(200, told)
        return Reply(200, page(told).encode(), "text/html; charset=utf-8")

    def _settings(self, _body: Json) -> Json:
        return {**self._box.config(), "feed_access_token": self._box.feed_token}

    def _calls(self, _body: Json) -> Json:
        return {"calls": [dataclasses.asdict(call) for call in self._box.calls]}

    def _clear_calls(self, _body: Json) -> Json:
        self._box.clear_calls()
        return {"cleared": True}

    def _order_fault(self, body: Json) -> None:
        self._box.fail(**body)

    def _faults(self, _body: Json) -> Json:
        with self._box.orders.lock:
            waiting = [dataclasses.asdict(fault) for fault in self._box.orders.faults if fault.times != 0]
        for fault in waiting:
            if isinstance(fault["body"], bytes):
                fault["body"] = fault["body"].decode("utf-8", "replace")
        return {"faults": waiting}

    def _clear_faults(self, _body: Json) -> Json:
        with self._box.orders.lock:
            self._box.orders.faults.clear()
        return {"cleared": True}

    def _set_feed(self, body: Json) -> None:
        """Set options of the feed. An error for a test that does not exist would wait for ever."""
        for number, refusal in enumerate(body.get("refusals", ())):
            tests = [test.test_uuid for test in self._box.world.tests.values()]
            if refusal.test_uuid is not None and refusal.test_uuid not in tests:
                given = f"field refusals[{number}].test_uuid is {shown(refusal.test_uuid)}, which is not a test"
                raise Refused(f"{given}; allowed: ut_ and a test_id of GET {PREFIX}", 404)
        self._box.world.feed_options.set(**body)

    def _reset_feed(self, _body: Json) -> Json:
        put_back(self._box.world.feed_options, FeedOptions)
        return {"reset": True}

    def _set_answers(self, body: Json) -> None:
        for name, value in body.items():
            setattr(self._box.world, name, value)

    def _reset_answers(self, _body: Json) -> Json:
        put_back(self._box.world, AnswerOptions)
        return {"reset": True}

    def _set_quota(self, body: Json) -> None:
        unlimited = "limit" in body and body["limit"] is None
        self._box.set_quota(None if unlimited else QuotaRule(**body))

    def _reset_quota(self, _body: Json) -> Json:
        self._box.set_quota(self._first_quota)
        return {"reset": True}

    def _revoke(self, _body: Json) -> Json:
        self._box.revoke_tokens()
        return {"revoked": True}

    def _shut_down(self, _body: Json) -> Json:
        self._box.stop_requested.set()
        return {"stopping": True}


def _line(status: int, body: object) -> Reply:
    """Return a JSON reply that ends its line, for a terminal."""
    reply = json_reply(status, body)
    return dataclasses.replace(reply, body=reply.body + b"\n")
