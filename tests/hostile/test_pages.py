"""Lists that do not end, and pages with wrong items in them: no endless loop, and nothing behind them is lost."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_usertesting.api.errors import ApiError, ServerFaultError
from tap_usertesting.api.feed import Ask
from tap_usertesting.api.results import LAST_OFFSET, PAGE, V1_PAGE
from tap_usertesting.api.transport import MOST_REFUSALS
from tap_usertesting.changes.session_list import SessionList, whole
from tap_usertesting.config.settings import Settings
from tap_usertesting.sync.discovery import Directory
from tests.hostile import good
from tests.hostile.spoil import encode
from tests.support.servers import Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.conftest import Clients

FAR = "9999-01-01T00:00:00.000000Z"
WRONG: list[Any] = [None, 7, "text", [], {}, {"sessionId": None}, {"sessionId": "../x", "uuid": "../x"}]


def _asked(seen: Seen, name: str) -> str | None:
    _, _, query = seen.path.partition("?")
    return dict(pair.split("=") for pair in query.split("&") if "=" in pair).get(name)


def _pages(total: int, wrong: int, *, named: int | None = None) -> Callable[[Seen], Reply]:
    """Return a session list of so many sessions, the first of which are wrong items."""
    items: list[Any] = [{"sessionId": f"s{n}", "finishTime": "2026-01-05T12:00:00Z"} for n in range(total)]
    items[:wrong] = [WRONG[n % len(WRONG)] for n in range(wrong)]

    def answer(seen: Seen) -> Reply:
        offset = int(_asked(seen, "offset") or 0)
        meta = {"pagination": {"totalCount": total if named is None else named}}
        return Reply(body=encode({"sessions": items[offset : offset + PAGE], "meta": meta}))

    return answer


def _read(clients: Clients) -> SessionList:
    return SessionList(client=clients.results, test_id=good.TEST, now=FAR).read(whole)


@pytest.mark.parametrize("wrong", [1, 7, PAGE])
def test_a_wrong_item_does_not_end_the_session_list(clients: Clients, wrong: int) -> None:
    """A page with items that are no sessions is as full as it was sent: the pages after it are read."""
    clients.server.replies = [_pages(1_200, wrong)]
    assert set(_read(clients).by_id) == {f"s{n}" for n in range(wrong, 1_200)}


@pytest.mark.parametrize("named", [0, 1, 1_200, 10**14])
def test_a_session_list_that_never_ends_is_read_to_the_last_offset(clients: Clients, named: int) -> None:
    """Full pages of ever new sessions, and any total: at most the addressable pages, twice."""
    clients.server.replies = [_pages(20_000, 0, named=named)]
    _read(clients)
    assert len(clients.server.seen) <= 2 * (LAST_OFFSET // PAGE + 1)


def test_a_total_that_changes_with_each_page_ends(clients: Clients) -> None:
    """A list that seems to shrink at each page is read again some times, not for ever."""
    clients.server.replies = [_pages(20_000, 0, named=total) for total in range(9_000, 8_900, -1)]
    _read(clients)
    assert len(clients.server.seen) <= 2 * (LAST_OFFSET // PAGE + 1) + 1


# Discovery


def _directory(clients: Clients, **more: int) -> Directory:
    config = {"access_token": "t", "api_url": clients.server.url, "workspace_ids": [good.TEST]}
    return Directory(client=clients.results, settings=Settings.parse(config, selected=[]), **more)


@pytest.mark.parametrize("wrong", [1, 7, V1_PAGE - 1])
def test_a_wrong_item_does_not_end_the_discovery(clients: Clients, wrong: int) -> None:
    """A full page with items that are no tests is followed by the next."""
    items: list[Any] = [{**good.STUDIES[0], "uuid": f"t{n}", "cursor": str(n)} for n in range(120)]
    items[:wrong] = [WRONG[n % len(WRONG)] for n in range(wrong)]

    def answer(seen: Seen) -> Reply:
        start = int(_asked(seen, "after") or -1) + 1
        return Reply(body=encode(items[start : start + V1_PAGE]))

    clients.server.replies = [answer]
    assert set(_directory(clients).product_types) == {f"t{n}" for n in range(wrong, 120)}


def test_a_discovery_that_never_ends_is_left(clients: Clients, caplog: pytest.LogCaptureFixture) -> None:
    """Ever new tests and ever new cursors: after a bound it stops with one warning, and keeps what it has."""
    count = iter(range(10**9))

    def answer(_seen: Seen) -> Reply:
        page = [{**good.STUDIES[0], "uuid": f"t{n}", "cursor": str(n)} for _, n in zip(range(V1_PAGE), count)]  # noqa: B905
        return Reply(body=encode(page))

    clients.server.replies = [answer]
    assert len(_directory(clients, most_pages=20).studies) == 20 * V1_PAGE
    assert len([line for line in caplog.messages if "there are more than 20 pages" in line]) == 1


@pytest.mark.parametrize("cursor", [None, "same", 7, {"a": 1}, ["x"], "../", "\ud800", "x" * 10_000])
def test_any_cursor_of_discovery_ends(clients: Clients, cursor: object) -> None:
    """A cursor that stands still, or is none, ends the walk; the first page is kept or one error raised."""
    page = [{**good.STUDIES[0], "uuid": f"t{n}", "cursor": cursor} for n in range(V1_PAGE)]
    clients.server.replies = [Reply(body=encode(page))]
    with contextlib.suppress(ApiError):
        assert len(_directory(clients, most_pages=20).studies) == V1_PAGE
    assert len(clients.server.seen) < 5


# Waiting


@pytest.mark.parametrize("seconds", ["0.000001", "30", "-1", "never", "99999999"])
def test_a_quota_that_never_opens_is_given_up(clients: Clients, seconds: str) -> None:
    """429 for ever ends the call, after more windows than any other user of the quota could take."""
    clients.server.replies = [Reply(429, headers={"Retry-After": seconds, "x-ratelimit-reset": seconds})]
    with pytest.raises(ServerFaultError, match="over the quota"):
        clients.results.qx_scores(good.TEST)
    assert len(clients.server.seen) == MOST_REFUSALS
    assert all(0 < slept <= 3600 for slept in clients.clock.slept)


def test_a_feed_that_is_always_over_its_budget_is_given_up(clients: Clients) -> None:
    """The same for a rate limit inside a GraphQL answer; the test is failed, not the run."""
    clients.server.replies = [Reply(body=encode({"errors": [{"message": "Rate limit exceeded"}]}))]
    ask = Ask("ut_1", None)
    found = clients.feed.counts([ask])[ask]
    assert isinstance(found, ApiError)
    assert "over the quota" in str(found)
    assert len(clients.server.seen) == MOST_REFUSALS


def test_a_feed_that_breaks_every_group_of_tests_is_not_asked_for_ever(clients: Clients) -> None:
    """A request that fails only together is halved: a bounded number of requests for a hundred tests."""

    def answer(seen: Seen) -> Reply:
        asked = cast("dict[str, str]", json.loads(seen.body)["variables"])
        if len(asked) > 1:
            return Reply(400, b'{"errors": [{"message": "Internal error"}]}')
        return Reply(body=encode({"data": {"t0": {"count": 1, "latestCursor": "x"}}}))

    clients.server.replies = [answer]
    asks = [Ask(f"ut_{n}", None) for n in range(100)]
    assert not any(isinstance(found, ApiError) for found in clients.feed.counts(asks).values())
    assert len(clients.server.seen) < 2 * len(asks)
