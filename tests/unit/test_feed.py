"""The change feed's client: one request for many tests, and errors that concern no more than they must."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from graphql import parse as parse_graphql

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
from tap_usertesting.api.feed import CHANGES, COUNT, Ask, ChangeFeed, Count, build_query
from tap_usertesting.sandbox import Sandbox, World

from .servers import Reply, Scripted, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.auth import Auth
    from tap_usertesting.api.transport import Transport

    from .conftest import MakeCall
    from .fakes import FakeClock

HUNDRED = [Ask(f"ut_{n}", None) for n in range(100)]
ONE = HUNDRED[0]
INTERNAL_ERROR = Reply(400, b'{"errors": [{"message": "Internal error"}]}')


def reply(body: Any, status: int = 200) -> Reply:  # noqa: ANN401 - JSON is anything
    """Return a JSON answer."""
    return Reply(status, json.dumps(body).encode())


@dataclass
class Feed:
    """A feed with one result per test; `refused`: errors with a path, `poison`: tests that spoil their request."""

    refused: dict[str, str] = field(default_factory=dict)
    poison: frozenset[str] = frozenset()
    poisoned: Reply = INTERNAL_ERROR

    def __call__(self, seen: Seen) -> Reply:
        """Answer counts for every alias asked for."""
        variables = json.loads(seen.body)["variables"]
        asked = {f"t{name[1:]}": test for name, test in variables.items() if name[0] == "u"}
        if self.poison & set(asked.values()):
            return self.poisoned
        data = {
            alias: None if test in self.refused else {"count": 1, "latestCursor": f"{test}/1"}
            for alias, test in asked.items()
        }
        errors = [
            {"message": self.refused[test], "path": [alias]} for alias, test in asked.items() if test in self.refused
        ]
        return reply({"data": data} | ({"errors": errors} if errors else {}))


@pytest.fixture
def client(transport: Transport, make_call: MakeCall) -> Callable[[str, Auth | None], ChangeFeed]:
    """Return a maker of clients for a feed's URL."""

    def make(url: str, auth: Auth | None = None) -> ChangeFeed:
        lane = make_call(url, auth=auth or StaticToken("feed-token"), refused=FeedRefusedError).lane
        lane.name, lane.setting = "change feed", "feed_url"
        return ChangeFeed(transport=transport, lane=lane, url=url)

    return make


# Queries


@pytest.mark.parametrize(
    ("asks", "query", "variables"),
    [
        pytest.param(
            [Ask("ut_a", None)],
            "query changes($u0: String!) { t0: testResultChangesCount(testUUID: $u0) { count latestCursor } }",
            {"u0": "ut_a"},
            id="from the start: no cursor is named",
        ),
        pytest.param(
            [Ask("ut_a", "c1"), Ask("ut_a", None)],
            "query changes($u0: String!, $c0: String, $u1: String!) "
            "{ t0: testResultChangesCount(testUUID: $u0, sinceCursor: $c0) { count latestCursor } "
            "t1: testResultChangesCount(testUUID: $u1) { count latestCursor } }",
            {"u0": "ut_a", "c0": "c1", "u1": "ut_a"},
            id="two cursors of one test",
        ),
    ],
)
def test_a_query_has_one_alias_per_ask(asks: list[Ask], query: str, variables: dict[str, str]) -> None:
    """Ids and cursors go as variables, never into the text."""
    assert build_query(COUNT, asks) == (query, variables)


@pytest.mark.parametrize("wanted", [COUNT, CHANGES])
def test_a_query_for_a_hundred_tests_is_valid(wanted: tuple[str, str]) -> None:
    """The text parses, whatever stands in ids and cursors."""
    query, variables = build_query(wanted, [Ask(f'ut_"{n}"}}', f"c\\{n}\n") for n in range(100)])
    parse_graphql(query)
    assert len(variables) == 200
    assert '"' not in query


# Answers


