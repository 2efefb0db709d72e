"""Answers that look well and are not: no good row is lost to them, and what was asked for waits and is asked again."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import Warehouse, catalog, sync, sync_here
from tests.support.tables import assert_true, truth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.harness import Synced

DETAILS = ("session_details", "task_responses", "participant_demographics")

# What is ordered of the sandbox, beside the kind of call.
WRONG: dict[str, dict[str, Any]] = {
    "another session": {"fault": "other"},
    "an error with 200": {"status": 200, "body": {"error": "Internal error"}},
    "an error beside the id": {"status": 200, "body": {"sessionId": None, "statusCode": 500, "message": "x"}},
    "accepted": {"status": 202, "body": {"status": "PROCESSING"}},
    "an empty object": {"status": 200, "body": {}},
    "no content": {"status": 204, "body": ""},
}
NO_TRANSCRIPT: dict[str, dict[str, Any]] = {
    "JSON": {"status": 200, "body": {"message": "being made"}},
    "XML": {"status": 200, "body": "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"},
    "HTML": {"fault": "html"},
    "accepted": {"status": 202, "body": "WEBVTT\n\n00:01.000 --> 00:02.000\npart"},
    "compressed": {"status": 200, "body": gzip.compress(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n")},
}


class Scene:
    """One test of three sessions in a sandbox, and the warehouse that follows it."""

    def __init__(self, box: Sandbox, test: Test) -> None:
        self.box = box
        self.test = test
        self.world = box.world
        self.warehouse = Warehouse()

    def sync(self, *streams: str, **settings: object) -> Synced:
        """Sync in one try per call and load what comes; `settings` override those of the sandbox."""
        self.box.clear_calls()
        config = self.box.config(max_retries=1, transcript_wait_days=3650, **settings)
        done = sync_here(config, select=streams, state=self.warehouse.state)
        self.warehouse.load(done.messages)
        return done


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A test with transcripts, and another of which nothing is read."""
    world = World()
    test, other = world.add_test("THINK_OUT_LOUD"), world.add_test("THINK_OUT_LOUD")
    for one in (test, test, test, other):
        world.add_session(one)
    with Sandbox(world) as box:
        yield Scene(box, test)


def newest(test: Test) -> Session:
    """Return the newest session of a test."""
    return max(test.completed(), key=lambda session: session.finished_at)


