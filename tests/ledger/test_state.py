"""The form on disk: what is written is read as it was, and what no one wrote does no harm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tap_usertesting.ledger.change_log import FEED, LISTING
from tap_usertesting.ledger.ledger import History, Ledger, Mark
from tap_usertesting.ledger.state_keys import KEYS, decode, encode, is_of_another_form, is_sound
from tap_usertesting.ledger.tally import LOST, Tally

AT = "2026-03-01T10:00:00.000000Z"
FULL = Ledger(
    source=LISTING,
    bookmark=Mark(f"{AT}/b", AT),
    history=History(LISTING, f"{AT}/a", AT),
    floor=Mark("", None),
    waiting={"w": AT, "v": ""},
    tombstoned=("g",),
    recent=(f"{AT}/a", f"{AT}/b"),
    recent_from=f"{AT}/0",
    out_of_order=("a",),
    total_count=7,
    asked_at=AT,
    newest=AT,
    misses=("i",),
    found=True,
    asleep=True,
    start_date=AT,
    reopened_until=AT,
    reread=True,
    has_none=True,
    list_was_short=True,
    verdict=True,
    tally=Tally(AT, 7, 1, 2, {bytes(6): "live", bytes([1] * 6): "removed"}, live=1, removed=1),
)


@pytest.mark.parametrize(
    "ledger",
    [
        pytest.param(FULL, id="everything"),
        pytest.param(Ledger(source=FEED, bookmark=Mark("c", None)), id="a bookmark without a time"),
        pytest.param(Ledger(source=FEED, bookmark=Mark("")), id="read to its end while it was empty"),
        pytest.param(Ledger(source=FEED, bookmark=Mark("c", AT), history=History(FEED, "a")), id="nothing below"),
        pytest.param(Ledger(source=LISTING, asked_at=AT, newest=AT), id="only listed"),
    ],
)
def test_what_is_written_is_read_as_it_was(ledger: Ledger) -> None:
    """Through JSON, in the order in which sessions wait."""
    state = json.loads(json.dumps(encode(ledger)))
    assert decode(state) == ledger
    assert list(decode(state).waiting) == list(ledger.waiting)
    assert is_sound(state)
    assert not is_of_another_form(state)
    assert encode(decode(state)) == state


def test_every_key_is_written() -> None:
    """And nothing else."""
    assert encode(FULL).keys() | {"changed_at"} == KEYS


ODD: list[Any] = [None, 7, "x", [], [7, None], {}, {"a": None}, True]


@pytest.mark.parametrize("key", sorted(KEYS))
@pytest.mark.parametrize("value", ODD, ids=map(str, ODD))
def test_a_value_of_another_type_counts_as_not_there(key: str, value: Any) -> None:  # noqa: ANN401 - anything
    """Whatever stands in a state, a ledger comes of it, which can be written again."""
    state = {**json.loads(json.dumps(encode(FULL))), key: value}
    ledger = decode(state)
    assert decode(json.loads(json.dumps(encode(ledger)))) == ledger
    is_sound(state)


@pytest.mark.parametrize("key", ["asked_at", "newest", "start_date", "reopened_until", "changed_at", "recent_from"])
def test_a_time_that_is_none_is_not_sound(key: str) -> None:
    """So that no one reckons with it."""
    assert not is_sound({**encode(FULL), key: "yesterday"})


def test_a_state_without_a_source_keeps_what_a_user_asks_for() -> None:
    """Sessions to read again can be named before the first sync."""
    assert decode({"waiting": ["a", "b"]}).waiting == {"a": "", "b": ""}


TALLIES = [
    pytest.param(Tally(AT), id="nothing was there"),
    pytest.param(Tally(AT, counted=0), id="the list was empty"),
    pytest.param(Tally(AT, 700, 3, 5, None, live=620, given_up=2), id="numbers alone"),
    pytest.param(Tally(AT, fates={bytes([n] * 6): "given_up" for n in range(3)}, given_up=3), id="digests"),
    pytest.param(Tally(AT, 600, fates=None, again={bytes(6): "live", bytes([1] * 6): "given_up"}), id="none live"),
    pytest.param(LOST, id="lost"),
]


@pytest.mark.parametrize("tally", TALLIES)
def test_a_tally_comes_back_as_it_was(tally: Tally) -> None:
    """Through JSON."""
    ledger = Ledger(source=FEED, bookmark=Mark("c"), tally=tally)
    assert decode(json.loads(json.dumps(encode(ledger)))) == ledger


@pytest.mark.parametrize(
    "held",
    [
        "x",
        7,
        {},
        {"counted_at": 7},
        {"counted_at": AT, "live": "no Base64!"},
        {"counted_at": AT, "live": [1]},
        {"counted_at": AT, "counted": "7"},
        {"counted_at": AT, "live": 3, "removed": "AAAA"},
        {"counted_at": AT, "live": 3, "again": {"00": "alive"}},
        {"counted_at": AT, "live": 3, "again": {"no digits": "live"}},
        {"counted_at": AT, "live": 3, "again": 7},
    ],
    ids=str,
)
def test_a_tally_that_is_not_understood_is_lost(held: object) -> None:
    """Whoever edits it gets no number that does not hold."""
    assert decode({"source": FEED, "replication_key_value": "c", "tally": held}).tally == LOST
