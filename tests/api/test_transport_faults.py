"""Everything that goes wrong on the way: what is tried again, what is not, and what the line says."""

from __future__ import annotations

import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.api.answer import Answer
from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.clock import Clock
from tap_usertesting.api.errors import (
    BadRequestError,
    MalformedError,
    NotFoundError,
    ServerFaultError,
)
from tap_usertesting.api.redaction import EXCERPT
from tap_usertesting.api.transport import Transport
from tap_usertesting.sandbox import Sandbox, World
from tests.api.conftest import TRIES, MakeCall
from tests.support.harness import LONG
from tests.support.servers import Reply, Scripted, as_json, nest

if TYPE_CHECKING:
    from tap_usertesting.api.http_session import ApiSession
    from tap_usertesting.sandbox.faults import FaultKind
    from tests.support.fakes import FakeClock


FAULTS: list[Any] = [
    pytest.param({"status": status}, id=str(status)) for status in (408, 421, 425, 500, 502, 503, 504, 520, 599)
]
FAULTS += [pytest.param({"fault": kind}, id=kind) for kind in ("reset", "cut", "malformed", "html")]


@pytest.mark.parametrize("order", FAULTS)
def test_a_fault_is_retried_with_growing_pauses(
    transport: Transport, make_call: MakeCall, fake_clock: FakeClock, order: dict[str, Any]
) -> None:
    """Two faults, then the answer: the caller sees only the answer."""
    with Sandbox(World(seed=1)) as box:
        box.fail("feed", times=2, **order)
        call = make_call(box.feed_url, auth=StaticToken(box.feed_token), method="POST")
        call.payload = {"query": "{ __typename }"}
        assert transport.send(call, as_json)["data"] == {"__typename": "Query"}
        assert len(box.calls) == 3
    assert fake_clock.slept == [0.5, 1.0]


