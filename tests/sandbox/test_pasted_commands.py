"""Each command of the index page, pasted into a running sandbox, is answered and has its effect.

A command is compared with the same sandbox without it, and with the command without the field that it shows: every
field on the page changes what the APIs answer.
"""

from __future__ import annotations

import json
import shlex
import time
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.sandbox.commands import BODIES, commands
from tap_usertesting.sandbox.example_calls import samples
from tests.sandbox.client import Client
from tests.sandbox.pasting import Page, paste
from tests.support.harness import LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_usertesting.sandbox.model import Test

Seen = list[object]

NEXT_WINDOW = 1000.0
MADE = {path: commands(path, samples(World.seeded())) for path in BODIES}


def numbered(path: str) -> pytest.MarkDecorator:
    """Run a test for each command of a path."""
    names = [f"{one.field}={json.dumps(one.body[one.field.partition(':')[0]])[:40]}" for one in MADE[path]]
    return pytest.mark.parametrize("number", range(len(names)), ids=names)


class Scene:
    """Sandboxes of the same seed, whose clock stands still until it is moved."""

    def __init__(self, running: ExitStack) -> None:
        self.now = 0.0
        self._running = running

    def serve(self, quota: QuotaRule | None = None) -> Client:
        """Serve one more, and return a client of it."""
        box = self._running.enter_context(Sandbox(World.seeded(), quota=quota, clock=lambda: self.now))
        client = Client(box)
        self._running.enter_context(client.session)
        return client


@pytest.fixture
def scene() -> Iterator[Scene]:
    """No sandbox yet."""
    with ExitStack() as running:
        yield Scene(running)


def ordered(client: Client, path: str, number: int) -> dict[str, Any]:
    """Paste a command from the page of a sandbox, and return its body."""
    group = Page.of(client.box).commands[path]
    assert len(group) == len(MADE[path])
    # On the page commands stand under their fields, in the order in which they were made.
    command = group[number]
    answer = paste(command)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = json.loads(shlex.split(command)[-1])
    assert body == MADE[path][number].body
    return body


