"""Time spans, counts and windows in words."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE, HOUR, DAY = 60, 3_600, 86_400
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


def windows_text(number: int) -> str:
    """Return the number of quota windows in words."""
    return f"windows: {number}, one per endpoint" if number > 1 else "windows: 1, for all endpoints"


def nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that are not zero."""
    return {name: count for name, count in counts.items() if count}


def counts_text(counts: Mapping[str, int]) -> str:
    """Return counts with their names, sorted by name: `3 sessions, 2 transcripts`; `none` if there are none."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