@pytest.mark.parametrize("order", FAULTS)
def test_the_tries_of_one_call_are_bounded(
    transport: Transport, make_call: MakeCall, order: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A fault that stays ends the call after `max_retries` tries, with one line without address or token."""
    caplog.set_level(logging.DEBUG, "tap-usertesting")
    with Sandbox(World(seed=1)) as box:
        box.fail("feed", times=None, **order)
        call = make_call(f"{box.feed_url}?key=hush", auth=StaticToken(box.feed_token), method="POST")
        call.payload = {"query": "{ __typename }"}
        with pytest.raises(ServerFaultError) as caught:
            transport.send(call, as_json)
        assert len(box.calls) == TRIES
        assert str(caught.value).startswith("Results API, list: ")
        assert "(3 tries)" in str(caught.value)
        for secret in (box.feed_token, "hush", box.url):
            assert secret not in str(caught.value) + caplog.text


def test_pauses_grow_to_a_bound(make_call: MakeCall, fake_clock: FakeClock, session: ApiSession) -> None:
    """The pause doubles up to half a minute and not beyond."""
    transport = Transport(user_agent="unit", timeout=LONG, max_retries=9, clock=fake_clock.clock(), session=session)
    with Scripted(nest(500)) as server, pytest.raises(ServerFaultError):
        transport.send(make_call(server.url), as_json)
    assert fake_clock.slept == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_jitter_shortens_the_pauses(make_call: MakeCall, fake_clock: FakeClock, session: ApiSession) -> None:
    """The pause is drawn from nothing to the bound, so that many taps do not come back together."""
    clock = fake_clock.clock(jitter=lambda most: most / 4)
    transport = Transport(user_agent="unit", timeout=LONG, max_retries=3, clock=clock, session=session)
    with Scripted(nest(500)) as server, pytest.raises(ServerFaultError):
        transport.send(make_call(server.url), as_json)
    assert fake_clock.slept == [0.125, 0.25]
    assert all(0 <= Clock().jitter(2.0) <= 2.0 for _ in range(100))


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_body_that_does_not_come_in_time_is_a_fault(
    make_call: MakeCall, session: ApiSession, fault: FaultKind
) -> None:
    """No answer within the timeout, and a body that drips for longer than five timeouts, are both given up."""
    transport = Transport(user_agent="unit", timeout=0.1, max_retries=1, session=session)
    with Sandbox(World(seed=1)) as box:
        box.fail("feed", fault=fault, seconds=1.6)
        call = make_call(box.feed_url, auth=StaticToken(box.feed_token), method="POST")
        call.payload = {"query": "{ __schema { types { name description } } }"}
        with pytest.raises(ServerFaultError, match="the response timed out"):
            transport.send(call, as_json)


@pytest.mark.parametrize("chunks", [pytest.param(True, id="in chunks"), pytest.param(False, id="in one piece")])
@pytest.mark.parametrize("packed", [pytest.param(True, id="compressed"), pytest.param(False, id="plain")])
def test_a_large_body_comes_whole_however_it_is_sent(
    transport: Transport, make_call: MakeCall, *, chunks: bool, packed: bool
) -> None:
    """Compression and chunks are undone; nothing is missing at the seams of what is read at a time."""
    whole = json.dumps(list(range(100_000))).encode()
    sent = gzip.compress(whole) if packed else whole
    headers = {"Content-Encoding": "gzip"} if packed else {}
    if chunks:
        pieces = [sent[start : start + 50_000] for start in range(0, len(sent), 50_000)]
        sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
        headers["Transfer-Encoding"] = "chunked"
    with Scripted(Reply(body=sent, headers=headers)) as server:
        assert transport.send(make_call(server.url), lambda answer: bytes(answer.body)) == whole


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({"Content-Length": "1000", "Connection": "close"}, b"half", id="shorter than announced"),
        pytest.param({"Transfer-Encoding": "chunked", "Connection": "close"}, b"ff\r\nhalf", id="in mid-chunk"),
        pytest.param({"Content-Encoding": "gzip"}, b"no gzip at all", id="not compressed as announced"),
    ],
)
def test_a_body_that_is_not_what_its_headers_say_is_a_fault(
    transport: Transport, make_call: MakeCall, headers: dict[str, str], body: bytes
) -> None:
    """Half a body is never taken for a whole one."""
    with Scripted(Reply(body=body, headers=headers), Reply(body=b'"whole"')) as server:
        server.replies.insert(0, server.replies[0])
        assert transport.send(make_call(server.url), as_json) == "whole"
        assert len(server.seen) == 3


def test_a_body_that_stops_in_the_middle_is_not_waited_for(
    make_call: MakeCall, session: ApiSession, fake_clock: FakeClock
) -> None:
    """Headers and half a body, then silence: the timeout holds for the body too, and the line says so."""
    transport = Transport(user_agent="unit", timeout=0.1, max_retries=1, clock=fake_clock.clock(), session=session)
    stops = Reply(body=b"half", headers={"Content-Length": "1000"})
    with Scripted(stops) as server, pytest.raises(ServerFaultError, match="the response timed out"):
        transport.send(make_call(server.url), as_json)


def test_a_reader_that_finds_the_body_malformed_causes_another_try(transport: Transport, make_call: MakeCall) -> None:
    """What a client can not read counts as a fault, whatever the status says."""
    with Scripted(Reply(body=b'{"page": 1}'), Reply(body=b'{"page": 2}')) as server:

        def read(answer: Answer) -> int:
            page = int(answer.json()["page"])
            if page == 1:
                message = "the wrong page"
                raise MalformedError(message)
            return page

        assert transport.send(make_call(server.url), read) == 2


@pytest.mark.parametrize("body", [b"", b"nothing", b'{"a": ', b"[" * 100_000, b"\xff\xfe\xfa", b"{} {}"])
def test_a_body_that_is_no_json_is_malformed(body: bytes) -> None:
    """Whatever is wrong with it, reading raises one kind of error."""
    with pytest.raises(MalformedError):
        Answer(200, {}, body).json()


def test_json_constants_that_json_does_not_know_are_null() -> None:
    """NaN and Infinity, which some servers write, cannot be loaded by any target."""
    assert Answer(200, {}, b'{"a": NaN, "b": [Infinity, -Infinity]}').json() == {"a": None, "b": [None, None]}


@pytest.mark.parametrize(
    ("reply", "kind", "line"),
    [
        pytest.param(nest(404, "Session not found"), NotFoundError, "HTTP 404: Session not found", id="404"),
        pytest.param(nest(400, ["a is bad", "b is bad"]), BadRequestError, "HTTP 400: a is bad; b is bad", id="400"),
        pytest.param(nest(403, "no"), BadRequestError, "HTTP 403: no", id="403"),
        pytest.param(
            Reply(400, b'{"errorCode": "X1", "errorMessage": "bad after"}'),
            BadRequestError,
            "HTTP 400: X1: bad after",
            id="legacy form",
        ),
        pytest.param(
            Reply(400, b'{"error": "invalid_scope", "error_description": "One scope is wrong"}'),
            BadRequestError,
            "HTTP 400: invalid_scope: One scope is wrong",
            id="OAuth form",
        ),
        pytest.param(
            Reply(400, b'{"errors": [{"message": "Syntax Error"}]}'),
            BadRequestError,
            "HTTP 400: Syntax Error",
            id="GraphQL form",
        ),
        pytest.param(
            Reply(400, b'{"errors": ["no", {"message": "way"}]}'), BadRequestError, "HTTP 400: no; way", id="texts"
        ),
        pytest.param(
            Reply(403, b'{"errorCode": "E0000006", "errorSummary": "You may not", "errorCauses": []}'),
            BadRequestError,
            "HTTP 403: E0000006: You may not",
            id="Okta's form",
        ),
        pytest.param(
            Reply(400, b'{"type": "about:blank", "title": "Bad client", "detail": "It is off", "status": 400}'),
            BadRequestError,
            "HTTP 400: Bad client: It is off",
            id="RFC 9457",
        ),
        pytest.param(Reply(400, b'{"title": "Bad client"}'), BadRequestError, "HTTP 400: Bad client", id="title alone"),
        pytest.param(
            Reply(400, b'{"error": {"code": 7, "message": "inside"}}'), BadRequestError, "HTTP 400: inside", id="nested"
        ),
        pytest.param(Reply(400, b'{"message": null, "error": 5}'), BadRequestError, "HTTP 400", id="no words"),
        pytest.param(Reply(418, b'"teapot"'), BadRequestError, "HTTP 418", id="bare text"),
        pytest.param(Reply(410, b"<html>gone</html>"), BadRequestError, "HTTP 410", id="HTML"),
        pytest.param(Reply(418, b'["teapot"]'), BadRequestError, "HTTP 418", id="list"),
        pytest.param(nest(400, "x" * 5000), BadRequestError, "xxx…", id="endless text"),
        pytest.param(nest(400, "a\nb\r\n\tc"), BadRequestError, "HTTP 400: a b c", id="many lines"),
    ],
)
def test_a_refusal_is_not_retried_and_says_what_the_server_says(
    transport: Transport, make_call: MakeCall, reply: Reply, kind: type[Exception], line: str
) -> None:
    """An answer that another try would not change is raised at once, in one short line."""
    with Scripted(reply) as server, pytest.raises(kind) as caught:
        transport.send(make_call(server.url), as_json)
    assert len(server.seen) == 1
    assert str(caught.value).startswith("Results API, list: ")
    assert str(caught.value).endswith(line)
    assert len(str(caught.value)) < EXCERPT + 60


def test_a_readable_status_goes_to_the_reader(transport: Transport, make_call: MakeCall) -> None:
    """GraphQL errors come with 400: the reader of such a call gets the body."""
    with Scripted(Reply(400, b'{"errors": []}')) as server:
        assert transport.send(make_call(server.url, readable=frozenset({400})), as_json) == {"errors": []}


def test_a_server_that_repeats_a_secret_does_not_get_it_into_an_error(
    transport: Transport, make_call: MakeCall
) -> None:
    """Tokens and kept secrets are blanked out of what an error line repeats."""
    transport.secrets.keep("client secret 42")
    transport.secrets.keep(None)
    transport.secrets.keep("")
    said = nest(400, "Bearer tok-123 of client secret 42 is not allowed")
    with Scripted(said) as server, pytest.raises(BadRequestError) as caught:
        transport.send(make_call(server.url, auth=StaticToken("tok-123")), as_json)
    assert str(caught.value).endswith("HTTP 400: Bearer *** of *** is not allowed")
