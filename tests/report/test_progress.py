"""How far a sync is: a bar on a terminal, lines elsewhere, never anything on standard output."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.api.clock import Clock
from tap_usertesting.api.quota import Quota
from tap_usertesting.api.quota_sharing import Windows
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.report.activity import Activity, Standing, long_text, seconds_for, short_text
from tap_usertesting.report.progress import Progress
from tap_usertesting.report.wording import duration
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import Warehouse, command_after, sync, sync_here
from tests.support.tables import assert_true
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_usertesting.api.call_limit import CallLimit
    from tests.support.simulated_time import SimulatedTime

TEST = "f2ee4e45-19f9-419c-895f-d7b326b94c7f"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| (DEBUG|INFO|WARNING|ERROR|CRITICAL) +\| .+")


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.now = 0.0

    def clock(self) -> Clock:
        """Return it as the tap wants it."""
        return Clock(monotonic=lambda: self.now, wall=lambda: 1e9 + self.now)

    def quota(self, *, used: int = 0) -> Quota:
        """Return a quota of ten calls in 60 seconds, so many of them used."""
        quota = Quota(clock=lambda: self.now)
        for _ in range(used):
            quota.answered(quota.sent(), RateHeaders())
        return quota


class Seen:
    """A view that notes when it is asked to show something, and what the seconds left of a wait then are."""

    def __init__(self, *, every: float, delay: float = 0.0) -> None:
        """Show every so many seconds."""
        self.every, self.delay = every, delay
        self.shown: list[tuple[float, float]] = []

    def show(self, standing: Standing, quota: Quota | CallLimit, *, wall: float) -> None:
        """Note it."""
        del quota
        self.shown.append((wall - 1e9, standing.waiting))

    def close(self) -> None:
        """Do nothing."""


# The words


def test_a_stream_is_as_far_as_its_tests_are() -> None:
    """Tests looked at, by how many of their sessions are done; it never falls, and another stream begins anew."""
    activity = Activity()
    activity.begin("transcripts", TEST, tests=4)
    activity.total = 10
    seen = [activity.fraction]
    activity.done = 5
    seen.append(activity.fraction)
    activity.expect(10, tests=1)
    seen.append(activity.fraction)
    activity.done = 30  # more than was known of
    seen.append(activity.fraction)
    activity.begin("session_clips", TEST, tests=4)
    seen.append(activity.fraction)
    assert seen == [0, 0.125, 0.125, 0.5, 0.25]
    assert activity.left == 0


@pytest.mark.parametrize(
    ("calls", "used", "seconds"),
    [
        pytest.param(0, 0, 0, id="nothing left to do"),
        pytest.param(10, 0, 0, id="what this window still takes"),
        pytest.param(11, 0, 60, id="one more"),
        pytest.param(100, 7, 600, id="part of the window is used"),
        pytest.param(10, 10, 60, id="the window is used up"),
        pytest.param(11, 10, 120, id="and the next as well"),
    ],
)
def test_the_end_is_estimated_by_the_quota(calls: int, used: int, seconds: float) -> None:
    """Ten calls a minute set the pace, not what was seen so far."""
    assert seconds_for(calls, Time().quota(used=used)) == seconds


def test_without_a_quota_no_end_is_estimated() -> None:
    """Where the server has named no limit, there is nothing to say."""
    quota = Quota(clock=lambda: 0.0, limit=None)
    activity = Activity("transcripts", TEST, 1, 1, 3, 5)
    assert seconds_for(5, quota) is None
    assert long_text(Standing([activity]), quota, wall=0.0) == f"transcripts, test {TEST}, 3 of 5 sessions done"
    assert short_text(Standing([activity]), quota, wall=0.0) == "transcripts 3/5, test f2ee4e45"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.2, "1 s"), (89, "89 s"), (600, "10 min"), (5_340, "89 min"), (12_000, "3 h 20 min")],
)
def test_a_time_is_told_as_people_do(seconds: float, text: str) -> None:
    """Seconds, then minutes, then hours and minutes."""
    assert duration(seconds) == text


def test_a_line_says_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stream, test, sessions done of total, which test of how many, calls left in the window, estimated end."""
    monkeypatch.setattr("time.localtime", __import__("time").gmtime)
    time = Time()
    activity = Activity("session_details", TEST, 2, 12, 40, 100)
    assert long_text(Standing([activity]), time.quota(used=7), wall=0.0) == (
        f"session_details, test {TEST}, 40 of 100 sessions done, test 2 of 12, 3 calls left in this window, "
        "this test until about 00:06 (6 min)"
    )
    assert short_text(Standing([activity], waiting=43), time.quota(used=10), wall=0.0) == (
        "session_details 40/100, until 00:06, waiting 43 s, 0 calls left, test 2/12 f2ee4e45"
    )
    activity.total = 10_000
    assert "until Thu 16:36" in short_text(Standing([activity]), time.quota(used=10), wall=0.0)


# When it is shown


