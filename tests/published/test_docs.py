"""The pages under docs/ are all found from their index, link to what is there, and name what the code has."""

from __future__ import annotations

import json
import logging
import re
import subprocess
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

import pytest
import requests

from tap_usertesting.ledger.state_keys import KEYS
from tap_usertesting.ledger.tally import Tally
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.sandbox.admin import Admin
from tap_usertesting.sandbox.answer_options import AnswerOptions
from tap_usertesting.sandbox.change_by_kind import EventKind, EventOrder
from tap_usertesting.sandbox.faults import Fault, FaultKind
from tap_usertesting.sandbox.feed_options import FeedOptions, Refusal
from tap_usertesting.singer.status_stream import FAILED, WRITTEN
from tests.e2e.pages.blocks import page_of
from tests.published.contract import exit_codes
from tests.published.llms import sections
from tests.published.pages import DOCS, PAGES, README, anchors, links, section
from tests.sandbox.pasting import Page, paste
from tests.support.harness import COMMAND, LONG, sync_here
from tests.support.simulated_time import SimulatedTime

if TYPE_CHECKING:
    from pathlib import Path

INDEX = DOCS / "README.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file under docs/, which the site has too, and a heading of it."""
    for link in links(page):
        name, _, anchor = link.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), link
        assert there.is_relative_to(DOCS), link
        assert not anchor or anchor in anchors(there), link
    repository = re.findall(r"/tap-usertesting/(?:blob|tree)/main/([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [name for name in repository if not (DOCS.parent / name).exists()] == []


def test_every_page_is_in_the_index_and_on_the_site() -> None:
    """Nothing is written that a reader does not find."""
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links(INDEX)}
    reached = listed | {(page.parent / link.partition("#")[0]).resolve() for page in listed for link in links(page)}
    assert set(PAGES) - {INDEX} <= reached
    on_the_site = {DOCS / page for _, pages in sections() for page in pages}
    assert set(PAGES) - {INDEX} == on_the_site
    examples = {path.name for path in (DOCS / "examples").iterdir() if path.is_dir()}
    assert examples == {path.relative_to(DOCS / "examples").parts[0] for path in reached if "examples" in path.parts}


def test_every_option_of_the_command_line_is_named() -> None:
    """Each option of `--help` is explained."""
    shown = subprocess.run([*COMMAND, "--help"], check=True, capture_output=True, text=True).stdout
    options = set(re.findall(r"^\s+(--\w+)", shown, flags=re.MULTILINE))
    assert options >= {"--config", "--state", "--test"}
    table = section((DOCS / "settings.md").read_text(encoding="utf-8"), "Command-line options")
    assert {option for option in options if f"`{option}" not in table} == set()


def test_every_exit_code_is_named() -> None:
    """The table of exit codes has those of the code, and no other."""
    table = section((DOCS / "troubleshooting.md").read_text(encoding="utf-8"), "Exit codes")
    named = re.findall(r"^\| (\d+) \|", table, flags=re.MULTILINE)
    assert named == sorted(exit_codes(), key=int)


def test_examples_of_state_are_whole() -> None:
    """What is printed as an entry of the state can be parsed, and holds no key that is not explained."""
    text = (DOCS / "state.md").read_text(encoding="utf-8")
    examples = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)]
    entries = [one for example in examples for one in (example, *entries_in(example)) if "context" in one]
    assert {entry["source"] for entry in entries} == {"feed", "listing"}
    assert {key for entry in entries for key in entry if f"`{key}`" not in text} == set()


