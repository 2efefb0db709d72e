"""What a sync costs in calls, with nothing lost: the first one, an idle one, and one that finds a few changes."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.support.harness import Warehouse, sync, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_usertesting.sandbox.model import Session, Test
    from tests.support.simulated_time import SimulatedTime

INTERACTION, SPOKEN, SURVEY = "NON_THINK_OUT_LOUD", "THINK_OUT_LOUD", "SURVEY"
PAGE = 500  # sessions
BESIDE = {"token", "v1", "feed"}  # calls that are none of the Results API's v2 and v3
INCREMENTAL = ("sessions", "session_details", "transcripts", "qx_scores", "result_changes")


@pytest.fixture
def serve() -> Iterator[Callable[..., Sandbox]]:
    """Serve worlds until the test ends."""
    with ExitStack() as running:

        def start(world: World) -> Sandbox:
            return running.enter_context(Sandbox(world, quota=None))

        yield start


def spent(box: Sandbox) -> Counter[str]:
    """Return the Results API calls of each kind, whatever they were answered."""
    return Counter(call.kind for call in box.calls if call.kind not in BESIDE)


def needed(world: World) -> Counter[str]:
    """Return the fewest calls that can read all of a world once."""
    now = world.truth()
    readable = [test for test in world.tests.values() if test.served_by_results]
    return Counter(
        list=sum(max(1, math.ceil(len(test.completed()) / PAGE)) for test in readable),
        details_v3=len(now["details"]),
        transcript=len(now["transcripts"]),
        qx_scores=sum(1 for test_id in now["qx_scores"] if world.tests[test_id].completed()),
    )


def typical() -> World:
    """Two tests of each product type, one without sessions, classic ones; late transcripts, rejections, a late feed."""
    return World.seeded(seed=7, scale="small")


def accepted_again() -> World:
    """Three tests of each product type; some sessions were rejected, came back, and never had a transcript."""
    return World.seeded(seed=7, scale="demo")


def two_pages() -> World:
    """One survey whose list fills a page and needs a second for its last session."""
    return World.bulk(tests=1, sessions=PAGE + 1, product_type=SURVEY)


@pytest.mark.parametrize("make", [typical, accepted_again, two_pages])
def test_first_sync_makes_every_call_once_and_every_table_true(
    make: Callable[[], World], serve: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """A first sync by feed: list pages, one call per session, per existing transcript and per scored test; no more."""
    world = make()
    box, warehouse = serve(world), Warehouse()
    synced = sync(box.config(), tmp_path)
    assert synced.exit == 0, synced.log
    warehouse.load(synced.messages)
    assert_true(warehouse, world)
    assert spent(box) == needed(world)


@pytest.mark.parametrize("kind", ["fixed", "sliding"])
def test_first_sync_stays_inside_the_quota(kind: Literal["fixed", "sliding"], simulated_time: SimulatedTime) -> None:
    """With 10 calls a minute nothing is refused, and nothing is missing or asked twice."""
    world, warehouse = typical(), Warehouse()
    with simulated_time.serve(world, QuotaRule(kind=kind)) as box:
        synced = sync_here(box.config())
    assert synced.exit == 0
    warehouse.load(synced.messages)
    assert_true(warehouse, world)
    assert [call for call in box.calls if call.status == 429] == []
    assert spent(box) == needed(world)


@pytest.mark.parametrize(("tests", "requests"), [(100, 1), (101, 2)])
def test_an_idle_sync_is_one_feed_request_for_each_hundred_tests(
    tests: int, requests: int, serve: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """Nothing new in configured tests: the counts are asked together, and no call, record or other request is made."""
    world = World.bulk(tests=tests, sessions=1, events_per_session=3, transcripts=True)
    box = serve(world)
    config = box.config(test_ids=list(world.tests))
    first = sync(config, tmp_path)
    assert first.exit == 0, first.log
    box.clear_calls()
    idle = sync(config, tmp_path, state=first.state)
    assert idle.exit == 0, idle.log
    assert Counter(call.kind for call in box.calls) == {"token": 1, "feed": requests}
    assert idle.records() == []
    assert idle.state == first.state


def test_an_idle_sync_of_discovered_tests_adds_their_discovery(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """Sessions of the last hours, some still without a transcript: the feed says that nothing happened, so no call.

    Of the legacy API one call for the workspaces, and for each of the two a page and an empty one behind it.
    """
    world = World.seeded(seed=7, scale="demo", now=_present())
    box = serve(world)
    first = sync(box.config(), tmp_path)
    assert first.exit == 0, first.log
    box.clear_calls()
    idle = sync(box.config(), tmp_path, state=first.state)
    assert idle.exit == 0, idle.log
    assert Counter(call.kind for call in box.calls) == {"token": 1, "v1": 5, "feed": 1}
    assert [record for stream in INCREMENTAL for record in idle.records(stream)] == []


def test_an_idle_sync_by_listing_is_one_list_call_for_each_test(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """Without a feed each test's newest page is read, and although every session is recent none is fetched again."""
    world = World.bulk(
        tests=20, sessions=3, events_per_session=3, transcripts=True, product_type=SPOKEN, now=_present()
    )
    box = serve(world)
    config = box.config(change_source="listing", feed_url=None, test_ids=list(world.tests))
    first = sync(config, tmp_path)
    assert first.exit == 0, first.log
    box.clear_calls()
    idle = sync(config, tmp_path, state=first.state)
    assert idle.exit == 0, idle.log
    assert spent(box) == {"list": 20}
    assert idle.records() == []


