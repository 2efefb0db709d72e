"""Transcripts: every form of WebVTT becomes words and cues; what is none says so."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.vtt import Cue, is_empty, parse, spoken, words

ONE = "00:00:01.000 --> 00:00:02.500\n"
HEAD = "WEBVTT\n\n"


def cue(text: str, speaker: str | None = None) -> Cue:
    """Return the cue of ONE."""
    return Cue(1000, 2500, speaker, text)


@pytest.mark.parametrize(
    ("vtt", "cues"),
    [
        pytest.param(f"{HEAD}{ONE}Hello\n", [cue("Hello")], id="plain"),
        pytest.param(f"{HEAD}{ONE}Hello", [cue("Hello")], id="no newline at the end"),
        pytest.param(f"{HEAD}00:01.000 --> 00:02.500\nHello", [cue("Hello")], id="MM:SS.mmm"),
        pytest.param(
            f"{HEAD}123:00:01.000 --> 123:00:02.500\nHello",
            [Cue(442_801_000, 442_802_500, None, "Hello")],
            id="more than 99 hours",
        ),
        pytest.param(f"WEBVTT - Study of May\nKind: captions\n\n{ONE}Hello", [cue("Hello")], id="header text"),
        pytest.param(f"{HEAD}NOTE\nWho reads this?\nNobody.\n\n{ONE}Hello", [cue("Hello")], id="NOTE"),
        pytest.param(f"{HEAD}NOTE one line\n\n{ONE}Hello\n\nNOTE at the end\n", [cue("Hello")], id="NOTE of one line"),
        pytest.param(f"{HEAD}STYLE\n::cue {{ color: red }}\n\n{ONE}Hello", [cue("Hello")], id="STYLE"),
        pytest.param(f"{HEAD}REGION\nid:one\n\n{ONE}Hello", [cue("Hello")], id="REGION"),
        pytest.param(f"{HEAD}1\n{ONE}Hello", [cue("Hello")], id="numeric cue id"),
        pytest.param(f"{HEAD}intro - part one\n{ONE}Hello", [cue("Hello")], id="cue id in words"),
        pytest.param(
            f"{HEAD}00:01.000 --> 00:02.500 align:start position:10% line:-1\nHello", [cue("Hello")], id="settings"
        ),
        pytest.param(f"{HEAD}{ONE}NOTE this\n", [cue("NOTE this")], id="NOTE inside a cue is spoken"),
        pytest.param(f"{HEAD}{ONE}<v Jane Doe>Hello", [cue("Hello", "Jane Doe")], id="voice"),
        pytest.param(f"{HEAD}{ONE}<v.loud.first Jane>Hello</v>", [cue("Hello", "Jane")], id="voice with classes"),
        pytest.param(f"{HEAD}{ONE}<v Tom &amp; Ann>Hello</v>", [cue("Hello", "Tom & Ann")], id="voice with entity"),
        pytest.param(f"{HEAD}{ONE}<v Ann>Hi</v>\n<v Bob>Ho</v>", [cue("Hi Ho", "Ann")], id="two voices: the first"),
        pytest.param(f"{HEAD}{ONE}<v >Hello", [cue("Hello")], id="voice without a name"),
        pytest.param(f"{HEAD}{ONE}<video>Hello", [cue("Hello")], id="a tag that only begins like voice"),
        pytest.param(
            f"{HEAD}{ONE}<00:00:01.500><c.yellow>He</c>llo <b><i>you</i></b>", [cue("Hello you")], id="other tags"
        ),
        pytest.param(f"{HEAD}{ONE}1 &lt; 2 &amp;&nbsp;3&#33; &eacute;", [cue("1 < 2 & 3! é")], id="entities"),
        pytest.param(f"{HEAD}{ONE}&lt;b&gt;", [cue("<b>")], id="an entity is not decoded into a tag"),
        pytest.param(f"{HEAD}{ONE}&amp;lt;", [cue("&lt;")], id="decoded once"),
        pytest.param(f"{HEAD}{ONE}Hel\nlo  there\n", [cue("Hel lo there")], id="lines and spaces are one"),
        pytest.param(f"{HEAD}{ONE}Hello\n{ONE}again", [cue("Hello"), cue("again")], id="no empty line between cues"),
        pytest.param(f"{HEAD}{ONE}\n\n{ONE}again", [cue(""), cue("again")], id="cue without words"),
        pytest.param(f"{HEAD}{ONE}Hello\n\n{ONE}again".replace("\n", "\r\n"), [cue("Hello"), cue("again")], id="CRLF"),
        pytest.param(f"{HEAD}{ONE}Hello\n\n{ONE}again".replace("\n", "\r"), [cue("Hello"), cue("again")], id="CR"),
        pytest.param(f"\ufeff{HEAD}{ONE}Hello", [cue("Hello")], id="BOM"),
        pytest.param(f"\n \n{HEAD}{ONE}Hello", [cue("Hello")], id="empty lines before it"),
        pytest.param(f"WEBVTT\n{ONE}Hello", [cue("Hello")], id="no empty line after the header"),
        pytest.param(f"{HEAD}{ONE}日本語 🙂\u2028ß", [cue("日本語 🙂 ß")], id="other scripts"),
        pytest.param("", None, id="nothing"),
        pytest.param(f"{ONE}Hello", None, id="no WEBVTT"),
        pytest.param(f"1\n{ONE.replace('.', ',')}Hello", None, id="SRT"),
        pytest.param('{"message": "not yet"}', None, id="JSON"),
        pytest.param(
            f"{HEAD}{ONE.replace('.', ',')}Hello", None, id="times that are none: words are not lost silently"
        ),
    ],
)
def test_a_transcript_is_parsed_leniently(vtt: str, cues: list[Cue] | None) -> None:
    """All that browsers take, and a little more; None for what is no WebVTT."""
    assert parse(vtt) == cues


@pytest.mark.parametrize(
    ("vtt", "empty"),
    [
        pytest.param("", True, id="nothing"),
        pytest.param("\ufeff \r\n", True, id="spaces and a BOM"),
        pytest.param("WEBVTT", True, id="header"),
        pytest.param("\ufeffWEBVTT\r\n\r\n", True, id="header with BOM"),
        pytest.param("WEBVTT - text\nKind: captions\n\nNOTE in work\n", True, id="header text and note"),
        pytest.param(f"{HEAD}{ONE}Hello", False, id="one cue"),
        pytest.param("Hello", False, id="no WebVTT: kept as it is"),
    ],
)
def test_a_header_alone_is_no_transcript_yet(vtt: str, *, empty: bool) -> None:
    """An empty or header-only transcript counts as a missing one."""
    assert is_empty(vtt) is empty


def test_spoken_words_are_one_line_per_cue() -> None:
    """Cues without words leave no empty line."""
    assert spoken([cue("Hello", "Ann"), cue(""), cue("again")]) == "Hello\nagain"
    assert spoken([]) == ""


@given(st.text())
def test_no_text_raises(text: str) -> None:
    """Whatever the server sends, parsing ends with cues or None."""
    for vtt in (text, HEAD + text, f"{HEAD}{ONE}{text}", f"{HEAD}{ONE}<v {text}>Hello"):
        cues = parse(vtt)
        assert cues is None or all(found.start_ms >= 0 and "\n" not in found.text for found in cues)


@given(st.text(alphabet=st.characters(exclude_characters="<>&", exclude_categories=["C", "Z"]), min_size=1))
def test_words_without_markup_are_untouched(text: str) -> None:
    """What holds no tag, entity or space comes through as it is."""
    assert words(text) == text
    assert words(f"<c>{text}</c>") == text


@pytest.mark.parametrize("payload", ["<", "<v ", "<v", "<v Ann ", "&", "< > ", "\n"])
def test_odd_payloads_take_no_time(payload: str) -> None:
    """Tags that are never closed do not cost more than any others of their size."""
    started = time.perf_counter()
    parse(f"{HEAD}{ONE}{payload * (20_000 // len(payload))}")
    assert time.perf_counter() - started < 0.3


def test_a_huge_transcript_is_parsed_in_proportion() -> None:
    """Ten hours of talk: all cues, in seconds at most."""
    body = "".join(
        f"{n}\n{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000 --> {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.900\n"
        f"<v Participant>word {n} &amp; more\n\n"
        for n in range(0, 36_000, 3)
    )
    started = time.perf_counter()
    cues = parse(HEAD + body)
    assert time.perf_counter() - started < 5
    assert cues is not None
    assert len(cues) == 12_000
    assert cues[-1] == Cue(35_997_000, 35_997_900, "Participant", "word 35997 & more")
