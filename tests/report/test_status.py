"""How far a sync is, in words: what a line says, and that it fits."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.report.outlook import Outlook
from tap_usertesting.report.status import Status, log_line, terminal_line
from tap_usertesting.report.wording import duration, printable, width

if TYPE_CHECKING:
    from collections.abc import Iterator

TEST = "f2ee4e45-19f9-419c-895f-d7b326b94c7f"
HALF = Outlook(made=87, news=3, history=117, seconds=1_920.0)
STATUS = Status(
    streams=("session_details", "transcripts"),
    test_id=TEST,
    title="Checkout flow",
    outlook=HALF,
    fraction=HALF.fraction,
    next_window=38.0,
    limit=10,
    remaining=7,
    rows=140,
    wall=14 * 3600.0,
)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.2, "1 s"), (89, "89 s"), (600, "10 min"), (5_340, "89 min"), (12_000, "3 h 20 min")],
)
def test_a_time_is_told_as_people_do(seconds: float, text: str) -> None:
    """Seconds, then minutes, then hours and minutes."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (77, "42% news 3, history 117 left, ends 14:32 · next window 0:38 · Checkout flow"),
        (70, "42% news 3, history 117 left, ends 14:32 · next window 0:38 · Checkou…"),
        (60, "42% news 3, history 117 left, ends 14:32 · next window 0:38"),
        (50, "42% news 3, history 117 left, ends 14:32 · next w…"),
        (
            117,
            (
                "42% news 3, history 117 calls left, ends 14:32 · next window 0:38 · session_details, transcripts · "
                "Checkout flow"
            ),
        ),
        (
            160,
            (
                "42% [#####-------] news 3, history 117 calls left, ends 14:32 · next window 0:38 · session_details, "
                "transcripts · 140 rows · window 7/10 · Checkout flow"
            ),
        ),
    ],
)
def test_a_line_of_a_terminal(columns: int, line: str) -> None:
    """What matters fits 80 columns, of which three stay free; a wide terminal gets more; the title comes last."""
    assert terminal_line(STATUS, columns) == line


def test_the_page_quotes_a_line() -> None:
    """It is what a terminal of 80 columns shows."""
    page = (Path(__file__).parents[2] / "docs/quota.md").read_text(encoding="utf-8")
    assert f"\n{terminal_line(STATUS, 77)}\n" in page


def test_a_line_in_a_wait() -> None:
    """It says until when, to the second."""
    waits = replace(STATUS, waits=38.0, remaining=0)
    assert terminal_line(waits, 77) == "42% news 3, history 117 left, ends 14:32 · waits until 14:00:38 · Checkout f…"


def test_a_line_at_the_start_and_at_the_end() -> None:
    """Before the tests are known there is no number; 100 % only once nothing is left."""
    assert terminal_line(Status(), 77) == "starting"
    assert terminal_line(Status(streams=("tests",), rows=5), 77) == "tests · 5 rows"
    almost = Outlook(made=9_999, news=0, history=1, seconds=6.0, is_estimate=True)
    assert terminal_line(Status(outlook=almost, fraction=almost.fraction), 30) == "99% history ~1 left, ends 00:…"
    done = Outlook(made=10_000, news=0, history=0, seconds=0.0)
    assert terminal_line(Status(outlook=done, fraction=1.0), 30).startswith("100% history 0 calls left")


def test_without_titles_the_id_shows_which_test_it_is() -> None:
    """Configured tests have no title, as nothing is discovered."""
    assert TEST in terminal_line(replace(STATUS, title=None), 130)
    assert terminal_line(replace(STATUS, title=None), 77).endswith(" · f2ee4e45-19f9-…")


def test_a_title_is_plain_text_on_one_line() -> None:
    """What a terminal would obey is taken out; wide characters count twice."""
    assert printable("Check\x1b[2Jout\r\nflow\t 2") == "Check [2Jout flow 2"
    line = terminal_line(replace(STATUS, title="結帳流程的第二次測試", waits=5.0), 80)
    assert width(line) <= 80
    assert "結帳流" in line
    assert line.endswith("…")


@given(
    columns=st.integers(1, 250),
    title=st.none() | st.text(max_size=80).map(printable),
    made=st.integers(0, 10**6),
    news=st.integers(0, 10**6),
    history=st.integers(0, 10**6),
    seconds=st.none() | st.floats(0, 10**7),
    waits=st.floats(0, 10**5),
    remaining=st.none() | st.integers(0, 50),
)
def test_it_never_breaks_the_line(
    columns: int,
    title: str | None,
    made: int,
    news: int,
    history: int,
    seconds: float | None,
    waits: float,
    remaining: int | None,
) -> None:
    """Whatever the numbers and the title are."""
    outlook = Outlook(made, news, history, seconds, is_estimate=True, budget="max_calls")
    status = replace(STATUS, title=title, outlook=outlook, fraction=outlook.fraction, waits=waits, remaining=remaining)
    line = terminal_line(status, columns)
    assert width(line) <= columns
    assert "\n" not in line
    if columns >= 40:
        assert line.startswith(f"{status.percent}% ")


def test_a_log_line_says_all_and_no_title() -> None:
    """The log is passed on to others: it has ids, and no title, which may name people."""
    assert log_line(STATUS) == (
        "42% of this sync's calls, news 3, history 117 calls left, ends about 14:32 (32 min), 140 rows written, "
        f"7 of 10 calls left in this window, next window in 0:38, session_details and transcripts, test {TEST}"
    )
    budget = replace(HALF, budget="max_calls", is_estimate=True, seconds=60_000.0)
    waits = replace(STATUS, outlook=budget, waits=38.0, streams=(), test_id="")
    assert log_line(waits) == (
        "42% of this sync's calls, news 3, history ~117 calls left, max_calls ends it about Fri 06:40 "
        "(16 h 40 min), 140 rows written, waits until 14:00:38, starting"
    )


def test_a_quota_that_no_sync_meets_is_not_shown() -> None:
    """A server without a limit may have to name one: a million is none."""
    free = replace(STATUS, limit=1_000_000, remaining=999_000)
    for text in (log_line(free), terminal_line(free, 200)):
        assert "window" not in text
