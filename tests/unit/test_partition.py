"""The state of one (stream, test): what each move does to it, and that it stays bounded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.partition import MOST_IDS, Partition

LISTING_CURSOR = "2026-01-02T03:04:05.000000Z/session-1"
FRESH: dict[str, Any] = {"context": {"test_id": "t"}}


def partition(**state: Any) -> Partition:  # noqa: ANN401 - JSON is anything
    """Return a partition with this state."""
    return Partition({**FRESH, **state}, replication_key="change_cursor")


def wrap(state: dict[str, Any]) -> Partition:
    """Return a partition around this dict."""
    return Partition(state, replication_key="change_cursor")


def time_of(session_id: str) -> str | None:
    """Return the listing cursor of the sessions s0000, s0001 ...; one minute each."""
    n = int(session_id[1:])
    return f"2026-01-02T{n // 60:02}:{n % 60:02}:00.000000Z/{session_id}"


def test_an_empty_state_knows_nothing() -> None:
    """Before the first sync every question has a harmless answer."""
    fresh = partition()
    assert (fresh.bookmark, fresh.changed_at, fresh.source, fresh.log, fresh.backfill) == (None,) * 5
    assert (fresh.unasked_from, fresh.recent_from, fresh.total_count, fresh.in_vain) == (None,) * 4
    assert (fresh.pending, fresh.recent, fresh.gone, fresh.none, fresh.handled_count) == ({}, [], [], False, 0)


@pytest.mark.parametrize("odd", [7, None, [], {"a": 1}, True, 2.5])
@pytest.mark.parametrize(
    ("key", "harmless"),
    [
        ("changed_at", None),
        ("source", None),
        ("backfill", None),
        ("unasked_from", None),
        ("recent_from", None),
        ("replication_key_value", None),
    ],
)
def test_a_state_that_was_written_by_hand_does_no_harm(key: str, harmless: object, odd: object) -> None:
    """A value of the wrong type counts as absent."""
    name = "bookmark" if key == "replication_key_value" else key
    assert getattr(partition(**{key: odd}), name) == harmless


@pytest.mark.parametrize(
    ("key", "odd", "harmless"),
    [
        ("pending", ["a"], {}),
        ("recent", {"a": 1}, []),
        ("gone", "abc", []),
        ("total_count", "7", None),
        ("handled_count", None, 0),
        ("in_vain", "5", None),
        ("none", "yes", False),
        ("none", 1, False),
    ],
)
def test_collections_and_counts_of_the_wrong_type_count_as_absent(key: str, odd: object, harmless: object) -> None:
    """As above, for what is no text."""
    assert getattr(partition(**{key: odd}), key) == harmless


@pytest.mark.parametrize(
    ("state", "log"),
    [
        pytest.param({}, None, id="fresh"),
        pytest.param({"source": "feed"}, "feed", id="feed, nothing emitted yet"),
        pytest.param({"source": "feed", "replication_key_value": "ut_1"}, "feed", id="feed"),
        pytest.param({"replication_key_value": LISTING_CURSOR}, "listing", id="listing"),
        pytest.param({"source": "listing", "replication_key_value": LISTING_CURSOR}, "listing", id="the verdict"),
        pytest.param({"source": "listing"}, None, id="the verdict, nothing emitted yet"),
        pytest.param({"source": "listing", "replication_key_value": "ut_1"}, "feed", id="the verdict, feed's bookmark"),
        pytest.param({"replication_key_value": "2026-01-02"}, "feed", id="a bookmark of unknown form"),
    ],
)
def test_a_bookmark_belongs_to_one_log(state: dict[str, Any], log: str | None) -> None:
    """The cursor's form tells the list's log from the feed's, so that a change of the source is seen."""
    assert partition(**state).log == log


def test_moving_sets_bookmark_and_time_together() -> None:
    """The shape of the contract; an empty log leaves the bookmark where it is."""
    state = {**FRESH}
    moved = wrap(state)
    moved.move("ut_1", "2026-01-02T03:04:05.000000Z")
    expected = {
        **FRESH,
        "replication_key": "change_cursor",
        "replication_key_value": "ut_1",
        "changed_at": "2026-01-02T03:04:05.000000Z",
    }
    assert state == expected
    moved.move(None, None)
    assert state == expected
    moved.move("ut_2", None)
    assert state == expected | {"replication_key_value": "ut_2"}


def test_pending_is_a_queue_without_doubles() -> None:
    """A session that is asked in vain goes last; one that answered leaves; an empty queue leaves no key."""
    state = {**FRESH}
    queue = wrap(state)
    for session in ("a", "b", "c", "a"):
        queue.postpone(session, f"at {session}")
    assert list(queue.pending.items()) == [("b", "at b"), ("c", "at c"), ("a", "at a")]
    for session in ("a", "b", "unknown", "c"):
        queue.settle(session)
    assert state == FRESH
    queue.settle("a")
    assert state == FRESH


