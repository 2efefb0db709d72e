"""The authorization server: exchanges client credentials for short-lived tokens, with errors in Okta's form."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import threading
import time
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.requests_and_replies import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

SCOPE = "studies:read"

_FORM = "application/x-www-form-urlencoded"


class Tokens:
    """Issues and checks the tokens of one client. ``lifetime`` and ``clock``: seconds."""

    def __init__(self, lifetime: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Create the client."""
        self.client_id = "sandbox-client"
        # Random, so that a test that searches a log for it cannot find it by chance.
        self.client_secret = f"sandbox-secret-{secrets.token_hex(12)}"
        self.lifetime = lifetime
        self._clock = clock
        self._alive: dict[str, float] = {}
        self._lock = threading.Lock()

    def valid(self, token: str | None) -> bool:
        """Tell whether a token was issued here, and neither revoked nor expired."""
        with self._lock:
            return token is not None and self._clock() < self._alive.get(token, 0.0)

    def revoke(self) -> None:
        """Make every token issued so far invalid."""
        with self._lock:
            self._alive.clear()

    def answer(self, request: Request) -> Reply:
        """Answer a request to the token endpoint."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        body = {
            "token_type": "Bearer",
            "expires_in": int(self.lifetime),
            "access_token": self.issue(),
            "scope": SCOPE,
        }
        return json_reply(200, body, [("Cache-Control", "no-store"), ("Pragma", "no-cache")])

    def _refusal(self, request: Request) -> Reply | None:
        """Return the error for an invalid request, None for a valid one."""
        if request.method != "POST" or not request.headers.get("content-type", "").startswith(_FORM):
            return _error(400, "invalid_request", f"The token endpoint takes a POST of {_FORM}.")
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        client_id, client_secret = _client(request, form)
        if client_id != self.client_id:
            return _error(401, "invalid_client", "Invalid value for 'client_id' parameter.")
        if client_secret != self.client_secret:
            text = "The client secret supplied for a confidential client is invalid."
            return _error(401, "invalid_client", text)
        if form.get("scope", "").split() != [SCOPE]:
            return _error(400, "invalid_scope", "One or more scopes are not configured for the authorization server.")
        return None

    def issue(self) -> str:
        """Return a new token."""
        issued = int(time.time())
        head = {"kid": "sandbox", "alg": "RS256"}
        claims = {"ver": 1, "jti": secrets.token_hex(8), "iat": issued, "exp": issued + int(self.lifetime)}
        claims.update(cid=self.client_id, scp=[SCOPE])
        parts = [json.dumps(part).encode() for part in (head, claims)] + [secrets.token_bytes(32)]
        token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        with self._lock:
            self._alive[token] = self._clock() + self.lifetime
        return token


def _client(request: Request, form: dict[str, str]) -> tuple[str | None, str | None]:
    """Return client id and secret from Basic authentication, else from the form."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id"), form.get("client_secret")
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return client_id, secret


def _error(status: int, code: str, description: str) -> Reply:
    return json_reply(status, {"error": code, "error_description": description})
