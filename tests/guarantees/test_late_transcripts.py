"""Transcripts of a test whose product type nobody knows: asked for with few calls, and none is lost."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.support.story import after_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.story import Tell

SOURCES = [pytest.param("auto", id="backfill"), pytest.param("listing", id="listing")]


@pytest.mark.parametrize("source", SOURCES)
def test_a_survey_of_unknown_type_is_given_up_after_five_calls(
    tell: Tell, days_later: Callable[[float], None], source: str
) -> None:
    """Five sessions answer 404, then only the newest is asked, once a sync, until it is too old to get any.

    A survey, which never has transcripts, with 1,000 sessions, its type unknown.
    """
    now = datetime.now(timezone.utc)
    world = World(now=now)
    test = world.add_test("SURVEY")
    for number in range(1000):
        finished = now - timedelta(days=3, minutes=999 - number)
        newest = world.add_session(test, finished_at=finished, in_feed=source == "auto" and number == 0)
    story = tell(world, test_ids=[test.test_id], change_source=source)

    story.sync("transcripts")
    assert len(story.asked("transcript")) == 5
    for days in (1, 3.5):  # the last of them still younger than seven days
        days_later(days)
        story.sync("transcripts")
        assert len(story.asked("transcript")) == len(story.asked("transcript", newest)) == 1
    for days in (4.5, 5, 6):
        days_later(days)
        story.sync("transcripts")
    assert story.asked("transcript") == []
    story.assert_true("transcripts")

    if source == "listing":
        newest = world.add_session(test, finished_at=now + timedelta(days=6))
        for days, asked in ((6.5, 0), (7.5, 1)):  # not before it is a day old
            days_later(days)
            story.sync("transcripts")
            assert len(story.asked("transcript")) == len(story.asked("transcript", newest)) == asked


def test_a_live_survey_of_unknown_type_is_given_up_after_a_day(tell: Tell, days_later: Callable[[float], None]) -> None:
    """By list: today's sessions may get a transcript any moment; five that are a day old and have none tell.

    Were the test spoken after all, the newest session that is a day old would wake it.
    """
    now = datetime.now(timezone.utc)
    world = World(now=now)
    test = world.add_test("THINK_OUT_LOUD")
    young = [
        world.add_session(test, finished_at=now - timedelta(minutes=number), transcript="none") for number in range(12)
    ]
    story = tell(world, test_ids=[test.test_id], change_source="listing")
    for days, asked in ((0, 12), (0.5, 12), (1.1, 5), (1.2, 1), (1.3, 1)):
        days_later(days)
        story.sync("transcripts")
        assert len(story.asked("transcript")) == asked
    story.assert_true("transcripts")

    spoken = world.add_session(test, finished_at=now + timedelta(days=1.4))
    for days in (1.5, 2.5):
        days_later(days)
        story.sync("transcripts")
    assert story.asked("transcript", spoken)
    assert len(story.asked("transcript")) == len(young) + 1
    story.assert_true("transcripts")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rows", [pytest.param(0, id="whole"), pytest.param(30, id="killed")])
@pytest.mark.parametrize("half", ["newer", "older"])
def test_where_half_of_a_test_has_transcripts_all_of_them_arrive(tell: Tell, source: str, rows: int, half: str) -> None:
    """A history of unknown type is sounded from its new end to its old one before it is taken for one without.

    All of them are older than seven days; also through a kill.
    """
    now = datetime.now(timezone.utc)
    world = World(now=now)
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(300):
        world.add_session(
            test,
            finished_at=now - timedelta(days=60) + timedelta(hours=4 * number),
            transcript="ready" if (number >= 150) == (half == "newer") else "none",
            in_feed=source == "auto" and number == 0,
        )
    story = tell(world, test_ids=[test.test_id], change_source=source)
    if rows:
        story.sync("transcripts", killed=after_rows(rows))
    story.sync("transcripts")
    story.assert_true("transcripts")
    assert len(story.warehouse.tables["transcripts"]) == 150
    story.sync("transcripts")
    assert story.asked("transcript") == []


def test_a_test_that_sleeps_still_waits_for_what_was_announced(tell: Tell, days_later: Callable[[float], None]) -> None:
    """Transcripts that the feed announces and that are not there yet arrive, though the test seems to have none.

    The history of a test of unknown type has none, while announced ones still wait.
    """
    now = datetime.now(timezone.utc)
    world = World(now=now)
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(20):
        world.add_session(test, finished_at=now - timedelta(days=30, hours=number), transcript="none", in_feed=False)
    story = tell(world, test_ids=[test.test_id])
    announced = [world.add_session(test) for _ in range(3)]
    for one in announced:
        story.box.fail("transcript", status=404, times=None, match=one.session_id)
    story.sync("transcripts")
    assert story.partition("transcripts", test)["asleep"] is True
    waiting = story.partition("transcripts", test)["waiting"]
    assert {one.session_id for one in announced} <= waiting.keys()
    days_later(1)
    story.box.orders.clear()
    story.sync("transcripts")
    story.sync("transcripts")
    story.assert_true("transcripts")
    assert len(story.warehouse.tables["transcripts"]) == 3
