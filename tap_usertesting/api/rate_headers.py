"""Parse the rate-limit headers of an answer: limit, remaining, reset and `Retry-After`.

Source: the vendor's headers `x-ratelimit-limit`, `-remaining` and `-reset` (seconds left in the window). Other servers
send a point in time as the reset, or use other prefixes, as Okta does at the token endpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIXES = ("x-ratelimit-", "x-rate-limit-", "ratelimit-")
DAY = 86_400.0  # seconds
EPOCH_FROM = 1e9  # a reset above this is a point in time, not a number of seconds
EPOCH_TO = 1e11  # a point in time above this is in milliseconds or a smaller unit
LONGEST_SKEW = DAY  # seconds between the server's clock and ours; a `Date` further away is ignored
MOST_NAMED = 366 * DAY  # seconds; a longer wait cannot be meant


@dataclass(frozen=True)
class RateHeaders:
    """The rate-limit headers of one answer; None for each that is absent or unusable. Reset and wait are in seconds."""

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    retry_after: float | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str], *, wall: float) -> RateHeaders:
        """Read `x-ratelimit-*`, or the same headers with another prefix, and `Retry-After`.

        `wall` is the current time in epoch seconds. A point in time is measured against the server's own clock. A value
        counts as absent if it is not a number, is negative, lies in the past or is more than a year away.
        """
        wall = server_time(headers, wall=wall)
        limit, remaining, reset = (
            next((value for prefix in PREFIXES if (value := _number(headers.get(prefix + name))) is not None), None)
            for name in ("limit", "remaining", "reset")
        )
        return cls(
            limit=int(limit) if limit is not None and limit >= 1 else None,
            remaining=int(remaining) if remaining is not None and remaining >= 0 else None,
            reset=_seconds(reset, wall=wall),
            retry_after=_retry_after(headers.get("retry-after"), wall=wall),
        )

    @property
    def asked(self) -> float | None:
        """The wait in seconds that the answer asks for: `Retry-After`, or else the reset."""
        return self.retry_after or self.reset


def server_time(headers: Mapping[str, str], *, wall: float) -> float:
    """Return the current time by the server's clock, in epoch seconds; `wall` if its `Date` is absent or unusable."""
    date = _date(headers.get("date"))
    return date if date is not None and abs(date - wall) <= LONGEST_SKEW else wall


def _number(text: str | None) -> float | None:
    """Read the first number of a header: proxies join repeated headers, and the IETF draft appends parameters."""
    try:
        number = float(text.split(",")[0].split(";")[0]) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds(number: float | None, *, wall: float) -> float | None:
    """Return the wait for a number that is either seconds or a point in time; None if no such wait can be meant."""
    if number is None:
        return None
    if number > EPOCH_FROM:
        while number > EPOCH_TO:
            number /= 1000
        number -= wall
    return number if 0 < number <= MOST_NAMED else None


def _retry_after(text: str | None, *, wall: float) -> float | None:
    if (number := _number(text)) is not None:
        return _seconds(number, wall=wall)
    return None if (date := _date(text)) is None else _seconds(date - wall, wall=wall)


def _date(text: str | None) -> float | None:
    """Read an HTTP date as epoch seconds."""
    try:
        moment = parsedate_to_datetime(text or "")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
