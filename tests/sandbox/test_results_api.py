"""The Results API: every endpoint, what it has and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.harness import LONG

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Sandbox, Session, Test, World
    from tests.sandbox.client import Client

LIST = "/api/v2/sessionResults"
NOBODY = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def first_test(world: World, product_type: str) -> Test:
    """Return the first test of a product type."""
    return next(test for test in world.tests.values() if test.product_type == product_type)


def session_of(world: World, product_type: str) -> Session:
    """Return the first served session of a product type."""
    return next(s for s in world.sessions.values() if s.served and s.test.product_type == product_type)


def test_list_pages_newest_first(client: Client, world: World) -> None:
    """Pages add up to all completed sessions, newest first, with their number."""
    test = max(world.tests.values(), key=lambda item: len(item.completed()))
    pages = [client.get(LIST, testId=test.test_id.upper(), limit=2, offset=n).json() for n in range(0, 8, 2)]
    sessions = [item for page in pages for item in page["sessions"]]
    assert {item["sessionId"] for item in sessions} == {s.session_id for s in test.completed()}
    ends = [item["finishTime"] or item["startTime"] for item in sessions]
    assert ends == sorted(ends, reverse=True)
    assert pages[1]["testId"] == test.test_id
    assert pages[1]["meta"] == {"pagination": {"limit": 2, "offset": 2, "totalCount": len(test.completed())}}


def test_list_order_is_a_choice_of_the_world(client: Client, world: World) -> None:
    """The vendor does not say what newest means."""
    test = world.add_test("SURVEY")
    at = world.now
    early = world.add_session(test, started_at=at.replace(hour=1), finished_at=at.replace(hour=9))
    late = world.add_session(test, started_at=at.replace(hour=2), finished_at=at.replace(hour=3))
    orders = {}
    for key in ("finish", "start", "visible"):
        world.list_key = key
        rows = client.get(LIST, testId=test.test_id).json()["sessions"]
        orders[key] = [item["sessionId"] for item in rows]
    newest_early = [early.session_id, late.session_id]
    assert orders == {"finish": newest_early, "start": newest_early[::-1], "visible": newest_early[::-1]}


def test_pages_and_counts_are_a_choice_of_the_world(client: Client, world: World) -> None:
    """A page may hold fewer than asked for, and its count may be of the page, text, null or absent."""
    test = max(world.tests.values(), key=lambda item: len(item.completed()))
    world.list_page = 2
    found = {}
    for kind in ("all", "page", "text", "null", "absent"):
        world.list_total = kind
        body = client.get(LIST, testId=test.test_id, limit=500).json()
        assert len(body["sessions"]) == 2
        assert body["meta"]["pagination"]["limit"] == 2
        found[kind] = body["meta"]["pagination"].get("totalCount", "none")
    count = len(test.completed())
    assert found == {"all": count, "page": 2, "text": str(count), "null": None, "absent": "none"}


def test_any_object_may_have_fields_that_no_document_names(client: Client, world: World) -> None:
    """Those of the list, the details, clips and reels, and of the legacy API."""
    world.undocumented = {"sentimentScore": 0.4}
    session = session_of(world, "THINK_OUT_LOUD")
    world.clip(session)
    world.edit_reel(session.test)
    path, test = f"/api/v2/sessionResults/{session.session_id}", session.test
    workspaces = client.get("/usertesting/api/v1/workspaces").json()
    found = [
        workspaces[0],
        client.get(f"/usertesting/api/v1/workspaces/{workspaces[0]['uuid']}").json()[0],
        client.get(LIST, testId=test.test_id).json()["sessions"][0],
        client.get(path.replace("v2", "v3")).json(),
        client.get(path).json(),
        client.get(f"{path}/clips").json()["clips"][0],
        client.get(f"/api/v2/testResults/{test.test_id}/highlightreels").json()["reels"][0],
    ]
    assert [item["sentimentScore"] for item in found] == [0.4] * len(found)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param({"testId": "7"}, "testId must be a UUID", id="malformed test"),
        pytest.param({}, "testId must be a UUID", id="no test"),
        pytest.param({"testId": NOBODY, "limit": 0}, "limit must not be less than 1", id="limit 0"),
        pytest.param({"testId": NOBODY, "limit": 501}, "limit must not be greater than 500", id="limit 501"),
        pytest.param({"testId": NOBODY, "limit": "all"}, "limit must be an integer number", id="limit a word"),
        pytest.param({"testId": NOBODY, "offset": 10001}, "offset must not be greater than 10000", id="far"),
    ],
)
def test_list_refuses_bad_parameters(client: Client, query: dict[str, Any], message: str) -> None:
    """Out of range and malformed is 400, with the words of the framework."""
    answer = client.get(LIST, **query)
    assert answer.status_code == 400
    assert answer.json() == {"message": [message], "statusCode": 400, "error": "Bad Request"}


def test_list_defaults(client: Client, world: World) -> None:
    """Without limit there are 25 rows at most."""
    test = world.add_test("SURVEY")
    for _ in range(27):
        world.add_session(test)
    body = client.get(LIST, testId=test.test_id).json()
    assert (len(body["sessions"]), body["meta"]["pagination"]["limit"]) == (25, 25)


def test_everything_served_is_the_truth(client: Client, world: World) -> None:
    """Details of both versions, transcripts and scores are what the truth says."""
    truth = world.truth()
    for key in truth["sessions"]:
        assert client.get(f"/api/v3/sessionResults/{key}").json() == truth["details"][key]
        assert client.get(f"/api/v2/sessionResults/{key}").json() == truth["details_v2"][key]
        transcript = client.get(f"/api/v2/sessionResults/{key}/transcript")
        assert (transcript.text if transcript.ok else None) == truth["transcripts"].get(key)
    for key, body in truth["qx_scores"].items():
        assert client.get(f"/api/v2/testResults/{key}/qxScores").json() == body


def test_details_v2_have_the_older_shape(client: Client, world: World) -> None:
    """Task types carry a prefix and a response has one object named after the type, with a text value."""
    for session in world.truth()["sessions"]:
        for task in client.get(f"/api/v2/sessionResults/{session}").json()["sessionTaskResults"]:
            assert set(task) == {"taskId", "taskType", "taskResponse"}
            assert task["taskType"].startswith("TASK_TYPE_")
            for name, fields in (task["taskResponse"] or {}).items():
                assert name.endswith("SpecificFields")
                assert isinstance(fields["value"], str)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("/api/v3/sessionResults/{}", "Session not found", id="v3"),
        pytest.param("/api/v2/sessionResults/{}", "Session not found", id="v2"),
        pytest.param("/api/v2/sessionResults/{}/transcript", "Transcript not found", id="transcript"),
        pytest.param("/api/v2/sessionResults/{}/videoDownloadUrl", "Video not found", id="video"),
        pytest.param("/api/v2/sessionResults/{}/clips", "Session video or clips not found", id="clips"),
        pytest.param(f"/api/v2/sessionResults/{{}}/clips/{NOBODY}", "Clip not found", id="clip"),
        pytest.param("/api/v2/testResults/{}/qxScores", "Test not found", id="scores"),
        pytest.param("/api/v2/testResults/{}/highlightreels", "Test or highlight reels not found", id="reels"),
        pytest.param(f"/api/v2/testResults/{{}}/highlightreels/{NOBODY}", "Highlight reel not found", id="reel"),
    ],
)
def test_what_is_not_there(client: Client, path: str, message: str) -> None:
    """An unknown id is 404 in the endpoint's words, a malformed one 400, no token 401."""
    answer = client.get(path.format(NOBODY))
    assert answer.status_code == 404
    assert answer.json() == {"message": message, "statusCode": 404, "error": "Not Found"}
    assert client.get(path.format("seven")).status_code == 400
    client.token = "x.y.z"
    refused = client.get(path.format(NOBODY))
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized", "statusCode": 401})


