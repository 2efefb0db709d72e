"""Which answers of the Results API are valid: those that are complete and about what was asked for. Pure.

The tap has never met the live API, so a status of 200 and a JSON object are not enough. Each check accepts what the
vendor documents: null ids, absent optional keys, empty lists. For anything else it raises MalformedError. Then the call
is retried, and if that does not help, what was asked for waits for a later sync.
"""

from __future__ import annotations

import re
from types import NoneType
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import MalformedError
from tap_usertesting.api.feed_ids import test_of

if TYPE_CHECKING:
    from tap_usertesting.api.answer import Answer

OK, NO_CONTENT = 200, 204
SESSION_ID = "sessionId"
TEST_IDS = ("testId", "studyUuid")  # the vendor's two names for the id of a test
LISTS_OF_DETAILS = ("taskGroups", "tasks", "sessionTaskResults")
DETAILS = ("testPlanId", "sessionParticipant", *LISTS_OF_DETAILS)  # in v2 or v3, and in no item of a session list

_CLIENT_ERROR_FROM = 400
_ERRORS = ("error", "errors", "errorCode", "errorMessage")
_HEADER = re.compile(r"WEBVTT(?:\s|$)", re.IGNORECASE)
_CUE_TIMES = re.compile(r"^[ \t]*-?\d[\d:.,]*[ \t]*-->[ \t]*-?\d", re.MULTILINE)
_NOT_TEXT = ("<", "{", "[{", '["', '"')  # HTML, XML or JSON, which may quote a transcript


def complete(answer: Answer) -> Answer:
    """Return the answer if its status is 200. Another status without an error, such as 202, means: not yet."""
    if answer.status != OK:
        message = f"HTTP {answer.status} instead of {OK}"
        raise MalformedError(message)
    return answer


def details(answer: Answer, session_id: str) -> dict[str, Any]:
    """Return the details of this session, in the v2 or the v3 shape.

    A body that only names the session is refused: its details may still be in the making. So is one with another type
    where a list of tasks belongs: without tasks the rows that were loaded would be removed.
    """
    body = _json_object(answer, DETAILS)
    if not any(key in body for key in DETAILS):
        message = "the body has no session details"
        raise MalformedError(message)
    odd = next((key for key in LISTS_OF_DETAILS if not isinstance(body.get(key), (list, NoneType))), None)
    if odd is not None or not isinstance(body.get("sessionParticipant"), (dict, NoneType)):
        message = f"the body has {odd or 'sessionParticipant'} of an undocumented type"
        raise MalformedError(message)
    _check_id(body, session_id, SESSION_ID)
    return body


def video_link(answer: Answer, session_id: str) -> dict[str, Any]:
    """Return the link to the video of this session: `videoUrl` is a text that is not empty."""
    body = _json_object(answer, ("videoUrl",))
    if not isinstance(body.get("videoUrl"), str) or not body["videoUrl"]:
        message = "the body has no videoUrl"
        raise MalformedError(message)
    _check_id(body, session_id, SESSION_ID)
    return body


def with_list(answer: Answer, name: str, test_id: str) -> dict[str, Any]:
    """Return an object about this test that has a list under `name`."""
    body = _json_object(answer, (name,))
    if not isinstance(body.get(name), list):
        message = f"the body has no list of {name}"
        raise MalformedError(message)
    _check_id(body, test_id, *TEST_IDS)
    return body


def transcript(text: str) -> str:
    """Return the text if it is empty or WebVTT: it has the header, or a line with the times of a cue."""
    start = text.lstrip("\ufeff \t\r\n")
    if start and not _HEADER.match(start) and (start.startswith(_NOT_TEXT) or not _CUE_TIMES.search(start)):
        message = "the body is not WebVTT"
        raise MalformedError(message)
    return text


def _json_object(answer: Answer, content: tuple[str, ...]) -> dict[str, Any]:
    """Return the body if it is a JSON object and reports no error. Beside an error it must have some of `content`."""
    body = complete(answer).json()
    if not isinstance(body, dict):
        message = "the body is not a JSON object"
        raise MalformedError(message)
    status = body.get("statusCode")
    is_error = any(body.get(key) for key in _ERRORS) or (isinstance(status, int) and status >= _CLIENT_ERROR_FROM)
    if is_error and not any(body.get(key) for key in content):
        text = next((body[key] for key in ("message", *_ERRORS) if isinstance(body.get(key), str)), None)
        message = "the body is an error despite status 200" + (f": {text}" if text else "")
        raise MalformedError(message)
    return body


def _check_id(body: dict[str, Any], wanted: str, *keys: str) -> None:
    """Refuse a body that is about another session or test than `wanted`. `keys`: where it names its own, if at all."""
    for key in keys:
        value = body.get(key)
        if value is not None and test_of(str(value)) != wanted.lower():
            message = f"the body has a different {key} from the one requested"
            raise MalformedError(message)
