"""A WebVTT transcript as plain text and cues. Pure; parsed by webvtt-py, leniently."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

_TAG = re.compile(r"<[^<>]*>")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^\s<>][^<>]*)>")
_SPACES = re.compile(r"\s+")


class Cue(NamedTuple):
    """One cue: milliseconds from the session's start, who speaks (None where not said), the spoken words."""

    start_ms: int
    end_ms: int
    speaker: str | None
    text: str


def is_empty(vtt: str) -> bool:
    """Tell whether a transcript holds nothing yet: no text at all, or a header without any cue."""
    text = vtt.lstrip("\ufeff").strip()
    return not text or (text.startswith("WEBVTT") and "-->" not in text)


def parse(vtt: str) -> list[Cue] | None:
    """Return the cues of a transcript, None when it is no WebVTT."""
    try:
        captions = webvtt.from_string(vtt.lstrip("\ufeff").lstrip()).captions
        if not captions:
            return None  # something stands there, but no cue that can be read
        return [
            Cue(
                _ms(caption.start_time),
                _ms(caption.end_time),
                _speaker(caption.raw_text),
                words(caption.raw_text),
            )
            for caption in captions
        ]
    except (MalformedFileError, MalformedCaptionError, ValueError):
        return None


def spoken(cues: list[Cue]) -> str:
    """Return the spoken words, one line per cue."""
    return "\n".join(cue.text for cue in cues if cue.text)


def words(payload: str) -> str:
    """Return a cue's payload without tags and with its entities decoded, on one line."""
    return _SPACES.sub(" ", html.unescape(_TAG.sub("", payload))).strip()


def _speaker(payload: str) -> str | None:
    voice = _VOICE.search(payload)
    return (html.unescape(voice.group(1)).strip() or None) if voice else None


def _ms(time: webvtt.models.Timestamp) -> int:
    return ((time.hours * 60 + time.minutes) * 60 + time.seconds) * 1000 + time.milliseconds
