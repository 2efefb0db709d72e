"""How far a sync is, in words: one log line, or one line of a terminal that fits its width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_usertesting.report.wording import LARGE_LIMIT, clipped, clock, duration, ends_at, minutes, number_of, width

if TYPE_CHECKING:
    from tap_usertesting.report.outlook import Outlook

FEW_LEFT = 100  # calls; a window that has more left is not shown
SHORTEST_TITLE = 6  # columns; a title cut to less says nothing
BAR = 12  # columns


@dataclass(frozen=True)
class Status:
    """How far a sync is at one moment.

    streams: those at work, the one that reads `test_id` first. test_id, title: the test whose turn it is; title None
        where discovery knows none.
    outlook: None while nothing is known of the tests.
    fraction: the share that is done.
    waits: seconds that all streams still wait; 0 if one works.
    next_window: seconds to the next quota window.
    limit, remaining: calls of this window; None while no limit is known.
    rows: written so far.
    wall: now, in epoch seconds.
    """

    streams: tuple[str, ...] = ()
    test_id: str = ""
    title: str | None = None
    outlook: Outlook | None = None
    fraction: float = 0.0
    waits: float = 0.0
    next_window: float = 0.0
    limit: int | None = None
    remaining: int | None = None
    rows: int = 0
    wall: float = 0.0

    @property
    def percent(self) -> int:
        """The share that is done; 100 only once nothing is left."""
        left = self.outlook is None or self.outlook.news + self.outlook.history > 0
        return min(int(self.fraction * 100), 99 if left else 100)

    @property
    def is_limited(self) -> bool:
        """Whether the quota matters."""
        return self.remaining is not None and self.limit is not None and self.limit < LARGE_LIMIT

    @property
    def window_matters(self) -> bool:
        """Whether the quota window may soon be used up."""
        return self.is_limited and self.next_window > 0 and (self.remaining or 0) < FEW_LEFT


def calls_left(outlook: Outlook, unit: str) -> str:
    """Return the calls that are left, news and history apart; `unit`: the words behind the numbers."""
    about = "~" if outlook.is_estimate else ""
    parts = [f"news {outlook.news}"] if outlook.news else []
    parts += [f"history {about}{outlook.history}"] if outlook.history or not parts else []
    return f"{', '.join(parts)} {unit}"


def log_line(status: Status) -> str:
    """Return everything that is known, for a log line. It names ids and no titles, which may name people."""
    outlook, parts = status.outlook, []
    if outlook is not None:
        parts.append(f"{status.percent}% of this sync's calls")
        parts.append(calls_left(outlook, "call left" if outlook.news + outlook.history == 1 else "calls left"))
        if outlook.seconds is not None and outlook.news + outlook.history:
            ends = f"{outlook.budget} ends it" if outlook.budget else "ends"
            parts.append(f"{ends} about {ends_at(outlook.seconds, wall=status.wall)} ({duration(outlook.seconds)})")
    parts.append(f"{number_of(status.rows, 'row')} written")
    if status.waits:
        parts.append(f"waits until {clock(status.wall + status.waits)}")
    elif status.window_matters:
        parts.append(f"{status.remaining} of {status.limit} calls left in this window")
        parts.append(f"next window in {minutes(status.next_window)}")
    parts.append(" and ".join(status.streams) or "starting")
    return ", ".join([*parts, *([f"test {status.test_id}"] if status.test_id else [])])


def terminal_line(status: Status, columns: int) -> str:
    """Return the most important of it in at most so many columns of a terminal; a wider one gets more.

    First what every width has, with the title cut to what is left. Then, as long as the whole title fits too: the word
    for the numbers, the streams, the rows, the calls of this window, and a bar.
    """
    title = status.title or status.test_id
    when = _when(status)
    moment = _moment(status)

    def line(*, unit: str = "left", bar: bool = False, more: tuple[str, ...] = ()) -> str:
        first = " and ".join(status.streams) or "starting"
        if status.outlook is not None:
            begin = f"{status.percent}%{' ' + _bar(status.percent) if bar else ''}"
            first = f"{begin} {', '.join(part for part in (calls_left(status.outlook, unit), when) if part)}"
        return " · ".join(part for part in (first, moment, *more) if part)

    shown = line()
    space = columns - width(shown) - len(" · ")
    if title and space < width(title):
        return f"{shown} · {clipped(title, space)}" if space >= SHORTEST_TITLE else clipped(shown, columns)

    def whole(text: str) -> str:
        return f"{text} · {title}" if title else text

    best, unit, more = whole(shown), "left", tuple[str, ...]()
    if width(whole(line(unit="calls left"))) <= columns:
        unit = "calls left"
        best = whole(line(unit=unit))
    streams = (", ".join(status.streams), *status.streams[:1]) if status.outlook is not None else ()
    budget = f"up to {status.outlook.budget}" if status.outlook is not None and status.outlook.budget else ""
    for extras in ((budget,), streams, (_rows(status),), (_window(status),)):
        for extra in extras:
            if extra and width(whole(line(unit=unit, more=(*more, extra)))) <= columns:
                more = (*more, extra)
                best = whole(line(unit=unit, more=more))
                break
    with_bar = whole(line(unit=unit, bar=True, more=more))
    return clipped(with_bar if width(with_bar) <= columns else best, columns)


def _when(status: Status) -> str:
    outlook = status.outlook
    if outlook is None or outlook.seconds is None or not outlook.news + outlook.history:
        return ""
    return f"ends {ends_at(outlook.seconds, wall=status.wall)}"


def _moment(status: Status) -> str:
    """Return until when it waits, or else when the next window begins."""
    if status.waits:
        return f"waits until {clock(status.wall + status.waits)}"
    return f"next window {minutes(status.next_window)}" if status.window_matters else ""


def _rows(status: Status) -> str:
    return number_of(status.rows, "row") if status.rows else ""


def _window(status: Status) -> str:
    return f"window {status.remaining}/{status.limit}" if status.window_matters else ""


def _bar(percent: int) -> str:
    done = percent * BAR // 100
    return f"[{'#' * done}{'-' * (BAR - done)}]"
