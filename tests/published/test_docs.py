"""The pages under docs/ are all found from their index, link to what is there, and name what the code has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

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
from tests.sandbox.pasting import Page, in_markdown, paste
from tests.support.harness import LONG

DOCS = Path(__file__).parents[2] / "docs"
INDEX = DOCS / "README.md"
PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"node_modules", "target", "dbt_packages"} & set(path.parts))


def links(page: Path) -> list[str]:
    """Return the relative targets of a page's links, without their anchors."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link.partition("#")[0] for link in found if "://" not in link and not link.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file of the repository."""
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    """Nothing is written that a reader does not find."""
    listed = {(DOCS / link).resolve() for link in links(INDEX)}
    pages = {path.resolve() for path in DOCS.glob("*.md")} - {INDEX.resolve()}
    assert pages <= listed
    examples = {path.name for path in (DOCS / "examples").iterdir() if path.is_dir()}
    assert examples == {path.relative_to(DOCS / "examples").parts[0] for path in listed if "examples" in path.parts}


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
    text = (DOCS / "sandbox.md").read_text(encoding="utf-8")
    with Sandbox(World.seeded()) as box:
        before = box.world.truth()
        commands = in_markdown(text.replace("http://127.0.0.1:8765", box.url))
        answers = [paste(command) for command in commands]
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
