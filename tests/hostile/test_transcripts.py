"""Odd transcripts through a whole sync: every word in its columns, or one warning that says it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import sync_here

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = ("transcripts", "transcript_cues")
ONE = "00:00:01.000 --> 00:00:02.500\n"
TEXT = "Grüße, 5 € für Ana"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A world of one session."""
    world = World(seed=3)
    world.add_session(world.add_test("THINK_OUT_LOUD"))
    with Sandbox(world, quota=None) as running:
        yield running


def read(box: Sandbox, caplog: pytest.LogCaptureFixture) -> tuple[dict[str, Any], list[tuple[Any, ...]], list[str]]:
    """Sync; return the transcript's row, its cues (number, times, speaker, text) and the warnings."""
    done = sync_here(box.config(), select=STREAMS)
    assert done.exit == 0
    [row] = done.records("transcripts")
    columns = ("cue_number", "start_ms", "end_ms", "speaker", "text")
    cues = [tuple(cue[column] for column in columns) for cue in done.records("transcript_cues")]
    return row, cues, [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def say(box: Sandbox, vtt: str) -> str:
    """Let the session have this transcript; returns its id."""
    [session] = box.world.sessions.values()
    box.world.transcribe(session, vtt)
    return session.session_id


def test_odd_cues_keep_their_words(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Words after an empty line, times with a comma, two voices in one cue: rows in their order, and no warning."""
    say(box, f"WEBVTT\n\n{ONE}<v Ann>Well\n\nnow</v>\n\n00:00:03,000 --> 00:00:04:500\n<v Ann>Hi.<v Bob>Ho<br>ho.")
    row, cues, warnings = read(box, caplog)
    assert row["text"] == "Well now\nHi.\nHo ho."
    assert cues == [
        (1, 1000, 2500, "Ann", "Well now"),
        (2, 3000, 4500, "Ann", "Hi."),
        (3, 3000, 4500, "Bob", "Ho ho."),
    ]
    assert [cue["text"] for cue in row["cues"]] == row["text"].split("\n")
    assert not warnings


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(f"{ONE}Well\n\n00:00:xx.000 --> 00:00:04.000\nnow", id="no times"),
        pytest.param(f"{ONE}Well\n\n2\n00:00:01:12 --> 00:00:02:20\nnow", id="frames"),
        pytest.param(f"now\n\n{ONE}Well", id="words before all times"),
        pytest.param("Well, now", id="words alone"),
    ],
)
def test_words_without_a_cue_are_said_once(box: Sandbox, caplog: pytest.LogCaptureFixture, odd: str) -> None:
    """The transcript stays as it came, its columns and its cues are none rather than some, and a warning names it."""
    session_id = say(box, f"WEBVTT\n\n{odd}\n")
    row, cues, [warning] = read(box, caplog)
    assert row["vtt"] == f"WEBVTT\n\n{odd}\n"
    assert row["text"] is row["cues"] is None
    assert not cues
    assert session_id in warning


@pytest.mark.parametrize("charset", ["iso-8859-15", "windows-1252", "utf-16", "utf-8-sig", "utf-7", "utf-8"])
def test_a_transcript_is_read_in_its_charset(box: Sandbox, caplog: pytest.LogCaptureFixture, charset: str) -> None:
    """Whatever charset it is declared in."""
    box.world.transcript_charset = charset
    vtt = f"WEBVTT\n\n{ONE}<v Zoë>{TEXT}\n"
    say(box, vtt)
    row, cues, warnings = read(box, caplog)
    assert (row["vtt"], row["text"]) == (vtt, TEXT)
    assert cues == [(1, 1000, 2500, "Zoë", TEXT)]
    assert not warnings


@pytest.mark.parametrize("content_type", ["text/vtt", "text/vtt; charset=utf-8", "text/vtt; charset=none-such"])
def test_lost_characters_are_said(box: Sandbox, caplog: pytest.LogCaptureFixture, content_type: str) -> None:
    """Bytes that are not of their charset: one warning with the session and how many."""
    body = f"WEBVTT\n\n{ONE}Grüße für Ana".encode("latin-1")
    box.fail("transcript", times=None, status=200, body=body, headers={"Content-Type": content_type})
    row, _, [warning] = read(box, caplog)
    assert row["text"] == "Gr\ufffd\ufffde f\ufffdr Ana"
    assert row["session_id"] in warning
    assert "transcripts" in warning
    assert "3 unreadable characters" in warning


def test_a_text_of_the_sandbox_is_sent_as_it_is_declared(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A fault with a text and a Content-Type, as the back door takes it."""
    vtt = f"WEBVTT\n\n{ONE}{TEXT}"
    box.fail("transcript", times=None, status=200, body=vtt, headers={"content-type": "text/vtt; charset=cp1252"})
    row, _, warnings = read(box, caplog)
    assert row["vtt"] == vtt
    assert not warnings


@pytest.mark.parametrize(("charset", "declared"), [("utf-8-sig", "utf-8"), ("utf-16", "utf-8"), ("cp1252", "cp1252")])
def test_details_are_read_in_their_charset(
    box: Sandbox, caplog: pytest.LogCaptureFixture, charset: str, declared: str
) -> None:
    """JSON with a mark, as UTF-16, or in a declared charset that is no Unicode."""
    body = f'{{"sessionParticipant": {{"participantId": "{TEXT}"}}}}'.encode(charset)
    headers = {"Content-Type": f"application/json; charset={declared}"}
    box.fail("details_v3", times=None, status=200, body=body, headers=headers)
    done = sync_here(box.config(), select=("session_details",))
    [row] = done.records("session_details")
    assert done.exit == 0, caplog.text
    assert row["session_participant"]["participant_id"] == TEXT
