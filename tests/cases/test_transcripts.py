"""Transcripts of a test whose product type nobody knows: asked for with few calls, and none is lost."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tests.cases.conftest import after_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cases.conftest import Tell

SOURCES = [pytest.param("auto", id="backfill"), pytest.param("listing", id="listing")]


@pytest.mark.parametrize("source", SOURCES)
def test_a_survey_of_unknown_type_is_given_up_after_five_calls(
    tell: Tell, days_later: Callable[[float], None], source: str
) -> None:
    """Five sessions answer 404, then only the newest is asked, once a sync, until it is too old to get any.

    case 12: a survey, which never has transcripts, with 1,000 sessions, its type unknown.
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
    assert newest not in [world.sessions[call.session_id or ""] for call in story.asked("transcript")]
    for days in (1, 3.5, 4.5):  # the last of them more than seven days after it finished
        days_later(days)
        story.sync("transcripts")
        assert len(story.asked("transcript")) == len(story.asked("transcript", newest)) == 1
    for days in (5, 6):
        days_later(days)
        story.sync("transcripts")
        assert story.asked("transcript") == []
    story.assert_true("transcripts")

    if source == "listing":
        newest = world.add_session(test, finished_at=now + timedelta(days=6))
        story.sync("transcripts")
        assert len(story.asked("transcript")) == len(story.asked("transcript", newest)) == 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rows", [pytest.param(0, id="whole"), pytest.param(30, id="killed")])
def test_transcripts_that_begin_late_in_a_test_all_arrive(tell: Tell, source: str, rows: int) -> None:
    """One success of the probe opens everything that was not asked, whatever its age, through a kill as well.

    case 13: transcripts only from the 200th session on, all older than seven days, the type unknown.
    """
    now = datetime.now(timezone.utc)
    world = World(now=now)
    test = world.add_test("THINK_OUT_LOUD")
    for number in range(300):
        world.add_session(
            test,
            finished_at=now - timedelta(days=60) + timedelta(hours=4 * number),
            transcript="ready" if number >= 200 else "none",
            in_feed=source == "auto" and number == 0,
        )
    story = tell(world, test_ids=[test.test_id], change_source=source)

    story.sync("transcripts")
    assert len(story.asked("transcript")) == 5
    if rows:
        story.sync("transcripts", killed=after_rows(rows))
    story.sync("transcripts")
    story.assert_true("transcripts")
    story.assert_each_once("transcripts")
    assert len(story.warehouse.tables["transcripts"]) == 100
    story.sync("transcripts")
    assert story.asked("transcript") == []
