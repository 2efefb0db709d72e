"""Every reader of a body, through the real client: it returns data, or raises one of the tap's own errors in a line."""

from __future__ import annotations

import gc
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_usertesting.api.auth import read_token
from tap_usertesting.api.call import Call
from tap_usertesting.api.errors import ApiError, MalformedError
from tap_usertesting.api.feed import Ask, Count, FeedEvent
from tap_usertesting.api.rate_headers import MOST_NAMED, RateHeaders
from tap_usertesting.values import vtt
from tests.hostile import good
from tests.hostile.conftest import TRIES, Clients, connect, service
from tests.hostile.spoil import FUZZ, JSON, NASTY_IDS, bodies, encode
from tests.support.servers import Reply, Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASK = Ask("ut_1", None)
READERS: dict[str, tuple[Any, Callable[[Clients], Any]]] = {
    "list": (good.LIST, lambda c: c.results.session_page(good.TEST, offset=0)),
    "details v2": (good.DETAILS_V2, lambda c: c.results.details(good.SESSION, version="v2")),
    "details v3": (good.DETAILS_V3, lambda c: c.results.details(good.SESSION, version="v3")),
    "transcript": (good.VTT, lambda c: c.results.transcript(good.SESSION)),
    "scores": (good.QX_SCORES, lambda c: c.results.qx_scores(good.TEST)),
    "workspaces": (good.WORKSPACES, lambda c: c.results.workspaces(after=None)),
    "studies": (good.STUDIES, lambda c: c.results.studies("w", after="MQ")),
    "counts": (good.COUNTS, lambda c: c.feed.counts([ASK])[ASK]),
    "changes": (good.CHANGES, lambda c: c.feed.changes([ASK])[ASK]),
    "refused changes": (good.REFUSED, lambda c: c.feed.changes([ASK])[ASK]),
    "token": (good.TOKEN, lambda c: c.transport.send(_token_call(c), lambda answer: read_token(answer.json()))),
}
STATUSES = [200, 200, 200, 200, 200, 202, 204, 301, 400, 401, 403, 404, 410, 418, 500, 503, 599, 999]


def _token_call(clients: Clients) -> Call:
    made = service(clients.server.url, clients.clock)
    made.auth = None
    return Call(made, "POST", f"{clients.server.url}/token", "token", form={"grant_type": "client_credentials"})


@pytest.fixture(scope="module")
def shared() -> Iterator[Clients]:
    """Clients of one server for all examples."""
    with Scripted() as server:
        made = connect(server)
        yield made
        made.transport.exchange.session.close()  # as in the fixture of one test


def outcome(clients: Clients, reply: Reply, ask: Callable[[Clients], Any]) -> Any:  # noqa: ANN401
    """Return what a client makes of a reply: data or the tap's own error; anything else that is raised is a bug."""
    clients.server.replies = [reply]
    clients.server.seen.clear()
    try:
        got = ask(clients)
    except ApiError as error:
        got = error
    assert len(clients.server.seen) <= 2 * TRIES
    if isinstance(got, ApiError):
        assert len(str(got)) < 500
        assert str(got).isprintable(), "an error line with control characters"
    return got


@pytest.mark.parametrize("name", READERS)
def test_a_good_body_is_read(shared: Clients, name: str) -> None:
    """What is spoiled below is fine before, so the tests below test something."""
    body, ask = READERS[name]
    got = outcome(shared, Reply(body=body.encode() if isinstance(body, str) else encode(body)), ask)
    assert isinstance(got, ApiError) == (name == "refused changes")


@pytest.mark.parametrize("name", READERS)
@FUZZ
@given(data=st.data())
def test_any_body_is_data_or_one_clear_error(shared: Clients, name: str, data: st.DataObject) -> None:
    """A malformed, mistyped, nested or foreign body, with any status, is never a traceback."""
    body, ask = READERS[name]
    reply = Reply(data.draw(st.sampled_from(STATUSES)), data.draw(bodies(body)))
    _assert_typed(outcome(shared, reply, ask))


def _assert_typed(got: Any) -> None:  # noqa: ANN401 - what the readers return
    """Assert what the rooms above rely on, whatever came."""
    if isinstance(got, Count):
        assert type(got.count) is int
        assert isinstance(got.latest_cursor, (str, type(None)))
    elif isinstance(got, list):
        for item in got:
            assert isinstance(item, (dict, FeedEvent))
            if isinstance(item, FeedEvent):
                assert item.cursor
                assert isinstance(item.response_uuid, (str, type(None)))