def test_gone_holds_the_newest_tombstones_once_each() -> None:
    """Bounded, without doubles, and empty again when all came back."""
    state = {**FRESH}
    buried = wrap(state)
    for n in range(MOST_IDS + 20):
        buried.bury(f"s{n:04}")
        buried.bury(f"s{n:04}")
    assert buried.gone == [f"s{n:04}" for n in range(20, MOST_IDS + 20)]
    buried.bury("s0020")
    assert (len(buried.gone), buried.gone[-1]) == (MOST_IDS, "s0020")
    buried.revive("unknown")
    for n in range(MOST_IDS + 20):
        buried.revive(f"s{n:04}")
    assert state == FRESH


def test_recent_is_bounded_and_the_rest_is_one_cursor() -> None:
    """Beyond 500 ids the oldest leave, and one listing cursor says up to where."""
    kept = partition()
    for n in range(MOST_IDS + 3):
        kept.handled(f"s{n:04}", time_of)
    assert kept.recent == [f"s{n:04}" for n in range(3, MOST_IDS + 3)]
    assert kept.recent_from == time_of("s0002")
    assert kept.handled_count == MOST_IDS + 3


def test_the_cursor_of_recent_never_moves_back() -> None:
    """A late session of an older time that leaves `recent` does not open the span again."""
    kept = partition(recent_from=time_of("s0400"), recent=[f"s{n:04}" for n in range(MOST_IDS)])
    kept.handled("s0600", time_of)
    assert kept.recent_from == time_of("s0400")


@pytest.mark.parametrize(
    ("since", "recent", "recent_from"),
    [
        pytest.param("2026-01-02T00:00", ["s0001", "s0090"], "2026-01-02T00:30:00.000000Z/s0030", id="all inside"),
        pytest.param("2026-01-02T01:00", ["s0090"], None, id="half of it"),
        pytest.param("2026-01-03T00:00", None, None, id="nothing inside"),
    ],
)
def test_what_lies_below_the_window_is_forgotten(since: str, recent: list[str] | None, recent_from: str | None) -> None:
    """The lookback window moves on with the bookmark, and the state does not grow."""
    state = {**FRESH, "recent": ["s0001", "s0090"], "recent_from": time_of("s0030")}
    wrap(state).prune(since=f"{since}:00.000000Z", cursor_of=time_of)
    assert state.get("recent") == recent
    assert state.get("recent_from") == recent_from


def test_an_id_whose_place_is_not_known_is_kept() -> None:
    """The list was not read that deep in this run: the id may still be inside the window."""
    kept = partition(recent=["s0001"])
    kept.prune(since="2026-01-03T00:00:00.000000Z", cursor_of=lambda _session: None)
    assert kept.recent == ["s0001"]


def test_closing_a_list_moves_its_count() -> None:
    """`total_count` is that of the finished list, and what was handled on the way is part of it."""
    state = {**FRESH, "total_count": 5, "handled_count": 3}
    wrap(state).finish(8)
    assert state == {**FRESH, "total_count": 8}


def test_a_restart_keeps_only_what_the_partition_is() -> None:
    """Reading a log from the start forgets everything, unknown keys included."""
    state: dict[str, Any] = {
        **FRESH,
        "replication_key": "change_cursor",
        "replication_key_value": "ut_1",
        "source": "feed",
        "pending": {"a": "b"},
        "future": 1,
    }
    wrap(state).restart()
    assert state == {**FRESH, "replication_key": "change_cursor"}


@pytest.mark.parametrize("value", ["", "x", 0, 5, True, ["a"]])
def test_setting_and_removing_a_key(value: str | int | bool | list[str]) -> None:  # noqa: FBT001 - a JSON value
    """None removes; every other value stands, an empty text (a backfill's start) too."""
    state = {**FRESH}
    wrap(state).set("backfill", value)
    assert state == {**FRESH, "backfill": value}
    wrap(state).set("backfill", None)
    wrap(state).set("backfill", None)
    assert state == FRESH


@given(st.lists(st.tuples(st.sampled_from(["postpone", "settle", "bury", "revive", "handled"]), st.integers(0, 5))))
def test_any_history_leaves_a_state_that_json_and_databases_hold(history: list[tuple[str, int]]) -> None:
    """No empty list or dict stays behind, and ids stand once in `gone` and `pending`."""
    state = {**FRESH}
    played = wrap(state)
    for move, n in history:
        session = f"s{n:04}"
        if move == "postpone":
            played.postpone(session, "at")
        elif move == "handled":
            played.handled(session, time_of)
        else:
            getattr(played, move)(session)
    assert [] not in state.values()
    assert {} not in state.values()
    assert len(set(played.gone)) == len(played.gone)
