"""Bad requests to the back door: one line says what is wrong, in which field, and what is allowed; nothing changes."""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_usertesting.sandbox.commands import BODIES
from tests.support.harness import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import Sandbox

NO_TEST = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
ROUTES = [
    *(("POST", name) for name in (*BODIES, "tokens/revoke", "shutdown")),
    *(("DELETE", name) for name in ("calls", "faults", "feed", "answers", "quota")),
    *(("GET", name) for name in ("", "calls", "faults", "truth", "settings")),
]
NO_OBJECTS = [
    pytest.param(b"{", "is not JSON", id="half"),
    pytest.param(b"kind=session", "is not JSON", id="form"),
    pytest.param(b"\xff\xfe\xff", "is not JSON", id="bytes"),
    pytest.param(b'{"kind": NaN}', "is not JSON", id="nan"),
    pytest.param(b'{"seconds": 1e999}', "is not JSON", id="infinite"),
    pytest.param(b'{"match": "\\ud800"}', "is not JSON", id="half a character"),
    pytest.param(b"1" * 5000, "is not JSON", id="many digits"),
    pytest.param(b"[" * 200_000, "nested too deeply", id="deep"),
    pytest.param(b"[1]", "is [1]", id="list"),
    pytest.param(b"null", "is null", id="null"),
    pytest.param(b'"session"', 'is "session"', id="string"),
    pytest.param(b"true", "is true", id="boolean"),
]
FIELDS: list[tuple[str, dict[str, Any], int, str]] = [
    (
        "events",
        {"test_id": NO_TEST},
        400,
        'field kind is missing; allowed: "session", "transcript", "update", "reject" or',
    ),
    (
        "events",
        {"kind": "miracle"},
        400,
        'field kind is "miracle"; allowed: "session", "transcript", "update", "reject" or',
    ),
    ("events", {"kind": ["session"]}, 400, 'field kind is ["session"]; allowed: "session",'),
    ("events", {"kind": "session", "when": 1}, 400, "unknown field when; allowed: kind, test_id, session_id"),
    ("events", {"kind": "session", "test_id": 7}, 400, "field test_id is 7; allowed: a string or null"),
    (
        "events",
        {"kind": "session", "test_id": NO_TEST},
        404,
        f'field test_id is "{NO_TEST}", which is not a test; allowed:',
    ),
    (
        "events",
        {"kind": "update", "session_id": "x"},
        404,
        'field session_id is "x", which is not a session; allowed: an id',
    ),
    ("events", {"kind": "session", "session_id": "x"}, 400, "field session_id is not for kind session"),
    ("faults", {"kind": "lists"}, 400, 'field kind is "lists"; allowed: "token", "list", "details_v3",'),
    ("faults", {"fault": "reset"}, 400, 'field kind is missing; allowed: "token", "list",'),
    ("faults", {"kind": "list", "fault": "Reset"}, 400, 'field fault is "Reset"; allowed: "reset", "cut",'),
    ("faults", {"kind": "list", "times": 0}, 400, "field times is 0; allowed: a whole number of at least 1 or null"),
    ("faults", {"kind": "list", "times": True}, 400, "field times is true; allowed: a whole number"),
    ("faults", {"kind": "list", "times": 1.5}, 400, "field times is 1.5; allowed: a whole number"),
    ("faults", {"kind": "list", "skip": -1}, 400, "field skip is -1; allowed: a whole number of at least 0"),
    (
        "faults",
        {"kind": "list", "status": "503"},
        400,
        'field status is "503"; allowed: a whole number from 200 to 599',
    ),
    ("faults", {"kind": "list", "status": 1000}, 400, "field status is 1000; allowed: a whole number from 200 to 599"),
    ("faults", {"kind": "list", "seconds": "1"}, 400, 'field seconds is "1"; allowed: a number from 0 to 86400'),
    ("faults", {"kind": "list", "seconds": 1e300}, 400, "field seconds is 1e+300; allowed: a number from 0 to 86400"),
    (
        "faults",
        {"kind": "list", "headers": {"Retry-After": 7}},
        400,
        'field headers is {"Retry-After": 7}; allowed: an',
    ),
    ("faults", {"kind": "list", "headers": {"A": "1\r\nB: 2"}}, 400, "field headers is"),
    ("faults", {"kind": "list", "headers": {"A": "→"}}, 400, "field headers is"),
    ("faults", {"kind": "list", "headers": {"A B": "1"}}, 400, "field headers is"),
    ("faults", {"kind": "list", "match": 5}, 400, "field match is 5; allowed: a string or null"),
    ("feed", {"colour": 1}, 400, "unknown field colour; allowed: cap, cap_keeps, cap_shared,"),
    ("feed", {"cap": "50"}, 400, 'field cap is "50"; allowed: a whole number of at least 0 or null'),
    ("feed", {"cap_keeps": "middle"}, 400, 'field cap_keeps is "middle"; allowed: "newest" or "oldest"'),
    ("feed", {"numbers": 1}, 400, "field numbers is 1; allowed: true or false"),
    ("feed", {"refusals": {}}, 400, "field refusals is {}; allowed: a list of objects with message, code,"),
    ("feed", {"refusals": ["no"]}, 400, 'field refusals is ["no"]; allowed: a list of objects with message,'),
    ("feed", {"refusals": [{}]}, 400, "field refusals[0].message is missing; allowed: a string"),
    (
        "feed",
        {"refusals": [{"message": "a"}, {"message": "b", "codes": 1}]},
        400,
        "unknown field refusals[1].codes; allowed:",
    ),
    (
        "feed",
        {"refusals": [{"message": "a", "status": 99}]},
        400,
        "field refusals[0].status is 99; allowed: a whole number",
    ),
    (
        "feed",
        {"refusals": [{"message": "a", "test_uuid": f"ut_{NO_TEST}"}]},
        404,
        f'field refusals[0].test_uuid is "ut_{NO_TEST}", which is not a test; allowed:',
    ),
    ("answers", {"lock": 1}, 400, "unknown field lock; allowed: list_key, list_page,"),
    ("answers", {"list_page": 0}, 400, "field list_page is 0; allowed: a whole number of at least 1"),
    (
        "answers",
        {"list_total": None},
        400,
        'field list_total is null; allowed: "all", "page", "text", "null" or "absent"',
    ),
    ("answers", {"details_versions": "v2"}, 400, 'field details_versions is "v2"; allowed: a list of "v2" or "v3"'),
    ("answers", {"details_versions": ["v4"]}, 400, 'field details_versions is ["v4"]; allowed: a list of "v2" or "v3"'),
    (
        "answers",
        {"transcript_charset": "rot13"},
        400,
        'field transcript_charset is "rot13"; allowed: the name of a charset',
    ),
    ("answers", {"transcript_charset": "utf-8\r\nA: 1"}, 400, "field transcript_charset is"),
    ("answers", {"transcript_charset": "nowhere"}, 400, "field transcript_charset is"),
    ("answers", {"transcript_charset": "undefined"}, 400, "field transcript_charset is"),
    ("answers", {"undocumented": [1]}, 400, "field undocumented is [1]; allowed: an object"),
    ("quota", {"calls": 3}, 400, "unknown field calls; allowed: limit, window, kind,"),
    ("quota", {"limit": "3"}, 400, 'field limit is "3"; allowed: a whole number of at least 0 or null'),
    ("quota", {"window": 0}, 400, "field window is 0; allowed: a number from 0.001 to 86400"),
    ("quota", {"retry_after": "never"}, 400, 'field retry_after is "never"; allowed: "seconds" or "date" or null'),
    ("tokens/revoke", {"token": 1}, 400, "unknown field token; allowed: no field at all"),
    ("shutdown", {"now": True}, 400, "unknown field now; allowed: no field at all"),
]