@FUZZ
@given(message=JSON, status=st.sampled_from([400, 403, 404, 422, 500]))
@example(message=[[[["deep"]]]], status=400)
@example(message="a\x1b[2J\x07\x9b\u202eb\nERROR forged", status=400)
def test_any_error_message_is_one_printable_line(shared: Clients, message: object, status: int) -> None:
    """A server's message can not forge log lines nor steer the terminal that shows them."""
    for key in ("message", "error", "error_description", "errorMessage"):
        outcome(shared, Reply(status, encode({key: message})), READERS["list"][1])
    outcome(shared, Reply(status, encode({"errors": [{"message": message, "path": ["t0"]}]})), READERS["counts"][1])


@pytest.mark.parametrize("depth", [101, 450, 900, 5_000, 1_000_000])
@pytest.mark.parametrize("name", [name for name in READERS if name != "transcript"])
def test_a_deep_body_is_a_fault(shared: Clients, name: str, depth: int) -> None:
    """A body nested beyond what any of these APIs sends is refused before anything walks through it."""
    body, ask = READERS[name]
    nested = b"[" * depth + b"]" * depth
    first = body[0] if isinstance(body, list) else body
    spoilt = encode({"zzz": None, **first}).replace(b"null", nested, 1)
    got = outcome(shared, Reply(body=b"[" + spoilt + b"]" if isinstance(body, list) else spoilt), ask)
    if name in {"counts", "changes"}:
        _assert_typed(got)  # here an unknown field is passed over unread, as deep as the Python's stack allows
    else:
        assert isinstance(got, ApiError)


@pytest.mark.parametrize("name", ["list", "counts"])
def test_nothing_is_collected_in_the_depth_of_a_body(shared: Clients, name: str) -> None:
    """Garbage is not collected while a body is decoded: in its deepest call no finalizer has stack left to run on.

    Seen in life: the finalizer of a connection pool, a RecursionError, and a traceback that Python itself prints.
    """
    body, ask = READERS[name]
    spoilt = encode({"zzz": None, **body}).replace(b"null", b"[" * 5_000 + b"]" * 5_000, 1)

    def collected(_: str, __: object) -> None:
        """Stand for any finalizer: during each collection a few calls, one inside the other."""
        logging.getLogger("finalizer").debug("closed")

    unraisable: list[object] = []
    before, hook = gc.get_threshold(), sys.unraisablehook
    gc.callbacks.append(collected)
    sys.unraisablehook = unraisable.append
    gc.set_threshold(1)
    try:
        outcome(shared, Reply(body=spoilt), ask)
    finally:
        gc.set_threshold(*before)
        sys.unraisablehook = hook
        gc.callbacks.remove(collected)
    assert not unraisable


@pytest.mark.parametrize("field", ["message", "path", "extensions"])
@pytest.mark.parametrize("depth", [90, 450, 900])
def test_a_deep_part_of_a_graphql_error_is_no_traceback(shared: Clients, field: str, depth: int) -> None:
    """Message, path and extensions of a GraphQL error may hold anything."""
    nested: Any = "x"
    for _ in range(depth):
        nested = [nested]
    error = {"message": "m", "path": ["t0"], field: nested}
    limits = {"ratelimit": {"window_reset": nested, "remaining": nested, "cost": nested}}
    body = encode({"data": {"t0": None}, "errors": [error], "extensions": limits})
    assert isinstance(outcome(shared, Reply(body=body), READERS["counts"][1]), ApiError)


@pytest.mark.parametrize("lifetime", [10**400, -(10**400), 1e308, -5, 0, "nan", "inf", "9" * 5000, [], {}, True, None])
def test_any_lifetime_of_a_token_is_taken_or_ignored(lifetime: object) -> None:
    """`expires_in` may be anything; a token that can be used is used."""
    token, seconds = read_token(json.loads(encode({"access_token": "t", "expires_in": lifetime})))
    assert token == "t"
    assert seconds is None or seconds > 0


@pytest.mark.parametrize(
    "token", ["", None, 5, [], {"a": 1}, "a\r\nX-Evil: 1", "a\nb", "t\x00", "\ud800", "\xe9", "a\x7f"]
)
def test_a_token_that_can_not_stand_in_a_header_is_a_fault(token: object) -> None:
    """A token endpoint can not write headers of ours."""
    with pytest.raises(MalformedError):
        read_token(json.loads(encode({"access_token": token})))


