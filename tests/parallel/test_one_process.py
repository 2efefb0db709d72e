"""Taps in the process of another program: each minds its own business."""

from __future__ import annotations

import contextlib
import io
import signal
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import Catalog

from tap_usertesting.tap import TapUserTesting
from tests.support.harness import catalog, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import Sandbox

NUMBERS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def handlers() -> Iterator[dict[int, Any]]:
    """Handlers of the program's own."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    own: dict[int, Any] = {number: lambda *_: None for number in NUMBERS}
    for number, handler in own.items():
        signal.signal(number, handler)
    yield own
    for number in NUMBERS:
        signal.signal(number, before[number])


def in_effect() -> dict[int, Any]:
    """Return the handlers in effect."""
    return {number: signal.getsignal(number) for number in NUMBERS}


def written(tap: TapUserTesting) -> list[dict[str, Any]]:
    """Sync and return the messages."""
    out = io.TextIOWrapper(io.BytesIO(), write_through=True)
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        tap.sync_all()
    return parse(out.buffer.getvalue())


def test_two_taps_of_one_config_write_the_same(box: Sandbox) -> None:
    """Neither takes anything out of the dict of its caller, nor out of the other's."""
    maps = {"__else__": None, "transcripts": {"text": None, "vtt": "'hidden'"}, "sessions": {"__alias__": "visits"}}
    config = box.config(stream_maps=maps, test_ids=[], lookback_hours="24")
    entries = catalog(["sessions", "transcripts", "session_details"])
    given, catalogued = deepcopy(config), deepcopy(entries)
    first = TapUserTesting(config=config, catalog=entries)
    second = TapUserTesting(config=config, catalog=entries)
    records = [[m for m in written(tap) if m["type"] == "RECORD"] for tap in (first, second)]
    for rows in records:
        assert {m["stream"] for m in rows} == {"visits", "transcripts"}
        assert all("text" not in m["record"] for m in rows if m["stream"] == "transcripts")
    assert len(records[0]) == len(records[1])
    assert config == given
    assert entries == catalogued


def test_a_sync_leaves_the_callers_state_and_catalog_alone(box: Sandbox) -> None:
    """What a tap learns is in its messages, and not in the objects that it was given; so a second one does the same."""
    first = TapUserTesting(config=box.config(), catalog=catalog(["sessions", "session_details"]))
    state = [m["value"] for m in written(first) if m["type"] == "STATE"][-1]
    entries = Catalog.from_dict(catalog(["sessions", "session_details", "transcripts"]))
    box.world.add_session(next(iter(box.world.tests.values())))
    given, catalogued = deepcopy(state), entries.to_dict()
    config = box.config(exclude_personal_data="omit")
    taps = [TapUserTesting(config=config, state=state, catalog=entries) for _ in range(2)]
    rows = [sum(m["type"] == "RECORD" for m in written(tap)) for tap in taps]
    assert rows[0] == rows[1] > 0
    assert state == given
    assert entries.to_dict() == catalogued


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("wrong", [{}, {"client_secret": "wrong"}, {"api_url": "nowhere"}], ids=str)
def test_signals_are_given_back(
    box: Sandbox, handlers: dict[int, Any], wrong: dict[str, str], *, parallel: bool
) -> None:
    """After a run, good or bad, the program's own handlers are there; and before it, as building a tap takes none."""
    taps = [TapUserTesting(config=box.config(**wrong, parallel_streams=parallel)) for _ in range(2)]
    for tap in taps:
        assert in_effect() == handlers
        written(tap)
        assert in_effect() == handlers


def test_signals_are_given_back_where_no_tap_could_be_made(handlers: dict[int, Any]) -> None:
    """A config that is refused leaves no trace."""
    with pytest.raises(SystemExit):
        TapUserTesting(config={"max_calls": "many"})
    assert in_effect() == handlers
