"""Transcripts: every form of WebVTT becomes words and cues; what is none says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_usertesting.values.vtt import Cue, parse, spoken

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
        pytest.param(f"{HEAD}{ONE}<v Ann>Hi</v>\n<v Bob>Ho</v>", [cue("Hi", "Ann"), cue("Ho", "Bob")], id="two voices"),
        pytest.param(f"{HEAD}{ONE}<v >Hello", [cue("Hello")], id="voice without a name"),
        pytest.param(f"{HEAD}{ONE}<video>Hello", [cue("<video>Hello")], id="a tag that only begins like voice"),
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
        pytest.param(f"{ONE}Hello", [cue("Hello")], id="no WEBVTT"),
        pytest.param(f"1\n{ONE.replace('.', ',')}Hello", [cue("Hello")], id="SRT"),
    ],
)
def test_a_transcript_is_parsed_leniently(vtt: str, cues: list[Cue]) -> None:
    """All that browsers take, and a little more."""
    assert parse(vtt) == cues


@pytest.mark.parametrize(
    ("body", "cues"),
    [
        pytest.param(f"{ONE}Hello\n\nthere\n\nyou\n", [cue("Hello there you")], id="empty lines in a cue"),
        pytest.param(f"{ONE}\nHello\n", [cue("Hello")], id="an empty line after the times"),
        pytest.param(f"{ONE}<v Ann>Hello\n\nthere</v>", [cue("Hello there", "Ann")], id="an empty line in a voice"),
        pytest.param(f"{ONE}<v Ann>Hello</v>\n\nthere", [cue("Hello", "Ann"), cue("there")], id="one after a voice"),
        pytest.param(
            f"{ONE}Hello\n\nthere\n\n2\n{ONE}again", [cue("Hello there"), cue("again")], id="an empty line, then an id"
        ),
        pytest.param(f"{ONE}press A --> B\n", [cue("press A --> B")], id="an arrow"),
        pytest.param(f"{ONE}Hello\n\nfrom A --> B", [cue("Hello from A --> B")], id="an arrow after an empty line"),
        pytest.param("00:00:01,000 --> 00:00:02,500\nHello", [cue("Hello")], id="commas"),
        pytest.param("00:00:01:000 --> 00:02:500\nHello", [cue("Hello")], id="colons"),
        pytest.param("-00:00:00.500 --> 00:02.500\nHello", [Cue(0, 2500, None, "Hello")], id="a negative time"),
        pytest.param("00:-01.000 --> 00:02.500\nHello", [Cue(0, 2500, None, "Hello")], id="a minus further in"),
        pytest.param("0:1 --> 0:2.5\nHello", [cue("Hello")], id="fewer digits"),
        pytest.param(f"{ONE[:-1]} line:1 Hello\nthere", [cue("Hello there")], id="words behind the times"),
        pytest.param(f"{ONE}1 < 2 & AT&T <3 <b", [cue("1 < 2 & AT&T <3 <b")], id="< and &"),
        pytest.param(f"{ONE}black&notwhite &copy &nothing;", [cue("black&notwhite &copy &nothing;")], id="no entities"),
        pytest.param(f"{ONE}I <really> am <b here", [cue("I <really> am <b here")], id="no tags"),
        pytest.param(f"{ONE}<b I said 3 > 2", [cue("<b I said 3 > 2")], id="not closed, but > follows"),
        pytest.param(f"{ONE}Hello<br>there<br/>you", [cue("Hello there you")], id="br"),
        pytest.param(f"{ONE}<p>Hello</p><p>there</p>", [cue("Hello there")], id="p"),
        pytest.param(f"{ONE}Hello<00:00:01.500>there", [cue("Hello there")], id="a time in a cue"),
        pytest.param(f"{ONE}<ruby>Hello<rt>there</rt></ruby>", [cue("Hello there")], id="ruby"),
        pytest.param(f"{ONE}<b>H</b>e<i.x>l</i><c>l<u>o</u></c>", [cue("Hello")], id="tags in a word"),
        pytest.param(f'{ONE}<font color="#fff">Hel</font><lang en-GB>lo</lang>', [cue("Hello")], id="attributes"),
    ],
)
def test_no_word_is_lost(body: str, cues: list[Cue]) -> None:
    """Words that a strict reader drops stay in the cue they stand in or, in none, in the one before."""
    assert parse(HEAD + body) == cues
    assert parse(f"{HEAD}{ONE}first\n\n{body}\n\n{ONE}last") == [cue("first"), *cues, cue("last")]


@pytest.mark.parametrize(
    ("payload", "cues"),
    [
        pytest.param("<v Ann>Hi.<v Bob>Hello.", [cue("Hi.", "Ann"), cue("Hello.", "Bob")], id="not closed"),
        pytest.param("Oh <v Ann>Hi.", [cue("Oh"), cue("Hi.", "Ann")], id="nobody, then a voice"),
        pytest.param("<v Ann>Hi.</v> Oh", [cue("Hi.", "Ann"), cue("Oh")], id="a voice, then nobody"),
        pytest.param("<v Ann>A<v Bob>B</v>C", [cue("A", "Ann"), cue("B", "Bob"), cue("C")], id="one in another"),
        pytest.param("<v Ann>A</v>\n<v Ann>B</v>", [cue("A B", "Ann")], id="one voice twice"),
        pytest.param("<v Ann>A</v><v Bob></v><v Ann>B", [cue("A B", "Ann")], id="one that says nothing"),
        pytest.param("<v Ann>A <v >B", [cue("A", "Ann"), cue("B")], id="no name"),
        pytest.param("<v Ann>A <v Bob B", [cue("A", "Ann"), cue("<v Bob B")], id="a voice that is cut off"),
        pytest.param("<v Ann>A </v B", [cue("A", "Ann"), cue("</v B")], id="an end that is cut off"),
        pytest.param("<v Ann></v>", [cue("")], id="no words"),
    ],
)
def test_each_voice_has_its_own_words(payload: str, cues: list[Cue]) -> None:
    """Two voices in a cue are two cues of the same times; whose words nobody can tell have no speaker."""
    assert parse(HEAD + ONE + payload) == cues


@pytest.mark.parametrize(
    "vtt",
    [
        pytest.param("Hello", id="text"),
        pytest.param('{"message": "not yet"}', id="JSON"),
        pytest.param(f"{HEAD}Hello", id="words without times"),
        pytest.param(f"{HEAD}Hello\n\n{ONE}there", id="words before all times"),
        *(
            pytest.param(f"{HEAD}{ONE}<v Ann>Hello\n\n{where}{times}\nthere\n\n{ONE}you", id=f"{times}{where!r}")
            for times in (
                "00:00:0x.000 --> 00:00:02.500",
                "00:00:01.000 --> 00:00:00:00",
                "00:00:01:12 --> 00:00:02:12",
                "NaN:NaN --> NaN:NaN",
                "1.5 --> 2.5",
                "undefined --> undefined",
                "--> 00:00:02.500",
                "00:00:01.000 -->",
                "00:00:01.000 --&gt; 00:00:02.500",
                "00:00:01.000 -> 00:00:02.500",
            )
            for where in ("", "2\n")
        ),
        pytest.param(f"{HEAD}{ONE}<v Ann>Hello\n00:0x.000 --> 00:02.500\nthere", id="no empty line before"),
        pytest.param("WEBVTT\n00:0x.000 --> 00:02.500\nthere", id="no empty line after the header"),
        *(
            pytest.param(f"{HEAD}{ONE}<v Ann>Hello\n\n{block}\n{times}\nthere\n\n{ONE}you", id=f"{block!r} {times}")
            for block in ("NOTE checked", "NOTE\nchecked", "STYLE", "REGION\nid:a")
            for times in ("1s --> 2s", "null --> null", "00h00m01s --> 00h00m02s", "1.000 --> 2.000")
        ),
    ],
)
def test_words_whose_cue_is_not_known_make_a_transcript_unreadable(vtt: str) -> None:
    """They are neither dropped nor given to the voice of another cue."""
    assert parse(vtt) is None


@pytest.mark.parametrize(
    ("vtt", "empty"),
    [
        pytest.param("", True, id="nothing"),
        pytest.param("\ufeff \r\n", True, id="spaces and a BOM"),
        pytest.param("WEBVTT", True, id="header"),
        pytest.param("\ufeffWEBVTT\r\n\r\n", True, id="header with BOM"),
        pytest.param("WEBVTT - text\nKind: captions\n\nNOTE in work\n", True, id="header text and note"),
        pytest.param(f"{HEAD}{ONE}Hello", False, id="one cue"),
        pytest.param(f"{HEAD}{ONE}", False, id="a silent cue"),
        pytest.param(f"{HEAD}Hello", False, id="words without a cue"),
        pytest.param("Hello", False, id="no WebVTT: kept as it is"),
    ],
)
def test_a_header_alone_is_no_transcript_yet(vtt: str, *, empty: bool) -> None:
    """Where nobody says anything, and nobody is silent for a time, there are no cues yet."""
    assert (parse(vtt) == []) is empty


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
    assert parse(f"{HEAD}{ONE}{text}") == parse(f"{HEAD}{ONE}<c>{text}</c>") == [cue(text)]


@pytest.mark.parametrize("payload", ["<", "<v ", "<v", "<v Ann ", "&", "< > ", "\n"])
def test_odd_payloads_are_parsed_in_proportion(payload: str) -> None:
    """Tags that are never closed cost no more than any others of their size: with their square this would never end."""
    parse(f"{HEAD}{ONE}{payload * (1_000_000 // len(payload))}")


def test_a_huge_transcript_is_parsed_in_proportion() -> None:
    """Ten hours of talk: all cues, which would never end if each took the time of all."""
    body = "".join(
        f"{n}\n{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000 --> {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.900\n"
        f"<v Participant>word {n} &amp; more\n\n"
        for n in range(0, 36_000, 3)
    )
    cues = parse(HEAD + body)
    assert cues is not None
    assert len(cues) == 12_000
    assert cues[-1] == Cue(35_997_000, 35_997_900, "Participant", "word 35997 & more")


# Transcripts made of everything that is odd

READABLE = ("00:00:01.000", "00:01.000", "00:00:01,000", "00:00:01:000", "-00:00:01.000", "0:00:01.0", "123:00:01.000")
UNREADABLE = ("00:00:xx.000", "00:00:01:12", "NaN:NaN:NaN", "1.5", "")
SILENT = ("NOTE hush", "NOTE\nhush\nhush", "STYLE\n::cue(hush) { color: red }", "REGION\nid:hush width:40%")
PARTINGS = (
    " ",
    "\n",
    "\n\n",
    "<br>",
    "<br />",
    " <00:00:01.500>",
    "<00:01.500><c> ",
    "\u2028",
    "&nbsp;",
    " & ",
)
ODD = (" < ", " <b ", " <i there ", " <unknown> ", " <3 ", " AT&T ", " </c ", " &copy ", " > ")


@dataclass
class Told:
    """A transcript as it is made: its text, every word with who says it, and whether a reader may give it up."""

    vtt: str = ""
    words: list[tuple[str, str | None]] = field(default_factory=list)
    may_be_unreadable: bool = False

    def word(self, speaker: str | None) -> str:
        """Add a word that is like no other."""
        self.words.append((f"w{len(self.words)}w", speaker))
        return self.words[-1][0]


@st.composite
def transcripts(draw: st.DrawFn) -> Told:
    """Return a transcript, half of the time one whose times can all be read."""
    told = Told()
    broken = draw(st.booleans())
    blocks = [draw(st.sampled_from(["WEBVTT", "\ufeffWEBVTT", "WEBVTT - hush", "WEBVTT\nKind: hush"]))]
    for number in range(draw(st.integers(1, 5))):
        if draw(st.integers(0, 3)) == 0:
            blocks.append(draw(st.sampled_from(SILENT)))
        start, end = (draw(st.sampled_from(READABLE)) for _ in "ab")
        if broken and draw(st.booleans()):
            told.may_be_unreadable = True
            start = draw(st.sampled_from(UNREADABLE))
        identifier = draw(st.sampled_from(["", f"{number}\n", f"hush {number}\n", "0a-1f/2\n"]))
        setting = draw(st.sampled_from(["", " align:start position:10%,line-left", "\tline:-1 "]))
        blocks.append(f"{identifier}{start} --> {end}{setting}\n{draw(payloads(told))}")
    told.vtt = draw(st.sampled_from(["\n", "\r\n", "\r"])).join("\n\n".join([*blocks, ""]).split("\n"))
    return told


@st.composite
def payloads(draw: st.DrawFn, told: Told) -> str:
    """Return what is said in a cue, by up to three voices."""
    payload = ""
    for _ in range(draw(st.integers(0, 3))):
        speaker = draw(st.sampled_from([None, "Ann", "Bob", "Mr & Ms Hush"]))
        payload += {None: "</v>", "Mr & Ms Hush": "<v.x Mr &amp; Ms Hush>"}.get(speaker, f"<v {speaker}>")
        for _ in range(draw(st.integers(0, 4))):
            word = told.word(speaker)
            payload += draw(st.sampled_from([word, f"<b>{word[0]}</b>{word[1:]}", f"<c.x>{word}</c>", f"<i>{word}"]))
            payload += draw(st.sampled_from([*PARTINGS, *PARTINGS, *ODD, " --> "]))
            told.may_be_unreadable |= payload.endswith(" --> ")  # after an empty line it may be the times of a cue
        payload += draw(st.sampled_from(["", "</v>", "</v>\n"]))
    if draw(st.integers(0, 5)) == 0:
        payload += f"<v Ann {told.word(None)}"  # cut off: Ann may be all of the name, or not
    return payload


@settings(max_examples=1000, derandomize=True, deadline=None)
@given(told=transcripts())
def test_every_spoken_word_is_kept_or_the_transcript_is_unreadable(told: Told) -> None:
    """In their order, each under who says it; comments, headers and identifiers stay out."""
    cues = parse(told.vtt)
    if cues is None:
        assert told.may_be_unreadable
        return
    found = [(word, each.speaker) for each in cues for word in re.findall(r"w\d+w", each.text)]
    assert found == told.words
    assert "hush" not in spoken(cues)
