"""The list as a change log: what stands deep in it, and what shifts while it is paged."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import QuotaRule, World
from tests.support.story import before_row_of
from tests.support.tables import held, truth

if TYPE_CHECKING:
    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.story import Story, Tell

SLOW = 1150  # sessions before which a slow one, which began long ago, stands in the list


@pytest.mark.parametrize(
    ("streams", "before"),
    [
        pytest.param(("sessions",), 0, id="before both"),
        pytest.param(("sessions",), 1, id="between them"),
        pytest.param(("sessions", "session_details"), 0, id="another stream has them"),
    ],
)
def test_a_late_session_on_page_three_is_looked_for_until_it_is_emitted(
    tell: Tell, streams: tuple[str, ...], before: int
) -> None:
    """The count of the list is closed only at the end of the test, so the next run reads as deep again.

    Two slow sessions stand on page 3, and the run is killed before it emitted them.
    """
    story, test = long_test(tell)
    world = story.world
    world.list_key = "start"
    story.sync(*streams, state_every=1.0)
    late = [slow_session(story, test, minutes=minutes) for minutes in (30, 20)]

    stream = streams[-1]
    # Three pages, then a wait, before which STATE is written.
    story.box.set_quota(QuotaRule(limit=3, window=1.5) if stream == "session_details" else None)
    story.sync(*streams, killed=before_row_of(late[before], stream))
    story.box.set_quota(None)
    resumed = story.sync(*streams)
    assert [call.query["offset"] for call in story.asked("list")] == ["0", "500", "1000"]
    missing = [session.session_id for session in late[before:]]
    assert [row["session_id"] for row in resumed.records(stream)][-len(missing) :] == missing
    story.assert_true(*streams)
    assert story.sync(*streams).records() == []
    assert [call.query["offset"] for call in story.asked("list")] == ["0"]


def test_a_late_session_in_a_crowded_window_is_found(tell: Tell) -> None:
    """Where more sessions than the state can name stand inside the lookback window, the count still tells.

    The late session stands on page 3 of 1,200 sessions of one day, and the run is killed before it.
    """
    now = datetime.now(timezone.utc)
    world = World(now=now)
    test = world.add_test("NON_THINK_OUT_LOUD")
    for number in range(1200):
        world.add_session(test, finished_at=now - timedelta(minutes=1200 - number))
    story = tell(world, change_source="listing")
    story.sync("sessions", state_every=1.0)
    assert story.sync("sessions").records() == []

    late = world.add_session(test, finished_at=now - timedelta(minutes=1190, seconds=30))
    story.sync("sessions", killed=before_row_of(late, "sessions"))
    assert (late.session_id,) not in story.warehouse.tables["sessions"]
    story.sync("sessions")
    story.assert_true("sessions")
    assert story.sync("sessions").records() == []


@pytest.mark.parametrize("left", [pytest.param(1, id="one has left"), pytest.param(3, id="three have left")])
def test_sessions_that_left_do_not_hide_late_ones_on_a_later_page(tell: Tell, left: int) -> None:
    """Where as many have left as came, the count says nothing: who is not on the pages any more tells."""
    now = datetime.now(timezone.utc)
    world = World(now=now)
    world.list_key = "start"
    test = world.add_test("NON_THINK_OUT_LOUD")
    sessions = [world.add_session(test, finished_at=now - timedelta(minutes=600 - number)) for number in range(600)]
    story = tell(world, change_source="listing")
    story.sync("sessions", state_every=1.0)

    for number in range(left):
        slow_session(story, test, minutes=30 + number)
        world.remove(sessions[-10 - number])
    story.sync("sessions")
    assert [call.query["offset"] for call in story.asked("list")] == ["0", "500"]
    missed = truth(world)["sessions"].keys() - held(story.warehouse)["sessions"].keys()
    assert not missed, f"{len(missed)} sessions are missed"
    assert story.sync("sessions").records() == []
    assert [call.query["offset"] for call in story.asked("list")] == ["0"]


@pytest.mark.parametrize(
    ("stream", "known", "page"),
    [
        pytest.param("sessions", 0, 2, id="first sync"),
        pytest.param("sessions", SLOW, 2, id="later sync"),
        pytest.param("sessions", SLOW, 3, id="later sync, page 3"),
        pytest.param("session_details", 0, 2, id="first sync of the details"),
    ],
)
def test_a_session_that_leaves_while_the_list_is_paged_hides_nobody(
    tell: Tell, stream: str, known: int, page: int
) -> None:
    """A list that shrinks between two pages is read again, so the one that moved up is not missed.

    A session of page 1 is removed while page 2 (or a later one) is read.
    """
    story, test = long_test(tell, sessions=known)
    world = story.world
    if known:
        story.sync(stream, state_every=1.0)
    started = world.now
    for number in range(500 * page - 400):
        leaves = world.add_session(test, finished_at=started + timedelta(hours=number + 1))
    story.box.before("list", lambda _call: world.remove(leaves), skip=page - 1)

    story.sync(stream, state_every=1.0)
    assert leaves not in test.completed()
    missed = truth(world)[stream].keys() - held(story.warehouse)[stream].keys()
    assert not missed, f"{len(missed)} sessions are missed"
    assert story.sync(stream).records() == []


def test_a_late_session_is_found_where_an_older_one_has_left(tell: Tell) -> None:
    """Both are below the first page, and what is new there explains the count."""
    now = datetime.now(timezone.utc)
    world = World(now=now)
    test = world.add_test("NON_THINK_OUT_LOUD")
    sessions = [world.add_session(test, finished_at=now - timedelta(minutes=600 - number)) for number in range(600)]
    story = tell(world, change_source="listing")
    story.sync("sessions", state_every=1.0)

    world.remove(sessions[20])
    world.add_session(test, finished_at=now - timedelta(minutes=480, seconds=30))
    for _ in range(30):
        world.add_session(test)
    story.sync("sessions")
    missed = truth(world)["sessions"].keys() - held(story.warehouse)["sessions"].keys()
    assert not missed, f"{len(missed)} sessions are missed"
    assert story.sync("sessions").records() == []
    assert [call.query["offset"] for call in story.asked("list")] == ["0"]


def long_test(tell: Tell, *, sessions: int = SLOW) -> tuple[Story, Test]:
    """Begin a story of a test read by listing, with sessions of a month ago and newer."""
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    for number in range(sessions):
        world.add_session(test, finished_at=world.now - timedelta(days=30) + timedelta(minutes=number))
    world.add_session(test)
    return tell(world, change_source="listing"), test


def slow_session(story: Story, test: Test, *, minutes: int) -> Session:
    """Add a session that began before all others and ended shortly before the newest."""
    world = story.world
    return world.add_session(
        test,
        started_at=world.now - timedelta(days=40, minutes=minutes),
        finished_at=world.now - timedelta(minutes=minutes),
    )
