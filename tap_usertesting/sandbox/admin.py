"""The back door ``/_sandbox/``: read the call log and the truth, change the world. No credentials, no quota.

Like the whole server, it listens on loopback only.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Protocol

from tap_usertesting.sandbox.change_by_kind import make_change
from tap_usertesting.sandbox.quota import QuotaRule
from tap_usertesting.sandbox.requests_and_replies import Reply, Request, json_reply

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tap_usertesting.sandbox.requests_and_replies import Json, ServedCall
    from tap_usertesting.sandbox.world import World

# Attributes of the world that control the answers of the Results API and of v1.
ANSWERS = (
    "list_key",
    "list_page",
    "list_total",
    "details_versions",
    "transcript_charset",
    "v1_page",
    "v1_lower_case",
    "undocumented",
)


class Controls(Protocol):
    """What the back door uses of a sandbox. ``server.py`` imports this module, so ``Sandbox`` cannot be named here."""

    world: World
    feed_token: str
    stop_requested: threading.Event

    @property
    def calls(self) -> list[ServedCall]:
        """Every call so far."""

    def clear_calls(self) -> None:
        """Forget the calls so far."""

    def config(self) -> Json:
        """Return settings for the tap."""

    def fail(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - see `Sandbox.fail`
        """Order a fault for calls to come."""

    def revoke_tokens(self) -> None:
        """Make every token issued so far invalid."""

    def set_quota(self, rule: QuotaRule | None) -> None:
        """Change the quota."""


class Admin:
    """Answers the requests to the back door."""

    def __init__(self, box: Controls) -> None:
        """Serve the back door of a sandbox."""
        self._box = box
        self.routes: dict[tuple[str, str], Callable[[Json], object]] = {
            ("GET", "calls"): self._show_calls,
            ("DELETE", "calls"): self._clear_calls,
            ("GET", "truth"): lambda _: box.world.truth(),
            ("GET", "settings"): lambda _: {**box.config(), "feed_access_token": box.feed_token},
            ("POST", "events"): lambda body: make_change(box.world, **body),
            ("POST", "faults"): self._order_fault,
            ("POST", "feed"): self._set_feed,
            ("POST", "answers"): self._set_answers,
            ("POST", "quota"): self._set_quota,
            ("POST", "tokens/revoke"): self._revoke,
            ("POST", "shutdown"): self._shut_down,
        }

    def answer(self, request: Request) -> Reply:
        """Answer one request: 400 with a message for an invalid body, 404 for an unknown path."""
        name = request.path.removeprefix("/_sandbox/").rstrip("/")
        route = self.routes.get((request.method, name))
        if route is None:
            known = [f"{method} /_sandbox/{path}" for method, path in self.routes]
            return json_reply(404, {"message": "no such thing here", "known": known})
        try:
            return json_reply(200, route(_body(request)))
        except (LookupError, TypeError, ValueError) as error:
            return json_reply(400, {"message": str(error)})

    def _show_calls(self, _body: Json) -> Json:
        return {"calls": [dataclasses.asdict(call) for call in self._box.calls]}

    def _clear_calls(self, _body: Json) -> Json:
        self._box.clear_calls()
        return {"cleared": True}

    def _order_fault(self, body: Json) -> Json:
        self._box.fail(**body)
        return {"ordered": body}

    def _set_feed(self, body: Json) -> Json:
        """Set options of the feed; see ``FeedOptions``."""
        self._box.world.feed_options.set(**body)
        return {"feed": body}

    def _set_answers(self, body: Json) -> Json:
        """Set attributes of the world, of those in ``ANSWERS``."""
        for name, value in body.items():
            if name not in ANSWERS:
                raise TypeError(f"answers have no {name}; they have {', '.join(ANSWERS)}")
            setattr(self._box.world, name, value)
        return {"set": body}

    def _set_quota(self, body: Json) -> Json:
        """Set a quota from the fields of ``QuotaRule``; ``{"limit": null}`` removes the limit."""
        unlimited = "limit" in body and body["limit"] is None
        self._box.set_quota(None if unlimited else QuotaRule(**body))
        return {"quota": body}

    def _revoke(self, _body: Json) -> Json:
        self._box.revoke_tokens()
        return {"revoked": True}

    def _shut_down(self, _body: Json) -> Json:
        self._box.stop_requested.set()
        return {"stopping": True}


def _body(request: Request) -> Json:
    body = json.loads(request.body) if request.body else {}
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body
