"""The feed's errors: known by their message, and of no more tests than they must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.errors import (
    ApiError,
    CredentialsRejectedError,
    FeedError,
    FeedRefusedError,
    UnknownCursorError,
    UnknownTestError,
    UnreachableError,
)
from tap_usertesting.api.feed import Ask, ChangeFeed, Count
from tap_usertesting.sandbox import Sandbox, World

from .feeds import HUNDRED, INTERNAL_ERROR, ONE, Feed, reply
from .servers import Reply, Scripted

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("message", "kind", "hint"),
    [
        pytest.param("UserTest does not exist", UnknownTestError, "does not know this test", id="unknown test"),
        pytest.param("Test not found", UnknownTestError, "does not know this test", id="not found"),
        pytest.param("Cursor ut_1 is unknown", UnknownCursorError, "no longer knows the cursor", id="cursor"),
        pytest.param("invalid sinceCursor", UnknownCursorError, "no longer knows the cursor", id="sinceCursor"),
        pytest.param("Missing required scopes: (usertests:read)", FeedRefusedError, "that scope", id="scope"),
        pytest.param("OAuth2 token expired or invalid", FeedRefusedError, "feed_access_token", id="token"),
        pytest.param("You are unauthenticated", FeedRefusedError, "feed_access_token", id="no token"),
        pytest.param("Something broke", FeedError, "the change feed answers: Something broke", id="anything else"),
        pytest.param('Cannot query field "x" on type "Query".', FeedError, "Cannot query field", id="unknown field"),
        pytest.param("", FeedError, "an error without a message", id="no message"),
    ],
)
@pytest.mark.parametrize("place", [["t0"], ["t0", "edges", 0, "node"], None])
@pytest.mark.parametrize("status", [200, 400, 403])
def test_an_error_is_known_by_its_message(
    client: Callable[..., ChangeFeed],
    message: str,
    kind: type[Exception],
    hint: str,
    place: list[str | int] | None,
    status: int,
) -> None:
    """With or without a path, in a 200 as in a 400: the meaning is in the text, and the test fails with one line."""
    error = {"message": message} | ({} if place is None else {"path": place})
    with Scripted(reply({"errors": [error], "data": {"t0": None}}, status)) as server:
        found = client(server.url).counts([ONE])[ONE]
        assert len(server.seen) == 1
    assert type(found) is kind
    assert hint in str(found)


def test_a_request_without_a_token_is_told_apart_from_a_wrong_field(client: Callable[..., ChangeFeed]) -> None:
    """The feed answers it with a schema error; the line still says something useful and nothing is retried."""
    world = World(seed=3)
    test = world.add_test("SURVEY")
    ask = Ask(test.test_uuid, None)
    with Sandbox(world) as box:
        found = client(box.feed_url, StaticToken("wrong")).counts([ask])[ask]
    assert isinstance(found, FeedRefusedError)
    assert "OAuth2 token expired or invalid" in str(found)


def test_an_error_with_a_path_concerns_that_test_alone(client: Callable[..., ChangeFeed]) -> None:
    """Case 26: partial data, one test of a hundred errors; 99 answers are used, in one request."""
    with Scripted(Feed(refused={"ut_42": "UserTest does not exist"})) as server:
        found = client(server.url).counts(HUNDRED)
    assert len(server.seen) == 1
    assert [ask.test_uuid for ask, got in found.items() if isinstance(got, ApiError)] == ["ut_42"]
    assert type(found[HUNDRED[42]]) is UnknownTestError


def test_a_null_without_an_error_means_an_unknown_test(client: Callable[..., ChangeFeed]) -> None:
    """No data and no word why: the test is unknown, its neighbour is not."""
    with Scripted(reply({"data": {"t0": None, "t1": {"count": 2, "latestCursor": "c"}}})) as server:
        found = client(server.url).counts(HUNDRED[:2])
    assert type(found[HUNDRED[0]]) is UnknownTestError
    assert found[HUNDRED[1]] == Count(2, "c")


@pytest.mark.parametrize("place", [0, 1, 42, 98, 99])
@pytest.mark.parametrize(
    "poisoned",
    [
        pytest.param(INTERNAL_ERROR, id="400"),
        pytest.param(reply({"data": None, "errors": [{"message": "boom"}]}), id="no data in a 200"),
        pytest.param(reply({"data": None}), id="no data, no error"),
        pytest.param(Reply(404, b"{}"), id="404"),
        pytest.param(Reply(500, b"{}"), id="500"),
    ],
)
def test_one_test_that_spoils_its_request_costs_only_itself(
    client: Callable[..., ChangeFeed], place: int, poisoned: Reply
) -> None:
    """Case 26: a request that fails as a whole is halved; 99 answers are used, one test fails."""
    poison = HUNDRED[place]
    with Scripted(Feed(poison=frozenset({poison.test_uuid}), poisoned=poisoned)) as server:
        found = client(server.url).counts(HUNDRED)
    assert {ask: got for ask, got in found.items() if ask != poison} == {
        ask: Count(1, f"{ask.test_uuid}/1") for ask in HUNDRED if ask != poison
    }
    assert isinstance(found[poison], FeedError)
    assert len(server.seen) <= 3 * 40


@pytest.mark.parametrize(
    ("down", "most"),
    [
        pytest.param(reply({"errors": [{"message": "Something broke"}]}, 400), 3, id="400"),
        pytest.param(Reply(500), 3 * 3, id="500, each tried three times"),
        pytest.param(Reply(404, b"<html>"), 3, id="wrong path"),
        pytest.param(Reply(200, b"<html>"), 3 * 3, id="HTML"),
        pytest.param(Reply(302, headers={"Location": "http://127.0.0.1:9/"}), 3, id="redirect"),
        pytest.param(Reply(401), 1, id="refused token"),
        pytest.param(reply({"errors": [{"message": "Missing required scopes: (x)"}]}), 1, id="missing scope"),
    ],
)
def test_a_feed_that_is_down_costs_few_requests(client: Callable[..., ChangeFeed], down: Reply, most: int) -> None:
    """No halving down to a hundred single requests when it is not one test's fault; every test gets an error."""
    with Scripted(down) as server:
        found = client(server.url).counts(HUNDRED)
    assert len(server.seen) <= most
    assert found.keys() == set(HUNDRED)
    assert all(isinstance(got, FeedError) for got in found.values())