def test_an_idle_sync_by_listing_asks_only_for_transcripts_that_may_still_come(
    serve: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """With sessions that wait for a transcript: one list call per test, one call for each of those, no details."""
    world = World.seeded(seed=7, scale="demo", now=_present())
    box = serve(world)
    config = box.config(change_source="listing")
    first = sync(config, tmp_path)
    assert first.exit == 0, first.log
    pending = sum(len(first.partition("transcripts", test_id).get("waiting", {})) for test_id in world.tests)
    readable = sum(test.served_by_results for test in world.tests.values())
    box.clear_calls()
    idle = sync(config, tmp_path, state=first.state)
    assert idle.exit == 0, idle.log
    assert 0 < pending < 20
    assert spent(box) == {"list": readable, "transcript": pending}
    assert [record for stream in INCREMENTAL for record in idle.records(stream)] == []


def _in_one_spoken_test(world: World) -> list[Test]:
    """All four in one test with transcripts: 1 list page, 2 details, 2 transcripts."""
    return [next(test for test in world.tests.values() if test.product_type == SPOKEN)] * 4


def _in_one_interaction_test(world: World) -> list[Test]:
    """All four in one test with scores; its new session has a transcript too: as above, and 1 QXscore call."""
    return [next(test for test in world.tests.values() if test.product_type == INTERACTION)] * 4


def _rejected_elsewhere(world: World) -> list[Test]:
    """Three in a test with transcripts, the rejection in one with scores, which needs no list: 6 calls as well."""
    elsewhere = next(test for test in world.tests.values() if test.product_type == INTERACTION)
    return [*_in_one_spoken_test(world)[:3], elsewhere]


@pytest.mark.parametrize(
    ("places", "calls"),
    [
        pytest.param(_in_one_spoken_test, {"list": 1, "details_v3": 2, "transcript": 2}, id="one spoken test"),
        pytest.param(
            _in_one_interaction_test,
            {"list": 1, "details_v3": 2, "transcript": 2, "qx_scores": 1},
            id="one interaction test",
        ),
        pytest.param(
            _rejected_elsewhere,
            {"list": 1, "details_v3": 2, "transcript": 2, "qx_scores": 1},
            id="the rejection in another test",
        ),
    ],
)
def test_four_changes_cost_five_or_six_calls(
    places: Callable[[World], list[Test]], calls: dict[str, int], serve: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """A new session, a late transcript, an update and a rejection: only they are fetched, and every table is true."""
    world = World.seeded(seed=7, scale="small")
    box, warehouse = serve(world), Warehouse()
    new_in, late_in, updated_in, rejected_in = places(world)
    late = world.add_session(late_in, transcript="later", finished_at=late_in.events[-1].changed_at)
    first = sync(box.config(), tmp_path)
    warehouse.load(first.messages)
    new = world.add_session(new_in, transcript="ready")
    world.transcribe(late)
    updated = _another(updated_in, late, new)
    rejected = _another(rejected_in, late, new, updated)
    world.update(updated)
    world.reject(rejected)
    box.clear_calls()
    second = sync(box.config(), tmp_path, state=first.state)
    assert second.exit == 0, second.log
    warehouse.load(second.messages)
    assert_true(warehouse, world)
    assert spent(box) == calls
    assert {record["session_id"] for record in second.records("session_details")} == {
        new.session_id,
        updated.session_id,
        rejected.session_id,
    }


def _another(test: Test, *taken: Session) -> Session:
    return next(session for session in test.completed() if session not in taken)


def _present() -> datetime:
    """Return the real present: what is recent hangs on it."""
    return datetime.now(timezone.utc).replace(microsecond=0)
