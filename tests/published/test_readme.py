"""The README is short, and what a newcomer looks for is found from it."""

from __future__ import annotations

import re

import pytest

from tap_usertesting.config.settings import Settings
from tests.published.pages import README, anchor_of, anchors, section

LINES, BYTES = 150, 9_000
HEADINGS = [
    "Try it",
    "Connect your account",
    "First sync into a database, with Meltano",
    "Streams",
    "Settings that matter",
    "Limits",
    "More",
]
BASE = "https://github.com/tap-usertesting/tap-usertesting/blob/main/"
TEXT = README.read_text(encoding="utf-8")


def test_it_is_short() -> None:
    """A page that one reads."""
    assert len(TEXT.splitlines()) <= LINES
    assert len(TEXT.encode()) <= BYTES


def test_headings_stand_in_their_order() -> None:
    """What a newcomer needs comes first; nothing is between the headings that nobody decided."""
    assert TEXT.startswith("# tap-usertesting\n")
    assert re.findall(r"^## (.*)$", TEXT, flags=re.MULTILINE) == HEADINGS


def test_it_is_honest_at_once() -> None:
    """That the tap has never met the live services stands before the first heading."""
    assert "Never run against the live services" in TEXT.partition("\n## ")[0]


def test_links_work_on_every_site_that_shows_it() -> None:
    """PyPI knows no other file: each link is absolute and, within the repository, leads to a file and a heading."""
    links = re.findall(r"\]\(([^)\s]+)\)", TEXT)
    assert [link for link in links if not link.startswith("https://")] == []
    for link in links:
        if link.startswith(BASE):
            name, _, anchor = link.removeprefix(BASE).partition("#")
            path = README.parent / name
            assert path.is_file(), link
            assert not anchor or anchor in anchors(path), link


def test_six_settings_matter() -> None:
    """Six rows, each with settings that there are."""
    rows = re.findall(r"^\| (`.*?`) \|", section(TEXT, "Settings that matter"), flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(rows) == 6
    assert named <= Settings.__dataclass_fields__.keys()


def test_limits_are_five() -> None:
    """Five bullets."""
    assert len(re.findall(r"^- ", section(TEXT, "Limits"), flags=re.MULTILINE)) == 5


# What a reader who has only the README looks for, and a sentence that answers it on the page where a link leads.
QUESTIONS = {
    "where the state is kept": ("docs/state.md", "Meltano keeps its state"),
    "what a rejected session does": ("docs/streams.md#rejected-and-deleted-sessions", "writes a **tombstone**"),
    "how long a first sync takes": ("docs/quota.md#how-long-a-sync-takes", "first sync of 1,000 sessions"),
    "how to leave names out": ("docs/personal-data.md#leave-personal-data-out", "`exclude_personal_data`"),
    "what happens on Ctrl-C": ("docs/incremental-sync.md#after-an-interruption", "After Ctrl-C"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_one_click_away(question: str) -> None:
    """A link of the README leads to the section that answers it."""
    link, answer = QUESTIONS[question]
    assert f"]({BASE}{link})" in TEXT
    name, _, anchor = link.partition("#")
    page = (README.parent / name).read_text(encoding="utf-8")
    if anchor:
        [heading] = [title for title in re.findall(r"^## (.*)$", page, re.MULTILINE) if anchor_of(title) == anchor]
        page = section(page, heading)
    assert answer in page
