"""The change feed when it answers in parts, with errors of a chosen shape, or with cursors of an odd form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.client import CHANGES, COUNT

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Sandbox, World
    from tap_usertesting.sandbox.model import Test
    from tests.sandbox.client import Client


@pytest.fixture
def test_of_feed(world: World) -> Test:
    """The test with the longest log."""
    return max(world.tests.values(), key=lambda item: len(item.events))


def _cursors(nodes: list[dict[str, str]]) -> list[str]:
    return [node["cursor"] for node in nodes]


@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
@pytest.mark.parametrize("keeps", ["newest", "oldest"])
def test_a_cap_leaves_one_end_of_the_log(
    client: Client, world: World, test_of_feed: Test, order: str, keeps: str
) -> None:
    """At most so many events come, in the order that is set, while the count tells all of them."""
    world.feed_order = order  # type: ignore[assignment]
    world.feed_options.set(cap=2, cap_keeps=keeps)
    events = [event.cursor for event in test_of_feed.events]
    kept = events[-2:] if keeps == "newest" else events[:2]
    assert _cursors(client.changes(test_of_feed.test_uuid)) == (kept if order == "oldest_first" else kept[::-1])
    assert client.count(test_of_feed.test_uuid)["count"] == len({e.response_uuid for e in test_of_feed.events})
    assert len(client.changes(test_of_feed.test_uuid, events[-2])) == 1


def test_a_cap_may_be_of_the_whole_request(client: Client, world: World, test_of_feed: Test) -> None:
    """What the first alias takes is gone for the next."""
    world.feed_options.set(cap=3, cap_shared=True)
    asked = f'testResultChanges(testUUID: "{test_of_feed.test_uuid}", sinceCursor: "{test_of_feed.events[-3].cursor}")'
    aliases = " ".join(f"a{n}: {asked} {{ edges {{ node {{ cursor }} }} }}" for n in range(2))
    data = client.feed(f"{{ {aliases} }}").json()["data"]
    assert [len(data[alias]["edges"]) for alias in ("a0", "a1")] == [2, 1]


def test_too_many_aliases_are_refused(client: Client, world: World, test_of_feed: Test) -> None:
    """One more than allowed fails the request."""
    world.feed_options.set(most_aliases=2, too_many="Token limit of 1000 exceeded")
    asked = f'testResultChangesCount(testUUID: "{test_of_feed.test_uuid}") {{ count }}'
    assert "errors" not in client.feed(f"{{ a: {asked} b: {asked} }}").json()
    answer = client.feed(f"{{ a: {asked} b: {asked} c: {asked} }}")
    assert (answer.status_code, answer.json()) == (400, {"errors": [{"message": "Token limit of 1000 exceeded"}]})


def test_an_error_of_one_test(client: Client, world: World, test_of_feed: Test) -> None:
    """It has the message, code and path, and meets only what it is said to meet."""
    world.feed_options.refuse("no", code="NOT_FOUND", test_uuid=test_of_feed.test_uuid, from_cursor=True, times=1)
    since = test_of_feed.events[0].cursor
    assert "errors" not in client.feed(COUNT, test=test_of_feed.test_uuid).json()
    body = client.feed(COUNT, test=test_of_feed.test_uuid, since=since).json()
    assert body["data"] == {"testResultChangesCount": None}
    [error] = body["errors"]
    assert (error["message"], error["extensions"], error["path"]) == (
        "no",
        {"code": "NOT_FOUND"},
        ["testResultChangesCount"],
    )
    assert "errors" not in client.feed(COUNT, test=test_of_feed.test_uuid, since=since).json()


def test_an_error_of_the_whole_request(client: Client, world: World, test_of_feed: Test) -> None:
    """It has the status, and no data; plain errors are their messages alone."""
    world.feed_options.refuse("no", status=403, fields="testResultChanges", times=2)
    assert "errors" not in client.feed(COUNT, test=test_of_feed.test_uuid).json()
    answer = client.feed(CHANGES, test=test_of_feed.test_uuid)
    assert (answer.status_code, answer.json()) == (403, {"errors": [{"message": "no"}]})
    world.feed_options.set(plain_errors=True)
    assert client.feed(CHANGES, test=test_of_feed.test_uuid).json() == {"errors": ["no"]}
    assert "errors" not in client.feed(CHANGES, test=test_of_feed.test_uuid).json()


def test_cursors_of_odd_forms(client: Client, world: World) -> None:
    """Each form is drawn from when it is set, and can be asked from as it came; digits may come as numbers."""
    test = world.add_test("SURVEY")
    for form in ("hex", "number", "long", "foreign"):
        world.feed_options.set(cursor_form=form)
        world.add_session(test)
    cursors = [event.cursor for event in test.events]
    assert [len(cursors[2]), cursors[1].isdecimal(), cursors[3].isascii(), len(set(cursors))] == [1500, True, False, 4]
    assert [len(client.changes(test.test_uuid, cursor)) for cursor in cursors] == [3, 2, 1, 0]
    world.feed_options.set(numbers=True)
    node = client.changes(test.test_uuid, cursors[0])[-1]
    assert node["cursor"] == int(cursors[1])
    assert type(node["changedAt"]) is int


def test_the_options_can_be_set_over_the_back_door(
    box: Sandbox, client: Client, world: World, test_of_feed: Test
) -> None:
    """As JSON; a name that is none is refused."""
    url = f"{box.url}/_sandbox/feed"
    body = {"cap": 1, "refusals": [{"message": "no", "times": 1, "status": 200}]}
    assert requests.post(url, json=body, timeout=5).json() == {"feed": body}
    assert client.feed(CHANGES, test=test_of_feed.test_uuid).json() == {"errors": [{"message": "no"}]}
    assert len(client.changes(test_of_feed.test_uuid)) == 1
    assert requests.post(url, json={"colour": 1}, timeout=5).status_code == 400
    assert not world.feed_options.is_default
