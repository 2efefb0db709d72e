"""How far a sync is: one line on a terminal, log lines elsewhere, never anything on standard output."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.clock import Clock
from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.report.progress import Progress, View
from tap_usertesting.report.wording import width
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import Warehouse, command_after, sync, sync_here
from tests.support.tables import assert_true
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_usertesting.report.status import Status
    from tap_usertesting.report.summary import Summary
    from tests.support.simulated_time import SimulatedTime

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| (DEBUG|INFO|WARNING|ERROR|CRITICAL) +\| .+")


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.now = 0.0

    def clock(self) -> Clock:
        """Return it as the tap wants it."""
        return Clock(monotonic=lambda: self.now, wall=lambda: 1e9 + self.now)

    def progress(self, view: View) -> Progress:
        """Return a progress by this clock, of a sync of which nothing is known."""
        return Progress(
            windows=Windows(clock=lambda: self.now),
            clock=self.clock(),
            view=view,
            outlook=lambda: None,
            title=lambda _: None,
            rows=lambda: 0,
        )


class Seen:
    """A view that notes when it is asked to show something, and what the seconds left of a wait then are."""

    def __init__(self, *, every: float, delay: float = 0.0) -> None:
        """Show every so many seconds."""
        self.every, self.delay = every, delay
        self.shown: list[tuple[float, float]] = []

    def show(self, status: Status) -> None:
        """Note it."""
        self.shown.append((status.wall - 1e9, status.waits))

    def close(self) -> None:
        """Do nothing."""

    def sum_up(self, summary: Summary) -> None:
        """Do nothing."""


# When it is shown


def test_thousands_of_rows_show_no_more_than_their_time_allows() -> None:
    """It is asked after every row and shows itself by time: 5,000 rows in 5 seconds are 11 shows and not 5,000."""
    time, view = Time(), Seen(every=0.5)
    progress = time.progress(view)
    for row in range(5_001):
        time.now = row / 1_000
        progress.tick()
    assert [moment for moment, _ in view.shown] == [half / 2 for half in range(11)]


def test_a_real_sync_of_thousands_of_rows_hardly_shows_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same through the whole tap: the clock is looked at for each of 3,000 rows, the view shown once."""
    view = Seen(every=1e9)
    monkeypatch.setattr(TapUserTesting, "make_view", lambda: view)
    with Sandbox(World.bulk(tests=3, sessions=1_000), quota=None) as box:
        done = sync_here(box.config(), select=["sessions"], state_every=1.0)
    assert len(done.records()) == 3_000
    assert len(view.shown) == 1


def test_a_long_wait_is_slept_in_pieces() -> None:
    """A line falls due every 30 seconds, in the midst of a wait too, and says what is left of it."""
    time, view = Time(), Seen(every=30, delay=30)
    progress = time.progress(view)
    time.now, left = 10.0, 100.0
    while left > 0:
        nap = progress.nap(left)
        assert 0 < nap <= min(left, 1)
        time.now += nap
        left -= nap
    progress.tick()
    assert view.shown == [(30, 80), (60, 50), (90, 20)]
    assert progress.status().waits == 0


def test_without_a_terminal_lines_come_during_waits(
    simulated_time: SimulatedTime, caplog: pytest.LogCaptureFixture
) -> None:
    """The real tap: nine calls in windows of four a minute, so two minutes of waits, and a line every 30 seconds."""
    caplog.set_level(logging.INFO)
    world = a_world(8)
    [test_id] = world.tests
    with simulated_time.serve(world, QuotaRule(limit=4)) as box:
        done = sync_here(box.config(test_ids=[test_id]), select=["session_details"], state_every=1.0)
    assert len(done.records()) == 8
    lines = [line for line in caplog.messages if line.startswith("progress: ")]
    numbers = re.compile(
        r"progress: (\d+)% of this sync's calls, history (\d+) calls? left, .*, (\d+) rows written, .*"
    )
    assert [tuple(map(int, found.groups())) for line in lines if (found := numbers.fullmatch(line))] == [
        *((44, 5, 3), (44, 5, 3)),  # the second line of a window comes at its end
        *((88, 1, 7), (88, 1, 7)),
    ]
    assert len(lines) == 4
    assert all(line.endswith(f"session_details, test {test_id}") for line in lines)
    waits = [line for line in caplog.messages if "no calls left in this window" in line]
    assert len(waits) == 1  # only the first of them, as the progress shows each