@pytest.fixture(autouse=True)
def nothing_changes(box: Sandbox, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Assert that a refused request leaves everything as it was, and nothing on the terminal."""

    def state() -> tuple[object, ...]:
        rule, options = box.quota.rule, vars(box.world.feed_options)
        return (
            box.world.truth(),
            box.orders.faults,
            {**options},
            rule,
            box.stop_requested.is_set(),
            box.tokens.valid(token),
        )

    box.fail("list", status=503)
    token = box.tokens.issue()
    before = json.dumps(state(), default=str)
    yield
    assert json.dumps(state(), default=str) == before
    assert capfd.readouterr() == ("", "")


def refusal(answer: requests.Response) -> str:
    """Return the message of a refusal, which is one line of JSON with nothing else."""
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.text.count("\n") == 1
    assert answer.text.endswith("\n")
    body = answer.json()
    assert list(body) == ["error"]
    text: str = body["error"]
    assert text.isprintable()
    assert not re.search(r"Traceback|object at 0x|argument|__\w+__|NoneType|Error", text)
    return text


@pytest.mark.parametrize(("body", "words"), NO_OBJECTS)
@pytest.mark.parametrize(("method", "name"), ROUTES)
def test_a_body_that_is_no_object(box: Sandbox, method: str, name: str, body: bytes, words: str) -> None:
    """Every request is refused with it, those that take no body too."""
    answer = requests.request(method, f"{box.url}/_sandbox/{name}", data=body, timeout=LONG)
    assert answer.status_code == 400
    assert refusal(answer).startswith("the body is ")
    assert words in refusal(answer)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_body_without_fields(box: Sandbox, name: str, body: bytes) -> None:
    """It says which fields there are, or which is missing."""
    answer = requests.post(f"{box.url}/_sandbox/{name}", data=body, timeout=LONG)
    assert answer.status_code == 400
    start = "field kind is missing; allowed: " if name in {"events", "faults"} else "the body has no field; allowed: "
    assert refusal(answer).startswith(start)


@pytest.mark.parametrize(("name", "body", "status", "words"), FIELDS)
def test_a_field_that_makes_no_sense(box: Sandbox, name: str, body: dict[str, Any], status: int, words: str) -> None:
    """The field is named, with its value and what is allowed, wherever it stands among others that are right."""
    answer = requests.post(f"{box.url}/_sandbox/{name}", json=body, timeout=LONG)
    assert answer.status_code == status
    assert refusal(answer).startswith(words)


@pytest.mark.parametrize("kind", ["transcript", "accept"])
def test_an_event_for_a_session_that_does_not_fit(box: Sandbox, kind: str) -> None:
    """A session without what the event needs is refused, and says so."""
    session = next(one for one in box.world.sessions.values() if one.served and one.has_transcript)
    body = {"kind": kind, "session_id": session.session_id}
    answer = requests.post(f"{box.url}/_sandbox/events", json=body, timeout=LONG)
    assert answer.status_code == 400
    assert refusal(answer).startswith("field session_id is not a session that ")
    assert f"kind {kind}" in refusal(answer)


@pytest.mark.parametrize("kind", ["session", "transcript", "update", "reject", "accept"])
def test_an_event_for_a_test_without_fitting_sessions(box: Sandbox, kind: str) -> None:
    """A classic test, which neither API serves, is no target, and a test without sessions has none that fits."""
    classic = next(test for test in box.world.tests.values() if not test.served_by_results)
    answer = requests.post(f"{box.url}/_sandbox/events", json={"kind": kind, "test_id": classic.test_id}, timeout=LONG)
    assert answer.status_code == 404
    assert refusal(answer).startswith(f'field test_id is "{classic.test_id}", which is not a test')
    if kind != "session":
        empty = next(test for test in box.world.tests.values() if test.in_feed and not test.sessions)
        answer = requests.post(
            f"{box.url}/_sandbox/events", json={"kind": kind, "test_id": empty.test_id}, timeout=LONG
        )
        assert answer.status_code == 400
        assert refusal(answer).startswith(f"field kind is {kind}, but there is no session that ")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "nothing", "GET /_sandbox/settings, GET /_sandbox/truth,"),
        ("GET", "event", "GET /_sandbox/settings, GET /_sandbox/truth,"),
        ("GET", "events", "POST /_sandbox/events"),
        ("PUT", "feed", "POST /_sandbox/feed, DELETE /_sandbox/feed"),
        ("POST", "", "GET /_sandbox/"),
    ],
)
def test_a_request_that_does_not_exist(box: Sandbox, method: str, path: str, allowed: str) -> None:
    """The message has those that do: of this path if there are any, else all."""
    answer = requests.request(method, f"{box.url}/_sandbox/{path}", timeout=LONG)
    assert answer.status_code == 404
    assert refusal(answer).startswith(f"nothing answers {method} /_sandbox/{path}; allowed: {allowed}")


@pytest.mark.parametrize(
    "head", ["Content-Length: many", "Content-Length: -5", "Content-Length: 1_0", "Transfer-Encoding: chunked"]
)
def test_a_body_of_unknown_length(box: Sandbox, head: str) -> None:
    """It is refused at once, and the connection ends, as no one knows where the next request begins."""
    request = f"POST /_sandbox/events HTTP/1.1\r\nHost: sandbox\r\n{head}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", box.port), timeout=LONG) as connection:
        connection.sendall(request.encode())
        answer = b""
        while received := connection.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Length" in answer.partition(b"\r\n\r\n")[2]
    assert list(json.loads(answer.partition(b"\r\n\r\n")[2])) == ["error"]