def entries_in(example: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of an example that shows a whole stream."""
    return list(example.get("partitions", ()))


def test_quoted_wait_is_the_real_one(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """One line for the first wait, however many windows a sync takes."""
    caplog.set_level(logging.INFO)
    world = World(seed=7)
    test = world.add_test(product_type="SURVEY")
    for _ in range(22):
        world.add_session(test)
    with SimulatedTime().install(monkeypatch).serve(world, QuotaRule()) as box:
        assert sync_here(box.config(test_ids=[test.test_id]), select=["session_details"]).exit == 0
    [line] = [message for message in caplog.messages if "no calls left in this window" in message]
    assert f"INFO | tap-usertesting | {line}\n" in (DOCS / "quota.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("stream", "maps"),
    [
        pytest.param("transcripts", {"text": "text[:100] if text else None"}, id="a column cut short"),
        pytest.param("sessions", {"__filter__": "deleted_at is not None or status == 'COMPLETE'"}, id="a filter"),
    ],
)
def test_recommended_stream_map_lets_a_tombstone_pass(stream: str, maps: dict[str, str]) -> None:
    """The maps that the page recommends keep rows and removals."""
    text = (DOCS / "stream-maps.md").read_text(encoding="utf-8")
    assert all(f'{key}: "{expression}"' in text for key, expression in maps.items())
    world = World(seed=7)
    test = world.add_test(product_type="THINK_OUT_LOUD")
    session = world.add_session(test)
    world.add_session(test)
    with Sandbox(world, quota=None) as box:
        config = box.config(stream_maps={stream: maps})
        first = sync_here(config, select=[stream])
        world.reject(session)
        second = sync_here(config, select=[stream], state=first.state)
    assert (first.exit, second.exit) == (0, 0)
    assert len(first.records(stream)) == 2
    assert [record["deleted_at"] is not None for record in second.records(stream)] == [True]


def test_the_state_page_names_every_field() -> None:
    """A field of a bookmark is explained, and no other is."""
    table = (
        (DOCS / "state.md").read_text(encoding="utf-8").partition("## What a bookmark means")[2].partition("\n## ")[0]
    )
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {"context", "replication_key", "rows", WRITTEN, FAILED, *KEYS}
    assert {f.name for f in fields(Tally) if f"`{f.name}`" not in table} == {"fates", "is_lost"}


def test_the_commands_of_the_sandbox_page_can_be_pasted_in_their_order() -> None:
    """Each is answered, and they do what the page says of them."""
    lines = [line for block in page_of("docs/sandbox.md").blocks for line in block.commands.splitlines()]
    commands = [line for line in lines if line.startswith("curl ")]
    with Sandbox(World.seeded()) as box:
        before = box.world.truth()
        answers = [paste(command.replace("http://127.0.0.1:8765", box.url)) for command in commands]
        assert [answer.status_code for answer in answers] == [200] * len(commands)
        index, completed, transcribed, fault, feed, pages, truth, calls, *undone = (answer.json() for answer in answers)
        assert index["url"] == box.url
        assert completed["sessionId"] in truth["sessions"].keys() - before["sessions"].keys()
        assert transcribed["sessionId"] in truth["transcripts"].keys() - before["transcripts"].keys()
        assert (feed, pages) == ({"feed": {"cap": 1}}, {"answers": {"list_page": 2}})
        assert fault == {"faults": {"kind": "details_v3", "times": 2, "fault": "other"}}
        assert (calls, len(undone)) == ({"calls": []}, 3)
        assert (box.orders.faults, box.world.feed_options.is_default, box.world.list_page) == ([], True, 500)


def test_the_sandbox_page_quotes_a_refusal() -> None:
    """The message that it shows is what the sandbox answers."""
    with Sandbox(World()) as box:
        answer = requests.post(f"{box.url}/_sandbox/feed", json={"cap": -1}, timeout=LONG)
    assert f"`{answer.text.strip()}`".replace('":"', '": "') in (DOCS / "sandbox.md").read_text(encoding="utf-8")


def test_the_sandbox_names_all_that_can_be_asked_for() -> None:
    """The index page, to which the page under docs/ leads, has all requests, faults, events and options."""
    with Sandbox(World.seeded()) as box:
        routes = {(route.method, route.path) for route in Admin(box).routes}
        page = Page.of(box)
        told = requests.get(box.url, headers={"Accept": "application/json"}, timeout=LONG).json()
    shown = " ".join(command for commands in page.commands.values() for command in commands)
    for method, path in routes:
        how = "" if method == "GET" else f"-X {method} "
        assert f"curl -sS {how}{box.url}/_sandbox/{path}" in shown
    bodies = {group["path"]: "\n".join(one["curl"] for one in group["commands"]) for group in told["commands"]}
    for path, names in {
        "faults": [*get_args(FaultKind), *(one.name for one in fields(Fault))],
        "events": [*get_args(EventKind), *(one.name for one in fields(EventOrder))],
        "feed": [one.name for one in (*fields(FeedOptions), *fields(Refusal))],
        "answers": [one.name for one in fields(AnswerOptions)],
        "quota": [one.name for one in fields(QuotaRule)],
    }.items():
        for name in names:
            assert f'"{name}"' in bodies[f"/_sandbox/{path}"]
            assert f'"{name}"' in shown
    assert "http://127.0.0.1:8765/_sandbox/" in (DOCS / "sandbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_a_table_looks_the_same_on_github_and_on_the_site(page: Path) -> None:
    """GitHub drops the backslash that escapes a bar in code in a table, and MkDocs shows it."""
    assert re.findall(r"^\|.*`[^`|]*\\\|[^`]*`.*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE) == []


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("quota.md", "each stream waits for its own window"),
        ("quota.md", "the next sync continues from the last STATE"),
        ("incremental-sync.md", "the next sync continues from the last STATE"),
        ("incremental-sync.md", "the tap reads the test from the start, once, for "),
        ("quota.md", "last 30 days"),
    ],
)
def test_a_line_that_a_page_quotes_is_one_of_the_code(page: str, words: str) -> None:
    """A reader finds the line of the log on the page, also after somebody reworded it."""
    code = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "tap_usertesting").rglob("*.py"))
    assert words in code
    assert words in (DOCS / page).read_text(encoding="utf-8")
