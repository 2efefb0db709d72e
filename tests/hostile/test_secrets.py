"""No secret and no participant's word is let out at DEBUG, whatever a server repeats and wherever."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from tap_usertesting.api.clock import Clock
from tap_usertesting.api.errors import ApiError
from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.tap import TapUserTesting
from tests.hostile import good
from tests.hostile.spoil import encode
from tests.support.harness import Synced, sync, sync_here
from tests.support.servers import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_usertesting.sandbox.faults import FaultKind
    from tap_usertesting.sandbox.requests_and_replies import ServedCall
    from tests.hostile.conftest import Clients

DEBUG = {"TAP_USERTESTING_LOGLEVEL": "DEBUG"}
KEY = "key-in-the-url-77aa12"
# With what JSON, forms and URLs write differently than it is.
CLIENT_SECRET = 'hush+/="7\\q-client-secret'
MARK = "Zanzibar-Quetzal"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Two tests, two sessions each, whose participants say something that can be found again."""
    world = World(seed=3)
    for product_type in ("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD"):
        test = world.add_test(product_type)
        for _ in range(2):
            world.add_session(test, details=participant(), vtt=f"WEBVTT\n\n00:01.000 --> 00:02.000\n<v {MARK}>{MARK}\n")
    with Sandbox(world) as running:
        running.tokens.client_secret = CLIENT_SECRET
        yield running


def participant() -> dict[str, Any]:
    """Return what a participant said about himself and answered, in the v3 shape."""
    text = json.dumps(good.DETAILS_V3).replace('"34"', f'"{MARK}"').replace('"x"', f'"{MARK}"')
    assert text.count(MARK) == 2
    body = json.loads(text)
    return {"sessionParticipant": body["sessionParticipant"], "tasks": body["tasks"]}


def secrets_of(box: Sandbox, kind: str = "") -> set[str]:
    """Return every secret that the tap can know when calls of a kind are answered, in each form it may be repeated."""
    tokens = () if kind == "token" else box.tokens._alive  # noqa: SLF001 - only the sandbox knows them
    encoders: list[Callable[[str], str]] = [
        str,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: json.dumps(text)[1:-1],
        lambda text: repr(text)[1:-1],
        lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    ]
    return {encoder(secret) for secret in (CLIENT_SECRET, box.feed_token, KEY, *tokens) for encoder in encoders}


def config(box: Sandbox, **settings: object) -> dict[str, Any]:
    """Return settings with a feed of another token and a key in its URL."""
    url = f"{box.feed_url}?key={KEY}"
    return box.config(feed_url=url, feed_access_token=box.feed_token, max_retries=2, **settings)


@pytest.fixture
def run(box: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Synced]:
    """Sync in this process at DEBUG, without the pauses before a retry."""
    monkeypatch.setattr(TapUserTesting, "clock", Clock(jitter=lambda _most: 0.0))
    monkeypatch.setenv(*next(iter(DEBUG.items())))
    caplog.set_level(logging.DEBUG)

    def go(**settings: object) -> Synced:
        done = sync_here(config(box, **settings))
        assert any(record.levelno == logging.DEBUG for record in caplog.records)
        assert all(record.exc_info is None for record in caplog.records)
        done.log = caplog.text
        done.stdout = json.dumps(done.messages, ensure_ascii=False).encode(errors="surrogatepass")
        return done

    return go


def assert_silent(done: Synced, box: Sandbox, kind: str = "") -> None:
    """Assert that no secret is in the log, the METRIC lines in it, the records or the state."""
    written = done.log + done.stdout.decode(errors="surrogatepass")
    for secret in secrets_of(box, kind):
        assert secret not in written


def echo(box: Sandbox, kind: str, answer: Callable[[str], dict[str, Any]]) -> None:
    """Have calls of a kind answered by what `answer` makes of all the secrets there are at that moment, joined."""

    def happen(call: ServedCall) -> None:
        del call
        fault = {"status": 200, "body": None, **answer(" ".join(sorted(secrets_of(box, kind))))}
        box.fail(kind, times=1, **fault)

    box.before(kind, happen, times=None)


def _headers(said: str) -> dict[str, str]:
    return {"X-Echo": said, "Set-Cookie": f"a={said}", "WWW-Authenticate": f'Bearer realm="{said}"', "Location": said}