def test_what_a_survey_does_not_have(client: Client, world: World) -> None:
    """Surveys have no video, no transcript and no score."""
    session = session_of(world, "SURVEY")
    for leaf in ("transcript", "videoDownloadUrl", "clips"):
        assert client.get(f"{LIST}/{session.session_id}/{leaf}").status_code == 404
    for leaf in ("qxScores", "highlightreels"):
        assert client.get(f"/api/v2/testResults/{session.test.test_id}/{leaf}").status_code == 404


def test_links_are_generated_by_the_first_request(client: Client, world: World) -> None:
    """A clip and a reel are being generated at first, then there is a link; a video has one at once."""
    session = next(s for s in world.sessions.values() if s.served and s.clips and s.test.product_type != "SURVEY")
    video = client.get(f"{LIST}/{session.session_id}/videoDownloadUrl").json()
    assert set(video) == {"videoUrl", "sessionId", "expiresAt"}
    clip = client.get(f"{LIST}/{session.session_id}/clips").json()["clips"][0]["uuid"]
    answers = [client.get(f"{LIST}/{session.session_id}/clips/{clip}").json() for _ in range(2)]
    assert [answer["status"] for answer in answers] == ["GENERATING", "GENERATED"]
    assert answers[0]["clipUrl"] is None
    for test in world.tests.values():
        for reel in client.get(f"/api/v2/testResults/{test.test_id}/highlightreels").json().get("reels", []):
            path = f"/api/v2/testResults/{test.test_id}/highlightreels/{reel['uuid']}"
            states = [client.get(path).json()["status"] for _ in range(2)]
            assert states == ["GENERATING", "GENERATED"]


