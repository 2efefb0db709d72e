"""What counts as an answer of the Results API: one that is complete and about what was asked for. Pure.

The tap has never met the live API, so it does not judge an answer by its outer shape alone. Each check lets pass what
the vendor documents: null ids, absent optional keys, empty lists. Whatever is refused raises MalformedError: the call
is retried, and if that does not help, what was asked for waits for a later sync.
"""

from __future__ import annotations

import re
from types import NoneType
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import MalformedError

if TYPE_CHECKING:
    from tap_usertesting.api.answer import Answer

OK, NO_CONTENT = 200, 204
SESSION_ID = "sessionId"
TEST_IDS = ("testId", "studyUuid")  # the vendor's two names for the id of a test
TEST_PREFIX = "ut_"  # that the change feed puts before it
LISTS_OF_DETAILS = ("taskGroups", "tasks", "sessionTaskResults")
DETAILS = ("testPlanId", "sessionParticipant", *LISTS_OF_DETAILS)  # of v2 and v3, and of no item of a session list

_CLIENT_ERROR_FROM = 400
_ERRORS = ("error", "errors", "errorCode", "errorMessage")
_HEADER = re.compile(r"WEBVTT(?:\s|$)", re.IGNORECASE)
_CUE_TIMES = re.compile(r"^[ \t]*-?\d[\d:.,]*[ \t]*-->[ \t]*-?\d", re.MULTILINE)
_NOT_TEXT = ("<", "{", "[{", '["', '"')  # HTML, XML or JSON, which may quote a transcript


def complete(answer: Answer) -> Answer:
    """Return an answer with status 200. Any other that is no error, such as 202, means: not yet."""
    if answer.status != OK:
        message = f"HTTP {answer.status} where {OK} was expected"
        raise MalformedError(message)
    return answer


def details(answer: Answer, session_id: str) -> dict[str, Any]:
    """Return the details of this session, in the v2 or the v3 shape.

    What only names the session may say that its details are still being made. A list that is none holds no tasks: it
    would take the rows of those that were loaded.
    """
    body = _json_object(answer, DETAILS)
    if not any(key in body for key in DETAILS):
        message = "the body has none of the keys of session details"
        raise MalformedError(message)
    odd = next((key for key in LISTS_OF_DETAILS if not isinstance(body.get(key), (list, NoneType))), None)
    if odd is not None or not isinstance(body.get("sessionParticipant"), (dict, NoneType)):
        message = f"the body has {odd or 'sessionParticipant'} of another type than documented"
        raise MalformedError(message)
    _of(body, session_id, SESSION_ID)
    return body


def video_link(answer: Answer, session_id: str) -> dict[str, Any]:
    """Return the link to the video of this session."""
    body = _json_object(answer, ("videoUrl",))
    if not isinstance(body.get("videoUrl"), str) or not body["videoUrl"]:
        message = "the body has no videoUrl"
        raise MalformedError(message)
    _of(body, session_id, SESSION_ID)
    return body


def with_list(answer: Answer, name: str, test_id: str) -> dict[str, Any]:
    """Return an object about this test that holds a list under `name`."""
    body = _json_object(answer, (name,))
    if not isinstance(body.get(name), list):
        message = f"the body has no list of {name}"
        raise MalformedError(message)
    _of(body, test_id, *TEST_IDS)
    return body


def transcript(text: str) -> str:
    """Return a text that is WebVTT, by its header or a line with the times of a cue; also one without any content."""
    start = text.lstrip("\ufeff \t\r\n")
    if start and not _HEADER.match(start) and (start.startswith(_NOT_TEXT) or not _CUE_TIMES.search(start)):
        message = "the body is not WebVTT"
        raise MalformedError(message)
    return text


def _json_object(answer: Answer, content: tuple[str, ...]) -> dict[str, Any]:
    """Return a JSON object that is no report of an error; one that has some `content` beside an error passes."""
    body = complete(answer).json()
    if not isinstance(body, dict):
        message = "the body is not a JSON object"
        raise MalformedError(message)
    status = body.get("statusCode")
    is_error = any(body.get(key) for key in _ERRORS) or (isinstance(status, int) and status >= _CLIENT_ERROR_FROM)
    if is_error and not any(body.get(key) for key in content):
        said = next((body[key] for key in ("message", *_ERRORS) if isinstance(body.get(key), str)), None)
        message = "the body is an error, with status 200" + (f": {said}" if said else "")
        raise MalformedError(message)
    return body


def _of(body: dict[str, Any], wanted: str, *keys: str) -> None:
    """Refuse a body that names another session or test than the one asked for; one that names none passes."""
    for key in keys:
        value = body.get(key)
        if value is not None and str(value).lower().removeprefix(TEST_PREFIX) != wanted.lower():
            message = f"the body is about another {key} than the one asked for"
            raise MalformedError(message)
