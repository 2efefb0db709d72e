"""What a sync says at its end: numbers that are true, for people and for machines, however it ended."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.ledger.completeness import table_complete_from
from tap_usertesting.ledger.ledger import History, Ledger, Mark
from tap_usertesting.report.summary import Summary
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.guarantees.test_state_on_disk import Process
from tests.support.harness import (
    COMMAND,
    LONG,
    SESSION_STREAMS,
    Synced,
    arguments,
    catalog,
    command_after,
    sync,
    sync_here,
)
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.simulated_time import SimulatedTime

MARK = "SUMMARY: "
CONFIG_OF_LOGS = """\
version: 1
disable_existing_loggers: false
formatters:
  structured:
    (): singer_sdk.logging.StructuredFormatter
handlers:
  console:
    class: logging.StreamHandler
    formatter: structured
    stream: ext://sys.stderr
root:
  level: INFO
  handlers: [console]
"""


def summary_of(done: Synced) -> dict[str, Any]:
    """Return the one summary of a run."""
    [line] = done.lines(MARK)
    return dict(json.loads(line.partition(MARK)[2]))


def a_world() -> World:
    """Return two tests: one with late transcripts, a removal and a score, one that was never used."""
    world = World(seed=5, now=datetime.now(timezone.utc))
    talk = world.add_test("THINK_OUT_LOUD")
    for place in range(6):
        world.add_session(talk, transcript="later" if place < 2 else "ready")
    world.add_session(world.add_test("NON_THINK_OUT_LOUD"), transcript="none")
    world.add_test("THINK_OUT_LOUD")
    return world


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """The world, served without a quota."""
    with Sandbox(a_world(), quota=None) as served:
        yield served


def calls_of(box: Sandbox) -> Counter[str]:
    """Return how many calls the sandbox answered; the two lists of the legacy API are one kind to it."""
    return Counter(call.kind for call in box.calls)


@pytest.mark.parametrize("source", [pytest.param("auto", id="feed"), pytest.param("listing", id="listing")])
def test_the_numbers_are_those_of_the_target_and_the_server(box: Sandbox, tmp_path: Path, source: str) -> None:
    """Rows as they arrived, calls and 404s as the server counted them, waiting as in the last STATE."""
    first = sync(box.config(change_source=source), tmp_path)
    said = summary_of(first)
    assert said["ended"] == "complete"
    assert said["rows"] == Counter(m["stream"] for m in first.messages if m["type"] == "RECORD")
    assert said["tombstones"] == {}
    calls = Counter(said["calls"])
    legacy = calls.pop("workspaces") + calls.pop("studies")
    assert calls + Counter(v1=legacy) == calls_of(box)
    assert said["not_found"] == Counter(call.kind for call in box.calls if call.status == 404)
    partitions = {
        stream: entry.get("partitions", []) for stream, entry in (first.state or {}).get("bookmarks", {}).items()
    }
    waits = {stream: sum(len(one.get("waiting", {})) for one in entries) for stream, entries in partitions.items()}
    assert said["waiting"] == {stream: count for stream, count in waits.items() if count}
    assert said["unfinished"] == said["unfinished_newest"] == {}
    if source == "listing":
        assert said["waiting"]["transcripts"] >= 2
        assert said["not_found"]["transcript"] >= 2
    assert (said["retries"], said["throttled"], said["left_out"]) == (0, 0, {})
    assert said["seconds"] >= 0


def test_removals_and_riders_are_counted(box: Sandbox, tmp_path: Path) -> None:
    """Tombstones stand beside the rows; rows that were made of another stream's fetch count as their own stream's."""
    select = [*SESSION_STREAMS, "task_responses", "transcript_cues"]
    first = sync(box.config(), tmp_path, select=select)
    assert summary_of(first)["rows"] == Counter(m["stream"] for m in first.messages if m["type"] == "RECORD")
    assert summary_of(first)["rows"]["task_responses"] > 0
    test = next(iter(box.world.tests.values()))
    box.world.reject(list(test.sessions.values())[-1])
    said = summary_of(second := sync(box.config(), tmp_path, select=select, state=first.state))
    assert said["rows"] == {}
    assert {stream: said["tombstones"][stream] for stream in SESSION_STREAMS} == dict.fromkeys(SESSION_STREAMS, 1)
    assert sum(said["tombstones"].values()) == len(second.records())


def test_faults_refusals_and_waits_are_counted(simulated_time: SimulatedTime, caplog: pytest.LogCaptureFixture) -> None:
    """Two faults are two retries; a refusal is one 429; the waits are in seconds, by their reason."""
    caplog.set_level(logging.INFO)
    began = simulated_time.now
    with simulated_time.serve(a_world(), QuotaRule(limit=5)) as box:
        box.fail("details_v3", times=2)
        box.fail("list", times=1, status=429, headers={"Retry-After": "90"})
        assert sync_here(box.config(parallel_streams=False)).exit == 0
        [said] = [vars(record)["summary"] for record in caplog.records if record.message.startswith(MARK)]
        assert (said["retries"], said["throttled"]) == (2, 1)
        assert said["calls"]["list"] == calls_of(box)["list"]
        assert said["seconds_waited"]["retry"] == 0.5 + 1.0
        assert said["seconds"] == simulated_time.now - began == sum(said["seconds_waited"].values())
        assert said["seconds_waited"]["quota"] > 90


def test_what_made_no_row_is_counted(tmp_path: Path) -> None:
    """Sessions whose id is none, events without a cursor, scores without their group."""
    world = World(seed=5)
    talk = world.add_test("THINK_OUT_LOUD")
    world.add_session(talk)
    world.event(talk, response_uuid="ut_response_x", change_type="UPDATED", cursor="")
    scores = {"meta": {"totalQxTasks": 1, "completes": 1}, "qxScores": [{"qxScore": 5}, "odd"]}
    page = {"sessions": [{"sessionId": "../../up"}, {}], "meta": {"pagination": {"totalCount": 2}}}
    world.add_session(world.add_test("NON_THINK_OUT_LOUD"), transcript="none")
    with Sandbox(world, quota=None) as box:
        box.fail("qx_scores", times=None, status=200, body=scores)
        box.fail("list", times=None, status=200, body=page)
        done = sync(box.config(), tmp_path)
    said = summary_of(done)
    assert said["left_out"]["sessions without an id"] == 2 * len(world.tests)
    assert said["left_out"]["qx_scores without an id"] == 2
    assert said["left_out"]["events without a cursor"] >= 1


# However it ends


def test_a_budget_ends_with_a_summary(box: Sandbox, tmp_path: Path) -> None:
    """The line `incomplete: ...` stands last."""
    done = sync(box.config(max_calls=6), tmp_path)
    assert done.exit == 0
    assert summary_of(done)["ended"] == "incomplete"
    assert "incomplete: " in done.log.splitlines()[-1]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_with_a_summary(tmp_path: Path, number: int, code: int) -> None:
    """In the midst of a wait without end; what had been waited until then is in it, and nothing of it is in the way.

    A line every tenth of a second shows that time was waited.
    """
    command = command_after("from tap_usertesting.report.progress import Lines; Lines.every = Lines.delay = 0.1")
    with Sandbox(a_world(), quota=QuotaRule(limit=5, window=3600)) as box:
        process = Process.start(box.config(change_source="listing"), tmp_path, command=command)
        process.wait_for(lambda seen: sum("progress: " in line for line in seen.log) >= 3)
        done = process.stop(number)
    said = summary_of(done)
    assert done.exit == code
    assert said["ended"] == "incomplete"
    assert 0.1 <= said["seconds_waited"]["quota"] <= said["seconds"] < 3600
    assert sum(said["rows"].values()) == len(done.records())


def test_what_failed_says_so(box: Sandbox, tmp_path: Path) -> None:
    """A test that cannot be read, and credentials that are refused in mid-run."""
    box.world.lose_access(next(iter(box.world.tests.values())))
    done = sync(box.config(test_ids=list(box.world.tests)), tmp_path)
    assert (done.exit, summary_of(done)["ended"]) == (1, "failed")
    box.fail("details_v3", times=None, status=401)
    done = sync(box.config(), tmp_path)
    assert (done.exit, summary_of(done)["ended"]) == (1, "failed")
    assert " | CRITICAL " in [line for line in done.log.splitlines() if "METRIC" not in line][-1]


def test_a_wrong_setting_is_no_run(box: Sandbox, tmp_path: Path) -> None:
    """Where nothing was begun, there is nothing to sum up."""
    done = sync(box.config(api_url="no url"), tmp_path)
    assert done.exit == 78
    assert not done.lines(MARK)


def test_a_plan_says_only_what_it_cost_itself(box: Sandbox, tmp_path: Path) -> None:
    """Rows that were merely rehearsed are no rows."""
    command = [*COMMAND, "--plan", *arguments(box.config(), tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONG)
    assert MARK not in done.stderr
    assert "calls made: " in done.stderr


# As a record for machines


def test_structured_logs_carry_it_as_an_object(box: Sandbox, tmp_path: Path) -> None:
    """With the SDK's structured format it is the field `summary` of one record; standard output has none of it."""
    logs = tmp_path / "logs.yml"
    logs.write_text(CONFIG_OF_LOGS, encoding="utf-8")
    done = sync(box.config(), tmp_path, env={"SINGER_SDK_LOG_CONFIG": str(logs)})
    assert done.exit == 0
    assert {message["type"] for message in done.messages} == {"SCHEMA", "RECORD", "STATE"}
    records = [json.loads(line) for line in done.log.splitlines() if line.startswith("{")]
    [record] = [record for record in records if record["message"].startswith(MARK)]
    assert json.loads(record["message"].removeprefix(MARK)) == record["extra"]["summary"]
    assert record["extra"]["summary"]["rows"]["sessions"] == 7


