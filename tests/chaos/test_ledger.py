"""The ledger tells calls that had to be made from calls that were made for nothing, and faults from excuses."""

from __future__ import annotations

import pytest

from tap_usertesting.sandbox import World
from tap_usertesting.sandbox.requests_and_replies import ServedCall
from tests.chaos.ledger import Ledger, least

TRIES = 4


def _call(number: int, kind: str, path: str, status: int = 200, **more: str) -> ServedCall:
    return ServedCall(number, 0.0, kind, "GET", path, {}, status, **more)  # type: ignore[arg-type]  # ids only


def _ledger(world: World) -> Ledger:
    return Ledger(world, strict=True, by_feed=True)


@pytest.mark.parametrize(
    ("happens", "again"),
    [
        pytest.param(None, 1, id="nothing happened"),
        pytest.param("VIDEO_UPDATED", 1, id="its video changed"),
        pytest.param("UPDATED", 0, id="it changed"),
        pytest.param("ANYTHING", 0, id="something unknown happened"),
    ],
)
def test_details_are_asked_again_for_nothing_unless_they_changed(happens: str | None, again: int) -> None:
    """A second question for a session is justified by a change of what is asked for, and by nothing else."""
    world = World(seed=1)
    session = world.add_session(world.add_test())
    path = f"/api/v3/sessionResults/{session.session_id}"
    calls = [_call(number, "details_v3", path, session_id=session.session_id) for number in (1, 2)]
    ledger = _ledger(world)
    ledger.note(calls[0], faulted=False)
    if happens is not None:
        world.announce(session, happens)
    ledger.note(calls[1], faulted=False)
    assert ledger.sum_up(calls).again == again


def test_what_was_not_answered_is_not_asked_again_for_nothing() -> None:
    """A call that met a fault, or found nothing yet, may be made again; both are counted as calls."""
    world = World(seed=1)
    session = world.add_session(world.add_test())
    path = f"/api/v2/sessionResults/{session.session_id}/transcript"
    calls = [
        _call(number, "transcript", path, status, session_id=session.session_id)
        for number, status in enumerate((404, 200, 200), start=1)
    ]
    ledger = _ledger(world)
    for call in calls:
        ledger.note(call, faulted=call.n == 2)
    spent = ledger.sum_up(calls)
    assert (spent.calls, spent.faulted, spent.again) == (3, 1, 0)


@pytest.mark.parametrize(
    ("statuses", "explained"),
    [
        pytest.param([200], False, id="answered"),
        pytest.param([500], False, id="one fault"),
        pytest.param([401], False, id="a token that was revoked"),
        pytest.param([401, 401], True, id="two tokens that were revoked"),
        pytest.param([500] * TRIES, True, id="as many faults as there are tries"),
        pytest.param([302], True, id="a redirect"),
    ],
)
def test_a_run_may_give_up_only_what_it_can_not_help(statuses: list[int], explained: bool) -> None:  # noqa: FBT001 - a column of the table
    """A fault or a revoked token alone is no excuse, not even one for each of several calls."""
    calls = [_call(number, "list", "/api/v2/sessionResults", status) for number, status in enumerate(statuses)]
    others = [_call(100 + number, "details_v3", f"/other/{number}", 503) for number in range(TRIES)]
    expected = {"/api/v2/sessionResults"} if explained else set()
    assert _ledger(World(seed=1)).excuses([*calls, *others], tries=TRIES) == expected


@pytest.mark.parametrize("final", [True, False])
def test_what_must_not_be_tried_again_may_be_given_up_at_once(*, final: bool) -> None:
    """An answer of the feed that refuses the whole request; any other fault alone is no excuse."""
    call = _call(1, "feed", "/graphql/")
    ledger = _ledger(World(seed=1))
    ledger.note(call, faulted=True, final=final)
    assert ledger.excuses([call], tries=TRIES) == ({"/graphql/"} if final else set())


def test_the_least_of_a_first_sync_is_a_call_for_each_row_and_page() -> None:
    """Two pages of a list, and details and a transcript of each session; what the types tell costs nothing."""
    world = World(seed=1)
    spoken, survey = world.add_test("THINK_OUT_LOUD"), world.add_test("SURVEY")
    for test, sessions in ((spoken, 501), (survey, 2)):
        for _ in range(sessions):
            world.add_session(test)
    every = ("sessions", "session_details", "transcripts", "qx_scores")
    assert least(world, every, by_feed=True, types_known=True) == 2 + 501 + 501 + 1 + 2
    assert least(world, ("sessions",), by_feed=True, types_known=True) == 2 + 1
    assert least(world, every, by_feed=False, types_known=False) == 2 + 501 + 501 + 1 + 2 + 2 + 2
