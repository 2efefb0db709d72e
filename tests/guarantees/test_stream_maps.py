"""Stream maps apply to what is selected; a wrong one is one line; a stream that they leave nothing of costs no call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.harness import sync, sync_here

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox


@pytest.mark.parametrize(
    ("maps", "column"),
    [
        pytest.param({"*": {"seen": "'yes'"}}, "seen", id="all streams"),
        pytest.param({"transcript*": {"seen": "'yes'"}}, "seen", id="a pattern that means a stream off by default"),
        pytest.param({"*_details": {"seen": "'yes'"}, "transcript_cues": {"speaker": None}}, "seen", id="two"),
    ],
)
def test_a_pattern_applies_to_what_is_selected(box: Sandbox, maps: dict[str, Any], column: str) -> None:
    """Streams that are off by default do no harm."""
    done = sync_here(box.config(stream_maps=maps))
    assert done.exit == 0
    assert any(column in row for row in done.records())


@pytest.mark.parametrize("source", ["sessions", "transcript_cues"])
def test_a_stream_may_be_the_source_of_another(box: Sandbox, source: str) -> None:
    """One that is selected is written twice; one that is not, not at all, and harms none."""
    done = sync_here(box.config(stream_maps={"copy": {"__source__": source}}))
    assert done.exit == 0
    assert len(done.records("copy")) == (len(box.world.sessions) if source == "sessions" else 0)
    assert len(done.records("sessions")) == len(box.world.sessions)


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        ({"sessions": {"status": "status =="}}, "stream_maps: sessions: Failed to parse expression status =="),
        ({"sessions": {"__filter__": "(("}}, "stream_maps: sessions: Failed to parse expression (("),
        ({"transcripts": {"text": ""}}, "stream_maps: transcripts:"),
        ({"sessions": {"session_id": None}}, "stream_maps: sessions: Removing key property 'session_id'"),
        ({"sessions": {"status": ["a"]}}, "stream_maps.sessions: "),
        ({"__all__": {}}, "stream_maps: Option '__all__"),
        ({"__else__": "sessions"}, "stream_maps: __else__ must be __NULL__ or null"),
        ({"sessions": {"__else__": "status"}}, "stream_maps: __else__ must be __NULL__ or null"),
        ({"sessions": {"__alias__": "transcripts"}}, "stream_maps: sessions and transcripts would both be written as"),
        ({"*": {"__alias__": "all"}}, "stream_maps: "),
        ({"sessions": {"status": "stauts"}}, "stream_maps: sessions: Failed to evaluate"),
        ({"sessions": {"status": "status[5000]"}}, "stream_maps: sessions: IndexError"),
    ],
)
def test_a_wrong_map_is_one_line(box: Sandbox, tmp_path: Path, maps: dict[str, Any], said: str) -> None:
    """It names the stream; it is a wrong setting, whether the SDK sees it at once or with the first row."""
    done = sync(box.config(stream_maps=maps), tmp_path)
    assert done.exit == 78
    [line] = done.errors
    assert said in line
    assert "Traceback" not in done.log


@pytest.mark.parametrize(
    "maps",
    [
        {"session_details": None},
        {"session_details": "__NULL__"},
        {"*_details": None},
        {"__else__": None, "sessions": {}, "transcripts": {}},
    ],
)
def test_a_stream_that_maps_remove_costs_no_call(box: Sandbox, tmp_path: Path, maps: dict[str, Any]) -> None:
    """It is as if it were not selected: no call, no row, no state."""
    done = sync(box.config(stream_maps=maps), tmp_path)
    assert done.exit == 0
    assert not done.records("session_details")
    assert len(done.records("sessions")) == len(box.world.sessions)
    assert not [call for call in box.calls if call.kind.startswith("details")]
    assert "session_details" not in (done.state or {})["bookmarks"]
    assert done.lines("session_details: stream_maps remove this stream")
    assert not [line for line in done.lines("SUMMARY") if "details" in line]


def test_a_stream_that_only_a_copy_is_made_of_is_read(box: Sandbox) -> None:
    """Its own rows are removed, those under another name are not."""
    done = sync_here(box.config(stream_maps={"sessions": None, "visits": {"__source__": "sessions"}}))
    assert not done.records("sessions")
    assert len(done.records("visits")) == len(box.world.sessions)


def test_a_map_of_no_stream_is_said(box: Sandbox, tmp_path: Path) -> None:
    """A name that is misspelled may have been meant to hide something."""
    done = sync(box.config(stream_maps={"transcrips": {"text": None}}), tmp_path)
    assert done.lines("WARNING")[0].endswith("stream_maps: transcrips is not a stream of this tap and is ignored")