@FUZZ
@given(text=st.one_of(st.text(), st.sampled_from([*NASTY_IDS, "1e308", "-1", "0x10", "1e-300", "Fri, 99 Zzz 0000"])))
@example(text="Mon, 01 Jan 0001 00:00:00 GMT")
@example(text="Fri, 31 Dec 9999 23:59:59 -2359")
def test_any_quota_header_is_believed_or_ignored(text: str) -> None:
    """No header is read as a wait of more than a year or a negative one."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
    said = RateHeaders.parse(dict.fromkeys(names, text), wall=1.77e9)
    for seconds in (said.reset, said.retry_after):
        assert seconds is None or 0 < seconds <= MOST_NAMED


# Transcripts

_LINES = st.sampled_from(
    [
        "WEBVTT",
        "",
        "NOTE x",
        "STYLE",
        "REGION",
        "-->",
        "00:00:01.000 --> 00:00:02.000",
        "00:00:02.000 --> 00:00:01.000 align:start position:10%,line-left",
        "99:99.999-->1:1.1",
        f"{'9' * 30}:00:00.000 --> 00:00:02.000",
        "<v Ann>Hi</v>",
        "<v.loud.x  Ann & Bob>a<b>c</i",
        "&#x110000; &#0; &amp;lt; &" + "#" * 9,
        f"&#{'9' * 5000};",
        "\x00\u2028\x0b\x1c",
        "id",
    ]
)


@FUZZ
@given(
    lines=st.lists(st.one_of(_LINES, _LINES, st.text(max_size=20)), max_size=25),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
)
def test_any_transcript_is_cues_or_none(lines: list[str], end: str) -> None:
    """Whatever follows the header, the parser returns cues with whole numbers and one line of text, or None."""
    text = end.join(["WEBVTT", *lines])
    cues = vtt.parse(text)
    for cue in cues or ():
        assert min(cue.start_ms, cue.end_ms) >= 0
        assert max(cue.start_ms, cue.end_ms) < 2**63, "a time that no target takes"
        assert "\n" not in cue.text
        assert not re.search(r"<v[. ]", cue.text) or "<" in text


LONG = 200_000
TIMES = "00:00:01.000 --> 00:00:02.000"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("-->\n" * LONG, id="arrow lines"),
        pytest.param("-->" * LONG, id="arrows"),
        pytest.param("1:" * LONG + TIMES, id="digits"),
        pytest.param(TIMES + " " + "a:b " * LONG + "\nq", id="settings"),
        pytest.param(TIMES[:12] + " " * LONG + "-\nq", id="spaces"),
        pytest.param((TIMES + "\nq\n\n") * 20_000, id="cues"),
        pytest.param(TIMES + "\n" + "<" * LONG, id="open tags"),
        pytest.param(TIMES + "\n" + "<v " * LONG, id="open voices"),
        pytest.param(TIMES + "\n<v" + " " * LONG, id="voice of spaces"),
        pytest.param(TIMES + "\n<v" + "." * LONG, id="voice of classes"),
        pytest.param(TIMES + "\n<b" + " " * LONG, id="tag of spaces"),
        pytest.param(TIMES + "\n<b" + " a=b" * LONG, id="attributes"),
        pytest.param(TIMES + "\n<b " + "a" * LONG, id="attribute without a value"),
        pytest.param(TIMES + "\n<" + "1:" * LONG, id="time in a cue"),
        pytest.param(TIMES + "\n" + "1:1:" * LONG, id="times of another kind"),
        pytest.param(TIMES + "\n1:1:1" + "." * LONG + " " * LONG, id="times without an end"),
        pytest.param((TIMES + " " + "line:" * LONG), id="a setting"),
        pytest.param(TIMES + "\n" + "<v A>a</v>" * LONG, id="voices"),
        pytest.param(TIMES + "\n" + "&#x" * LONG, id="entities"),
        pytest.param(TIMES + "\n&" + "a" * LONG, id="an entity"),
        pytest.param("NOTE a\n\n" * LONG + TIMES + "\nq", id="comments"),
        pytest.param("REGION\n" + "a:b " * LONG, id="region"),
        pytest.param("STYLE\n" + "a\n" * LONG, id="style"),
        pytest.param("a\n" * LONG + TIMES + "\nq", id="identifiers"),
    ],
)
def test_no_transcript_takes_minutes(body: str) -> None:
    """A long odd transcript takes time in proportion to its length."""
    cues = vtt.parse("WEBVTT\n\n" + body)
    assert cues is None or vtt.spoken(cues) is not None
