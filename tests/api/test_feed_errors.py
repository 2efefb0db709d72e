"""The feed's errors: known by status, code and path, and of no more tests than they must be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.errors import (
    ApiError,
    CredentialsRejectedError,
    FeedDownError,
    FeedError,
    FeedRefusedError,
    UnknownCursorError,
    UnknownTestError,
    UnreachableError,
)
from tap_usertesting.api.feed import Ask, ChangeFeed, Count
from tap_usertesting.sandbox import Sandbox, World
from tests.support.feeds import HUNDRED, INTERNAL_ERROR, ONE, Feed, reply
from tests.support.servers import Reply, Scripted, Seen

if TYPE_CHECKING:
    from collections.abc import Callable


SINCE = Ask("ut_0", "c1")
NO_FIELD = 'Cannot query field "latestCursor" on type "TestResultChangesCount".'
NO_ARGUMENT = 'Unknown argument "sinceCursor" on field "Query.testResultChangesCount".'
SCOPES = "Missing required scopes: (usertests:read)"
BAD_TOKEN = "OAuth2 token expired or invalid"


def _error(message: str, code: object = None, place: list[str | int] | None = None) -> dict[str, object]:
    error: dict[str, object] = {"message": message}
    if code is not None:
        error["extensions"] = {"code": code}
    if place is not None:
        error["path"] = place
    return error


@pytest.mark.parametrize(
    ("message", "code", "ask", "kind"),
    [
        pytest.param("UserTest does not exist", None, ONE, UnknownTestError, id="unknown test"),
        pytest.param("UserTest matching query does not exist.", None, ONE, UnknownTestError, id="as Django says"),
        pytest.param(
            "No UserTest matches the given query.", None, ONE, UnknownTestError, id="as Django's shortcut says"
        ),
        pytest.param("whatever", "NOT_FOUND", ONE, UnknownTestError, id="code of an unknown test"),
        pytest.param("whatever", "UserTestDoesNotExist", ONE, UnknownTestError, id="code in another case"),
        pytest.param("whatever", 404, ONE, UnknownTestError, id="code that is a number"),
        pytest.param("whatever", "USER_TEST_NOT_FOUND", SINCE, UnknownTestError, id="code that names the test"),
        pytest.param("Test not found", "INTERNAL_SERVER_ERROR", ONE, FeedError, id="the code before the message"),
        pytest.param('relation "changes" does not exist', None, ONE, FeedError, id="something else is not there"),
        pytest.param("Persisted query not found", None, ONE, FeedError, id="no persisted query"),
        pytest.param("The cursor service is unknown", None, ONE, FeedError, id="words alone"),
        pytest.param("Something broke", None, ONE, FeedError, id="anything else"),
        pytest.param("", None, ONE, FeedError, id="no message"),
        pytest.param("Position lost", None, SINCE, UnknownCursorError, id="from a cursor, whatever the words"),
        pytest.param("UserTest does not exist", None, SINCE, UnknownCursorError, id="test or cursor: not known yet"),
        pytest.param("Cursor too old", "BAD_USER_INPUT", SINCE, UnknownCursorError, id="from a cursor, with a code"),
        pytest.param("Unknown cursor", "GRAPHQL_VALIDATION_FAILED", SINCE, FeedError, id="the query is wrong"),
        pytest.param("Unknown cursor", "FORBIDDEN", SINCE, FeedError, id="not allowed for this test"),
        pytest.param(SCOPES, None, SINCE, FeedRefusedError, id="scope"),
        pytest.param(BAD_TOKEN, None, SINCE, FeedRefusedError, id="token"),
        pytest.param("Log in", "UNAUTHENTICATED", SINCE, FeedRefusedError, id="code of a token"),
    ],
)
@pytest.mark.parametrize("place", [["t0"], ["t0", "edges", 0, "node"]])
@pytest.mark.parametrize("status", [200, 400, 403])
def test_an_error_of_a_test_is_known_by_its_code_and_by_what_was_asked(
    client: Callable[..., ChangeFeed],
    message: str,
    code: object,
    ask: Ask,
    kind: type[Exception],
    place: list[str | int],
    status: int,
) -> None:
    """In a 200 as in a 400, with data or without: one line that repeats the server's words."""
    for data in ({"t0": None}, None):
        with Scripted(reply({"errors": [_error(message, code, place)], "data": data}, status)) as server:
            found = client(server.url).counts([ask])[ask]
            assert len(server.seen) == 1 + (kind is UnknownCursorError)
        assert type(found) is kind
        assert (message or "an error without a message") in str(found)