def test_a_hundred_tests_are_one_request(client: Callable[..., ChangeFeed]) -> None:
    """Each ask gets its own count; asking for nothing costs nothing."""
    with Scripted(Feed()) as server:
        feed = client(server.url)
        assert feed.counts(HUNDRED) == {ask: Count(1, f"{ask.test_uuid}/1") for ask in HUNDRED}
        assert feed.counts([]) == {}
        assert feed.changes([]) == {}
    assert [seen.method for seen in server.seen] == ["POST"]
    assert server.seen[0].headers["authorization"] == "Bearer feed-token"


def test_the_changes_of_a_real_engine_are_read_in_its_order(client: Callable[..., ChangeFeed]) -> None:
    """A served world: the events newest first, as sent, after the cursor that was named."""
    world = World(seed=3)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(3):
        world.add_session(test)
    cursors = [event.cursor for event in test.events][::-1]
    with Sandbox(world) as box:
        feed = client(box.feed_url, StaticToken(box.feed_token))
        whole, rest = Ask(test.test_uuid, None), Ask(test.test_uuid, cursors[2])
        found = feed.changes([whole, rest])
        counts = feed.counts([whole, rest])
        assert len(box.calls) == 2
    everything, newer = found[whole], found[rest]
    assert isinstance(everything, list)
    assert isinstance(newer, list)
    assert [event.cursor for event in everything] == cursors
    assert [event.cursor for event in newer] == cursors[:2]
    assert counts[whole] == Count(3, cursors[0])


@pytest.mark.parametrize(
    ("edges", "cursors"),
    [
        pytest.param(None, [], id="no edges"),
        pytest.param([], [], id="empty"),
        pytest.param([None, {"node": None}, {}, {"node": {"cursor": "a"}}], ["a"], id="edges without a node"),
        pytest.param([{"node": {"cursor": None}}, {"node": {"cursor": ""}}, {"node": {}}], [], id="without a cursor"),
        pytest.param([{"node": {"cursor": c}} for c in "cabac"], ["c", "a", "b"], id="each cursor once, in its order"),
        pytest.param([{"node": {"cursor": "a", "newField": 1}, "cursor": "x"}], ["a"], id="unknown fields"),
        pytest.param([{"node": {"cursor": "a", "testResultId": "7"}}], ["a"], id="an id of another type"),
        pytest.param([{"node": {"cursor": "a", "changeType": None}}], ["a"], id="a null"),
    ],
)
def test_odd_edges_are_tolerated(client: Callable[..., ChangeFeed], edges: Any, cursors: list[str]) -> None:  # noqa: ANN401
    """What is no event is left out; what is one is kept, whatever else is odd."""
    with Scripted(reply({"data": {"t0": {"edges": edges}}})) as server:
        found = client(server.url).changes([ONE])[ONE]
    assert isinstance(found, list)
    assert [event.cursor for event in found] == cursors


def test_a_count_as_text_is_a_count(client: Callable[..., ChangeFeed]) -> None:
    """The lenient reading takes numbers that are written as text."""
    with Scripted(reply({"data": {"t0": {"count": "7", "latestCursor": "c"}}})) as server:
        assert client(server.url).counts([ONE])[ONE] == Count(7, "c")


@pytest.mark.parametrize("escaped", [rb"\ud800", rb"\udfff\ud800", b"\\u0000"])
def test_lone_surrogates_are_no_reason_to_lose_an_answer(client: Callable[..., ChangeFeed], escaped: bytes) -> None:
    """JSON may escape half a character; the event arrives all the same."""
    body = b'{"data": {"t0": {"edges": [{"node": {"cursor": "a", "changeType": "X' + escaped + b'"}}]}}}'
    with Scripted(Reply(body=body)) as server:
        found = client(server.url).changes([ONE])[ONE]
        assert len(server.seen) == 1
    assert isinstance(found, list)
    assert found[0].cursor == "a"
    assert (found[0].change_type or "").startswith("X")


# Errors


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


# Rate limits


