"""A transport with a clock that does not let anyone wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.call import AUTHORIZATION, Call, Service, origin_of
from tap_usertesting.api.errors import ApiError, CredentialsRejectedError, FeedRefusedError
from tap_usertesting.api.feed import ChangeFeed
from tap_usertesting.api.http_session import ApiSession
from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.api.transport import Transport
from tests.support.fakes import FakeClock
from tests.support.harness import LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_usertesting.api.auth import Auth

TRIES = 3


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that only moves by sleeping."""
    return FakeClock()


@pytest.fixture
def session() -> Iterator[ApiSession]:
    """A session that is closed at the end."""
    with ApiSession() as opened:
        yield opened


@pytest.fixture
def transport(fake_clock: FakeClock, session: ApiSession) -> Transport:
    """Three tries, and a timeout that no busy machine needs."""
    return Transport(
        user_agent="tap-usertesting/unit", timeout=LONG, max_retries=TRIES, clock=fake_clock.clock(), session=session
    )


class MakeCall(Protocol):
    """Makes a call to a URL, by default a GET of its own service."""

    def __call__(
        self,
        url: str,
        *,
        auth: Auth | None = None,
        origin: str | None = None,
        refused: Callable[[str], ApiError] = CredentialsRejectedError,
        readable: frozenset[int] = frozenset(),
        method: str = "GET",
        token_header: str = AUTHORIZATION,
    ) -> Call:
        """Return the call."""
        ...


@pytest.fixture
def make_call(fake_clock: FakeClock) -> MakeCall:
    """Return a maker of calls whose services have no assumed quota."""

    def make(
        url: str,
        *,
        auth: Auth | None = None,
        origin: str | None = None,
        refused: Callable[[str], ApiError] = CredentialsRejectedError,
        readable: frozenset[int] = frozenset(),
        method: str = "GET",
        token_header: str = AUTHORIZATION,
    ) -> Call:
        windows = Windows(clock=fake_clock.monotonic, limit=None)
        service = Service("Results API", "api_url", origin or origin_of(url), windows, auth, refused)
        return Call(service, method, url, "list", readable=readable, token_header=token_header)

    return make


@pytest.fixture
def client(transport: Transport, make_call: MakeCall) -> Callable[[str, Auth | None], ChangeFeed]:
    """Return a maker of clients for a feed's URL."""

    def make(url: str, auth: Auth | None = None) -> ChangeFeed:
        service = make_call(url, auth=auth or StaticToken("feed-token"), refused=FeedRefusedError).service
        service.name, service.setting = "change feed", "feed_url"
        return ChangeFeed(transport=transport, service=service, url=url)

    return make
