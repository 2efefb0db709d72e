"""Parses a WebVTT transcript into cues. Pure. No spoken word is lost: a word outside all cues makes parsing fail.

Lines are read as the parser in the WebVTT standard reads them, but what it drops is kept: words after an
empty line in a cue, words with an arrow, words behind the times, tags that are not closed, and cues whose times have a
comma, a third colon or a minus.
"""

from __future__ import annotations

import html
import re
from html.entities import html5
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\r|\n")
_NOT_SPOKEN = re.compile(r"(?:WEBVTT|NOTE)(?!\S)|(?:STYLE|REGION)\s*$")  # first lines of blocks that are not speech
_TIME = re.compile(r"(?:-?([0-9]{1,9}):)?-?([0-9]{1,4}):-?([0-9]{1,2})(?:[.,]([0-9]{1,9})|:([0-9]{3}))?")
_CLOCK = re.compile(r"[0-9N-]:[0-9N-]")  # also NaN:NaN and --:--, which programs write for times
_OTHER_ARROW = re.compile(r"\s*-?[0-9]+:[0-9]+[:.,][0-9][0-9:.,]*\s*[^\w\s]\S{0,5}\s*-?[0-9]+:[0-9]")
_SETTING = re.compile(r"(?<!\S)(?:vertical|line|position|size|align|region):\S+", re.IGNORECASE)
# Tags may have attributes as in HTML. Other text between < and > is speech: "I <really> mean it", "1 < 2 > 0".
_ATTRIBUTES = r"""(?:\.[^\s<>]*)?(?:\s+[\w-]+=(?:"[^"<>]*"|'[^'<>]*'|[^\s<>"']+))*\s*/?>"""
_TAG = re.compile(
    rf"""(?P<voice><v(?:\.[^\s<>]*)?(?:[ \t](?P<name>[^<>\n]*))?>)
    |(?P<end></v(?:\.[^\s<>]*)?\s*>)
    |(?P<broken></?v(?!\w))
    |(?P<parting></?(?:br|p|div|rt|rp){_ATTRIBUTES}|<[0-9]+:[0-9:.,]+>)
    |(?P<inline></?(?:b|i|u|c|s|em|strong|font|span|ruby){_ATTRIBUTES}|</?lang(?:\.[^\s<>]*)?(?:\s+[\w-]+)?\s*>)""",
    re.IGNORECASE | re.VERBOSE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]*);", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


class Cue(NamedTuple):
    """What one voice says in a cue. Times: milliseconds from the start of the session. `speaker`: None if unnamed."""

    start_ms: int
    end_ms: int
    speaker: str | None
    text: str


def parse(vtt: str) -> list[Cue] | None:
    """Return the cues in their order, one for each voice of a cue; [] if nothing is said.

    None if the text is no transcript: words stand outside all cues, or a line looks like times but cannot be read.
    """
    cues: list[tuple[int, int, list[str]]] = []
    lines = _LINE_END.split(vtt.lstrip("\ufeff").lstrip())
    times = [_times(line) for line in lines]
    place, silent = 0, False  # lines of this block so far; whether they are a header, comment or identifier
    for line, here, following in zip(lines, times, [*times[1:], None], strict=True):
        if here is not None:
            start, end, words = here
            cues.append((start, end, [words]))
            place, silent = 2, False
        elif not line.strip():
            place, silent = 0, False
        elif place == 0 and (following is not None or _NOT_SPOKEN.match(line)):
            place, silent = 1, True
        elif _may_be_times(line, alone=place < 2 and not silent) or (silent and "-->" in line):  # noqa: PLR2004
            return None  # neither an identifier nor a comment, style or region may contain an arrow
        elif not silent:
            if not cues:
                return None
            cues[-1][2].append(line)
            place += 1
    return [Cue(start, end, *voice) for start, end, payload in cues for voice in _voices("\n".join(payload))]


def spoken(cues: list[Cue]) -> str:
    """Return the spoken words, one line for each cue."""
    return "\n".join(cue.text for cue in cues if cue.text)


def _times(line: str) -> tuple[int, int, str] | None:
    """Return the start and the end in a line of cue times, and the words behind them; None if it is no such line."""
    left, _, right = line.partition("-->")
    parts = right.split(maxsplit=1)
    if not parts:
        return None
    start, end = _ms(left.strip()), _ms(parts[0])
    return None if start is None or end is None else (start, end, _SETTING.sub("", "".join(parts[1:])))


def _ms(time: str) -> int | None:
    found = _TIME.fullmatch(time)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    fraction = found[4] or found[5] or ""
    return 0 if "-" in time else ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(f"{fraction:0<3}"[:3])


def _may_be_times(line: str, *, alone: bool) -> bool:
    """Tell whether a line that cannot be read as cue times may be meant as such. `alone`: times are expected there."""
    left, arrow, right = line.partition("-->")
    if not arrow:
        return _OTHER_ARROW.match(line) is not None
    before, after = left.split(), right.split()
    return any(map(_CLOCK.search, before[-1:] + after[:1])) or (alone and len(before) <= 1)


def _voices(payload: str) -> list[tuple[str | None, str]]:
    """Return speaker and words of each voice in a cue, at least one. Words after a broken voice tag have no speaker."""
    speaker: str | None = None
    parts: list[tuple[str | None, str]] = []
    at = 0
    for tag in _TAG.finditer(payload):
        parts.append((speaker, payload[at : tag.start()]))
        at = tag.end()
        if tag.lastgroup in {"voice", "end", "broken"}:
            speaker = _plain(tag["name"] or "") or None
        if tag.lastgroup != "inline":
            parts.append((speaker, tag[0] if tag.lastgroup == "broken" else " "))
    parts.append((speaker, payload[at:]))
    voices = [(who, _plain("".join(map(itemgetter(1), some)))) for who, some in groupby(parts, itemgetter(0))]
    said = groupby([voice for voice in voices if voice[1]], itemgetter(0))
    return [(who, " ".join(map(itemgetter(1), some))) for who, some in said] or [(None, "")]


def _plain(text: str) -> str:
    """Return text on one line, with its entities decoded."""
    return _SPACES.sub(" ", _ENTITY.sub(_character, text)).strip()


def _character(entity: re.Match[str]) -> str:
    """Return the character of an entity. Unlike an HTML parser, leave text alone that only starts like one."""
    name = entity[0][1:]
    return html.unescape(entity[0]) if name.startswith("#") else html5.get(name, entity[0])