def limited(
    seconds: float | None, message: str = "Rate limit exceeded", **ratelimit: object
) -> Callable[[Seen], Reply]:
    """Return an over-limit answer whose window ends so many seconds from the fake present."""
    moment = datetime(2026, 2, 2, 2, 56, 40, tzinfo=timezone.utc) + timedelta(seconds=seconds or 0)
    limits = ({} if seconds is None else {"window_reset": moment.isoformat()}) | ratelimit
    return lambda _seen: reply({"errors": [{"message": message}], "data": None, "extensions": {"ratelimit": limits}})


@pytest.mark.parametrize(
    "message", ["Rate limit exceeded", "rate-limited", "Request was throttled.", "Too many requests"]
)
def test_an_over_limit_answer_is_waited_for(
    client: Callable[..., ChangeFeed], fake_clock: FakeClock, message: str
) -> None:
    """An error about the limit, in a 200 and for all aliases: wait until the window ends, then ask again."""
    assert fake_clock.wall() == datetime(2026, 2, 2, 2, 56, 40, tzinfo=timezone.utc).timestamp()
    with Scripted(limited(20, message), Feed()) as server:
        assert client(server.url).counts([ONE])[ONE] == Count(1, "ut_0/1")
    assert fake_clock.slept == [20]


@pytest.mark.parametrize(
    "seconds", [pytest.param(None, id="none named"), pytest.param(-5, id="past"), pytest.param(99_999, id="far")]
)
def test_without_a_believable_end_a_minute_is_waited(
    client: Callable[..., ChangeFeed], fake_clock: FakeClock, seconds: float | None
) -> None:
    """No window end, one in the past or one of tomorrow: a full window."""
    with Scripted(limited(seconds), Feed()) as server:
        client(server.url).counts([ONE])
    assert fake_clock.slept == [60]


def test_a_429_of_the_feed_is_waited_for(client: Callable[..., ChangeFeed], fake_clock: FakeClock) -> None:
    """The HTTP way of saying it works too."""
    with Scripted(Reply(429, headers={"Retry-After": "9"}), Feed()) as server:
        assert client(server.url).counts([ONE])[ONE] == Count(1, "ut_0/1")
    assert fake_clock.slept == [9]


@pytest.mark.parametrize(
    ("ratelimit", "slept"),
    [
        pytest.param({"remaining": 0, "cost": 0}, [30], id="nothing remains"),
        pytest.param({"remaining": 4, "cost": 5}, [30], id="less than a request costs"),
        pytest.param({"remaining": 5, "cost": 5}, [], id="enough for one more"),
        pytest.param({"remaining": None, "cost": None}, [], id="nulls"),
        pytest.param({"remaining": "many"}, [], id="words"),
    ],
)
def test_a_budget_that_is_used_up_is_waited_for_before_the_next_request(
    client: Callable[..., ChangeFeed], fake_clock: FakeClock, ratelimit: dict[str, object], slept: list[float]
) -> None:
    """`extensions.ratelimit` of a good answer holds the next request back, so that none is refused."""
    end = datetime(2026, 2, 2, 2, 56, 40, tzinfo=timezone.utc) + timedelta(seconds=30)
    body = {
        "data": {"t0": {"count": 0, "latestCursor": None}},
        "extensions": {"ratelimit": {"window_reset": end.isoformat().replace("+00:00", "Z"), **ratelimit}},
    }
    with Scripted(reply(body)) as server:
        feed = client(server.url)
        feed.counts([ONE])
        assert fake_clock.slept == []
        feed.counts([ONE])
    assert fake_clock.slept == slept


@pytest.mark.parametrize(
    "extensions", [None, {}, {"ratelimit": None}, {"ratelimit": [1]}, {"ratelimit": {"remaining": 0}}]
)
def test_odd_extensions_are_ignored(client: Callable[..., ChangeFeed], extensions: object) -> None:
    """The budget is a hint: without it, or in another shape, answers are read as ever."""
    with Scripted(reply({"data": {"t0": {"count": 1, "latestCursor": "c"}}, "extensions": extensions})) as server:
        assert client(server.url).counts([ONE])[ONE] == Count(1, "c")