def test_thousands_of_rows_show_no_more_than_their_time_allows() -> None:
    """It is asked after every row and shows itself by time: 5,000 rows in 5 seconds are 11 shows and not 5,000."""
    time, view = Time(), Seen(every=0.5)
    progress = Progress(windows=Windows(clock=time.clock().monotonic), clock=time.clock(), view=view)
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
    progress = Progress(windows=Windows(clock=time.clock().monotonic), clock=time.clock(), view=view)
    time.now, left = 10.0, 100.0
    while left > 0:
        nap = progress.nap(left)
        assert 0 < nap <= min(left, 1)
        time.now += nap
        left -= nap
    progress.tick()
    assert view.shown == [(30, 80), (60, 50), (90, 20)]
    assert progress.standing().waiting == 0


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
    lines = [line.partition(", this test until")[0] for line in caplog.messages if line.startswith("progress: ")]
    of_all = [(3, 0), (3, 4), (7, 0), (7, 4)]  # sessions done, calls left; the second line of a window comes at its end
    assert lines == [
        f"progress: session_details, test {test_id}, {done} of 8 sessions done, {left} calls left in this window"
        for done, left in of_all
    ]


def test_a_short_run_has_no_line(tmp_path: Path) -> None:
    """The first line comes after 30 seconds, also in a process that has no terminal."""
    with Sandbox(a_world(2), quota=None) as box:
        done = sync(box.config(), tmp_path)
    assert done.exit == 0
    assert not done.lines("progress: ")
    assert "%|" not in done.log


# On a terminal


def a_world(sessions: int) -> World:
    """Return a world of one test."""
    world = World(seed=3)
    test = world.add_test("THINK_OUT_LOUD")
    for _ in range(sessions):
        world.add_session(test)
    return world


# Drawn whenever it is asked, and not twice a second: what is seen does not hang on how fast the machine is.
EAGER = command_after("import tap_usertesting.report.terminal as terminal; terminal.Bar.every = 0.0")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Twenty-four sessions, and a quota that is never used up but has streams take turns."""
    with Sandbox(a_world(24), quota=QuotaRule(limit=90)) as served:
        yield served


@pytest.mark.parametrize("to", ["pipe", "terminal"])
def test_the_bar_moves_and_standard_output_is_pure(box: Sandbox, tmp_path: Path, to: str) -> None:
    """On standard error a bar that grows, log lines whole above it, and in the end no trace of it.

    Standard output, be it a pipe or another terminal, holds Singer messages and nothing else.
    """
    terminal = Terminal(box.config(), tmp_path, command=EAGER, to=to)
    done = terminal.ended()  # reads every line of standard output as JSON
    assert done.exit == 0
    assert {message["type"] for message in done.messages} == {"SCHEMA", "RECORD", "STATE"}
    warehouse = Warehouse()
    warehouse.load(done.messages)
    assert_true(warehouse, box.world, ["sessions", "session_details", "transcripts"])
    details = [int(n) for n in re.findall(r"(\d+)%\|[^|]*\| (?:session_details|transcripts) ", terminal.text)]
    assert details == sorted(details)
    assert len(set(details)) >= 3
    assert re.search(r"\| session_details \d+/24, transcripts |\| transcripts \d+/24, session_details ", terminal.text)
    assert terminal.screen
    assert [line for line in terminal.screen if not LOG_LINE.fullmatch(line)] == []


@pytest.mark.parametrize(("columns", "most"), [(50, 47), pytest.param(0, 77, id="unknown")])
def test_on_a_narrow_terminal_the_bar_is_cut_and_never_breaks(
    box: Sandbox, tmp_path: Path, columns: int, most: int
) -> None:
    """A bar that ran into the next line, or whose ^C did, could not be wiped off."""
    terminal = Terminal(box.config(), tmp_path, command=EAGER, columns=columns)
    assert terminal.ended().exit == 0
    drawn = [piece for piece in re.split(r"[\r\n]", terminal.text) if "%|" in piece]
    assert drawn
    assert max(map(len, drawn)) <= most


def test_ctrl_c_leaves_the_terminal_clean(tmp_path: Path) -> None:
    """In the midst of a wait: exit 130, STATE, whole lines, no bar, no ^C, the terminal's settings as before."""
    with Sandbox(a_world(40), quota=QuotaRule(limit=6, window=3600)) as box:
        terminal = Terminal(box.config(), tmp_path)
        terminal.wait_for(lambda seen: re.search(r"%\|[^\r\n]*, waiting \d+ s, 0 calls left", seen.text))
        terminal.type(b"\x03")
        done = terminal.ended()
    assert done.exit == 130
    assert done.state is not None
    assert "^C" in terminal.text
    assert [line for line in terminal.screen if not LOG_LINE.fullmatch(line)] == []
    assert any("incomplete: stopped by SIGINT" in line for line in terminal.screen)
    assert "\x1b[?25l" not in terminal.text  # the cursor was never hidden


@pytest.mark.parametrize(
    ("to", "term"), [pytest.param("same", "xterm", id="records on it"), pytest.param("pipe", "dumb", id="dumb")]
)
def test_where_a_bar_would_be_in_the_way_there_is_none(box: Sandbox, tmp_path: Path, to: str, term: str) -> None:
    """Where records go to the same terminal, or it can not go back in a line, lines serve as elsewhere."""
    terminal = Terminal(box.config(), tmp_path, command=EAGER, to=to, term=term)
    assert terminal.ended().exit == 0
    assert terminal.percentages == []
    for line in terminal.screen:
        assert line.startswith('{"type":"') or LOG_LINE.fullmatch(line), line
