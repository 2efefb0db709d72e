"""Faults and hooks: each looks on the wire as it would in life, and meets the calls it was ordered for."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.client import CHANGES, COUNT, Client
from tests.support.harness import LONG

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Sandbox, ServedCall, Test, World
    from tap_usertesting.sandbox.faults import FaultKind

LIST = "/api/v2/sessionResults"


@pytest.fixture
def test_id(world: World) -> str:
    """The id of any test with sessions."""
    return max(world.tests.values(), key=lambda item: len(item.sessions)).test_id


def test_status_body_and_headers(client: Client, box: Sandbox, test_id: str) -> None:
    """A status fault answers what it is told, once, and the quota's headers stay."""
    box.fail("list", status=503, body="try later", headers={"Retry-After": "7"})
    answer = client.get(LIST, testId=test_id)
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "try later", "7")
    assert "x-ratelimit-remaining" in answer.headers
    assert client.get(LIST, testId=test_id).status_code == 200
    assert [call.status for call in box.calls] == [503, 200]


def test_times_skip_and_match(client: Client, box: Sandbox, world: World, test_id: str) -> None:
    """A fault spares the first calls, meets some and then no more, and only those whose path matches."""
    box.fail("list", times=2, skip=1)
    assert [client.get(LIST, testId=test_id).status_code for _ in range(4)] == [200, 500, 500, 200]
    one, two = list(world.truth()["sessions"])[:2]
    box.fail("results", times=None, status=500, match=one)
    for _ in range(2):
        assert client.get(f"/api/v3/sessionResults/{one}").status_code == 500
        assert client.get(f"/api/v3/sessionResults/{two}").status_code == 200
    box.orders.clear()
    assert client.get(f"/api/v3/sessionResults/{one}").status_code == 200


@pytest.mark.parametrize("fault", ["reset", "cut", "hang"])
def test_broken_connections(client: Client, box: Sandbox, test_id: str, fault: FaultKind) -> None:
    """The client sees an error of the connection and can connect again."""
    box.fail("list", fault=fault)
    expected = {
        "reset": requests.ConnectionError,
        "cut": requests.exceptions.ChunkedEncodingError,
        "hang": requests.ReadTimeout,
    }[fault]
    with pytest.raises(expected):
        client.get(LIST, testId=test_id, timeout=0.2 if fault == "hang" else LONG)
    assert client.get(LIST, testId=test_id).status_code == 200
    assert [call.status for call in box.calls] == [200 if fault == "cut" else 0, 200]


def test_malformed_and_html(client: Client, box: Sandbox, test_id: str) -> None:
    """Truncated JSON and a gateway's page come with status 200."""
    box.fail("list", fault="malformed")
    box.fail("list", fault="html")
    truncated = client.get(LIST, testId=test_id)
    assert truncated.status_code == 200
    with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
        json.loads(truncated.text)
    page = client.get(LIST, testId=test_id)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_drip_takes_its_time(client: Client, box: Sandbox, test_id: str) -> None:
    """A dripping answer is the true one, slowly, although each piece comes in time."""
    box.fail("list", fault="drip", seconds=0.4)
    started = time.monotonic()
    assert client.get(LIST, testId=test_id).json()["testId"] == test_id
    assert time.monotonic() - started > 0.35


def test_redirect_leads_to_another_origin(client: Client, box: Sandbox, test_id: str) -> None:
    """A redirect names another origin, or what the headers say."""
    box.fail("list", fault="redirect")
    box.fail("list", fault="redirect", headers={"Location": "https://elsewhere.example.com/"})
    answer = client.get(LIST, testId=test_id)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"http://localhost:{box.port}{LIST}")
    again = client.get(LIST, testId=test_id)
    assert again.headers["Location"] == "https://elsewhere.example.com/"


def test_faults_of_the_feed_and_of_tokens(client: Client, box: Sandbox, world: World) -> None:
    """Feed requests are met by what they ask for; the token endpoint can fail too."""
    test = next(iter(world.tests.values()))
    box.fail("feed_changes", status=502)
    box.fail("token", status=500)
    box.fail("any", status=418, skip=2)
    assert client.feed(COUNT, test=test.test_uuid).status_code == 200
    assert client.feed(CHANGES, test=test.test_uuid).status_code == 502
    assert client.ask_token().status_code == 500
    assert client.feed(COUNT, test=test.test_uuid).status_code == 200
    assert client.ask_token().status_code == 418


