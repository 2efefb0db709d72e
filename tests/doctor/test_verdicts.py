"""The doctor is right on a server that is as documented and on one for each assumption that breaks it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.doctor.assumption import HOLDS, REFUTED, UNKNOWN
from tap_usertesting.doctor.run import MOST_CALLS
from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.sandbox.like import variant_of
from tap_usertesting.sandbox.set_up import set_up
from tap_usertesting.sandbox.variant import Variant
from tests.doctor.examined import examine, examine_variant
from tests.doctor.variants import ALL, CASES, OF_FEED, Case
from tests.support.harness import sync_here
from tests.support.simulated_time import SimulatedTime

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_each_verdict_is_right_and_the_sandbox_can_be_like_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """On each server, and again on the one that is made of its report."""
    first = examine_variant(case.variant, monkeypatch)
    assert (first.named(REFUTED), first.named(UNKNOWN)) == (case.refuted, case.untold)
    assert first.named(HOLDS) == ALL - case.refuted - case.untold
    assert first.exit == (1 if case.refuted else 0)
    again = examine_variant(variant_of(first.report), monkeypatch)
    assert again.verdicts == first.verdicts


def test_each_assumption_is_refuted_by_a_server() -> None:
    """No verdict that cannot be bad."""
    assert set().union(*(case.refuted for case in CASES.values())) == ALL


def test_what_to_do_is_said_of_what_is_refuted_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report and the table name the setting."""
    found = examine_variant(Variant(details=("v2",)), monkeypatch)
    told = {name: entry["what to do"] for name, entry in found.report["assumptions"].items() if "what to do" in entry}
    assert told == {"details_v3_is_served": "set `session_details_version` to `v2`"}
    assert found.stderr.splitlines()[0].startswith("refuted")
    assert "set `session_details_version` to `v2`" in found.stderr


def test_the_calls_that_are_made_are_those_that_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 15 of the Results API, each at most once, and none over the quota."""
    time = SimulatedTime().install(monkeypatch)
    with time.serve(World.seeded(), Variant().quota) as box:
        found = examine(box)
        kinds = Counter("Results API" if call.kind not in {"token", "v1", "feed"} else call.kind for call in box.calls)
        asked = Counter((call.path, *call.query.items()) for call in box.calls if call.kind not in {"token", "feed"})
        assert 429 not in {call.status for call in box.calls}
    named = {"v1": "legacy API", "feed": "change feed", "token": "token endpoint"}
    assert {named.get(kind, kind): number for kind, number in kinds.items()} == found.report["calls"]
    assert kinds["Results API"] <= MOST_CALLS
    assert kinds["feed"] + kinds["v1"] <= 12
    assert set(asked.values()) == {1}


@pytest.mark.parametrize("kind", ["list", "details_v3", "transcript", "results"])
def test_the_calls_are_bounded_whatever_fails(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is tried again, and a refusal is waited out, within the same 15 calls."""
    for status in (500, 429):
        time = SimulatedTime().install(monkeypatch)
        with time.serve(World.seeded(), Variant().quota) as box:
            box.fail(kind, times=None, status=status)
            found = examine(box)
            assert sum(call.kind not in {"token", "v1", "feed"} for call in box.calls) <= MOST_CALLS
        assert found.report["endpoints"]["list"]["calls"] >= 1


