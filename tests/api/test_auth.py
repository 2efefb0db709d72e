"""Tokens: asked for once, renewed before their end, dropped when refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import ClientCredentials, StaticToken
from tests.support.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator


class Endpoint:
    """Counts the tokens it gives."""

    def __init__(self, lifetime: float | None) -> None:
        """Give tokens that live so long."""
        self.lifetime = lifetime
        self.given = 0

    def __call__(self) -> tuple[str, float | None]:
        """Give one more."""
        self.given += 1
        return f"token {self.given}", self.lifetime


@pytest.mark.parametrize(
    ("lifetime", "kept"),
    [
        pytest.param(3600, 3540, id="an hour: a minute early"),
        pytest.param(None, 3540, id="unnamed: as an hour"),
        pytest.param(600, 540, id="ten minutes"),
        pytest.param(60, 54, id="a minute: a tenth early"),
        pytest.param(1, 0.9, id="a second"),
    ],
)
def test_a_token_is_renewed_before_its_end(lifetime: float | None, kept: float) -> None:
    """One token serves every call until shortly before its end, then the next is fetched."""
    clock, endpoint = FakeClock(), Endpoint(lifetime)
    auth = ClientCredentials(fetch=endpoint, clock=clock.monotonic)
    assert endpoint.given == 0, "nothing is fetched before it is needed"
    assert auth.token() == "token 1"
    clock.now += kept - 0.01
    assert auth.token() == "token 1"
    clock.now += 0.02
    assert [auth.token(), auth.token()] == ["token 2", "token 2"]


@pytest.mark.parametrize("lifetime", [pytest.param(0, id="zero"), pytest.param(-5, id="negative")])
def test_a_token_that_has_already_ended_is_used_once(lifetime: float) -> None:
    """A lifetime of nothing means a new token for every call, never an endless loop."""
    clock, endpoint = FakeClock(), Endpoint(lifetime)
    auth = ClientCredentials(fetch=endpoint, clock=clock.monotonic)
    assert [auth.token(), auth.token()] == ["token 1", "token 2"]


def test_a_refused_token_is_dropped_but_not_its_successor() -> None:
    """A late 401 for an old token does not throw the new one away."""
    clock, endpoint = FakeClock(), Endpoint(3600)
    auth = ClientCredentials(fetch=endpoint, clock=clock.monotonic)
    old = auth.token()
    assert auth.renew(old) is True
    assert auth.token() == "token 2"
    assert auth.renew(old) is True
    assert auth.token() == "token 2"


def test_a_failed_fetch_leaves_no_half_token() -> None:
    """An error of the token endpoint comes through, and the next need asks again."""
    answers: Iterator[OSError | tuple[str, float]] = iter([OSError("down"), ("good", 3600.0)])

    def fetch() -> tuple[str, float | None]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    auth = ClientCredentials(fetch=fetch, clock=FakeClock().monotonic)
    with pytest.raises(OSError, match="down"):
        auth.token()
    assert auth.token() == "good"


def test_a_token_from_the_settings_has_no_successor() -> None:
    """With a ready token a 401 is final."""
    auth = StaticToken("mine")
    assert auth.renew("mine") is False
    assert auth.token() == "mine"
