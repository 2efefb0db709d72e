"""`--plan`: what a sync will cost, at the least cost, and then the sync costs just that."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tests.support.harness import ROW_STREAMS, SESSION_STREAMS, Warehouse, sync

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = [pytest.param("auto", id="feed"), pytest.param("listing", id="listing")]
STREAMS = (*SESSION_STREAMS, "qx_scores", "result_changes", *ROW_STREAMS)


def a_world(tests: int = 4, sessions: int = 7) -> World:
    """Return a world of tests of both kinds, one session each without a transcript so far."""
    world = World(seed=3)
    for number in range(tests):
        test = world.add_test(("THINK_OUT_LOUD", "NON_THINK_OUT_LOUD", "SURVEY")[number % 3])
        for _ in range(sessions):
            world.add_session(test)
        if number % 3 == 0:
            world.add_session(test, transcript="later")
    return world


def spent(box: Sandbox) -> Counter[str]:
    """Return the calls of the last run, by kind, and forget them."""
    calls = Counter(call.kind for call in box.calls)
    box.clear_calls()
    return calls


def planned(config: dict[str, Any], folder: Path, box: Sandbox, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - as sync
    """Make a plan; assert that it was cheap and wrote nothing else."""
    box.clear_calls()
    done = sync(config, folder, args=["--plan=json"], **how)
    assert done.exit == 0, done.log
    plan: dict[str, Any] = json.loads(done.stdout)
    calls = Counter(call.kind for call in box.calls)
    lists = Counter(call.test_id for call in box.calls if call.kind == "list")
    assert max(lists.values(), default=0) <= 1
    assert sum(count for kind, count in calls.items() if kind.startswith("feed")) <= 1
    assert not calls.keys() - {"token", "v1", "list", "feed"}
    box.clear_calls()
    return plan


@pytest.mark.parametrize("source", SOURCES)
def test_a_sync_costs_what_was_planned(tmp_path: Path, source: str) -> None:
    """A first sync, an idle one and one after changes: the calls in all, and those of each stream and test."""
    world = a_world()
    warehouse = Warehouse()
    with Sandbox(world, quota=None) as box:
        config = box.config(change_source=source)
        for _ in range(3):
            plan = planned(config, tmp_path, box, select=STREAMS, state=warehouse.state)
            done = sync(config, tmp_path, select=STREAMS, state=warehouse.state)
            assert done.exit == 0
            warehouse.load(done.messages)
            calls = spent(box)
            real = sum(count for kind, count in calls.items() if not kind.startswith(("feed", "token")))
            assert plan["calls"] == real, (plan, calls)
            of_streams = sum((Counter(row["endpoints"]) for row in plan["rows"]), Counter())
            kinds = ("list", "details_v3", "transcript", "qx_scores")
            assert [of_streams[kind] for kind in kinds] == [calls[kind] for kind in kinds]
            changed = [session for session in world.sessions.values() if session.served]
            world.add_session(changed[0].test)
            if source == "auto":
                world.update(changed[1])
                world.reject(changed[2])


def test_more_than_a_page_of_sessions(tmp_path: Path) -> None:
    """The pages that are not read are planned by the count that the first one names."""
    world = World.bulk(tests=1, sessions=1_203)
    with Sandbox(world, quota=None) as box:
        config = box.config(change_source="listing")
        plan = planned(config, tmp_path, box, select=SESSION_STREAMS)
        sync(config, tmp_path, select=SESSION_STREAMS)
        calls = spent(box)
    assert calls["list"] == 3
    assert plan["calls"] == sum(calls.values()) - calls["token"]


@pytest.mark.parametrize("page", [100, 250, 500])
def test_pages_that_hold_fewer_than_asked_for(tmp_path: Path, page: int) -> None:
    """The pages that are not read are planned as long as the first one."""
    world = World.bulk(tests=1, sessions=620)
    world.list_page = page
    with Sandbox(world, quota=None) as box:
        config = box.config(change_source="listing")
        plan = planned(config, tmp_path, box, select=("sessions",))
        sync(config, tmp_path, select=("sessions",))
        calls = spent(box)
    assert plan["calls"] == sum(calls.values()) - calls["token"]
    assert sum(row["records"] for row in plan["rows"]) == 620


def test_the_state_is_not_touched_and_nothing_is_emitted(tmp_path: Path) -> None:
    """A plan is one JSON object, the same the second time."""
    world = a_world()
    with Sandbox(world, quota=None) as box:
        state = sync(box.config(), tmp_path, select=STREAMS).state
        world.add_session(next(iter(world.tests.values())))
        first = planned(box.config(), tmp_path, box, select=STREAMS, state=state)
        assert planned(box.config(), tmp_path, box, select=STREAMS, state=state) == first
    assert first["calls"] > 0


def test_every_stream_and_test_has_a_row(tmp_path: Path) -> None:
    """Also where nothing is to be fetched; the seconds are those of the server's own quota."""
    world = a_world()
    with Sandbox(world, quota=QuotaRule(limit=50, window=7)) as box:
        plan = planned(box.config(), tmp_path, box, select=("session_details", "transcripts"))
    places = {(row["stream"], row["test_id"]) for row in plan["rows"]}
    assert places == {(stream, test_id) for stream in ("session_details", "transcripts") for test_id in world.tests}
    assert plan["quota"] == {
        "limit": 50,
        "window_seconds": pytest.approx(7, abs=0.5),
        "windows": 1,
        "source": "server",
    }
    assert plan["seconds"] == pytest.approx(((plan["calls"] + 49) // 50 - 1) * 7, abs=1)


def test_what_only_the_sync_finds_out_is_a_range(tmp_path: Path) -> None:
    """A test whose type no one knows may have a transcript for each session, or none; the sync costs one of the two."""
    now = datetime.now(timezone.utc)
    for kind, more in (("SURVEY", 0), ("THINK_OUT_LOUD", 20)):
        world = World(seed=3, now=now)
        test = world.add_test(kind)
        for number in range(20):
            world.add_session(test, finished_at=now - timedelta(days=30, hours=number))
        with Sandbox(world, quota=None) as box:
            config = box.config(change_source="listing", test_ids=[test.test_id])
            plan = planned(config, tmp_path, box, select=("session_details", "transcripts"))
            lines = table_of(config, tmp_path, select=("session_details", "transcripts"))
            box.clear_calls()
            sync(config, tmp_path, select=("session_details", "transcripts"))
            calls = spent(box).total() - 1  # the token
        assert (plan["calls_at_least"], plan["calls"]) == (1 + 20 + 5, 1 + 20 + 20)
        assert calls == 1 + 20 + (more or 5)
        for name in (test.test_id, "everything"):
            [line] = [line for line in lines if line.startswith(name)]
            assert numbers(line)[:2] == ["20-40", "26-41"]


def test_news_and_the_newest_days_are_told_apart(tmp_path: Path) -> None:
    """What a test that was read has since, what the newest 30 days cost with it, and everything."""
    now = datetime.now(timezone.utc)
    world = World(seed=3, now=now - timedelta(hours=1))
    read, fresh, old = (world.add_test("THINK_OUT_LOUD") for _ in range(3))
    for test, days in ((read, 3), (fresh, 5), (old, 90)):
        for number in range(10):
            world.add_session(test, finished_at=now - timedelta(days=days, hours=number))
    with Sandbox(world, quota=None) as box:
        config = box.config(change_source="listing", test_ids=[read.test_id])
        state = sync(config, tmp_path, select=SESSION_STREAMS).state
        world.add_session(read)
        config = box.config(change_source="listing", test_ids=list(world.tests))
        plan = planned(config, tmp_path, box, select=SESSION_STREAMS, state=state)
    assert plan["news"]["calls"] == 1 + 2
    assert plan["newest_30_days"]["calls"] >= plan["news"]["calls"] + 1 + 20
    assert plan["calls"] == 3 + 2 * (1 + 20)
    assert plan["newest_30_days"]["calls"] <= plan["calls"] - 20


def table_of(config: dict[str, Any], folder: Path, form: str = "--plan", **how: Any) -> list[str]:  # noqa: ANN401
    """Return the lines of a plan for people."""
    done = sync(config, folder, args=[form], **how)
    assert done.exit == 0, done.log
    return done.stdout.decode().splitlines()


def numbers(line: str) -> list[str]:
    """Return the columns behind the name of a test."""
    return re.split(r"\s{2,}", line.strip())[1:]


def test_a_line_for_each_test(tmp_path: Path) -> None:
    """By its title: rows, calls and time, which are the sums of its streams; and the totals; in 80 columns."""
    world = a_world()
    with Sandbox(world, quota=QuotaRule(limit=10, window=1)) as box:
        lines = table_of(box.config(), tmp_path, select=STREAMS)
        plan = planned(box.config(), tmp_path, box, select=STREAMS)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["test", "rows", "calls", "time"]
    by_title = {str(test.title): test_id for test_id, test in world.tests.items()}
    assert len(by_title) == len(world.tests)
    shown = {title: line for title in by_title for line in lines if line.startswith(title[:30])}
    assert shown.keys() == by_title.keys()
    for title, line in shown.items():
        rows = [row for row in plan["rows"] if row["test_id"] == by_title[title]]
        assert numbers(line)[:2] == [str(sum(row[name] or 0 for row in rows)) for name in ("records", "calls")]
        assert numbers(line)[2] == f"{sum(row['calls'] for row in rows) * 0.1:.0f} s"
    [total] = [line for line in lines if line.startswith("everything")]
    assert numbers(total)[:2] == [str(sum(row["records"] or 0 for row in plan["rows"])), str(plan["calls"])]
    assert not [test_id for test_id in world.tests if test_id in "\n".join(lines)]
    assert "Quota: 10 calls in 1 s, for all endpoints." in lines
    riders = ("task_responses", "participant_demographics", "transcript_cues")
    assert [row["records"] for row in plan["rows"] if row["stream"] in riders and row["records"] != 0]
    assert f"Not included: rows of {', '.join(riders)}, whose number only the sync shows." in " ".join(lines)


def test_the_json_has_an_object_for_each_test(tmp_path: Path) -> None:
    """With title and sums."""
    world = a_world()
    with Sandbox(world, quota=None) as box:
        plan = planned(box.config(), tmp_path, box, select=STREAMS)
    titles = {test_id: test.title for test_id, test in world.tests.items()}
    assert {test["test_id"]: test["title"] for test in plan["tests"]} == titles
    assert sum(test["calls"] for test in plan["tests"]) + plan["discovery_calls"] == plan["calls"]


def test_many_tests_share_a_line(tmp_path: Path) -> None:
    """The twenty that cost the most have a line each, the others one together."""
    world = World(seed=3)
    for number in range(33):
        test = world.add_test("SURVEY", f"Survey {number:02}")
        for _ in range(1 + number % 11):
            world.add_session(test)
    with Sandbox(world, quota=None) as box:
        lines = table_of(box.config(), tmp_path, select=["session_details"])
    calls = [int(numbers(line)[-2]) for line in lines if line.startswith("Survey ")]
    assert len(calls) == 20
    assert calls == sorted(calls, reverse=True)
    [rest] = [line for line in lines if line.startswith("13 more tests")]
    whole = sum(2 + number % 11 for number in range(33))
    assert int(numbers(rest)[1]) == whole - sum(calls)


def test_full_has_a_line_for_each_stream(tmp_path: Path) -> None:
    """Test by test, with the endpoints."""
    world = a_world(tests=2)
    with Sandbox(world, quota=None) as box:
        lines = table_of(box.config(), tmp_path, "--plan=full", select=SESSION_STREAMS)
        short = table_of(box.config(), tmp_path, "--plan=short", select=SESSION_STREAMS)
    assert lines[0].split() == ["test", "rows", "calls", "time", "stream", "endpoints"]
    titles = [str(test.title) for test in world.tests.values()]
    rows = [line for line in lines if line.startswith(tuple(title[:20] for title in titles))]
    assert [numbers(line)[3:] for line in rows] == [
        ["sessions", "1 list"],
        ["session_details", "8 details_v3"],
        ["transcripts", "7 transcript"],  # one is not announced yet
        ["sessions", "1 list"],
        ["session_details", "7 details_v3"],
    ]
    assert lines[-4:] == short[-4:]


def test_tests_without_anything_are_counted(tmp_path: Path) -> None:
    """Tests, and not pairs of test and stream: neither one that one stream has something of, nor one of another id."""
    world = a_world(tests=3, sessions=2)
    with Sandbox(world, quota=None) as box:
        first = table_of(box.config(), tmp_path, select=STREAMS)
        state = sync(box.config(), tmp_path, select=STREAMS).state
        world.add_session(list(world.tests.values())[1])
        second = table_of(box.config(), tmp_path, select=STREAMS, state=state)
    assert "Tests with nothing to fetch: 0 of 3." in first
    assert "Tests with nothing to fetch: 2 of 3." in second


def test_titles_that_two_tests_have_are_told_apart(tmp_path: Path) -> None:
    """By the begin of the id; and what is configured has only an id."""
    world = World(seed=3)
    for title in ("Checkout", "Checkout", "Menu"):
        world.add_session(world.add_test("SURVEY", title))
    first, second, third = world.tests
    with Sandbox(world, quota=None) as box:
        lines = table_of(box.config(), tmp_path, select=["session_details"])
        configured = table_of(box.config(test_ids=[third]), tmp_path, select=["session_details"])
    names = {re.split(r"\s{2,}", line)[0] for line in lines}
    assert {f"{first[:8]}: Checkout", f"{second[:8]}: Checkout", "Menu"} <= names
    assert any(line.startswith(third) for line in configured)


@pytest.mark.parametrize(
    ("rule", "settings", "said"),
    [
        pytest.param(None, {}, "none that limits a sync", id="a limit that no sync meets"),
        pytest.param(
            QuotaRule(headers=False),
            {},
            "none reported yet; the plan assumes the documented 10",
            id="none named",
        ),
        pytest.param(None, {"calls_per_minute": 8}, "8 calls in 60 s, set by calls_per_minute", id="a setting"),
    ],
)
def test_a_quota_is_told_in_words(tmp_path: Path, rule: QuotaRule | None, settings: dict[str, Any], said: str) -> None:
    """A number only where it means something; where nothing makes the sync wait, no time is told."""
    with Sandbox(a_world(tests=2), quota=rule) as box:
        lines = table_of(box.config(**settings), tmp_path, select=SESSION_STREAMS)
    text = "\n".join(lines)
    assert f"Quota: {said}" in text
    assert "1000000" not in text
    [total] = [line for line in lines if line.startswith("everything")]
    assert (numbers(total)[-1] == "-") == (rule is None and not settings)


def test_a_quota_that_no_answer_has_told_is_assumed(tmp_path: Path) -> None:
    """By feed an idle plan makes no call under the quota, so it cannot know of the server's 1,000 calls."""
    with Sandbox(a_world(tests=2), quota=QuotaRule(limit=1000)) as box:
        state = sync(box.config(), tmp_path, select=SESSION_STREAMS).state
        lines = table_of(box.config(), tmp_path, select=SESSION_STREAMS, state=state)
    assert "Quota: none reported yet; the plan assumes the documented 10 calls in 60 s." in lines


def test_budgets_do_not_cut_a_plan(tmp_path: Path) -> None:
    """It says what all of it costs, also where a sync would take several."""
    world = a_world()
    with Sandbox(world, quota=None) as box:
        whole = planned(box.config(), tmp_path, box, select=STREAMS)
        assert planned(box.config(max_calls=3), tmp_path, box, select=STREAMS) == whole


def test_what_can_not_be_planned_is_an_error(tmp_path: Path) -> None:
    """An unknown test is named, the others are planned, and the status says so."""
    world = a_world()
    unknown = "00000000-0000-4000-8000-000000000000"
    with Sandbox(world, quota=None) as box:
        config = box.config(test_ids=[*world.tests, unknown], change_source="listing")
        done = sync(config, tmp_path, select=STREAMS, args=["--plan=json"])
    assert done.exit == 1
    assert any(unknown in line for line in done.errors)
    assert json.loads(done.stdout)["calls"] > 0


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="an account without tests"),
        pytest.param({"product_types": ["LIVE_CONVERSATION"]}, id="no test of the type"),
        pytest.param({"workspace_ids": []}, id="no workspace named"),
    ],
)
def test_nothing_to_read_is_a_plan_of_nothing(tmp_path: Path, settings: dict[str, Any]) -> None:
    """No row for a test, and no error."""
    world = World(seed=3)
    if "product_types" in settings:
        world.add_session(world.add_test("SURVEY"))
    with Sandbox(world, quota=None) as box:
        plan = planned(box.config(**settings), tmp_path, box)
    assert not [row for row in plan["rows"] if row["test_id"]]
    assert plan["calls"] == plan["discovery_calls"]


@pytest.mark.parametrize("configured", [True, False])
def test_where_no_test_is_readable_the_plan_says_so(tmp_path: Path, *, configured: bool) -> None:
    """The table is there, with the line of each test that a sync would write, and status 1."""
    world = a_world(tests=2, sessions=1)
    for test in world.tests.values():
        world.lose_access(test)
    with Sandbox(world, quota=None) as box:
        settings = {"test_ids": list(world.tests)} if configured else {}
        done = sync(box.config(feed_url=None, **settings), tmp_path, args=["--plan"])
    assert done.exit == 1
    assert b"everything" in done.stdout
    assert "Traceback" not in done.log
    assert all(done.lines(f"test {test_id}: Results API, list: HTTP 404") for test_id in world.tests)