def test_a_short_run_has_no_line(tmp_path: Path) -> None:
    """The first line comes after 30 seconds, also in a process that has no terminal."""
    with Sandbox(a_world(2), quota=None) as box:
        done = sync(box.config(), tmp_path)
    assert done.exit == 0
    assert not done.lines("progress: ")
    assert "% " not in done.log


# On a terminal


def a_world(sessions: int) -> World:
    """Return a world of one test."""
    world = World(seed=3)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(sessions):
        world.add_session(test)
    return world


# Drawn whenever it is asked, and not twice a second: what is seen does not hang on how fast the machine is.
EAGER = command_after("import tap_usertesting.report.terminal as terminal; terminal.BottomLine.every = 0.0")
LINE = re.compile(r"\r\x1b\[K([^\r\n]+)")  # the line at the bottom, each time that it is drawn
NUMBERS = re.compile(r"(\d+)% (?:\[[#-]+\] )?(?:news ~?\d+, )?(?:history ~?\d+ )?(?:calls )?left?.*")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Twenty-four sessions, and a quota that is never used up but has streams take turns."""
    with Sandbox(a_world(24), quota=QuotaRule(limit=90)) as served:
        yield served


@pytest.mark.parametrize("to", ["pipe", "terminal"])
@pytest.mark.parametrize("columns", [80, 120])
def test_one_line_moves_and_nothing_else_scrolls_by(box: Sandbox, tmp_path: Path, to: str, columns: int) -> None:
    """Standard error shows one line that fits and grows; in the end the summary stands there, and no trace of the line.

    No METRIC, no "Beginning sync", nothing of the SDK. Standard output, be it a pipe or another terminal, holds Singer
    messages and nothing else.
    """
    terminal = Terminal(box.config(), tmp_path, command=EAGER, to=to, columns=columns)
    done = terminal.ended()  # reads every line of standard output as JSON
    assert done.exit == 0
    assert {message["type"] for message in done.messages} == {"SCHEMA", "RECORD", "STATE"}
    warehouse = Warehouse()
    warehouse.load(done.messages)
    assert_true(warehouse, box.world, ["sessions", "session_details", "transcripts"])
    drawn = LINE.findall(terminal.text)
    assert max(map(width, drawn)) <= columns - 3
    shown = [line for line in drawn if NUMBERS.fullmatch(line)]
    percents = [int(line.partition("%")[0]) for line in shown]
    assert percents == sorted(percents)
    assert len(set(percents)) >= 10
    [test] = box.world.tests.values()
    middle = [line for line in shown if 20 < int(line.partition("%")[0]) < 80]
    assert middle
    assert all(re.search(r"history ~?\d+ (calls )?left, ends (\w+ )?\d\d:\d\d", line) for line in middle)
    assert all(str(test.title)[:6] in line for line in middle)
    assert any(re.search("session_details|transcripts", line) for line in middle) == (columns == 120)
    assert not [line for line in terminal.screen if LOG_LINE.fullmatch(line)]
    assert not [word for word in ("METRIC", "Beginning", "env var", "no calls left") if word in terminal.text]


def test_in_a_wait_the_line_says_until_when(tmp_path: Path) -> None:
    """And nothing is written beside it: no line for each window."""
    with Sandbox(a_world(12), quota=QuotaRule(limit=10, window=1.5)) as box:
        terminal = Terminal(box.config(), tmp_path, command=EAGER, columns=80)
        assert terminal.ended().exit == 0
    assert re.search(r"left, ends \d\d:\d\d · waits until \d\d:\d\d:\d\d", terminal.text)
    assert not [line for line in terminal.screen if LOG_LINE.fullmatch(line)]


@pytest.mark.parametrize(("columns", "most"), [(50, 47), pytest.param(0, 77, id="unknown")])
def test_on_a_narrow_terminal_the_line_is_cut_and_never_breaks(
    box: Sandbox, tmp_path: Path, columns: int, most: int
) -> None:
    """A line that ran into the next one, or whose ^C did, could not be wiped off."""
    terminal = Terminal(box.config(), tmp_path, command=EAGER, columns=columns)
    assert terminal.ended().exit == 0
    drawn = [line for line in LINE.findall(terminal.text) if NUMBERS.match(line)]
    assert drawn
    assert max(map(width, drawn)) <= most


def test_warnings_and_errors_stand_above_the_line(box: Sandbox, tmp_path: Path) -> None:
    """Whole, in their order, and the line goes on below them."""
    broken = list(box.world.sessions.values())[5].session_id
    box.fail("details_v3", times=None, status=500, match=broken)
    terminal = Terminal(box.config(max_retries=1, user_agnt="x"), tmp_path, command=EAGER)
    assert terminal.ended().exit == 1
    logged = [line for line in terminal.screen if LOG_LINE.fullmatch(line)]
    assert [line.split(" | ")[1].strip() for line in logged] == ["WARNING", "ERROR"]
    assert "user_agnt" in logged[0]
    assert broken in logged[1]
    assert NUMBERS.search(terminal.text.rpartition(broken)[2])


@pytest.mark.parametrize("variable", ["TAP_USERTESTING_LOGLEVEL", "LOGLEVEL"])
def test_who_sets_the_log_level_gets_the_log(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """All of it, above the line."""
    monkeypatch.setenv(variable, "INFO")
    terminal = Terminal(box.config(), tmp_path, command=EAGER)
    assert terminal.ended().exit == 0
    logged = [line for line in terminal.screen if LOG_LINE.fullmatch(line)]
    assert any("Beginning" in line for line in logged)
    assert any("METRIC" in line for line in logged)
    assert NUMBERS.search(terminal.text)


def test_a_check_on_a_terminal_says_what_it_found(box: Sandbox, tmp_path: Path) -> None:
    """The log lines of --test are its answer."""
    terminal = Terminal(box.config(), tmp_path, command=[*EAGER, "--test"])
    assert terminal.ended().exit == 0
    assert any("check: token: ok" in line for line in terminal.screen)


def test_ctrl_c_leaves_the_terminal_clean(tmp_path: Path) -> None:
    """In the midst of a wait: exit 130, STATE, whole lines, no trace of the line, no ^C, the terminal as before."""
    with Sandbox(a_world(40), quota=QuotaRule(limit=6, window=3600)) as box:
        terminal = Terminal(box.config(), tmp_path)
        terminal.wait_for(lambda seen: re.search(r"\d% [^\r\n]* · waits until ", seen.text))
        terminal.type(b"\x03")
        done = terminal.ended()
    assert done.exit == 130
    assert done.state is not None
    assert "^C" in terminal.text
    assert "^C" not in "".join(terminal.screen)
    assert "waits until" not in "".join(terminal.screen)
    assert any("incomplete: stopped by SIGINT" in line for line in terminal.screen if LOG_LINE.fullmatch(line))
    assert "\x1b[?25l" not in terminal.text  # the cursor was never hidden


@pytest.mark.parametrize(
    ("to", "term"), [pytest.param("same", "xterm", id="records on it"), pytest.param("pipe", "dumb", id="dumb")]
)
def test_where_a_line_would_be_in_the_way_there_is_none(box: Sandbox, tmp_path: Path, to: str, term: str) -> None:
    """Where records go to the same terminal, or it can not go back in a line, log lines serve as elsewhere."""
    terminal = Terminal(box.config(), tmp_path, command=EAGER, to=to, term=term)
    assert terminal.ended().exit == 0
    assert "\x1b[K" not in terminal.text
    for line in terminal.screen:
        assert line.startswith('{"type":"') or LOG_LINE.fullmatch(line), line