@pytest.mark.parametrize("ask", [ONE, SINCE], ids=["all", "from a cursor"])
@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        pytest.param(_error("Token limit of 1000 exceeded"), 400, FeedError, id="token limit"),
        pytest.param(_error("Syntax Error: Token limit of 1000 exceeded.", "GRAPHQL_PARSE_FAILED"), 400, FeedError),
        pytest.param(_error("Too many aliases"), 400, FeedError, id="too many aliases"),
        pytest.param(_error("Too many aliases"), 200, FeedError, id="too many aliases in a 200"),
        pytest.param(_error(NO_ARGUMENT), 400, FeedError, id="unknown argument"),
        pytest.param(_error(NO_ARGUMENT, "GRAPHQL_VALIDATION_FAILED"), 200, FeedError, id="unknown argument in a 200"),
        pytest.param(
            _error("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"), 200, FeedError, id="persisted query"
        ),
        pytest.param(_error("Persisted query not found"), 200, FeedError, id="persisted query without a code"),
        pytest.param(_error(NO_FIELD), 400, FeedError, id="missing field"),
        pytest.param(_error("UserTest does not exist"), 400, FeedError, id="no path"),
        pytest.param("Internal error", 400, FeedError, id="plain text"),
        pytest.param("Unknown argument", 200, FeedError, id="plain text in a 200"),
        pytest.param({"code": 7}, 400, FeedError, id="a code alone"),
        pytest.param(None, 400, FeedError, id="null"),
        pytest.param(_error(BAD_TOKEN), 200, FeedRefusedError, id="token"),
        pytest.param(BAD_TOKEN, 400, FeedRefusedError, id="token as plain text"),
        pytest.param(_error(SCOPES), 400, FeedRefusedError, id="scope"),
        pytest.param(_error("no", "FORBIDDEN"), 200, FeedRefusedError, id="forbidden"),
        pytest.param(_error("Not for you"), 403, FeedRefusedError, id="403"),
        pytest.param("Not for you", 403, FeedRefusedError, id="403 and plain text"),
        pytest.param(_error(NO_FIELD, "GRAPHQL_VALIDATION_FAILED"), 403, FeedError, id="403, but its code says more"),
    ],
)
def test_an_error_of_the_request_is_never_an_unknown_test_or_cursor(
    client: Callable[..., ChangeFeed], ask: Ask, error: object, status: int, kind: type[Exception]
) -> None:
    """Without a path, and without data: whatever its words say, no data is taken as lost or elsewhere."""
    for data in ({}, {"data": None}):
        with Scripted(reply({"errors": [error], **data}, status)) as server:
            found = client(server.url).counts([ask])[ask]
            assert len(server.seen) == 1
        assert type(found) is kind
        said = error["message"] if isinstance(error, dict) and "message" in error else error
        assert (said if isinstance(said, str) else "") in str(found)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param({"errors": {"message": "broken"}}, "broken", id="an object"),
        pytest.param({"errors": {"t0": ["broken"]}}, "broken", id="an object of lists"),
        pytest.param({"errors": "broken"}, "broken", id="a text"),
        pytest.param({"errors": [["broken"], 7]}, "broken", id="lists"),
        pytest.param({"message": "broken"}, "broken", id="a message"),
        pytest.param({"detail": "broken"}, "broken", id="a detail"),
        pytest.param({"error": {"message": "broken"}}, "broken", id="an error"),
        pytest.param({"data": {"t1": {"count": 1}}}, "nothing for this test", id="another alias"),
    ],
)
def test_the_words_of_the_server_are_shown_whatever_their_shape(
    client: Callable[..., ChangeFeed], body: object, said: str
) -> None:
    """On one line, in one try."""
    with Scripted(reply(body)) as server:
        found = client(server.url).counts([ONE])[ONE]
        assert len(server.seen) == 1
    assert type(found) is FeedError
    assert said in str(found)


@pytest.mark.parametrize("status", [400, 403])
def test_an_error_status_needs_no_graphql(client: Callable[..., ChangeFeed], status: int) -> None:
    """A page of a proxy: its status is what there is to say, at once."""
    with Scripted(Reply(status, b"<html>no</html>")) as server:
        found = client(server.url).counts([ONE])[ONE]
        assert len(server.seen) == 1
    assert type(found) is (FeedRefusedError if status == 403 else FeedError)
    assert f"HTTP {status}" in str(found)


