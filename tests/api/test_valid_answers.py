"""What counts as an answer: one table of what is refused, and one of everything that the vendor documents."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.api import valid_answers
from tap_usertesting.api.answer import Answer
from tap_usertesting.api.errors import MalformedError
from tap_usertesting.api.results import _session_page, _webvtt

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION = "41f72104-5f84-44fa-a16a-03f5751596ec"
TEST = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
OTHER = "00000000-0000-4000-8000-000000000001"

READERS: dict[str, Callable[[Answer], Any]] = {
    "details": lambda answer: valid_answers.details(answer, SESSION),
    "video": lambda answer: valid_answers.video_link(answer, SESSION),
    "clips": lambda answer: valid_answers.with_list(answer, "clips", TEST),
    "reels": lambda answer: valid_answers.with_list(answer, "reels", TEST),
    "scores": lambda answer: valid_answers.with_list(answer, "qxScores", TEST),
    "list": lambda answer: _session_page(answer, TEST, 500),
}
EVERY = ("details", "video", "clips", "reels", "scores", "list")
V3: dict[str, Any] = {
    "sessionId": None,
    "audienceId": None,
    "testPlanId": None,
    "sessionParticipant": None,
    "taskGroups": [],
    "tasks": [],
}


def answer(body: object, status: int = 200) -> Answer:
    """Return an answer with this JSON."""
    return Answer(status, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="empty object"),
        pytest.param([], id="list"),
        pytest.param(None, id="null"),
        pytest.param({"error": "Internal error"}, id="error"),
        pytest.param({"statusCode": 500, "message": "Internal server error"}, id="as NestJS words it"),
        pytest.param({"errorCode": "BAD_REQUEST", "errorMessage": "Not a valid UUID"}, id="as v1 words it"),
        pytest.param({"errors": [{"message": "Not authorized"}], "data": None}, id="as GraphQL words it"),
        pytest.param({"type": "about:blank", "title": "Busy", "status": 503}, id="problem+json"),
        pytest.param({"status": "PROCESSING"}, id="still being made"),
    ],
)
@pytest.mark.parametrize("name", EVERY)
def test_what_has_nothing_of_what_was_asked_is_refused(name: str, body: object) -> None:
    """A status of 200 alone makes no answer."""
    with pytest.raises(MalformedError):
        READERS[name](answer(body))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("details", {**V3, "sessionId": SESSION, "error": "upstream timeout"}, id="details"),
        pytest.param("details", {"sessionId": SESSION, "statusCode": 502, "message": "Bad Gateway"}, id="only the id"),
        pytest.param("list", {"testId": TEST, "sessions": [], "error": "timeout"}, id="list"),
        pytest.param("clips", {"studyUuid": TEST, "clips": [], "statusCode": 503}, id="clips"),
        pytest.param("scores", {"testId": TEST, "qxScores": [], "errors": ["not computed"]}, id="scores"),
    ],
)
def test_an_error_with_the_outer_shape_of_an_answer_is_refused(name: str, body: object) -> None:
    """An error beside nulls and empty lists is an error."""
    with pytest.raises(MalformedError, match="an error despite status 200"):
        READERS[name](answer(body))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("details", {**V3, "sessionId": OTHER}, id="details"),
        pytest.param("details", {**V3, "sessionId": 7}, id="details, a number"),
        pytest.param("video", {"videoUrl": "https://x", "sessionId": OTHER, "expiresAt": None}, id="video"),
        pytest.param("video", {"videoUrl": None, "sessionId": SESSION}, id="video without a link"),
        pytest.param("clips", {"studyUuid": OTHER, "clips": []}, id="clips"),
        pytest.param("reels", {"testId": OTHER, "reels": []}, id="reels"),
        pytest.param("scores", {"testId": OTHER, "qxScores": [{}]}, id="scores"),
        pytest.param("list", {"testId": OTHER, "sessions": []}, id="list"),
    ],
)
def test_the_answer_of_another_session_or_test_is_refused(name: str, body: object) -> None:
    """A body that names whom it is about must name the one asked for."""
    with pytest.raises(MalformedError):
        READERS[name](answer(body))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"sessionId": SESSION}, id="its id alone"),
        pytest.param({"sessionId": SESSION, "status": "PROCESSING"}, id="still being made"),
        pytest.param({"sessionId": SESSION, "message": "Try again later"}, id="a message"),
        pytest.param({"sessionId": SESSION, "success": False, "data": None}, id="no success"),
        pytest.param({"sessionId": SESSION, "statusCode": "500"}, id="a status as text"),
        pytest.param({"sessionId": SESSION, "audienceId": None, "status": "COMPLETE"}, id="an item of a list"),
        pytest.param({**V3, "tasks": "not available"}, id="tasks that are a text"),
        pytest.param({**V3, "tasks": {"error": "timeout"}}, id="tasks that are an object"),
        pytest.param({**V3, "taskGroups": "none"}, id="groups that are a text"),
        pytest.param({"sessionId": SESSION, "sessionTaskResults": {}}, id="v2 results that are an object"),
        pytest.param({**V3, "sessionParticipant": "gone"}, id="a participant who is a text"),
    ],
)
def test_details_without_details_are_refused(body: dict[str, Any]) -> None:
    """A row of nulls would take the place of a good one, and tombstones that of its tasks."""
    with pytest.raises(MalformedError, match="the body has"):
        valid_answers.details(answer(body), SESSION)


@pytest.mark.parametrize("status", [201, 202, 203, 205, 206, 226])
@pytest.mark.parametrize("name", EVERY)
def test_only_200_is_an_answer(name: str, status: int) -> None:
    """202 and its like say that there is none yet, whatever body they have."""
    body = {**V3, "videoUrl": "https://x", "clips": [], "reels": [], "qxScores": [], "sessions": []}
    READERS[name](answer(body))
    with pytest.raises(MalformedError, match=f"HTTP {status}"):
        READERS[name](answer(body, status))


@pytest.mark.parametrize("name", [name for name in EVERY if name != "list"])
def test_no_content_is_an_empty_list_of_sessions_and_no_answer_else(name: str) -> None:
    """204 says that the list is empty; details cannot be."""
    assert READERS["list"](Answer(204, {}, b"")).sessions == []
    with pytest.raises(MalformedError):
        READERS[name](Answer(204, {}, b""))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("details", V3, id="v3 with nothing but nulls"),
        pytest.param("details", {"tasks": []}, id="one key"),
        pytest.param("details", {**V3, "sessionId": SESSION.upper()}, id="id in upper case"),
        pytest.param("details", {"sessionTaskResults": [], "sessionId": SESSION}, id="v2"),
        pytest.param("details", {**V3, "error": None, "message": "ok"}, id="error null"),
        pytest.param("details", {**V3, "testPlanId": "p", "error": "no demographics"}, id="data beside an error"),
        pytest.param("video", {"videoUrl": "https://x"}, id="video without its session"),
        pytest.param("clips", {"clips": []}, id="clips without their test"),
        pytest.param("clips", {"studyUuid": TEST, "clips": [], "videoRegions": {}}, id="no clips"),
        pytest.param("reels", {"reels": [], "studyWithClips": False}, id="no reels"),
        pytest.param("scores", {"testId": TEST.upper(), "qxScores": [], "meta": None}, id="no scores"),
        pytest.param("scores", {"testId": f"ut_{TEST}", "qxScores": []}, id="the id as the feed writes it"),
        pytest.param("list", {"testId": None, "sessions": []}, id="list of a nameless test"),
        pytest.param("list", {"sessions": [], "meta": {"pagination": {"totalCount": 0}}}, id="empty list"),
        pytest.param("list", {"sessions": []}, id="list without a count"),
    ],
)
def test_everything_that_may_be_is_let_pass(name: str, body: object) -> None:
    """Null ids, absent keys and empty lists are no fault: a false alarm costs more than it finds."""
    READERS[name](answer(body))


# The vendor's schemas of the answers: keys, and which of them may be null.

DOCUMENTED: dict[str, dict[str, tuple[object, ...]]] = {
    "details": {
        "sessionId": (SESSION, None),
        "audienceId": ("a", None),
        "testPlanId": ("p", None),
        "sessionParticipant": ({"participantId": None, "demographicsInfo": []}, None),
        "taskGroups": ([], [{"uuid": "g", "type": "UNRECOGNIZED", "response": None}]),
        "tasks": ([], [{"uuid": "t", "text": "x", "type": "UNRECOGNIZED", "response": None}]),
    },
    "video": {"videoUrl": ("https://x",), "sessionId": (SESSION,), "expiresAt": ("2026-01-01T00:00:00Z",)},
    "clips": {"studyUuid": (TEST,), "clips": ([], [{"uuid": "c"}]), "videoRegions": ({},)},
    "reels": {"reels": ([], [{"uuid": "r"}]), "studyWithClips": (True, False)},
    "scores": {
        "testId": (TEST,),
        "qxScores": ([], [{"taskGroupId": "g", "qxScore": None}]),
        "meta": ({"totalQxTasks": 0, "completes": 0},),
    },
    "list": {
        "testId": (TEST,),
        "sessions": ([], [{"sessionId": SESSION, "status": "COMPLETE", "startTime": "2026-01-01T00:00:00Z"}]),
        "meta": ({"pagination": {"limit": 500, "offset": 0, "totalCount": 0}},),
    },
}
OPTIONAL = {"videoRegions"}  # not required by the vendor


@pytest.mark.parametrize("name", EVERY)
def test_whatever_the_vendor_documents_is_an_answer(name: str) -> None:
    """Each key with each kind of value that its schema allows, optional ones also absent."""
    keys = DOCUMENTED[name]
    first = {key: values[0] for key, values in keys.items()}
    bodies = [{**first, key: value} for key, values in keys.items() for value in values]
    bodies += [{key: value for key, value in first.items() if key != absent} for absent in OPTIONAL & keys.keys()]
    bodies.append({key: values[-1] for key, values in keys.items()})
    for body in bodies:
        READERS[name](answer(body))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"message": "being made"}', id="JSON"),
        pytest.param('["00:00:01.000 --> 00:00:02.000"]', id="JSON that quotes a cue"),
        pytest.param('"WEBVTT\\n\\n00:00:01.000 --> 00:00:02.000\\nHi"', id="JSON text"),
        pytest.param("<?xml version='1.0'?><tt><p begin='1s'>Hi</p></tt>", id="XML"),
        pytest.param("<html><pre>\n00:00:01.000 --> 00:00:02.000\nHi\n</pre></html>", id="HTML with a cue"),
        pytest.param("The transcript is being made.", id="a sentence"),
        pytest.param("WEBVTTX\n\nwords", id="another header"),
        pytest.param("a --> b", id="an arrow without times"),
        pytest.param("null", id="null"),
        pytest.param("\x00\x01\x02\x03", id="binary"),
    ],
)
def test_what_is_no_transcript_is_refused(text: str) -> None:
    """It would be stored as the words of a participant and never be asked for again."""
    with pytest.raises(MalformedError):
        _webvtt(Answer(200, {}, text.encode()))


def test_compressed_bytes_that_no_header_announces_are_no_transcript() -> None:
    """Gzip without Content-Encoding, as a misconfigured cache sends it."""
    with pytest.raises(MalformedError):
        _webvtt(Answer(200, {}, gzip.compress(b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHi\n")))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing yet"),
        pytest.param("\ufeff\r\n", id="a byte order mark alone"),
        pytest.param("WEBVTT", id="a header alone"),
        pytest.param("WEBVTT\n\n", id="a header and nothing yet"),
        pytest.param("\ufeffWEBVTT - made by a machine\n\n00:01.000 --> 00:02.000\nHi", id="after a byte order mark"),
        pytest.param("\n\nWEBVTT\n\n00:01.000 --> 00:02.000\nHi", id="after empty lines"),
        pytest.param("webvtt\n\n00:01.000 --> 00:02.000\nHi", id="header in lower case"),
        pytest.param("1\r\n00:00:01,000 --> 00:00:02,000\r\nHi", id="no header, commas"),
        pytest.param("00:00:01:000 --> 00:00:02:000\nHi", id="no header, odd times"),
        pytest.param("[Music]\n\n00:01.000 --> 00:02.000\nHi", id="begins with a bracket"),
        pytest.param('WEBVTT\n\nNOTE {}\n\n00:01.000 --> 00:02.000\n{"a": 1} <html>', id="odd words"),
    ],
)
def test_whatever_may_be_a_transcript_is_let_pass(text: str) -> None:
    """By its header or by one line of cue times; what is still empty is for the stream to wait for."""
    assert _webvtt(Answer(200, {}, text.encode())).text == text.lstrip("\ufeff")


@pytest.mark.parametrize(
    ("named", "received", "limit", "counted"),
    [
        pytest.param(3, 3, 500, 3, id="a whole list"),
        pytest.param(24, 24, 500, 24, id="a whole list, and another length"),
        pytest.param(500, 500, 500, None, id="a full page, and perhaps a count of it"),
        pytest.param(100, 100, 500, None, id="the page that the vendor's help names, whatever the limit says"),
        pytest.param(250, 100, 500, 250, id="such a page, and a count of more"),
        pytest.param(250, 100, 100, 250, id="fewer than asked for"),
        pytest.param(100, 100, 100, None, id="fewer than asked for, and a count of the page"),
        pytest.param(3, 3, None, None, id="no limit named, and perhaps a count of the page"),
        pytest.param("3", 3, 500, None, id="text"),
        pytest.param(None, 3, 500, None, id="null"),
        pytest.param(True, 3, 500, None, id="a truth"),
        pytest.param(-1, 3, 500, None, id="negative"),
        pytest.param(3.0, 3, 500, 3, id="a float"),
        pytest.param(0, 0, 500, 0, id="empty"),
    ],
)
def test_a_count_that_may_be_of_the_page_alone_is_no_count(
    named: object, received: int, limit: int | None, counted: int | None
) -> None:
    """Where a server gives fewer than were asked for, a count that equals the page says nothing of the list."""
    pagination = {"totalCount": named, "limit": limit, "offset": 0}
    items = [{"sessionId": f"s{n}"} for n in range(received)]
    page = _session_page(answer({"sessions": items, "meta": {"pagination": pagination}}), TEST, 500)
    assert (page.total_count, page.received) == (counted, received)
