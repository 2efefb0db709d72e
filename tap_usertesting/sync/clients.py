"""Builds the clients of both APIs from the settings: addresses, tokens, quota windows, errors of a refused token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.api.auth import Auth, ClientCredentials, StaticToken, read_token
from tap_usertesting.api.call import Call, Service, origin_of
from tap_usertesting.api.errors import (
    ApiError,
    BadRequestError,
    CredentialsRejectedError,
    FeedRefusedError,
    NotFoundError,
)
from tap_usertesting.api.feed import ChangeFeed
from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.api.results import ResultsClient
from tap_usertesting.api.transport import Transport

if TYPE_CHECKING:
    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.redaction import Secrets
    from tap_usertesting.api.turns import Turns
    from tap_usertesting.config.settings import Settings


class Clients:
    """The client of the Results API, the client of the change feed if one is set, and the transport of both."""

    def __init__(self, settings: Settings, *, clock: Clock, turns: Turns, secrets: Secrets) -> None:
        """Make no call. `secrets`: those of the settings; tokens are added once they are known."""
        self._settings = settings
        self._clock = clock
        self._turns = turns
        self.transport = Transport(
            user_agent=settings.user_agent,
            timeout=settings.request_timeout,
            max_retries=settings.max_retries,
            largest_body=settings.max_body_mb << 20,
            clock=clock,
            turns=turns,
            secrets=secrets,
        )
        auth = self._auth()
        self.results_service = Service(
            name="Results API",
            setting="api_url",
            origin=origin_of(settings.api_url),
            windows=Windows(clock=clock.monotonic, calls_per_minute=settings.calls_per_minute),
            auth=auth,
            refused=self._refused,
        )
        self.results = ResultsClient(transport=self.transport, service=self.results_service, api_url=settings.api_url)
        self.feed = self._feed(auth)

    def _auth(self) -> Auth:
        settings = self._settings
        if settings.access_token is not None:
            return StaticToken(settings.access_token)
        service = Service(
            name="token endpoint",
            setting="auth_endpoint",
            origin=origin_of(settings.auth_endpoint),
            windows=Windows(clock=self._clock.monotonic, limit=None),
        )
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id or "",
            "client_secret": settings.client_secret or "",
            "scope": settings.oauth_scopes,
        }
        call = Call(service, "POST", settings.auth_endpoint, "token", form=form)

        def fetch() -> tuple[str, float | None]:
            try:
                return self.transport.send(call, lambda answer: read_token(answer.json()))
            except (BadRequestError, NotFoundError) as error:
                setting = "oauth_scopes" if "scope" in str(error) else "client_id and client_secret"
                setting = "auth_endpoint" if isinstance(error, NotFoundError) else setting
                message = f"the credentials were rejected ({error}); check {setting}"
                raise CredentialsRejectedError(message) from error

        return ClientCredentials(fetch=fetch, clock=self._clock.monotonic, turns=self._turns)

    def _refused(self, said: str) -> ApiError:
        setting = "client_id and client_secret"
        if self._settings.access_token is not None:
            setting = "access_token, which expires an hour after it is issued"
        return CredentialsRejectedError(f"the Results API rejected the token ({said}); check {setting}")

    def _feed(self, auth: Auth) -> ChangeFeed | None:
        settings = self._settings
        if settings.feed_url is None:
            return None
        own = settings.feed_access_token

        def refused(said: str) -> ApiError:
            shared = "access_token" if settings.access_token is not None else "client_id and client_secret"
            what = "check feed_access_token" if own is not None else f"check {shared}, or set feed_access_token"
            return FeedRefusedError(f"the change feed rejected the token ({said}); {what}")

        service = Service(
            name="change feed",
            setting="feed_url",
            origin=origin_of(settings.feed_url),
            windows=Windows(clock=self._clock.monotonic, limit=None),
            auth=auth if own is None else StaticToken(own),
            refused=refused,
        )
        return ChangeFeed(transport=self.transport, service=service, url=settings.feed_url)