@pytest.mark.parametrize("error", ["ended", {"message": "ended"}], ids=["text", "object"])
def test_a_401_shows_the_words_of_the_server(client: Callable[..., ChangeFeed], error: object) -> None:
    """The token is refused for all tests, whatever the shape of the error."""
    with Scripted(reply({"errors": [error]}, 401)) as server:
        found = client(server.url).counts([ONE])[ONE]
    assert type(found) is FeedRefusedError
    assert "HTTP 401: ended" in str(found)


def test_a_plain_error_concerns_the_test_that_is_null(client: Callable[..., ChangeFeed]) -> None:
    """Texts have no path: beside data they are about what is missing there."""
    body = {"errors": ["UserTest does not exist"], "data": {"t0": {"count": 1}, "t1": None}}
    with Scripted(reply(body)) as server:
        found = client(server.url).counts(HUNDRED[:2])
    assert found[HUNDRED[0]] == Count(1, None)
    assert type(found[HUNDRED[1]]) is UnknownTestError


def test_what_fails_from_a_cursor_once_is_no_refusal_of_it(client: Callable[..., ChangeFeed]) -> None:
    """It is asked once more, for that test alone; the answer counts."""
    failed = reply({"errors": [_error("busy", None, ["t1"])], "data": {"t0": {"count": 1}, "t1": None}})
    asks = [Ask("ut_0", "a"), Ask("ut_1", "b")]
    with Scripted(failed, reply({"data": {"t0": {"count": 2}}})) as server:
        assert client(server.url).counts(asks) == {asks[0]: Count(1, None), asks[1]: Count(2, None)}
        assert len(server.seen) == 2


@pytest.mark.parametrize("most", [1, 2, 30, 99])
def test_a_request_that_is_too_large_is_halved(client: Callable[..., ChangeFeed], most: int) -> None:
    """However few aliases a request may have, all tests are answered."""

    def answer(seen: Seen) -> Reply:
        asked = json.loads(seen.body)["variables"]
        return Feed()(seen) if len(asked) <= most else reply({"errors": [_error("Too many aliases")]}, 400)

    with Scripted(answer) as server:
        assert client(server.url).counts(HUNDRED) == {ask: Count(1, f"{ask.test_uuid}/1") for ask in HUNDRED}
        assert len(server.seen) < 200


def test_one_null_that_empties_the_answer_costs_one_more_request(client: Callable[..., ChangeFeed]) -> None:
    """Where the field may not be null, an error of one test leaves no data, but its path tells whose it is."""

    def answer(seen: Seen) -> Reply:
        asked = list(json.loads(seen.body)["variables"].values())
        if "ut_42" not in asked:
            return Feed()(seen)
        return reply({"errors": [_error("Something broke", None, [f"t{asked.index('ut_42')}"])], "data": None})

    with Scripted(answer) as server:
        found = client(server.url).counts(HUNDRED)
        assert len(server.seen) == 2
    assert [ask.test_uuid for ask, got in found.items() if isinstance(got, ApiError)] == ["ut_42"]


def test_what_all_tests_answer_alike_is_the_feeds(client: Callable[..., ChangeFeed]) -> None:
    """One line, and not one per test."""
    everywhere = {ask.test_uuid: "Something broke" for ask in HUNDRED}
    with Scripted(Feed(refused=everywhere)) as server:
        found = client(server.url).counts(HUNDRED)
        assert len(server.seen) == 1
    assert {type(got) for got in found.values()} == {FeedDownError}
    assert {str(got) for got in found.values()} == {"the change feed returned an error: Something broke"}


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
    """Partial data, one test of a hundred errors; 99 answers are used, in one request."""
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
    """A request that fails as a whole is halved; 99 answers are used, one test fails."""
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
    assert all(type(got) is FeedDownError and "feed_url" in str(got) for got in found.values())


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
    """On one origin both share a token; when it cannot be had, the run ends and no test is blamed."""

    class NoToken:
        def token(self) -> str:
            raise error

        def renew(self, rejected: str) -> bool:
            raise AssertionError(rejected)

    with Scripted(Feed()) as server, pytest.raises(type(error)):
        client(server.url, NoToken()).counts(HUNDRED)
    assert server.seen == []


@pytest.mark.parametrize("body", [b"[]", b'"text"', b'{"data": []}', b'{"data": {"t0": 7}}', b"\xff"])
def test_a_body_that_is_no_graphql_answer_is_a_fault(client: Callable[..., ChangeFeed], body: bytes) -> None:
    """JSON of another shape is tried again like any fault, then is that test's error."""
    with Scripted(Reply(200, body)) as server:
        found = client(server.url).counts([ONE])[ONE]
        assert len(server.seen) == 3
    assert type(found) is FeedError
    assert "(3 tries)" in str(found)
