"""Bearer tokens: one from the settings, or one fetched with OAuth client credentials.

Source: the vendor's page "Authorization". The form fields are `grant_type`, `client_id`, `client_secret` and `scope`.
The answer's `expires_in` is 3600 seconds, and there is no refresh token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tap_usertesting.api.errors import MalformedError
from tap_usertesting.api.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

EARLY = 60.0  # seconds; how long before its end a token is renewed
EARLY_SHARE = 0.1  # of a lifetime; the same for a token that lives only minutes
DEFAULT_LIFETIME = 3600.0  # seconds; if the answer names none


class Auth(Protocol):
    """A source of bearer tokens."""

    def token(self) -> str:
        """Return a token that is valid now."""
        ...

    def renew(self, rejected: str) -> bool:
        """Drop the token that a 401 rejected; returns whether there may be another to try."""
        ...


class StaticToken:
    """A token from the settings. There is no other to renew it with."""

    def __init__(self, token: str) -> None:
        """Keep the token."""
        self._token = token

    def token(self) -> str:
        """Return the token."""
        return self._token

    def renew(self, rejected: str) -> bool:  # noqa: ARG002 - the protocol's argument
        """Return False: there is no other token."""
        return False


class ClientCredentials:
    """A token from the token endpoint, shared by every stream, renewed before it ends."""

    def __init__(
        self, *, fetch: Callable[[], tuple[str, float | None]], clock: Callable[[], float], turns: Turns | None = None
    ) -> None:
        """`fetch` returns a new token and its lifetime in seconds, None if the server names none."""
        self._fetch = fetch
        self._clock = clock
        self._turns = turns or Turns()
        self._token: str | None = None
        self._renew_at = 0.0

    def token(self) -> str:
        """Return the token, or a new one if it is about to end. Raises what `fetch` raises."""
        if self._token is not None and self._clock() < self._renew_at:
            return self._token
        with self._turns.single_flight("token") as first:
            if first or self._token is None:  # if not, another stream has just fetched one
                self._token, lifetime = self._fetch()
                lifetime = DEFAULT_LIFETIME if lifetime is None else lifetime
                self._renew_at = self._clock() + lifetime - min(EARLY, lifetime * EARLY_SHARE)
            return self._token

    def renew(self, rejected: str) -> bool:
        """Drop the rejected token, unless another stream has renewed it since the call was sent."""
        if self._token == rejected:
            self._token = None
        return True


def read_token(body: object) -> tuple[str, float | None]:
    """Return the token in the body of a token endpoint's answer, and its lifetime in seconds; None if not named.

    Source: RFC 6749, `access_token` and `expires_in`. Raises MalformedError if there is no token that can be sent.
    """
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise MalformedError("the body has no access_token")
    lifetime = body.get("expires_in") if isinstance(body, dict) else None
    try:
        seconds = float(lifetime or "")
    except (TypeError, ValueError, OverflowError):
        return token, None
    return token, seconds if seconds > 0 else None