def test_it_holds_numbers_only(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of a participant and no secret: names of streams, endpoints and reasons, and their counts."""
    caplog.set_level(logging.INFO)
    done = sync_here(box.config(), select=catalog_streams())
    [record] = [record for record in caplog.records if record.message.startswith(MARK)]
    summary = dict(vars(record)["summary"])
    assert summary.pop("ended") == "complete"
    assert {*summary.pop("complete_from").values()} == {None}
    known = {*catalog_streams(), *summary["calls"], "quota", "retry"}
    for key, value in summary.items():
        assert isinstance(value, (int, float, dict)), key
        if isinstance(value, dict):
            assert known >= value.keys(), key
            assert all(isinstance(count, (int, float)) for count in value.values())
    sessions = {session for test in box.world.tests.values() for session in test.sessions}
    assert not [word for word in sessions if word in record.message]
    assert done.exit == 0


def catalog_streams() -> list[str]:
    """Return the name of every stream that needs no setting."""
    return [entry["stream"] for entry in catalog([])["streams"] if entry["stream"] != "session_videos"]


def test_what_is_left_open_is_told(tmp_path: Path) -> None:
    """Tests that are not read to their end, and those of them that lack a session of the newest 30 days."""
    now = datetime.now(timezone.utc)
    world = World(seed=5, now=now)
    for days in (5, 100, 200):
        test = world.add_test("THINK_OUT_LOUD")
        for hours in range(6):
            world.add_session(test, finished_at=now - timedelta(days=days, hours=hours))
    with Sandbox(world, quota=None) as box:
        config = box.config(test_ids=list(world.tests), change_source="listing", max_calls=5)
        first = sync(config, tmp_path, select=["session_details"])
        said = summary_of(first)
        assert (said["unfinished"], said["unfinished_newest"]) == ({"session_details": 3}, {"session_details": 1})
        second = summary_of(sync({**config, "max_calls": 9}, tmp_path, select=["session_details"], state=first.state))
    assert (second["unfinished"], second["unfinished_newest"]) == ({"session_details": 2}, {})


def test_what_is_complete_is_told(tmp_path: Path) -> None:
    """How far back each table is complete: as far as its least read test, then from start_date, or the beginning."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    world = World(seed=5, now=now)
    for days in (5, 100):
        test = world.add_test("THINK_OUT_LOUD")
        for hours in range(6):
            world.add_session(test, finished_at=now - timedelta(days=days, hours=hours))
    with Sandbox(world, quota=None) as box:
        config = box.config(test_ids=list(world.tests), change_source="listing")
        select = ["session_details", "tests"]
        first = sync({**config, "max_calls": 6}, tmp_path, select=select)  # both lists, and four of the newest sessions
        said = summary_of(first)["complete_from"]
        assert said.keys() == {"session_details"}
        assert said["session_details"] == f"{now - timedelta(days=5, hours=3):%Y-%m-%dT%H:%M:%S}.000000Z"
        second = sync(config, tmp_path, select=select, state=first.state)
        assert summary_of(second)["complete_from"] == {"session_details": None}
        start = f"{now - timedelta(days=50):%Y-%m-%d}"
        third = sync({**config, "start_date": start}, tmp_path, select=select)
    assert summary_of(third)["complete_from"]["session_details"].startswith(start)


def test_by_feed_a_test_that_was_not_read_is_complete_from_its_newest_change(tmp_path: Path) -> None:
    """The feed has told it, although nothing of the test was read."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    world = World(seed=5, now=now)
    for days in (5, 100):
        test = world.add_test("SURVEY")
        for hours in range(6):
            world.add_session(test, finished_at=now - timedelta(days=days, hours=hours))
    with Sandbox(world, quota=None) as box:
        config = box.config(test_ids=list(world.tests), max_calls=7)  # a list and six of the newest sessions
        said = summary_of(sync(config, tmp_path, select=["session_details"]))["complete_from"]
    newest = max(event.changed_at for event in list(world.tests.values())[1].events)
    assert datetime.fromisoformat(said["session_details"].replace("Z", "+00:00")) == newest


@pytest.mark.parametrize("source", ["auto", "listing"])
@pytest.mark.parametrize("calls", [6, 12, 25, 50])
def test_the_summary_and_sync_status_agree(tmp_path: Path, source: str, calls: int) -> None:
    """However early a budget ends a sync: from when on a table is complete, and in how many tests it is not."""
    with Sandbox(World.seeded(7, "small"), quota=None) as box:
        done = sync(box.config(change_source=source, max_calls=calls), tmp_path)
    said = summary_of(done)
    for stream in SESSION_STREAMS:
        rows = [row for row in done.records("sync_status") if row["stream"] == stream]
        begins = [row["complete_from"] for row in rows if row["complete_from"] is not None]
        assert said["complete_from"][stream] == max(begins, default=None)
        assert said["unfinished"].get(stream, 0) == sum(row["status"] == "reading" for row in rows)


NOW, START = "2026-07-01T00:00:00.000000Z", "2026-02-01T00:00:00.000000Z"
CLOSED = Ledger(source="listing", bookmark=Mark("b"))


@pytest.mark.parametrize(
    ("ledgers", "since"),
    [
        pytest.param([], None, id="no test"),
        pytest.param([CLOSED, CLOSED], None, id="all read"),
        pytest.param([CLOSED, replace(CLOSED, start_date=START)], START, id="all read from a start date on"),
        pytest.param(
            [CLOSED, replace(CLOSED, history=History("listing", "c", "2026-05"))], "2026-05", id="one in part"
        ),
        pytest.param(
            [replace(CLOSED, history=History("feed", "c", at)) for at in ("2026-03", "2026-06", "2026-04")],
            "2026-06",
            id="the least read counts",
        ),
        pytest.param([CLOSED, Ledger()], NOW, id="one of which nothing is known"),
        pytest.param([CLOSED, Ledger(newest="2026-04")], "2026-04", id="one whose newest session is known"),
        pytest.param(
            [replace(CLOSED, history=History("listing", "~"), reopened_until="2026-02")],
            "2026-02",
            id="opened for what an earlier start date brings",
        ),
    ],
)
def test_from_when_on_a_table_is_complete(ledgers: list[Ledger], since: str | None) -> None:
    """Nothing younger is missing."""
    assert table_complete_from(ledgers, now=NOW) == since


def test_only_what_was_written_counts(box: Sandbox, tmp_path: Path) -> None:
    """After filters, under the names that stream maps give, tombstones apart; METRIC counts the same."""
    maps = {
        "session_details": {"__filter__": "False"},
        "transcripts": {
            "__alias__": "words",
            "session_id": "session_id",
            "test_id": "test_id",
            "deleted_at": "deleted_at",
        },
        "sessions": {"__filter__": "deleted_at is not None or session_id > '8'"},
    }
    first = sync(box.config(stream_maps=maps), tmp_path, select=SESSION_STREAMS)
    said, written = summary_of(first), Counter(m["stream"] for m in first.messages if m["type"] == "RECORD")
    assert said["rows"] == written
    assert written.keys() == {"words", "sessions"}
    assert 0 < written["sessions"] < 7
    metrics = [json.loads(line.partition("METRIC: ")[2]) for line in first.lines("METRIC: ")]
    counted = {one["tags"]["stream"]: one["value"] for one in metrics if one["metric"] == "record_count"}
    assert counted == {"session_details": 0, "transcripts": written["words"], "sessions": written["sessions"]}
    assert not [one for one in metrics if "test_id" in json.dumps(one["tags"])]
    box.world.reject(list(next(iter(box.world.tests.values())).sessions.values())[-1])
    second = sync(box.config(stream_maps=maps), tmp_path, select=SESSION_STREAMS, state=first.state)
    assert summary_of(second)["tombstones"] == {"words": 1, "sessions": 1}


def test_metrics_of_a_check_name_no_test(box: Sandbox, tmp_path: Path) -> None:
    """A sample is of one test, and not of the last one; what a check did is told by its lines and its calls."""
    done = sync(box.config(test_ids=list(box.world.tests)), tmp_path, args=["--test"])
    assert done.lines("METRIC: ")
    assert not [line for line in done.lines("METRIC: ") if "test_id" in line]
    assert done.lines("calls made: ")
    assert not done.lines(MARK)


def test_the_record_is_the_only_line(box: Sandbox, tmp_path: Path) -> None:
    """Where there is no terminal, one record says all: no line for people beside it."""
    done = sync(box.config(), tmp_path)
    assert len(done.lines(MARK)) == 1
    assert not [word for word in ("rows: ", "took ", "calls made: ", "404s", "still waiting") if done.lines(word)]


def test_without_a_quota_nothing_was_waited(simulated_time: SimulatedTime, caplog: pytest.LogCaptureFixture) -> None:
    """A pause for the answer of a call that is on the wire is no wait."""
    caplog.set_level(logging.INFO)
    simulated_time.latency = 0.7
    with simulated_time.serve(a_world()) as box:
        assert sync_here(box.config(), state_every=1.0).exit == 0
    [said] = [vars(record)["summary"] for record in caplog.records if record.message.startswith(MARK)]
    assert said["seconds"] > 3
    assert said["seconds_waited"] == {}


# On a terminal


def a_summary(**changes: Any) -> Summary:  # noqa: ANN401 - any field
    """Return the summary of a sync that did nothing, but for these changes."""
    counts = ("rows", "tombstones", "calls", "not_found", "seconds_waited", "left_out", "waiting", "unfinished")
    none: dict[str, Any] = {name: {} for name in (*counts, "unfinished_newest", "complete_from")}
    return Summary(**{"ended": "complete", "seconds": 0.4, "retries": 0, "throttled": 0, **none, **changes})


def test_the_table_of_an_idle_sync() -> None:
    """A line for each stream, and two below; nothing was waited, so nothing is said of it."""
    summary = a_summary(
        aliases={"tests": ["tests"], "sessions": ["sessions"]},
        complete_from={"sessions": None},
        seconds_waited={"quota": 0.4},
        calls={"feed": 1, "token": 1},
    )
    assert summary.table().splitlines() == [
        "stream    rows  tombstones  waiting  tests left  complete from",
        "tests        0           -",
        "sessions     0           -        -           -  the beginning",
        "",
        "complete after 1 s",
        "calls made: 1 feed, 1 token",
    ]


def test_the_table_of_a_sync_that_left_something() -> None:
    """Stream by stream: what is written, what waits, how many tests are left, from when on the table is complete."""
    summary = a_summary(
        ended="incomplete",
        seconds=4_000.0,
        rows={"sessions": 1_200, "words": 300, "copy": 300},
        tombstones={"sessions": 1},
        calls={"list": 2, "details_v3": 11},
        not_found={"transcript": 5},
        retries=2,
        throttled=1,
        seconds_waited={"quota": 3_600.0, "retry": 12.0},
        left_out={"sessions without an id": 4},
        waiting={"transcripts": 5},
        unfinished={"transcripts": 2},
        unfinished_newest={"transcripts": 1},
        complete_from={"sessions": None, "transcripts": "2026-03-05T10:00:00.000000Z"},
        windows=3,
        aliases={"sessions": ["sessions"], "transcripts": ["words", "copy"]},
    )
    assert summary.table().splitlines() == [
        "stream    rows  tombstones  waiting  tests left  complete from",
        "sessions  1200           1        -           -  the beginning",
        "words      300           -        5           2     2026-03-05",
        "copy       300           -",
        "",
        "incomplete after 67 min, waited 60 min for quota and 12 s before retries",
        "  (windows: 3, one per endpoint)",
        "calls made: 11 details_v3, 2 list",
        "retries: 2, 429 responses: 1, 404 responses: 5",
        "left out: 4 sessions without an id",
        "tests with unread sessions from the last 30 days: 1 transcripts",
    ]


def test_a_terminal_gets_the_table(box: Sandbox, tmp_path: Path) -> None:
    """Below the last log line, in 80 columns, and not the record; of a run that ended early as well."""
    terminal = Terminal(box.config(), tmp_path, columns=80)
    done = terminal.ended()
    rows = Counter(m["stream"] for m in done.messages if m["type"] == "RECORD")
    assert MARK not in terminal.text
    assert max(map(len, terminal.screen)) <= 80
    lines = {line.split()[0]: line.split()[1] for line in terminal.screen if line[:1].isalpha()}
    assert {stream: lines[stream] for stream in rows} == {stream: str(count) for stream, count in rows.items()}
    assert any(line.startswith("session_details ") and line.endswith(" the beginning") for line in terminal.screen)
    short = Terminal(box.config(max_calls=6), tmp_path, columns=80)
    assert short.ended().exit == 0
    assert any(line.startswith("incomplete after ") for line in short.screen)
    assert " | WARNING " in short.screen[-1]
