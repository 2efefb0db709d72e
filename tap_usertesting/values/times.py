"""Times in the one form that the tap writes: UTC, `YYYY-MM-DDTHH:MM:SS.ffffffZ`. Text order is time order. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s*(Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE
)


def utc(text: object) -> str | None:
    """Return an ISO 8601 time in the fixed form, None if it is no such time. A time without an offset is taken as UTC.

    Decimals beyond six are cut, because most targets accept no more.
    """
    if not isinstance(text, str):
        return None
    if len(text) == len("2025-10-01T10:37:17.365122+00:00") and text[4:20:3] == "--T::." and text.endswith("+00:00"):
        try:  # a short cut for the feed's own form, which comes by the hundred thousand
            datetime.fromisoformat(text)
        except ValueError:
            return None
        return text[:26] + "Z"
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    offset = "+00:00" if offset in {None, "Z", "z"} else offset
    if len(offset) == len("+0000"):
        offset = f"{offset[:3]}:{offset[3:]}"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '')[:6]:0<6}{offset}")
        return stamp(moment)
    except (ValueError, OverflowError):
        return None


def stamp(moment: datetime) -> str:
    """Return an aware datetime in the fixed form."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_epoch(seconds: float) -> str:
    """Return epoch seconds in the fixed form."""
    return stamp(datetime.fromtimestamp(seconds, tz=timezone.utc))


def earlier(fixed: str, **by: float) -> str:
    """Return the time that is so many `hours` or `days` before another, but not before the year 1."""
    try:
        return stamp(_moment(fixed) - timedelta(**by))
    except OverflowError:
        return "0001-01-01T00:00:00.000000Z"


def hours_between(begin: str, end: str) -> float:
    """Return the hours from one time in the fixed form to another."""
    return (_moment(end) - _moment(begin)).total_seconds() / 3600


def epoch(fixed: str) -> float:
    """Return a time in the fixed form as epoch seconds."""
    return _moment(fixed).timestamp()


def _moment(fixed: str) -> datetime:
    return datetime.fromisoformat(fixed[:-1] + "+00:00")
