"""Times, counts and windows as a person says them."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE, HOUR, DAY = 60, 3_600, 86_400
IN_MINUTES_FROM = 90  # seconds, or minutes for hours: below it the smaller unit says more


def duration(seconds: float) -> str:
    """Return a time span as a person says it: in seconds up to 90, then in whole minutes.

    `exact_duration` is the other form: an estimate that counts the seconds of an hour would claim too much.
    """
    whole = math.ceil(seconds)
    if whole < IN_MINUTES_FROM:
        return f"{whole} s"
    minutes = round(whole / MINUTE)
    if minutes < IN_MINUTES_FROM:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def exact_duration(seconds: float) -> str:
    """Return a time span in its two largest units, for the table of `--plan`, where rows are compared and added up."""
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def ends_at(seconds: float, *, wall: float) -> str:
    """Return the local time of day in so many seconds from `wall`, with the day of the week if it is far off."""
    return time.strftime("%H:%M" if seconds < DAY / 2 else "%a %H:%M", time.localtime(wall + seconds))


def windows_text(number: int) -> str:
    """Return what was learned of the quota's windows, for people."""
    return f"windows: {number}, one per endpoint" if number > 1 else "windows: 1, for all endpoints"


def nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that are not zero."""
    return {name: count for name, count in counts.items() if count}


def counts_text(counts: Mapping[str, int]) -> str:
    """Return counts with their names, by name."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
