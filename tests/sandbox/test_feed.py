"""The change feed: what it tells, and how it fails."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import feed_api
from tests.sandbox.client import CHANGES, COUNT
from tests.support.harness import LONG

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Sandbox, World
    from tests.sandbox.client import Client


def test_history_newest_first(client: Client, world: World) -> None:
    """Without a cursor the whole log comes, newest first; the world may turn it round."""
    for key, events in world.truth()["events"].items():
        assert client.changes(f"ut_{key}") == events[::-1]
    world.feed_order = "oldest_first"
    for key, events in world.truth()["events"].items():
        assert client.changes(f"ut_{key}") == events


def test_cursor_is_exclusive(client: Client, world: World) -> None:
    """After a cursor come the later events only; count counts results and names the newest cursor."""
    test = max(world.tests.values(), key=lambda item: len(item.events))
    middle = test.events[len(test.events) // 2]
    later = test.events[len(test.events) // 2 + 1 :]
    assert [node["cursor"] for node in client.changes(test.test_uuid, middle.cursor)] == [
        event.cursor for event in reversed(later)
    ]
    newest = test.events[-1].cursor
    unique = len({event.response_uuid for event in later})
    assert client.count(test.test_uuid, middle.cursor) == {"count": unique, "latestCursor": newest}
    assert client.count(test.test_uuid, newest) == {"count": 0, "latestCursor": newest}
    assert client.changes(test.test_uuid, newest) == []


def test_empty_test(client: Client, world: World) -> None:
    """A known test without events has no cursor."""
    test = world.add_test("SURVEY")
    assert client.count(test.test_uuid) == {"count": 0, "latestCursor": None}
    assert client.changes(test.test_uuid) == []


def test_partial_data_with_errors(client: Client, box: Sandbox, world: World) -> None:
    """What is wrong with one alias is an error with its path, while the others are answered."""
    test = next(iter(world.tests.values()))
    unknown = world.add_test(in_feed=False)
    query = f"""{{
      good: testResultChangesCount(testUUID: "{test.test_uuid}") {{ count }}
      bare: testResultChangesCount(testUUID: "{test.test_id}") {{ count }}
      unknown: testResultChanges(testUUID: "{unknown.test_uuid}") {{ edges {{ node {{ cursor }} }} }}
      lost: testResultChangesCount(testUUID: "{test.test_uuid}", sinceCursor: "ut_0") {{ count }}
    }}"""
    answer = client.feed(query)
    body = answer.json()
    assert answer.status_code == 200
    assert body["data"]["good"]["count"] > 0
    assert [body["data"][alias] for alias in ("bare", "unknown", "lost")] == [None, None, None]
    assert {(error["path"][0], error["message"]) for error in body["errors"]} == {
        ("bare", "UserTest does not exist"),
        ("unknown", "UserTest does not exist"),
        ("lost", "Cursor ut_0 is unknown or has expired"),
    }
    assert body["extensions"]["ratelimit"]["remaining"] == 30000
    (call,) = box.calls
    assert call.operations[0] == {
        "field": "testResultChangesCount",
        "testUUID": test.test_uuid,
        "sinceCursor": None,
    }
    assert [item["sinceCursor"] for item in call.operations] == [None, None, None, "ut_0"]


def test_expired_cursors(client: Client, world: World) -> None:
    """Old cursors are forgotten, new ones count, and the history stays readable."""
    test = next(test for test in world.tests.values() if test.events)
    old = test.events[-1].cursor
    world.expire_cursors(test)
    message = client.feed(CHANGES, test=test.test_uuid, since=old).json()["errors"][0]["message"]
    assert message == f"Cursor {old} is unknown or has expired"
    session = next(session for session in test.sessions.values() if session.served)
    world.update(session)
    assert client.count(test.test_uuid, test.events[-1].cursor)["count"] == 0
    assert len(client.changes(test.test_uuid)) == len(test.events)


def test_feed_learns_and_forgets(client: Client, world: World) -> None:
    """A test becomes known to the feed with its history."""
    test = world.add_test("SURVEY", in_feed=False)
    world.add_session(test)
    assert client.feed(COUNT, test=test.test_uuid).json()["data"] == {"testResultChangesCount": None}
    world.teach_feed(test)
    assert client.count(test.test_uuid)["count"] == 1
    world.forget_in_feed(test)
    assert "errors" in client.feed(COUNT, test=test.test_uuid).json()


@pytest.mark.parametrize(
    ("query", "fragment"),
    [
        pytest.param("{ testResultChanges(", "Syntax Error", id="syntax"),
        pytest.param("{ userTests { pk } }", "Cannot query field", id="field"),
        pytest.param('{ testResultChangesCount(testUUID: "x") { total } }', "Cannot query field", id="leaf"),
        pytest.param("{ testResultChangesCount { count } }", "required", id="argument"),
        pytest.param(COUNT, "$test", id="variable"),
    ],
)
def test_wrong_queries_fail_whole(client: Client, query: str, fragment: str) -> None:
    """A wrong query is 400 without data, the second time too."""
    for _ in range(2):
        answer = client.feed(query)
        assert answer.status_code == 400
        assert fragment in answer.json()["errors"][0]["message"]
        assert "data" not in answer.json()


def test_who_may_ask(client: Client, box: Sandbox, world: World) -> None:
    """Both tokens are good; a wrong one is 401, and none looks like a schema error."""
    test = next(iter(world.tests.values()))
    assert client.feed(COUNT, token=box.feed_token, test=test.test_uuid).status_code == 200
    refused = client.feed(COUNT, token="wrong", test=test.test_uuid)
    assert refused.status_code == 401
    assert refused.json() == {"errors": [{"message": "OAuth2 token expired or invalid"}]}
    nobody = client.session.post(box.feed_url, json={"query": COUNT}, timeout=LONG)
    assert nobody.status_code == 400
    assert "limited schema" in nobody.json()["info"][0]["message"]
    assert "Cannot query field" in nobody.json()["errors"][0]["message"]


def test_missing_scope(client: Client, world: World) -> None:
    """A token without the scope gets an error per field."""
    world.feed_scopes_missing = "usertests:read"
    test = next(iter(world.tests.values()))
    (error,) = client.feed(COUNT, test=test.test_uuid).json()["errors"]
    assert error["message"] == "Missing required scopes: (usertests:read)"
    assert error["path"] == ["testResultChangesCount"]


def test_rate_limit_of_the_feed(client: Client, world: World) -> None:
    """The next n requests are refused with a time to wait for."""
    test = next(iter(world.tests.values()))
    world.feed_limit_next, world.feed_limit_wait = 1, LONG
    body = client.feed(COUNT, test=test.test_uuid).json()
    assert body["errors"] == [{"message": "Rate limit exceeded"}]
    assert body["extensions"]["ratelimit"]["remaining"] == 0
    wait = datetime.fromisoformat(body["extensions"]["ratelimit"]["window_reset"]) - datetime.now(timezone.utc)
    assert timedelta(0) < wait <= timedelta(seconds=LONG)
    assert "errors" not in client.feed(COUNT, test=test.test_uuid).json()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"{", "POST body sent invalid JSON.", id="no JSON"),
        pytest.param(b"[]", "Must provide query string.", id="no object"),
        pytest.param(b'{"query": "{a}", "variables": [1]}', "Variables are invalid JSON.", id="variables"),
    ],
)
def test_requests_that_are_no_graphql(client: Client, box: Sandbox, body: bytes, message: str) -> None:
    """A body without a query is 400."""
    headers = {"Authorization": f"Bearer {client.token}"}
    answer = client.session.post(box.feed_url, data=body, headers=headers, timeout=LONG)
    assert (answer.status_code, answer.json()) == (400, {"errors": [{"message": message}]})


def test_get_and_missing_slash(client: Client, box: Sandbox) -> None:
    """GET is refused, and the path without a slash leads to the one with it, which loses a body."""
    assert client.get("/graphql/").status_code == 405
    answer = client.session.post(box.url + "/graphql", json={}, timeout=LONG, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (301, "/graphql/")


def test_introspection_and_fragments(client: Client, box: Sandbox, world: World) -> None:
    """The engine is a real one: introspection and fragments work, and the log sees through them."""
    fields = client.feed('{ __type(name: "TestResultChange") { fields { name } } }').json()["data"]
    assert [field["name"] for field in fields["__type"]["fields"]] == [
        "cursor",
        "responseUuid",
        "testResultId",
        "changeType",
        "changedAt",
    ]
    test = next(iter(world.tests.values()))
    asked = f'testResultChangesCount(testUUID: "{test.test_uuid}") {{ count }}'
    query = f"query {{ ...f ... on Query {{ b: {asked} }} }} fragment f on Query {{ a: {asked} }}"
    assert client.feed(query).json()["data"]["a"]["count"] > 0
    assert len(box.calls[-1].operations) == 2


def test_questions_and_big_answers_are_kept(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred aliases are parsed once; a big answer is made again only when something has changed."""
    made = {"parse": 0, "execute_sync": 0}

    def counted(name: str) -> None:
        does = getattr(feed_api, name)

        def do(*args: object, **options: object) -> object:
            made[name] += 1
            return does(*args, **options)

        monkeypatch.setattr(feed_api, name, do)

    counted("parse")
    counted("execute_sync")
    test = max(world.tests.values(), key=lambda item: len(item.events))
    aliases = " ".join(f'a{n}: testResultChangesCount(testUUID: "{test.test_uuid}") {{ count }}' for n in range(100))
    for _ in range(2):
        assert len(client.feed(f"{{ {aliases} }}").json()["data"]) == 100
    assert made == {"parse": 1, "execute_sync": 2}
    for number in range(6000):
        world.event(test, response_uuid=f"ut_response_{number % 50}")
    assert client.changes(test.test_uuid) == client.changes(test.test_uuid)
    assert made == {"parse": 2, "execute_sync": 3}
    world.event(test, response_uuid="ut_response_new")
    assert client.changes(test.test_uuid)[0]["responseUuid"] == "ut_response_new"


def test_old_documents_are_forgotten(client: Client) -> None:
    """The memory of parsed queries is bounded."""
    for number in range(300):
        assert client.feed(f"{{ a{number}: __typename }}").status_code == 200