MESSAGES: list[Any] = [
    pytest.param(lambda said: {"message": said}, id="message"),
    pytest.param(lambda said: {"message": [said, said]}, id="messages"),
    pytest.param(lambda said: {"message": {"you": {said: said}}}, id="object"),
    pytest.param(lambda said: {"error": said, "error_description": said}, id="OAuth"),
    pytest.param(lambda said: {"errorCode": said, "errorMessage": said}, id="v1"),
    pytest.param(lambda said: {"data": None, "errors": [{"message": said, "path": [said]}]}, id="GraphQL"),
]


@pytest.mark.parametrize("kind", ["token", "v1", "results", "feed"])
@pytest.mark.parametrize("body", MESSAGES)
@pytest.mark.parametrize("status", [400, 503])
def test_a_secret_in_an_error_stays_there(
    box: Sandbox, run: Callable[..., Synced], kind: str, body: Callable[[str], object], status: int
) -> None:
    """Error bodies of every shape, with the secrets in headers too; 404, 401 and 403 take the same way as 400."""
    echo(box, kind, lambda said: {"status": status, "body": body(said), "headers": _headers(said)})
    done = run()
    assert done.exit == 1
    assert_silent(done, box, kind)


@pytest.mark.parametrize("kind", ["token", "v1", "list", "details_v3", "transcript", "qx_scores", "feed"])
def test_a_secret_in_odd_headers_stays_there(box: Sandbox, run: Callable[..., Synced], kind: str) -> None:
    """Header lines that no parser takes, which libraries like to complain about word for word."""
    body = b"{"
    echo(box, kind, lambda said: {"body": body, "headers": {"X-Odd": f"a\r\n{said}\r\nX: {said}\r\n {said}"}})
    done = run()
    assert_silent(done, box, kind)


@pytest.mark.parametrize("kind", ["token", "v1", "results", "feed"])
def test_a_secret_in_a_redirect_stays_there(box: Sandbox, run: Callable[..., Synced], kind: str) -> None:
    """A Location with every secret in it is not repeated."""
    echo(box, kind, lambda said: {"fault": "redirect", "headers": {"Location": f"http://localhost:1/?t={said}"}})
    done = run()
    assert done.exit == 1
    assert_silent(done, box, kind)


def _v1(said: str) -> list[dict[str, Any]]:
    return [{**good.STUDIES[0], "title": said, said: said, "cursor": said}, {**good.STUDIES[0], "uuid": said}]


def _list(said: str) -> dict[str, Any]:
    items = [{**item, "status": said, "audienceId": said, said: said} for item in good.LIST["sessions"]]
    return {**good.LIST, "sessions": [*items, {"sessionId": said, "startTime": said}]}


def _details(said: str) -> dict[str, Any]:
    task = {**good.DETAILS_V3["tasks"][0], "text": said, "response": {"answer": {said: {"value": said}}}, said: said}
    return {**good.DETAILS_V3, "tasks": [task], "testPlanId": {"a": said}, "taskGroups": said}


def _changes(said: str) -> dict[str, Any]:
    nodes = [
        {"cursor": cursor, "responseUuid": f"ut_response_{said}", "changeType": said, "changedAt": said}
        for cursor in ("c1", said)
    ]
    return {"data": {"t0": {"edges": [{"node": node} for node in nodes]}}}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("v1", _v1, id="v1"),
        pytest.param("list", _list, id="list"),
        pytest.param("details_v3", _details, id="details"),
        pytest.param("transcript", lambda said: f"WEBVTT\n\n00:01.000 --> 00:02.000\n<v {said}>{said}", id="vtt"),
        pytest.param("transcript", lambda said: f"no vtt but {said}", id="no vtt"),
        pytest.param(
            "qx_scores", lambda said: {"qxScores": [{"taskGroupId": said, "label": said, said: said}]}, id="scores"
        ),
        pytest.param("feed_count", lambda said: {"data": {"t0": {"count": 1, "latestCursor": said}}}, id="count"),
        pytest.param("feed_changes", _changes, id="changes"),
    ],
)
def test_a_secret_in_data_is_blanked_out(
    box: Sandbox, run: Callable[..., Synced], kind: str, body: Callable[[str], object]
) -> None:
    """A server that repeats a token where data belongs gets it into no record, no state and no log line."""
    echo(box, kind, lambda said: {"body": body(said), "headers": _headers(said)})
    done = run()
    assert_silent(done, box, kind)


@pytest.mark.parametrize("args", [(), ("--test",)], ids=["sync", "test"])
def test_the_command_is_silent_when_all_is_well(box: Sandbox, tmp_path: Path, args: tuple[str, ...]) -> None:
    """The real command at DEBUG, with a key in the feed's URL and one odd header line."""
    box.fail("list", times=1, status=500, headers={"X-Odd": f"a\r\n{box.feed_token}"})
    done = sync(config(box), tmp_path, args=args, env=DEBUG)
    assert " | DEBUG " in done.log
    assert "Traceback" not in done.log
    assert done.exit == 0
    assert_silent(done, box)


