"""The index page: it says what is served and what is true, and each command on it can be pasted and has its effect."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.sandbox.endpoints import CALL_KINDS, ENDPOINTS
from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS
from tests.sandbox.pasting import Page, paste
from tests.support.harness import LONG, Warehouse, sync
from tests.support.tables import truth

if TYPE_CHECKING:
    from pathlib import Path

PATHS = ("/", "/_sandbox", "/_sandbox/")


def told(box: Sandbox) -> dict[str, Any]:
    """Return what the page says, as JSON."""
    answer = requests.get(box.url, headers={"Accept": "application/json"}, timeout=LONG)
    assert answer.headers["Content-Type"].startswith("application/json")
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
    ],
)
def test_it_is_where_people_look_for_it(box: Sandbox, path: str, accept: str, kind: str) -> None:
    """At the address that the command prints, and at the root; without credentials, and it is no call."""
    answer = requests.get(f"{box.url}{path}", headers={"Accept": accept}, timeout=LONG)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert box.calls == []
    assert requests.post(f"{box.url}{path}", timeout=LONG).status_code == 404


def test_it_needs_nothing_from_elsewhere(box: Sandbox) -> None:
    """No script, no style sheet, no picture: the page loads without a network, and asks for no icon."""
    page = Page.of(box)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "object", "form"})
    links = [attributes["href"] or "" for _, attributes in page.tags if "href" in attributes]
    names = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert all(link.startswith((box.url, "#", "data:,")) for link in links)
    assert {link[1:] for link in links if link.startswith("#")} == names
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_foreign_text_stays_text(box: Sandbox, world: World) -> None:
    """A title with markup in it is shown as it is."""
    title = """</code><script>alert("x")</script> & 'Söhne'"""
    world.add_test("SURVEY", title)
    page = Page.of(box)
    assert title in page.words
    assert "script" not in {tag for tag, _ in page.tags}


def test_it_has_every_test(box: Sandbox, world: World) -> None:
    """With id, title, product type and counts, which follow what happens."""
    test = next(test for test in world.tests.values() if test.is_spoken and test.in_feed)
    counts = ("sessions", "transcripts", "awaiting_transcript", "rejected", "changes")

    def row() -> tuple[int, ...]:
        [found] = [one for one in told(box)["tests"] if one["test_id"] == test.test_id]
        assert (found["title"], found["product_type"]) == (test.title, test.product_type)
        return tuple(found[name] for name in counts)

    assert {one["test_id"] for one in told(box)["tests"]} == world.tests.keys()
    first = row()
    waiting = world.add_session(test, transcript="later")
    second = row()
    world.transcribe(waiting)
    third = row()
    world.reject(waiting)
    added = [tuple(b - a for a, b in zip(one, two, strict=True)) for one, two in ((first, second), (second, third))]
    assert added == [(1, 0, 1, 0, 1), (0, 1, -1, 0, 1)]
    assert row() == (first[0], first[1], first[2], first[3] + 1, first[4] + 3)
    words = Page.of(box).words
    assert {test.title, test.test_id, test.product_type} <= set(words)


def test_the_settings_can_be_pasted(box: Sandbox, tmp_path: Path) -> None:
    """The lines set the environment in which the tap works; the config file does so as well."""
    lines = Page.of(box).commands["connect"][0].splitlines()
    settings = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    done = sync({}, tmp_path, args=["--config=ENV", "--test"], env=settings)
    assert (done.exit, done.errors) == (0, [])
    assert done.records("sessions")
    download = Page.of(box).commands["connect"][2].partition(" > ")[0]
    done = sync(paste(download).json(), tmp_path, args=["--test"])
    assert (done.exit, done.errors) == (0, [])


def test_it_counts_the_rows_that_the_tap_writes(box: Sandbox, world: World, tmp_path: Path) -> None:
    """Before and after things have happened, in every table; and the truth is of the same size."""
    names = [one["table"] for one in told(box)["tables"]]
    assert {*names} == {*truth(world), "session_videos"}
    warehouse = Warehouse()
    for kinds in ((), ("session", "transcript", "reject", "update", "accept")):
        for kind in kinds:
            assert requests.post(f"{box.url}/_sandbox/events", json={"kind": kind}, timeout=LONG).status_code == 200
        done = sync(box.config(video_links=True), tmp_path, select=names, state=warehouse.state)
        assert done.exit == 0
        warehouse.load(done.messages)
        rows = {one["table"]: one["rows"] for one in told(box)["tables"]}
        assert {name: len(warehouse.tables[name]) for name in names} == rows
    assert {name: len(table) for name, table in truth(world).items()} == {
        name: count for name, count in rows.items() if name != "session_videos"
    }
    page = Page.of(box)
    assert {f"{count}" for count in rows.values()} <= set(page.words)
    assert ("a", {"href": f"{box.url}/_sandbox/truth"}) in page.tags
    assert {one["truth"] for one in told(box)["tables"]} <= requests.get(told(box)["truth"], timeout=LONG).json().keys()


@pytest.mark.parametrize("number", range(len(ENDPOINTS)), ids=lambda number: ENDPOINTS[number].path.strip("/"))
def test_each_endpoint_has_a_call_that_works(box: Sandbox, number: int) -> None:
    """It is answered well, and logged as the kind that the page names."""
    endpoint = ENDPOINTS[number]
    command = Page.of(box).commands["serves"][number]
    answer = paste(command)
    assert answer.status_code == 200
    assert "errors" not in (answer.json() if "json" in answer.headers["Content-Type"] else {})
    [call] = box.calls
    assert endpoint.kind in call.kinds
    assert call.method == endpoint.method


def test_each_kind_of_call_can_fail(box: Sandbox) -> None:
    """A fault of each kind that the page names meets one of the calls on it."""
    assert {endpoint.kind for endpoint in ENDPOINTS if endpoint.api == "results"} == RESULTS_KINDS
    examples = {one["kind"]: one["example"] for one in told(box)["endpoints"]}
    examples |= {"feed": examples["feed_count"], "results": examples["list"], "any": examples["token"]}
    examples["unknown"] = f"curl {box.url}/elsewhere"
    assert examples.keys() == CALL_KINDS.keys()
    for kind, command in examples.items():
        answer = requests.post(f"{box.url}/_sandbox/faults", json={"kind": kind, "status": 418}, timeout=LONG)
        assert answer.status_code == 200
        assert (kind, paste(command).status_code) == (kind, 418)
        assert paste(command).status_code == (404 if kind == "unknown" else 200)


def test_a_world_with_nothing_in_it() -> None:
    """The page is there, without what needs a session; the quota is told."""
    with Sandbox(World(), quota=QuotaRule(limit=3, window=20)) as box:
        page = Page.of(box)
        assert len(page.commands["serves"]) == 1
        assert '"session_id"' not in "".join(page.commands["events"])
        assert "The quota of the Results API is 3 calls in 20 seconds." in " ".join(page.words)
        box.set_quota(None)
        assert "There is no quota." in " ".join(Page.of(box).words)