def test_a_429_is_no_proof_against_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone else may use the credentials: it is counted, and waited out."""
    time = SimulatedTime().install(monkeypatch)
    with time.serve(World.seeded(), Variant().quota) as box:
        box.fail("details_v3", times=1, status=429, headers={"Retry-After": "7"})
        found = examine(box)
    assert found.named(REFUTED) == set()
    assert found.report["assumptions"]["quota_is_10_a_minute"]["evidence"]["refusals"] == 1
    assert found.report["endpoints"]["details_v3"]["statuses"] == {"200": 1, "429": 1}


@pytest.mark.parametrize("legacy", ["bearer", "gone"])
def test_configured_tests_alone_are_asked_about(legacy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `test_ids`; where the legacy API does not tell their types, each of a few is asked."""
    world = set_up(World.seeded(), Variant(legacy=legacy))  # type: ignore[arg-type]
    chosen = [test.test_id for test in world.tests.values() if test.completed()][2:5]
    SimulatedTime().install(monkeypatch)
    with Sandbox(world) as box:
        found = examine(box, test_ids=chosen)
        asked = {call.test_id for call in box.calls if call.kind == "list" and call.status == 200}
    assert asked <= set(chosen)
    assert asked
    assert found.verdicts["details_v3_is_served"] == HOLDS
    assert found.verdicts["ids_are_joined"] == HOLDS
    untold = {"scores_only_for_interaction", "only_speech_has_transcripts"}
    assert (found.named(UNKNOWN) >= untold) is (legacy == "gone")


def test_a_feed_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials of the Results API, nothing is asked of it."""
    SimulatedTime().install(monkeypatch)
    with Sandbox(World.seeded()) as box:
        own = [test.test_uuid for test in box.world.tests.values() if test.events]
        config = {"client_id": None, "client_secret": None, "feed_access_token": box.feed_token, "feed_test_ids": own}
        found = examine(box, select=("result_changes",), **config)
        assert {call.kind for call in box.calls} == {"feed"}
    assert found.named(HOLDS) == OF_FEED - {"ids_are_joined"}
    assert found.named(REFUTED) == set()


def test_a_feed_that_refuses_the_token_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Results API is told about all the same."""
    SimulatedTime().install(monkeypatch)
    with Sandbox(World.seeded(), quota=Variant().quota) as box:
        found = examine(box, feed_access_token="another-token-altogether")
    assert found.named(REFUTED) == {"feed_is_there"}
    assert found.verdicts["details_v3_is_served"] == HOLDS
    assert "feed_access_token" in found.report["assumptions"]["feed_is_there"]["what to do"]


@pytest.mark.parametrize(
    ("variant", "select", "expected"),
    [
        (Variant(details=("v2",)), "session_details", lambda kinds: kinds["details_v2"] > kinds["details_v3"] == 1),
        (Variant(list_page=2), "sessions", lambda kinds: kinds["list"] > 15),
        (Variant(feed_most_tests=1), "result_changes", lambda kinds: kinds["feed"] > 9),
    ],
    ids=["no v3", "short pages", "one test in a request"],
)
def test_a_sync_meets_the_server_of_a_report(
    variant: Variant,
    select: str,
    expected: Callable[[Counter[str]], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was odd about the server is odd about the sandbox."""
    like = variant_of(examine_variant(variant, monkeypatch).report)
    time = SimulatedTime().install(monkeypatch)
    with time.serve(set_up(World.seeded(), like)) as box:
        synced = sync_here(box.config(), select=[select])
        kinds = Counter(call.kind for call in box.calls)
    assert synced.exit == 0
    assert synced.records(select)
    assert expected(kinds), kinds


def test_a_report_of_large_numbers_makes_a_small_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote it: what shows the same is enough."""
    report = examine_variant(Variant(), monkeypatch).report
    for name, what in (("tests_fit_the_list", "most_sessions"), ("legacy_pages_hold_50", "longest_page")):
        report["assumptions"][name] = {"verdict": REFUTED, "evidence": {what: 10**15}}
    variant = variant_of(report)
    assert (variant.sessions, variant.tests) == (10_600, 500)


def test_a_window_that_had_begun_before_is_a_whole_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reset that was seen is no window then."""
    report = examine_variant(Variant(), monkeypatch).report
    report["assumptions"]["quota_is_10_a_minute"]["evidence"] = {"limit": 10, "longest_reset_s": 41, "windows": 1}
    assert variant_of(report).quota == Variant().quota
