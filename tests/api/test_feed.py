"""The change feed's client: one request for many tests, and errors that concern no more than they must."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from graphql import parse as parse_graphql

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.feed import CHANGES, COUNT, Ask, ChangeFeed, Count, Received, build_query
from tap_usertesting.sandbox import Sandbox, World
from tests.support.feeds import HUNDRED, ONE, Feed, reply
from tests.support.servers import Reply, Scripted, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.fakes import FakeClock


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
    assert isinstance(everything, Received)
    assert isinstance(newer, Received)
    assert [event.cursor for event in everything.events] == cursors
    assert [event.cursor for event in newer.events] == cursors[:2]
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
        pytest.param([{"node": {"cursor": 833001}}, {"node": {"cursor": 2}}], ["833001", "2"], id="numbers"),
        pytest.param([{"node": {"cursor": "a"}}, {"node": {"cursor": 1.5}}], ["a", "1.5"], id="a number among texts"),
        pytest.param([{"node": {"cursor": c}} for c in ("è", "位置", "a b\n")], ["è", "位置", "a b\n"], id="not ASCII"),
        pytest.param([{"node": {"cursor": "x" * 1_500}}], ["x" * 1_500], id="long"),
        pytest.param([{"node": {"cursor": c}} for c in ("a\0", [1], {"a": 1}, True, "b")], ["b"], id="no cursors"),
        pytest.param([{"node": {"cursor": "a", "changedAt": 1759315037}}], ["a"], id="a number as a time"),
        pytest.param([{"node": {"cursor": "a", "responseUuid": 7, "changeType": ["x"]}}], ["a"], id="odd types"),
        pytest.param(["x", 7, {"node": "y"}, {"node": {"cursor": "a"}}], ["a"], id="edges that are none"),
    ],
)
def test_odd_edges_are_tolerated(client: Callable[..., ChangeFeed], edges: Any, cursors: list[str]) -> None:  # noqa: ANN401
    """What is no event is left out; what is one is kept, whatever else is odd."""
    with Scripted(reply({"data": {"t0": {"edges": edges}}})) as server:
        found = client(server.url).changes([ONE])[ONE]
    assert isinstance(found, Received)
    assert [event.cursor for event in found.events] == cursors
    assert found.arrived == len(edges or ()) - (2 if cursors == ["c", "a", "b"] else 0)  # a repeated one counts once


def test_a_count_as_text_is_a_count(client: Callable[..., ChangeFeed]) -> None:
    """The lenient reading takes numbers that are written as text."""
    with Scripted(reply({"data": {"t0": {"count": "7", "latestCursor": "c"}}})) as server:
        assert client(server.url).counts([ONE])[ONE] == Count(7, "c")


def test_a_number_as_the_latest_cursor_is_its_text(client: Callable[..., ChangeFeed]) -> None:
    """Beside the count, as among the events."""
    with Scripted(reply({"data": {"t0": {"count": 7, "latestCursor": 833001}}})) as server:
        assert client(server.url).counts([ONE])[ONE] == Count(7, "833001")


@pytest.mark.parametrize("escaped", [rb"\ud800", rb"\udfff\ud800", b"\\u0000"])
def test_lone_surrogates_are_no_reason_to_lose_an_answer(client: Callable[..., ChangeFeed], escaped: bytes) -> None:
    """JSON may escape half a character; the event arrives all the same."""
    body = b'{"data": {"t0": {"edges": [{"node": {"cursor": "a", "changeType": "X' + escaped + b'"}}]}}}'
    with Scripted(Reply(body=body)) as server:
        found = client(server.url).changes([ONE])[ONE]
        assert len(server.seen) == 1
    assert isinstance(found, Received)
    assert found.events[0].cursor == "a"
    assert (found.events[0].change_type or "").startswith("X")


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


@pytest.mark.parametrize("skew", [1200, -1200])
def test_the_end_of_a_window_is_measured_by_the_feeds_own_clock(
    client: Callable[..., ChangeFeed], fake_clock: FakeClock, skew: float
) -> None:
    """Its clock is 20 minutes off: the window still ends in 20 seconds."""
    answer = limited(skew + 20)(Seen("POST", "/", {}, b""))
    answer.headers["Date"] = formatdate(fake_clock.wall() + skew, usegmt=True)
    with Scripted(answer, Feed()) as server:
        client(server.url).counts([ONE])
    assert fake_clock.slept == [20]


def test_a_feed_that_asks_for_a_day_is_left_for_this_run(
    client: Callable[..., ChangeFeed], fake_clock: FakeClock
) -> None:
    """Asked once more after a minute and never again, whichever test is asked for; the Results API goes on."""
    with Scripted(limited(99_999)) as server:
        feed = client(server.url)
        for _ in range(2):
            assert "the server asks to wait until" in str(feed.counts([ONE])[ONE])
        assert len(server.seen) == 2
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
