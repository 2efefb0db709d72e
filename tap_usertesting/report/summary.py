"""The result of a sync in numbers: a table on a terminal, elsewhere one structured log record.

The record is the line `SUMMARY: {...}`. Its field `summary` holds the same object, which the SDK's structured log
format (`SINGER_SDK_LOG_CONFIG`) shows under `extra`.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tap_usertesting.report.wording import counts_text, duration, nonzero, windows_text

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

COLUMNS = 80
NEWEST_DAYS = 30
BEGINNING = "the beginning"
HEAD = ("stream", "rows", "tombstones", "waiting", "tests left", "complete from")
Ending = Literal["complete", "incomplete", "failed"]


@dataclass(frozen=True)
class Summary:
    """One sync in numbers. What was written is counted by the names it was written under, after stream maps."""

    ended: Ending
    seconds: float  # the whole sync
    rows: Mapping[str, int]  # written, without tombstones
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
    complete_from: Mapping[str, str | None]  # per stream with a history: from when on it is there; None: the beginning
    windows: int = 1  # of the quota: 1, or one for each endpoint
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)  # the names that each stream is written under

    def table(self) -> str:
        """Return the table for a terminal, and a few lines below it."""
        lines = [HEAD, *(line for stream, names in self.aliases.items() for line in self._lines(stream, names))]
        widths = [max(len(line[number]) for line in lines) for number in range(len(HEAD))]
        table = []
        for name, *numbers in lines:
            cells = [f"{cell:>{size}}" for cell, size in zip(numbers, widths[1:], strict=True)]
            table.append("  ".join([f"{name:{widths[0]}}", *cells]).rstrip())
        return "\n".join([*table, "", *(line for note in self._notes() for line in _wrapped(note))])

    def _lines(self, stream: str, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Yield a line for each name of a stream; what is left to read stands in the first."""
        left = ("", "", "")
        if stream in self.complete_from:
            at, tests = self.complete_from[stream], self.unfinished.get(stream, 0)
            left = (_count(self.waiting.get(stream, 0)), _count(tests), BEGINNING if at is None else at[:10])
        for name in names:
            yield (name, str(self.rows.get(name, 0)), _count(self.tombstones.get(name, 0)), *left)
            left = ("", "", "")

    def _notes(self) -> list[str]:
        notes = [f"{self.ended} after {duration(self.seconds)}{self._waited()}", self.calls_made()]
        odd = {"retries": self.retries, "429 responses": self.throttled, "404 responses": sum(self.not_found.values())}
        if nonzero(odd):
            notes.append(", ".join(f"{what}: {count}" for what, count in nonzero(odd).items()))
        if self.left_out:
            notes.append(f"left out: {counts_text(self.left_out)}")
        if self.unfinished_newest:
            newest = counts_text(self.unfinished_newest)
            notes.append(f"tests with unread sessions from the last {NEWEST_DAYS} days: {newest}")
        return notes

    def _waited(self) -> str:
        """Return how long it waited; nothing where that is no whole second."""
        waited = {reason: seconds for reason, seconds in self.seconds_waited.items() if round(seconds) >= 1}
        if not waited:
            return ""
        reasons = {"quota": "for quota", "retry": "before retries"}
        parts = [f"{duration(round(seconds))} {reasons[reason]}" for reason, seconds in waited.items()]
        windows = f" ({windows_text(self.windows)})" if self.windows > 1 else ""
        return f", waited {' and '.join(parts)}{windows}"

    def calls_made(self) -> str:
        """Return the line that counts the calls."""
        return f"calls made: {counts_text(self.calls)}"

    def record(self) -> dict[str, Any]:
        """Return the record for machines."""
        record = {**asdict(self), "seconds": round(self.seconds, 1)}
        record["seconds_waited"] = {
            reason: round(seconds, 1) for reason, seconds in self.seconds_waited.items() if round(seconds, 1)
        }
        del record["aliases"]
        return record

    def log(self, logger: logging.Logger) -> None:
        """Log the record."""
        logger.info("SUMMARY: %s", json.dumps(self.record()), extra={"summary": self.record()})


def _wrapped(note: str) -> list[str]:
    """Return the lines of a note; no line ends between a number and what it counts."""
    kept = re.sub(r"(\d) ", "\\1\xa0", note)
    return [line.replace("\xa0", " ") for line in textwrap.wrap(kept, COLUMNS, subsequent_indent="  ")]


def _count(number: int) -> str:
    return str(number) if number else "-"
