"""The result of a sync in numbers: a few log lines for people, and the same as one structured log record.

The record is the line `SUMMARY: {...}`. Its field `summary` holds the same object, which the SDK's structured log
format (`SINGER_SDK_LOG_CONFIG`) shows under `extra`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from tap_usertesting.report.wording import counts_text, duration, nonzero, windows_text

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

NEWEST_DAYS = 30
Ending = Literal["complete", "incomplete", "failed"]


@dataclass(frozen=True)
class Summary:
    """One sync in numbers."""

    ended: Ending
    seconds: float  # the whole sync
    rows: Mapping[str, int]  # per stream, without tombstones
    tombstones: Mapping[str, int]
    calls: Mapping[str, int]  # per endpoint, retries included
    not_found: Mapping[str, int]  # answers 404 per endpoint
    retries: int  # tries after a fault
    throttled: int  # answers 429, and GraphQL answers of that meaning
    seconds_waited: Mapping[str, float]  # per reason: quota, retry
    left_out: Mapping[str, int]  # per kind: received items that made no row
    waiting: Mapping[str, int]  # sessions per stream that later syncs ask for again
    unfinished: Mapping[str, int]  # tests per stream whose history was not read to its end
    unfinished_newest: Mapping[str, int]  # tests per stream with an unread session of the newest 30 days
    windows: int = 1  # of the quota: 1, or one for each endpoint

    def lines(self) -> list[str]:
        """Return the lines for people."""
        waited = sum(self.seconds_waited.values())
        quota = self.seconds_waited.get("quota", 0.0)
        took = f"took {duration(self.seconds)}, {duration(waited)} of it waiting ({duration(quota)} for quota)"
        lines = [
            f"rows: {counts_text(self.rows)}; tombstones: {counts_text(self.tombstones)}",
            self.calls_made(),
            f"{took}; {windows_text(self.windows)}",
            f"{self.retries} retries, {self.throttled} answers 429; 404s: {counts_text(self.not_found)}",
        ]
        if self.left_out:
            lines.append(f"left out: {counts_text(self.left_out)}")
        if self.waiting or self.unfinished:
            lines.append(
                f"still waiting: sessions: {counts_text(self.waiting)}; tests not read to their end: "
                f"{counts_text(self.unfinished)}; of the newest {NEWEST_DAYS} days: "
                f"{counts_text(self.unfinished_newest)}"
            )
        return lines

    def calls_made(self) -> str:
        """Return the line that counts the calls."""
        return f"calls made: {counts_text({**self.calls, **nonzero({'429': self.throttled})})}"

    def log(self, logger: logging.Logger) -> None:
        """Log the lines and the record."""
        for line in self.lines():
            logger.info("%s", line)
        summary = {**asdict(self), "seconds": round(self.seconds, 1)}
        summary["seconds_waited"] = {reason: round(seconds, 1) for reason, seconds in self.seconds_waited.items()}
        logger.info("SUMMARY: %s", json.dumps(summary), extra={"summary": summary})