@pytest.mark.parametrize("source", ["auto", "listing"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_new_session_waits_for_its_details(scene: Scene, wrong: str, source: str) -> None:
    """The others arrive, the run ends with status 1, and the next sync brings what is missing."""
    settings = {"change_source": source, "test_ids": [scene.test.test_id]}
    session = list(scene.test.sessions.values())[1]
    scene.box.fail("details_v3", times=None, match=session.session_id, **WRONG[wrong])
    done = scene.sync(*DETAILS, **settings)
    assert done.exit == 1
    assert (session.session_id,) not in scene.warehouse.tables["session_details"]
    assert len(scene.warehouse.tables["session_details"]) == 2
    assert list(done.partition("session_details", scene.test.test_id)["waiting"]) == [session.session_id]
    scene.box.orders.clear()
    assert scene.sync(*DETAILS, **settings).exit == 0
    for stream in DETAILS:
        there = {key for key in truth(scene.world)[stream] if key[0] in scene.test.sessions}
        assert scene.warehouse.tables[stream].keys() == there


@pytest.mark.parametrize("wrong", WRONG)
def test_a_good_row_stays_when_an_update_is_answered_wrongly(scene: Scene, wrong: str) -> None:
    """No nulls over it, no tombstones of its numbered rows; when the answer is right again the update arrives."""
    settings = {"test_ids": [scene.test.test_id]}
    scene.sync(*DETAILS, **settings)
    before = {stream: dict(scene.warehouse.tables[stream]) for stream in DETAILS}
    session = newest(scene.test)
    scene.world.update(session)
    scene.box.fail("details_v3", times=None, **WRONG[wrong])
    done = scene.sync(*DETAILS, **settings)
    assert done.exit == 1
    assert done.records() == []
    assert scene.warehouse.tables == before
    scene.box.orders.clear()
    done = scene.sync(*DETAILS, **settings)
    assert done.exit == 0
    assert {row["session_id"] for row in done.records("session_details")} == {session.session_id}


@pytest.mark.parametrize("wrong", NO_TRANSCRIPT)
def test_what_is_no_transcript_is_not_stored_and_is_asked_for_again(scene: Scene, wrong: str) -> None:
    """Neither as a row nor as cues; the session waits and its transcript arrives later."""
    settings = {"test_ids": [scene.test.test_id]}
    session = list(scene.test.sessions.values())[1]
    scene.box.fail("transcript", times=None, match=session.session_id, **NO_TRANSCRIPT[wrong])
    done = scene.sync("transcripts", "transcript_cues", **settings)
    assert done.exit == 1
    assert {key[0] for key in scene.warehouse.tables["transcripts"]} == set(scene.test.sessions) - {session.session_id}
    assert list(done.partition("transcripts", scene.test.test_id)["waiting"]) == [session.session_id]
    scene.box.orders.clear()
    assert scene.sync("transcripts", "transcript_cues", **settings).exit == 0
    assert {key[0] for key in scene.warehouse.tables["transcripts"]} == set(scene.test.sessions)
    assert {key[0] for key in scene.warehouse.tables["transcript_cues"]} == set(scene.test.sessions)


@pytest.mark.parametrize("stream", ["session_videos", "sessions", "session_details"])
def test_the_list_or_the_link_of_another_test_or_session_is_no_answer(scene: Scene, stream: str) -> None:
    """Nothing of it becomes a row; the run ends with status 1 and the next one has all of it."""
    settings = {"test_ids": [scene.test.test_id], "change_source": "listing", "video_links": True}
    scene.box.fail("video" if stream == "session_videos" else "list", times=1, fault="other")
    assert scene.sync(stream, **settings).exit == 1
    assert {key[0] for key in scene.warehouse.tables[stream]} <= set(scene.test.sessions)
    assert scene.sync(stream, **settings).exit == 0
    assert {key[0] for key in scene.warehouse.tables[stream]} == set(scene.test.sessions)


def test_the_scores_of_another_test_are_no_answer() -> None:
    """They would stand under this test's id."""
    world = World()
    tests = [world.add_test("NON_THINK_OUT_LOUD"), world.add_test("NON_THINK_OUT_LOUD")]
    for test in tests:
        world.add_session(test)
    with Sandbox(world) as box:
        scene = Scene(box, tests[0])
        box.fail("qx_scores", times=1, fault="other")
        assert scene.sync("qx_scores").exit == 1
        assert scene.sync("qx_scores").exit == 0
        assert_true(scene.warehouse, world, ["qx_scores"])


# Lists


@pytest.fixture
def long() -> Iterator[Scene]:
    """A survey of 250 sessions, read by its list."""
    world = World.bulk(tests=1, sessions=250, product_type="SURVEY")
    with Sandbox(world) as box:
        yield Scene(box, next(iter(world.tests.values())))


@pytest.mark.parametrize(
    ("page", "total", "first", "idle"),
    [
        pytest.param(500, "all", 1, 1, id="as documented"),
        pytest.param(250, "all", 2, 2, id="exactly a page of fewer than asked for"),
        pytest.param(100, "all", 3, 1, id="100 where 500 were asked for"),
        pytest.param(100, "page", 4, 4, id="a count of the page"),
        pytest.param(125, "page", 3, 3, id="a count of the page, full to the end"),
        pytest.param(500, "text", 2, 2, id="a count that is text"),
        pytest.param(500, "null", 2, 2, id="a count that is null"),
        pytest.param(100, "absent", 4, 4, id="no count"),
    ],
)
def test_every_session_arrives_once_however_the_list_is_cut(
    long: Scene, page: int, total: str, first: int, idle: int
) -> None:
    """The state counts the sessions, and calls are made beyond those of a well-behaved server only where needed."""
    long.world.list_page, long.world.list_total = page, total  # type: ignore[assignment]
    done = long.sync("sessions", change_source="listing")
    assert (done.exit, len(done.records())) == (0, 250)
    assert_true(long.warehouse, long.world, ["sessions"])
    assert len([call for call in long.box.calls if call.kind == "list"]) == first
    assert done.partition("sessions", long.test.test_id)["total_count"] == 250
    done = long.sync("sessions", change_source="listing")
    assert (done.exit, done.records()) == (0, [])
    assert len([call for call in long.box.calls if call.kind == "list"]) == idle


def test_a_page_that_is_short_in_mid_list_hides_nobody(long: Scene) -> None:
    """99 of 100: the next page begins with the one that was left out."""
    long.world.list_page = 100
    long.box.fail("list", times=1, fault="short", skip=1)
    done = long.sync("sessions", change_source="listing")
    assert (done.exit, len(done.records())) == (0, 250)
    assert [call.query["offset"] for call in long.box.calls if call.kind == "list"] == ["0", "100", "199"]


def test_no_content_is_an_empty_list(long: Scene) -> None:
    """204 for a test without a session is no fault, and nothing is taken for read."""
    long.box.fail("list", times=1, status=204, body="")
    done = long.sync("sessions", change_source="listing")
    assert (done.exit, done.records()) == (0, [])
    assert len(long.sync("sessions", change_source="listing").records()) == 250


@pytest.mark.parametrize("stream", ["sessions", "session_details"])
def test_a_feed_younger_than_its_test_reads_what_the_list_kept_back_later(stream: str) -> None:
    """While the list is short the run ends with status 1 and nothing is fetched twice; once it is whole, all arrive."""
    world = World()
    test = world.add_test("SURVEY")
    for number in range(6):
        world.add_session(test, in_feed=number > 3)
    with Sandbox(world) as box:
        scene = Scene(box, test)
        sessions = [session.summary() for session in test.listed("finish")]
        pagination = {"limit": 500, "offset": 0, "totalCount": 6}
        kept_back = [*sessions[:3], *sessions[4:]]  # one that the feed does not know
        body = {"testId": test.test_id, "sessions": kept_back, "meta": {"pagination": pagination}}
        box.fail("list", times=None, status=200, body=body)
        for rows in (5, 0, 0):
            done = scene.sync(stream)
            assert (done.exit, len(done.records())) == (1, rows)
        box.orders.clear()
        assert scene.sync(stream).exit == 0
        assert_true(scene.warehouse, world, [stream])
        done = scene.sync(stream)
        assert (done.exit, done.records()) == (0, [])
        assert {call.kind for call in box.calls} <= {"token", "v1", "feed"}


def keep_back(long: Scene, which: slice) -> None:
    """Let the list name all of its 250 sessions and give all but these, newest first."""
    sessions = [session.summary() for session in long.test.listed("finish")]
    del sessions[which]
    pagination = {"limit": 500, "offset": 0, "totalCount": 250}
    body = {"testId": long.test.test_id, "sessions": sessions, "meta": {"pagination": pagination}}
    long.box.fail("list", times=None, status=200, body=body)


@pytest.mark.parametrize("stream", ["sessions", "session_details"])
def test_sessions_that_the_list_keeps_back_are_said_and_looked_for_again(long: Scene, stream: str) -> None:
    """What was found is there, the run ends with status 1, and the next sync finds the rest, or says it again."""
    for _ in range(2):
        keep_back(long, slice(200, 250))
        done = long.sync(stream, change_source="listing")
        assert done.exit == 1
        assert len(long.warehouse.tables[stream]) == 200
        assert done.partition(stream, long.test.test_id)["total_count"] == 200
        long.box.orders.clear()
    done = long.sync(stream, change_source="listing")
    assert (done.exit, len(done.records())) == (0, 50)
    assert_true(long.warehouse, long.world, [stream])


def test_sessions_that_the_list_keeps_back_for_a_sync_are_not_read_again(long: Scene) -> None:
    """They were written before; that the list did not give them does not mean that they had left."""
    long.sync("sessions", change_source="listing")
    keep_back(long, slice(10, 40))
    assert long.sync("sessions", change_source="listing").exit == 1
    long.box.orders.clear()
    done = long.sync("sessions", change_source="listing")
    assert (done.exit, done.records()) == (0, [])


def test_a_list_that_kept_sessions_back_deletes_nothing(long: Scene, tmp_path: Path) -> None:
    """Under FULL_TABLE no ACTIVATE_VERSION follows, by which a target would drop what the list did not give."""
    entries = catalog(["sessions"], replication_method="FULL_TABLE")
    config = long.box.config(emit_activate_version_messages=True, change_source="listing")
    for activated in (True, False):
        done = sync(config, tmp_path, entries=entries)
        assert (done.exit == 0) == activated
        assert bool([m for m in done.messages if m["type"] == "ACTIVATE_VERSION"]) == activated
        keep_back(long, slice(200, 250))
    assert "the session list reports 250 sessions but returned 200, even on a second read" in done.errors[0]


# Discovery


@pytest.mark.parametrize("page", [25, 20, 7, 50])
def test_every_test_is_discovered_whatever_a_page_holds(page: int) -> None:
    """60 tests in pages of 25 are 60 tests."""
    world = World.bulk(tests=60, sessions=1, product_type="SURVEY")
    world.v1_page = page
    with Sandbox(world) as box:
        scene = Scene(box, next(iter(world.tests.values())))
        assert scene.sync("tests", "workspaces", "sessions").exit == 0
        assert_true(scene.warehouse, world, ["tests", "workspaces", "sessions"])


def test_discovery_of_a_small_account_costs_one_call_more_than_it_has_lists(scene: Scene) -> None:
    """Workspaces, which have no pages; the tests of the one workspace; and that no more come."""
    scene.sync("tests")
    assert [call.query for call in scene.box.calls if call.kind == "v1"] == [{}, {}, {"after": "Mg"}]


# Fields that have no column

UNDOCUMENTED = {"sentimentScore": 0.4, "newNote": {"said\x00": ["x", None]}, "deletedAt": "2026-01-01T00:00:00Z"}
KEEPING = ("sessions", "session_details", "session_clips", "highlight_reels", "tests", "workspaces")


@pytest.fixture
def novel(scene: Scene) -> Scene:
    """The scene, with a clip and a reel, and with fields in every object that no document names."""
    scene.world.clip(newest(scene.test))
    scene.world.edit_reel(scene.test)
    scene.world.undocumented = UNDOCUMENTED
    return scene


@pytest.mark.parametrize("version", ["v3", "v2"])
def test_fields_that_no_column_names_are_kept_and_named_once(
    novel: Scene, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Under the vendor's own names, with their values as they came; the tap's own columns are not filled by them."""
    novel.sync(*KEEPING, session_details_version=version)
    expected = {**UNDOCUMENTED, "newNote": {"said\ufffd": ["x", None]}}
    for stream in KEEPING:
        rows = list(novel.warehouse.tables[stream].values())
        assert rows
        assert all(row["extra_fields"] == expected for row in rows), stream
    told = [line for line in caplog.messages if "has no column" in line]
    assert len(told) == len(set(told)) == len(KEEPING) * len(UNDOCUMENTED)
    assert "session_details: the API sends a field that has no column (sentimentScore); extra_fields has it" in told


def test_what_is_documented_is_no_extra_field(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Also where the vendor's field stands in a column of another name, or in none on purpose: no false alarm."""
    scene.world.clip(newest(scene.test))
    scene.world.edit_reel(scene.test)
    for version in ("v3", "v2"):
        scene.warehouse.state = None
        scene.sync(*KEEPING, session_details_version=version)
        for stream in KEEPING:
            assert {row["extra_fields"] for row in scene.warehouse.tables[stream].values()} == {None}, stream
    assert not [line for line in caplog.messages if "has no column" in line]


@pytest.mark.parametrize("mode", ["omit", "hash"])
def test_fields_that_no_column_names_are_left_out_with_personal_data(
    novel: Scene, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No one knows what is in them: neither their values nor hashes of them, and the warning says so."""
    settings = {"exclude_personal_data": mode, "personal_data_salt": "sixteen characters"}
    done = novel.sync(*KEEPING, **settings)
    assert done.exit == 0
    assert not [message for message in done.messages if "extra_fields" in str(message)]
    assert any("(sentimentScore); it is left out" in line for line in caplog.messages)


def test_the_names_of_unknown_fields_can_neither_forge_nor_flood_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that is no plain word may be data, such as an e-mail address; and a server may invent any number."""
    scene.world.undocumented = {"jane@example.com": 1, "a\nERROR forged": 2, **{f"field{n}": n for n in range(500)}}
    scene.sync("session_details")
    told = [line for line in caplog.messages if "has no column" in line]
    assert 0 < len(told) <= 20
    assert not [line for line in told if "jane" in line or "\n" in line]
    assert len(next(iter(scene.warehouse.tables["session_details"].values()))["extra_fields"]) == 502