def test_hooks_change_the_world_in_between(client: Client, box: Sandbox, world: World) -> None:
    """A hook runs before the call is answered, for as many calls as ordered."""
    test = world.add_test("SURVEY")
    seen: list[ServedCall] = []

    def happen(call: ServedCall) -> None:
        seen.append(call)
        world.add_session(test)

    box.before("feed_changes", happen)
    box.before("list", happen, times=2, skip=1)
    assert client.count(test.test_uuid)["count"] == 0
    assert len(client.changes(test.test_uuid)) == 1
    totals = [client.get(LIST, testId=test.test_id).json()["meta"]["pagination"]["totalCount"] for _ in range(4)]
    assert totals == [1, 2, 3, 3]
    assert [call.kind for call in seen] == ["feed", "list", "list"]
    assert seen[1].test_id == test.test_id


def test_log_names_test_and_session(client: Client, box: Sandbox, world: World) -> None:
    """A call of a session names the test it belongs to, in lower case."""
    session = next(session for session in world.sessions.values() if session.served)
    owner: Test = session.test
    client.get(f"/api/v3/sessionResults/{session.session_id.upper()}")
    client.get(f"/api/v2/testResults/{owner.test_id}/qxScores")
    first, second = box.calls
    assert (first.kind, first.session_id, first.test_id) == ("details_v3", session.session_id, owner.test_id)
    assert (second.kind, second.session_id, second.test_id) == ("qx_scores", None, owner.test_id)
    assert first.n < second.n
    assert first.at <= second.at


def test_stopping_wakes_whoever_hangs(world: World, test_id: str) -> None:
    """A box with a hanging call stops."""
    from tap_usertesting.sandbox import Sandbox as Box  # noqa: PLC0415 - the fixture's name is taken above

    with Box(world) as box:
        client = Client(box)
        box.fail("list", fault="hang", seconds=3600)  # a box that waited for it would never stop
        with client.session, pytest.raises(requests.ReadTimeout):
            client.get(LIST, testId=test_id, timeout=0.1)


def test_the_answer_about_another(client: Client, box: Sandbox, world: World, test_id: str) -> None:
    """The details of another session of the test, or the list of another test, each whole and well."""
    box.fail("results", times=2, fault="other")
    session = next(iter(world.tests[test_id].completed()))
    details = client.get(f"/api/v3/sessionResults/{session.session_id}").json()
    assert details["sessionId"] != session.session_id
    assert world.sessions[details["sessionId"]].test is session.test
    other = client.get(LIST, testId=test_id).json()
    assert other["testId"] != test_id
    assert {item["sessionId"] for item in other["sessions"]} <= set(world.tests[other["testId"]].sessions)


def test_a_list_that_is_short(client: Client, box: Sandbox, test_id: str) -> None:
    """Its last item is left out, and stands first behind what was sent; so too in the legacy API."""
    whole = client.get(LIST, testId=test_id, limit=3).json()["sessions"]
    box.fail("any", times=2, fault="short")
    assert client.get(LIST, testId=test_id, limit=3).json()["sessions"] == whole[:2]
    workspaces = client.get("/usertesting/api/v1/workspaces").json()
    assert client.get(LIST, testId=test_id, limit=1, offset=2).json()["sessions"] == whole[2:]
    assert len(client.get("/usertesting/api/v1/workspaces").json()) == len(workspaces) + 1


def test_errors_in_others_words(client: Client, box: Sandbox) -> None:
    """Okta's, with when to come back as epoch in a 429, and RFC 9457's."""
    box.fail("token", fault="okta", status=401)
    box.fail("token", fault="okta", status=429, seconds=20)
    box.fail("token", fault="problem", status=400)
    refused, limited, problem = (client.ask_token() for _ in range(3))
    assert (refused.status_code, refused.json()["errorSummary"]) == (401, "Invalid token provided")
    assert "X-Rate-Limit-Reset" not in refused.headers
    assert limited.status_code == 429
    date = parsedate_to_datetime(limited.headers["Date"]).timestamp()
    assert 19 <= int(limited.headers["X-Rate-Limit-Reset"]) - date <= 22
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert problem.json()["detail"] == "The client is not active."