def test_a_feed_that_can_not_be_reached_is_an_error_of_every_test(client: Callable[..., ChangeFeed]) -> None:
    """No connection: three tries, and one line that names feed_url, for all."""
    with Scripted() as server:
        url = server.url
    found = client(url).counts(HUNDRED)
    assert all(type(got) is FeedError and "feed_url" in str(got) for got in found.values())


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(CredentialsRejectedError("no"), id="refused"),
        pytest.param(UnreachableError("no", setting="auth_endpoint"), id="unreachable"),
    ],
)
def test_a_failure_of_the_results_apis_token_is_not_taken_for_the_feeds(
    client: Callable[..., ChangeFeed], error: ApiError
) -> None:
    """On one origin both share a token; when it can not be had, the run ends and no test is blamed."""

    class NoToken:
        def token(self) -> str:
            raise error

        def renew(self, rejected: str) -> bool:
            raise AssertionError(rejected)

    with Scripted(Feed()) as server, pytest.raises(type(error)):
        client(server.url, NoToken()).counts(HUNDRED)
    assert server.seen == []


@pytest.mark.parametrize(
    "body", [b"[]", b'"text"', b'{"data": []}', b'{"errors": "no"}', b'{"data": {"t0": 7}}', b"\xff"]
)
def test_a_body_that_is_no_graphql_answer_is_a_fault(client: Callable[..., ChangeFeed], body: bytes) -> None:
    """JSON of another shape is tried again like any fault, then is that test's error."""
    with Scripted(Reply(200, body)) as server:
        found = client(server.url).counts([ONE])[ONE]
        assert len(server.seen) == 3
    assert type(found) is FeedError
    assert "(3 tries)" in str(found)
