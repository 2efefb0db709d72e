"""Time spans, counts and windows in words."""

from __future__ import annotations

import math
import time
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE, HOUR, DAY = 60, 3_600, 86_400
LARGE_LIMIT = 100_000  # calls of a window; who allows as many sets no limit that a sync would meet
IN_MINUTES_FROM = 90  # as many of a unit are still said in that unit: 80 min, not 1 h 20 min


def duration(seconds: float) -> str:
    """Return a time span for log lines, rounded as a person says it: `80 s`, `5 min`, `2 h 3 min`.

    `exact_duration` is more precise. Here that would mislead, because most of these spans are estimates.
    """
    whole = math.ceil(seconds)
    if whole < IN_MINUTES_FROM:
        return f"{whole} s"
    minutes = round(whole / MINUTE)
    if minutes < IN_MINUTES_FROM:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def exact_duration(seconds: float) -> str:
    """Return a time span for the table of `--plan`, in its two largest units: `1 min 20 s`, `5 min 04 s`, `2 h 03 min`.

    `duration` is too coarse there, because people compare the rows and add them up.
    """
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def ends_at(seconds: float, *, wall: float) -> str:
    """Return the local time of day so many seconds after `wall` (epoch seconds), with the weekday from 12 hours on."""
    return time.strftime("%H:%M" if seconds < DAY / 2 else "%a %H:%M", time.localtime(wall + seconds))


def clock(moment: float) -> str:
    """Return the local time of day, with seconds, of a moment in epoch seconds."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


def minutes(seconds: float) -> str:
    """Return a short time span as minutes and seconds: `0:38`."""
    whole = math.ceil(seconds)
    return f"{whole // MINUTE}:{whole % MINUTE:02}"


def number_of(count: int, noun: str) -> str:
    """Return a count and its noun: `1 row`, `2 rows`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """Return a text of the vendor on one line, without anything that a terminal would obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(_columns(char) for char in text)


def clipped(text: str, columns: int) -> str:
    """Return a text cut to so many columns, with an ellipsis where something is missing."""
    if width(text) <= columns:
        return text
    kept, used = [], 1  # the ellipsis
    for char in text:
        used += _columns(char)
        if used > columns:
            break
        kept.append(char)
    return f"{''.join(kept).rstrip()}…"


def padded(text: str, columns: int) -> str:
    """Return a text with blanks behind it, so many columns of a terminal in all."""
    return text + " " * (columns - width(text))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def windows_text(number: int) -> str:
    """Return the number of quota windows in words."""
    return f"windows: {number}, one per endpoint" if number > 1 else "windows: 1, for all endpoints"


def nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that are not zero."""
    return {name: count for name, count in counts.items() if count}


def counts_text(counts: Mapping[str, int]) -> str:
    """Return counts with their names, sorted by name: `3 sessions, 2 transcripts`; `none` if there are none."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