def test_scores_follow_the_sessions(client: Client, world: World) -> None:
    """Scores are computed anew; without navigational tasks or completes there are nulls."""
    test = world.add_test("NON_THINK_OUT_LOUD", qx_groups=3)
    path = f"/api/v2/testResults/{test.test_id}/qxScores"
    empty = client.get(path).json()
    assert empty["meta"] == {"totalQxTasks": 3, "completes": 0}
    assert [item["qxScore"] for item in empty["qxScores"]] == [None, None, None]
    session = world.add_session(test)
    items = client.get(path).json()["qxScores"]
    assert [item["qxScore"] is None for item in items] == [False, False, True]
    assert [item["values"]["behavioral"] is None for item in items] == [False, False, True]
    groups = {group["uuid"]: group["response"] for group in session.details_v3()["taskGroups"]}
    assert groups[items[0]["taskGroupId"]] == {"score": items[0]["qxScore"]}
    world.reject(session)
    assert client.get(path).json() == empty


def test_lost_access_is_404_everywhere(client: Client, world: World) -> None:
    """Without access a test and its sessions are not found, while feed and v1 go on."""
    test = first_test(world, "NON_THINK_OUT_LOUD")
    session = next(session for session in test.sessions.values() if session.served)
    world.lose_access(test)
    assert client.get(LIST, testId=test.test_id).status_code == 404
    assert client.get(f"/api/v3/sessionResults/{session.session_id}").status_code == 404
    assert client.get(f"/api/v2/testResults/{test.test_id}/qxScores").status_code == 404
    assert client.count(test.test_uuid)["count"] > 0
    assert test.test_id not in world.truth()["qx_scores"]
    world.grant_access(test)
    assert client.get(LIST, testId=test.test_id).status_code == 200


def test_classic_studies_are_unknown(client: Client, world: World) -> None:
    """Tests of the classic plan exist in v1 only."""
    classic = next(test for test in world.tests.values() if test.type != "STUDYV2")
    assert client.get(LIST, testId=classic.test_id).status_code == 404


def test_a_version_of_the_details_can_be_missing(client: Client, box: Sandbox, world: World) -> None:
    """A route that does not exist answers as the framework does, without the headers of the quota."""
    session = session_of(world, "SURVEY")
    world.details_versions = {"v2"}
    path = f"/api/v3/sessionResults/{session.session_id}"
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["message"] == f"Cannot GET {path}"
    assert "x-ratelimit-limit" not in answer.headers
    assert client.get(f"/api/v2/sessionResults/{session.session_id}").status_code == 200
    assert [call.kind for call in box.calls] == ["details_v3", "details_v2"]


def test_nothing_else_is_there(client: Client, box: Sandbox) -> None:
    """Other paths and other methods are 404 as well."""
    assert client.get("/api/v2/tests").json()["message"] == "Cannot GET /api/v2/tests"
    posted = client.session.post(f"{box.url}{LIST}", headers={"Authorization": f"Bearer {client.token}"}, timeout=LONG)
    assert posted.json()["message"] == f"Cannot POST {LIST}"