def without(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without the field that it shows, which is its last, or the last one of its only refusal."""
    if list(body) == ["refusals"] and len(body["refusals"][0]) > 1:
        [refusal] = body["refusals"]
        return {"refusals": [without(refusal)]}
    return dict(list(body.items())[:-1])


def order(client: Client, path: str, body: dict[str, Any]) -> Client:
    """Order something without the page, unless there is nothing to order."""
    if body:
        answer = requests.post(f"{client.box.url}/_sandbox/{path}", json=body, timeout=LONG)
        assert answer.status_code == 200, answer.text
    return client


def seen(call: Callable[[], requests.Response], *headers: str) -> object:
    """Return what a caller sees of an answer, or which error the connection has."""
    try:
        answer = call()
    except requests.RequestException as error:
        return type(error).__name__
    location = answer.headers.get("Location", "").partition("/_")[0].rpartition(":")[0]
    named = [answer.headers.get(name) for name in ("Content-Type", *headers)]
    return answer.status_code, answer.text, location, named


@numbered("events")
def test_events(scene: Scene, number: int) -> None:
    """The change is told, stands at the end of the test's log, and changes the truth of its session."""
    client = scene.serve()
    before = client.box.world.truth()
    body = ordered(client, "events", number)
    after = requests.get(f"{client.box.url}/_sandbox/truth", timeout=LONG).json()
    grown = {key: log for key, log in after["events"].items() if log != before["events"][key]}
    [(test_id, log)] = grown.items()
    session_id = log[-1]["responseUuid"].removeprefix("ut_response_")
    assert log[: len(before["events"][test_id])] == before["events"][test_id]
    assert test_id == body.get("test_id", test_id)
    assert session_id == body.get("session_id", session_id)
    parts = {
        "session": "sessions",
        "transcript": "transcripts",
        "update": "details",
        "reject": "sessions",
        "accept": "sessions",
    }
    part = parts[body["kind"]]
    assert before[part].get(session_id) != after[part].get(session_id)
    assert (session_id in after["rejected"]) == (body["kind"] == "reject")


@numbered("faults")
def test_faults(scene: Scene, number: int) -> None:
    """The next call of the kind shows it, and a call after those that were ordered is well again."""
    client = scene.serve()
    body = ordered(client, "faults", number)
    started = time.monotonic()
    found = calls_for_faults(client)
    took = time.monotonic() - started
    healthy = calls_for_faults(scene.serve())
    if body.get("fault") == "drip":
        # The true answer, slowly. How long it takes at least is no matter of the machine.
        assert (found, took > body["seconds"] * 0.9) == (healthy, True)
        return
    assert found != healthy
    assert (found[-1] == healthy[-1]) == ("times" not in body or body["times"] is not None)
    less = without(body)
    if "kind" in less and "seconds" not in list(body)[-1:]:
        assert found != calls_for_faults(order(scene.serve(), "faults", less))


def calls_for_faults(client: Client) -> Seen:
    """Call for details and lists, the last time more often than any command orders a fault for."""
    world = client.box.world
    sessions = [session for session in world.sessions.values() if session.served][:2]
    sample = next(iter(samples(world).values()))
    details = [f"/api/v3/sessionResults/{one}" for one in (*(session.session_id for session in sessions), sample)]
    lists = [f"/api/v2/sessionResults?testId={test.test_id}&limit=3" for test in some_tests(world) * 2]
    return [seen(partial(client.get, path), "Retry-After") for path in (*details, *lists)]


def some_tests(world: World) -> list[Test]:
    """Return two tests with logs; the second is the sample of the page."""
    known = [test for test in world.tests.values() if len(test.completed()) > 3 and test.in_feed]
    sample = world.sessions[next(iter(samples(world).values()))].test
    return [next(test for test in known if test is not sample), sample]


@numbered("feed")
def test_feed_options(scene: Scene, number: int) -> None:
    """Requests for changes and counts, with cursors and without, are answered otherwise."""
    client = scene.serve()
    body = ordered(client, "feed", number)
    found = calls_to_feed(client)
    assert found != calls_to_feed(scene.serve())
    assert found != calls_to_feed(order(scene.serve(), "feed", without(body)))


def calls_to_feed(client: Client) -> Seen:
    """Complete a session, as new cursors are for new events; then ask for two tests, in one request and alone."""
    world = client.box.world
    one, two = some_tests(world)
    order(client, "events", {"kind": "session", "test_id": two.test_id})
    node = "edges { node { cursor responseUuid changeType changedAt } }"
    asked = [
        " ".join(f'{name}: testResultChanges(testUUID: "{test.test_uuid}") {{ {node} }}' for name, test in pair)
        for pair in ([("a", one), ("b", two)], [("a", two)])
    ]
    for test in (one, two):
        since = f', sinceCursor: "{test.events[1].cursor}"'
        asked += [f'testResultChanges(testUUID: "{test.test_uuid}"{since}) {{ {node} }}']
        asked += [
            f'testResultChangesCount(testUUID: "{test.test_uuid}"{given}) {{ count latestCursor }}'
            for given in ("", since)
        ]
    answers = [client.feed(f"{{ {text} }}") for text in asked * 2]
    return [
        (one.status_code, {key: part for key, part in one.json().items() if key != "extensions"}) for one in answers
    ]


@numbered("answers")
def test_answer_options(scene: Scene, number: int) -> None:
    """Lists, details, transcripts and the legacy API are answered otherwise."""
    rule = QuotaRule(limit=1000)
    client = scene.serve(rule)
    body = ordered(client, "answers", number)
    found = calls_to_both_apis(client)
    assert found != calls_to_both_apis(scene.serve(rule))
    assert found != calls_to_both_apis(order(scene.serve(rule), "answers", without(body)))


def calls_to_both_apis(client: Client) -> Seen:
    """Call each endpoint that an option is for, in a world where the order of a list depends on what it is by."""
    world = client.box.world
    for started, finished in ((100, 1), (50, 10)):
        ago = [timedelta(minutes=minutes) for minutes in (started, finished)]
        world.add_session(some_tests(world)[1], started_at=world.now - ago[0], finished_at=world.now - ago[1])
    session = next(one for one in world.sessions.values() if one.served and one.has_transcript)
    v1 = "/usertesting/api/v1/workspaces"
    paths = [
        *(f"/api/v2/sessionResults?testId={test.test_id}&limit=5" for test in world.tests.values()),
        *(f"/api/{version}/sessionResults/{session.session_id}" for version in ("v2", "v3")),
        f"/api/v2/sessionResults/{session.session_id}/transcript",
        v1,
        f"{v1}/{next(iter(world.workspaces))}",
    ]
    by_header = {"token": client.token}
    return [
        *(seen(partial(client.get, path), "x-ratelimit-limit") for path in paths),
        seen(lambda: client.session.get(client.box.url + v1, headers=by_header, timeout=LONG)),
    ]


@numbered("quota")
def test_quota_fields(scene: Scene, number: int) -> None:
    """Calls within the window and beyond it, of one endpoint and of others, show the field."""
    rule = QuotaRule(limit=5)
    client = scene.serve(rule)
    ordered(client, "quota", number)
    found = calls_within_quota(scene, client)
    assert found != calls_within_quota(scene, scene.serve(rule))
    assert found != calls_within_quota(scene, order(scene.serve(rule), "quota", {"limit": 10}))


def calls_within_quota(scene: Scene, client: Client) -> Seen:
    """Use up a window, call in the middle of it and after it; then use up another one with two endpoints."""
    test = some_tests(client.box.world)[0]
    session_id = next(session.session_id for session in test.completed())
    scene.now += NEXT_WINDOW
    found: Seen = []
    moves = [(0.0, "list")] * 10 + [(30.0, "list"), (31.0, "list"), (NEXT_WINDOW, "list")]
    moves += [(0.0, "list")] * 9 + [(0.0, "details"), (0.0, "list")]
    for seconds, kind in moves:
        scene.now += seconds
        list_or_details = (
            f"v2/sessionResults?testId={test.test_id}" if kind == "list" else f"v3/sessionResults/{session_id}"
        )
        answer = client.get(f"/api/{list_or_details}")
        told = {name: answer.headers.get(name) for name in ("x-ratelimit-limit", "x-ratelimit-remaining")}
        reset, wait = (answer.headers.get(name) for name in ("x-ratelimit-reset", "Retry-After"))
        date = time.mktime(time.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT"))
        skew = round((date - time.mktime(time.gmtime())) / 600)
        # Times of day differ between two runs, so only their order of magnitude is compared.
        form = wait if wait is None or wait.isdecimal() else "date"
        found.append((answer.status_code, told, reset if reset is None or len(reset) < 9 else len(reset), form, skew))
    return found


def test_the_commands_that_look_and_undo(scene: Scene) -> None:
    """Each shows what it says, or puts back what was ordered, and the last one stops the sandbox."""
    client = scene.serve(QuotaRule(limit=3))
    box = client.box
    order(client, "faults", {"kind": "v1", "times": None})
    order(client, "feed", {"cap": 1, "refusals": [{"message": "no"}]})
    order(client, "answers", {"list_page": 1, "v1_auth": ["token"]})
    order(client, "quota", {"limit": None})
    answers = {}
    for command in Page.of(box).commands["requests"]:
        name = command.replace(box.url, "").removeprefix("curl -sS ")
        if name == "/_sandbox/calls":
            assert client.get("/usertesting/api/v1/workspaces").status_code == 500
        answers[name] = paste(command)
        assert answers[name].status_code == 200
    assert answers["/_sandbox/settings"].json() == {**box.config(), "feed_access_token": box.feed_token}
    assert answers["/_sandbox/truth"].json() == box.world.truth()
    assert [call["path"] for call in answers["/_sandbox/calls"].json()["calls"]][-1] == "/usertesting/api/v1/workspaces"
    [fault] = answers["/_sandbox/faults"].json()["faults"]
    assert (fault["kind"], fault["times"]) == ("v1", None)
    assert (box.calls, box.orders.faults, box.quota.rule) == ([], [], QuotaRule(limit=3))
    assert (box.world.feed_options.cap, box.world.feed_options.refusals) == (None, [])
    assert (box.world.list_page, box.world.v1_auth) == (500, {"bearer"})
    assert not box.tokens.valid(client.token)
    assert box.stop_requested.is_set()
    assert list(answers)[-1] == "-X POST /_sandbox/shutdown"


def test_the_page_has_no_other_commands(scene: Scene) -> None:
    """So that each is tried by a test: these groups are, and the settings and endpoints in ``test_index_page.py``."""
    page = Page.of(scene.serve().box)
    assert page.commands.keys() == {"connect", "serves", "requests", *BODIES}
