"""What a sync costs in time and memory: the quota used to the full, many tests, and a very long history."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.harness import sync
from tests.shows.measured import bulk_sandbox, measured

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timing

STREAMS = 7
ROUNDS = 3  # other work on the machine only ever adds time: the best round is the tap's own
EVENTS = 170_000


@pytest.mark.parametrize("kind", ["fixed", "sliding"])
def test_the_quota_is_used_to_the_full(kind: Literal["fixed", "sliding"], tmp_path: Path) -> None:
    """201 calls at 10 a window: the last one can be sent 20 windows after the first; 5 % more is the most it takes.

    Time is compressed to windows of half a second; the sandbox's call log has the times. No call is refused.
    """
    limit, window = 10, 0.5
    ratios = []
    for _ in range(ROUNDS):
        world = World.bulk(tests=1, sessions=100, events_per_session=3, transcripts=True, product_type="THINK_OUT_LOUD")
        with Sandbox(world, quota=QuotaRule(limit=limit, window=window, kind=kind)) as box:
            synced = sync(box.config(), tmp_path)
            calls = [call for call in box.calls if call.kind in {"list", "details_v3", "transcript"}]
        assert synced.exit == 0, synced.log
        assert {call.status for call in calls} == {200}
        assert len(calls) == 201
        ratios.append((calls[-1].at - calls[0].at) / (window * ((len(calls) - 1) // limit)))
        if ratios[-1] <= 1.05:
            break
    assert 1 <= min(ratios) <= 1.05, ratios


def test_four_hundred_tests_take_seconds_and_grow_linearly(tmp_path: Path) -> None:
    """400 discovered tests of one session, details and transcript each, without a limit of calls.

    The first sync takes less than 12 s of a processor and an idle one less than 2 s, process start included. Four
    times the tests are four times the records, and no more STATEs than streams end and seconds pass. Processor time
    beyond that of an idle sync grows by less than six: it would be sixteen if every test cost a walk over all tests.
    """
    first, idle = {}, {}
    for tests in (100, 400):
        with bulk_sandbox(
            tests=tests, sessions=1, events_per_session=3, transcripts=True, product_type="THINK_OUT_LOUD"
        ) as settings:
            config = {name: value for name, value in settings.items() if name != "test_ids"}
            first[tests] = measured(config, tmp_path)
            again = [measured(config, tmp_path, state=first[tests].state) for _ in range(ROUNDS)]
            idle[tests] = min(again, key=lambda one: one.cpu)
    assert first[400].cpu < 12
    assert idle[400].cpu < 2
    for tests, one in first.items():
        assert one.messages["RECORD"] == 7 * tests + 1  # three events, three rows of the session, the test; a workspace
        assert one.messages["SCHEMA"] == STREAMS
        assert one.messages["STATE"] <= 2 * STREAMS + one.seconds
    assert first[400].cpu - idle[400].cpu < 6 * (first[100].cpu - idle[100].cpu)


def test_a_history_of_170000_events_costs_little_more_than_its_json_in_220_megabytes(tmp_path: Path) -> None:
    """One feed answer of 170,000 events, some 40 MB of JSON: less than four times the time of the `json` module alone.

    Processor time of the whole process, less that of one which finds nothing new: transfer, decoding and writing are in
    it. Beside it, in this process, each event is read and written once by `json`. (Events per second are what
    `python -m tests.benchmarks.events` is for.) The memory is the peak of the tap's process, its start included.
    """
    with bulk_sandbox(tests=1, sessions=1000, events_per_session=EVENTS // 1000) as config:
        warm = measured(config, tmp_path, select=["result_changes"])  # has the sandbox make its answer
        whole = [measured(config, tmp_path, select=["result_changes"]) for _ in range(ROUNDS)]
        idle = [measured(config, tmp_path, select=["result_changes"], state=warm.state) for _ in range(ROUNDS)]
    assert {one.messages["RECORD"] for one in whole} == {EVENTS}
    assert {one.messages["RECORD"] for one in idle} == {0}
    seconds = min(one.cpu for one in whole) - min(one.cpu for one in idle)
    ratio = seconds / min(seconds_of_json() for _ in range(ROUNDS))
    assert ratio < 4, ratio
    assert max(one.peak for one in whole) < 220e6


def seconds_of_json() -> float:
    """Return the processor seconds that the standard library takes to read and to write as many records."""
    event = {
        "cursor": "ut_801c0cb2d10043b4bc37a3c29df54a1d",
        "responseUuid": "ut_response_25e1df40-f6cc-436e-abe3-ac7d1b6dc533",
        "testResultId": 833433,
        "changeType": "VIDEO_TRANSCRIPTION_UPDATED",
        "changedAt": "2025-10-01T10:37:17.365122+00:00",
    }
    text = json.dumps(event)
    began = time.process_time()
    for _ in range(EVENTS):
        json.dumps(json.loads(text))
    return time.process_time() - began


def test_the_time_of_an_event_does_not_grow_with_the_history(tmp_path: Path) -> None:
    """Three histories, each twice as long as the one before: processor time grows by less than three each time."""
    cpu = []
    for events in (20_000, 40_000, 80_000):
        with bulk_sandbox(tests=1, sessions=1000, events_per_session=events // 1000) as config:
            whole = measured(config, tmp_path, select=["result_changes"])
            idle = measured(config, tmp_path, select=["result_changes"], state=whole.state)
        cpu.append(whole.cpu - idle.cpu)
    assert all(longer < 3 * shorter for shorter, longer in pairwise(cpu))
