"""The world: the same seed gives the same data, and things happen to it as they would in life."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.sandbox import World
from tap_usertesting.sandbox.compose import PRODUCT_TYPES

if TYPE_CHECKING:
    from tap_usertesting.sandbox.model import Test as Log
    from tap_usertesting.sandbox.seed import Scale

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)


def kinds(test: Log) -> list[str]:
    """Return the types of a log, oldest first."""
    return [event.change_type for event in test.events]


@pytest.mark.parametrize("scale", ["small", "demo"])
def test_same_seed_same_data(scale: Scale) -> None:
    """Two worlds of one seed hold the same bytes, ids and cursors included; another seed holds others."""
    first, second = (json.dumps(World.seeded(3, scale).truth()) for _ in range(2))
    assert first == second
    assert first != json.dumps(World.seeded(4, scale).truth())


def test_given_now_moves_all_times() -> None:
    """A later ``now`` makes the same sessions, dated later."""
    later = World.seeded(3, now=NOW + timedelta(days=300)).truth()["sessions"]
    usual = World.seeded(3).truth()["sessions"]
    assert list(later) == list(usual)
    assert all(later[key]["startTime"] > usual[key]["startTime"] for key in usual)


@pytest.mark.parametrize(("scale", "fewest"), [("small", 30), ("demo", 60), ("large", 2000)])
def test_scales_hold_every_kind_of_thing(scale: Scale, fewest: int) -> None:
    """Each scale has every product type in several workspaces, and everything that is rare in life."""
    world = World.seeded(scale=scale)
    types = Counter(test.product_type for test in world.tests.values() if test.type == "STUDYV2")
    events = [event.change_type for test in world.tests.values() for event in test.events]
    assert len(world.sessions) >= fewest
    assert all(types[name] >= 2 for name in PRODUCT_TYPES)
    assert len({test.workspace.uuid for test in world.tests.values()}) >= 2
    assert any(test.type != "STUDYV2" for test in world.tests.values())
    assert any(not test.sessions for test in world.tests.values() if test.in_feed)
    assert {"UPDATED", "VIDEO_UPDATED", "VIDEO_TRANSCRIPTION_UPDATED", "REJECTED"} == set(events)
    assert any(session.rejected for session in world.sessions.values())
    assert any(s.finish_time is None for s in world.sessions.values())
    assert any(s.audience_id is None for s in world.sessions.values())
    mentioned = {event.response_uuid for test in world.tests.values() for event in test.events}
    assert any(session.response_uuid not in mentioned for session in world.sessions.values())


def test_seeded_payloads_hold_every_task_type() -> None:
    """Details have every documented task type, skipped and missing responses, and numbers beyond 2**53."""
    details = World.seeded(scale="demo").truth()["details"].values()
    tasks = [task for body in details for task in body["tasks"]]
    assert {task["type"] for task in tasks} == {
        "BLANK", "RATING_SCALE", "MULTIPLE_CHOICE", "IMAGE", "NPS", "URL", "RANK_ORDER", "WRITTEN", "FIGMA",
        "MATRIX", "UNRECOGNIZED",
    }  # fmt: skip
    assert any(task["response"] is None for task in tasks)
    assert any(task["response"] and task["response"]["skipped"] for task in tasks)
    assert "900719925474099" in json.dumps(tasks)
    assert any(body["sessionParticipant"] is None for body in details)


@pytest.mark.parametrize("scale", ["small", "demo", "large"])
def test_seeded_logs_are_in_order_of_time_and_not_of_the_future(scale: Scale) -> None:
    """A real log grows with time, up to now."""
    world = World.seeded(scale=scale)
    for test in world.tests.values():
        times = [event.changed_at for event in test.events]
        assert times == sorted(times)
        assert not times or times[-1] <= NOW


def test_session_announces_its_transcript() -> None:
    """A session with a ready transcript has three events, one second apart; without one it has one."""
    world = World()
    test = world.add_test()
    done = NOW - timedelta(hours=3)
    world.add_session(test, finished_at=done)
    world.add_session(test, finished_at=done + timedelta(hours=1), transcript="later")
    assert [(event.change_type, event.changed_at - done) for event in test.events] == [
        ("UPDATED", timedelta(0)),
        ("VIDEO_UPDATED", timedelta(seconds=1)),
        ("VIDEO_TRANSCRIPTION_UPDATED", timedelta(seconds=2)),
        ("UPDATED", timedelta(hours=1)),
    ]


@pytest.mark.parametrize(("read", "expected"), [(False, [1, 2]), (True, [2, 2])], ids=["unread", "read"])
def test_a_served_log_is_append_only(read: bool, expected: list[int]) -> None:  # noqa: FBT001 - a case
    """A late session is put in its place as long as nobody has read the log, and at its end afterwards."""
    world = World()
    test = world.add_test("SURVEY")
    world.add_session(test, finished_at=NOW + timedelta(hours=2))
    first = test.events[0].cursor
    test.log_served = read
    world.add_session(test, finished_at=NOW + timedelta(hours=1))
    assert [(event.changed_at - NOW) // timedelta(hours=1) for event in test.events] == expected
    assert test.place(first) == (1 if read else 2)


def test_reject_accept_and_remove() -> None:
    """A rejected session leaves and comes back with an event each; a removed one leaves without."""
    world = World()
    test = world.add_test("SURVEY")
    session = world.add_session(test)
    world.reject(session)
    assert world.truth()["sessions"] == {}
    assert world.truth()["rejected"] == [session.session_id]
    world.accept(session)
    assert list(world.truth()["details"]) == [session.session_id]
    world.remove(session)
    assert world.truth()["sessions"] == {}
    assert kinds(test) == ["UPDATED", "REJECTED", "UPDATED"]


def test_update_changes_details_and_scores() -> None:
    """An update without details composes new answers, one with details replaces just these keys."""
    world = World()
    test = world.add_test("NON_THINK_OUT_LOUD")
    session = world.add_session(test)
    before = world.truth()
    world.update(session)
    after = world.truth()
    assert before["details"] != after["details"]
    assert before["qx_scores"] != after["qx_scores"]
    world.update(session, {"tasks": []}, event=False)
    assert session.details_v3() == {**after["details"][session.session_id], "tasks": []}
    assert kinds(test) == ["UPDATED", "UPDATED"]


def test_late_transcript() -> None:
    """A transcript appears with an event, or without; header-only documents are not in the truth."""
    world = World()
    test = world.add_test("THINK_OUT_LOUD")
    session = world.add_session(test, transcript="later")
    assert session.vtt is None
    world.transcribe(session, "WEBVTT\n\n", event=False)
    assert world.truth()["transcripts"] == {}
    world.transcribe(session, "WEBVTT\n\n00:01.000 --> 00:02.000\nHi")
    assert list(world.truth()["transcripts"].values()) == ["WEBVTT\n\n00:01.000 --> 00:02.000\nHi"]
    assert kinds(test) == ["UPDATED", "VIDEO_TRANSCRIPTION_UPDATED"]


def test_announced_before_it_is_there() -> None:
    """A session may be in the feed before the Results API has it."""
    world = World()
    session = world.add_session(world.add_test("SURVEY"), in_results=False)
    assert world.truth()["sessions"] == {}
    world.reveal(session)
    assert list(world.truth()["sessions"]) == [session.session_id]


def test_raw_events_keep_what_they_are_given() -> None:
    """Any id, type, time and cursor can stand in a log, out of order too."""
    world = World()
    test = world.add_test("SURVEY")
    world.add_session(test)
    event = world.event(test, response_uuid="odd", change_type="ANYTHING", at=NOW, cursor="ut_1")
    assert test.events[-1] is event
    assert event.node() == {
        "cursor": "ut_1",
        "responseUuid": "odd",
        "testResultId": 833002,
        "changeType": "ANYTHING",
        "changedAt": "2026-01-15T12:00:00.000000+00:00",
    }


def test_bulk_is_uniform() -> None:
    """Load data has as many events as asked for, in order of time, with distinct cursors."""
    world = World.bulk(tests=2, sessions=3, events_per_session=70, product_type="SURVEY")
    for test in world.tests.values():
        times = [event.changed_at for event in test.events]
        assert len(times) == 210
        assert times == sorted(set(times))
        assert len({event.cursor for event in test.events}) == 210
    spoken = World.bulk(tests=1, product_type="THINK_OUT_LOUD", transcripts=True, events_per_session=4)
    (test,) = spoken.tests.values()
    assert kinds(test) == ["UPDATED", "VIDEO_UPDATED", "VIDEO_TRANSCRIPTION_UPDATED", "UPDATED"]
    assert len(spoken.truth()["transcripts"]) == 1


def test_real_time_dates_what_happens_later() -> None:
    """With real time a new session ends now, and no two things happen at once."""
    world = World.seeded(now=datetime.now(timezone.utc), real_time=True)
    test = next(iter(world.tests.values()))
    first, second = world.add_session(test), world.add_session(test)
    assert abs(datetime.now(timezone.utc) - first.finished_at) < timedelta(minutes=2)
    assert first.finished_at < second.finished_at


def test_every_change_is_counted() -> None:
    """The version of the world moves with each change."""
    world = World()
    test = world.add_test("SURVEY")
    before = world.version
    world.lose_access(test)
    world.grant_access(test)
    world.forget_in_feed(test)
    assert world.version == before + 3