def test_a_longer_secret_is_blanked_out_whole(clients: Clients) -> None:
    """Of two secrets, one of which is a part of the other, no rest of the longer one is left."""
    for secret in ("abcdefgh", "abcdefgh-and-more", "xx-abcdefgh-and-more"):
        clients.transport.secrets.keep(secret)
    assert (
        clients.transport.secrets.excerpt("a xx-abcdefgh-and-more b abcdefgh-and-more c abcdefgh")
        == "a *** b *** c ***"
    )


def test_an_excerpt_never_ends_inside_a_secret(clients: Clients) -> None:
    """Secrets are blanked out before a long message is cut."""
    clients.transport.secrets.keep("s" * 50)
    for before in range(140, 210):
        clients.server.replies = [Reply(400, encode({"message": "." * before + "s" * 50}))]
        with pytest.raises(ApiError) as caught:
            clients.results.qx_scores(good.TEST)
        assert "sss" not in str(caught.value)


# What participants said

SPOILED: list[Any] = [
    pytest.param("details_v3", {"sessionParticipant": MARK, "tasks": {MARK: MARK}, "taskGroups": [MARK]}, id="types"),
    pytest.param(
        "details_v3",
        {
            "sessionParticipant": {"demographicsInfo": {MARK: MARK}, "participantId": [MARK]},
            "tasks": [{"response": {"startTimeMs": MARK, "skipped": MARK, "answer": MARK}}, MARK, {"text": {MARK: 1}}],
        },
        id="inner types",
    ),
    pytest.param("details_v3", json.dumps({"tasks": MARK})[:-3], id="cut JSON"),
    pytest.param("details_v3", [MARK], id="list"),
    pytest.param("details_v3", "[" * 200 + f'"{MARK}"' + "]" * 200, id="deep"),
    pytest.param("details_v3", {"tasks": [{"text": "\ud800" + MARK}]}, id="surrogate"),
    pytest.param("list", {"sessions": [{"sessionId": MARK + "/"}, MARK, {MARK: MARK}], "meta": MARK}, id="list of it"),
    pytest.param("transcript", f"{MARK} without a header", id="no header"),
    pytest.param("transcript", f"WEBVTT\n\n{MARK} --> 00:02.000\n{MARK}", id="no time"),
    pytest.param(
        "transcript", f"WEBVTT {MARK}\n\nNOTE {MARK}\n\n00:01.000 --> 00:02.000 {MARK}\n<{MARK}", id="odd cue"
    ),
    pytest.param("transcript", f"<!doctype html><p>{MARK}", id="HTML"),
    pytest.param(
        "qx_scores", {"qxScores": [{"label": MARK}, MARK, {"taskGroupId": MARK, "qxScore": MARK}]}, id="scores"
    ),
]


@pytest.mark.parametrize(("kind", "body"), SPOILED)
@pytest.mark.parametrize("status", [200, 404, 422, 500])
def test_what_participants_said_is_never_logged(
    box: Sandbox, run: Callable[..., Synced], kind: str, body: object, status: int
) -> None:
    """Payloads that do not fit, with any status: the log names the column or the fault, never the value."""
    sent = encode(body) if isinstance(body, (dict, list)) else body
    box.fail(kind, times=None, status=status, body=sent, headers={"X-Note": MARK})
    assert MARK not in run().log


@pytest.mark.parametrize("fault", ["cut", "malformed", "html", "reset", "redirect"])
def test_faults_log_no_participant(box: Sandbox, run: Callable[..., Synced], fault: FaultKind) -> None:
    """An answer that breaks in the middle of what a participant said is not repeated."""
    for kind in ("details_v3", "transcript"):
        box.fail(kind, times=1, fault=fault)
    assert MARK not in run().log


@pytest.mark.parametrize("args", [(), ("--test",)], ids=["sync", "test"])
def test_the_command_logs_no_participant(box: Sandbox, tmp_path: Path, args: tuple[str, ...]) -> None:
    """What is in the records is in no line of the real command's log at DEBUG."""
    done = sync(config(box), tmp_path, args=args, env=DEBUG)
    assert MARK not in done.log
    assert MARK in json.dumps(done.records("session_details"))
    assert MARK in json.dumps(done.records("transcripts"))
