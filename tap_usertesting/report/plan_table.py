"""A plan as text: a table for people, whose short form takes at most 80 columns, or JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from tap_usertesting.report.plan import Quota, cost_of
from tap_usertesting.report.wording import clipped, counts_text, exact_duration, number_of, padded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_usertesting.report.plan import Plan, Row

COLUMNS = 80
MOST_TESTS = 20  # lines of the short form; the tests after these share one
SHORTEST_NAME = 24  # columns
GAP = "  "
Line = tuple[str, ...]


def text_of(plan: Plan, form: str) -> str:
    """Return a plan as text; `form`: `short`, `full` or `json`."""
    return plan.as_json() if form == "json" else full_table(plan) if form == "full" else short_table(plan)


def short_table(plan: Plan) -> str:
    """Return a line for each of the costliest tests, one for all others, and the totals."""
    names, tests = _names(plan), sorted(_to_read(plan), key=lambda rows: -cost_of(rows).all)
    lines = [_line(plan, names[rows[0].test_id], rows) for rows in tests[:MOST_TESTS]]
    if rest := tests[MOST_TESTS:]:
        lines.append(_line(plan, number_of(len(rest), "more test"), [row for rows in rest for row in rows]))
    return _whole(plan, ("test", "rows", "calls", "time"), lines)


def full_table(plan: Plan) -> str:
    """Return a line for each stream of each test, with the endpoints that it calls, and the totals."""
    names = _names(plan)
    rows = [row for rows in _to_read(plan) for row in rows if row.calls or row.records]
    lines = [
        (*_line(plan, names[row.test_id], [row]), row.stream, counts_text(row.endpoints) if row.endpoints else "")
        for row in rows
    ]
    return _whole(plan, ("test", "rows", "calls", "time", "stream", "endpoints"), lines)


def _whole(plan: Plan, head: Line, lines: list[Line]) -> str:
    quota, cost = plan.quota, plan.cost
    if plan.discovery:
        lines = [("discovery", "", f"{plan.discovery}", _time(quota, quota.share_of_time(plan.discovery))), *lines]
    seconds = quota.seconds(cost.newest)
    least = min(seconds, quota.seconds(plan.newest_at_least))
    totals: list[Line] = [
        ("news", "", f"{cost.news}", _time(quota, quota.seconds(cost.news))),
        ("last 30 days", "", _range(plan.newest_at_least, cost.newest), _time(quota, seconds, at_least=least)),
        (
            "everything",
            _rows(plan.rows),
            _range(cost.at_least, cost.all),
            _time(quota, plan.total_seconds, at_least=plan.seconds_at_least),
        ),
    ]
    notes = (line for note in _notes(plan) for line in textwrap.wrap(note, COLUMNS))
    return "\n".join([*_aligned([head, *lines], totals), "", *notes])


def _notes(plan: Plan) -> list[str]:
    quota, cost = plan.quota, plan.cost
    idle = len(plan.tests) - len(_to_read(plan))
    notes = [f"Quota: {_quota(quota)}.", f"Tests with nothing to fetch: {idle} of {len(plan.tests)}."]
    if cost.at_least < cost.all:
        notes.append("Ranges: only the sync shows whether tests of unknown type have transcripts.")
    if riders := dict.fromkeys(row.stream for row in plan.rows if row.records is None):
        notes.append(f"Not included: rows of {', '.join(riders)}, whose number only the sync shows.")
    sooner = quota.seconds(plan.busiest)
    if quota.is_met and quota.windows == 1 and sooner < plan.total_seconds:
        notes.append(f"If each endpoint has its own quota window: {exact_duration(sooner)}. The sync detects this.")
    return notes


def _quota(quota: Quota) -> str:
    """Return the quota in words; a number only where one is known that a sync would meet."""
    if quota.limit is None or not quota.is_met:
        return "none that limits a sync, so only the response times count"
    calls = f"{number_of(quota.limit, 'call')} in {quota.window:.0f} s"
    if quota.source == "documented":
        return f"none reported yet; the plan assumes the documented {calls}"
    if quota.source == "setting":
        return f"{calls}, set by calls_per_minute"
    return f"{calls}, {f'in {quota.windows} windows, one per endpoint' if quota.windows > 1 else 'for all endpoints'}"


def _to_read(plan: Plan) -> list[list[Row]]:
    """Return the rows of each test of which there is anything to fetch."""
    return [rows for rows in plan.tests.values() if any(row.calls or row.records for row in rows)]


def _names(plan: Plan) -> dict[str, str]:
    """Return what each test is called: its title, after its id where another has the same; else the id."""
    titles = Counter(plan.titles.get(test_id, "") for test_id in plan.tests)
    found = {}
    for test_id in plan.tests:
        title = plan.titles.get(test_id)
        found[test_id] = test_id if title is None else title if titles[title] == 1 else f"{test_id[:8]}: {title}"
    return found


def _line(plan: Plan, name: str, rows: Sequence[Row]) -> Line:
    cost, quota = cost_of(rows), plan.quota
    least = quota.share_of_time(cost.at_least)
    return (
        name,
        _rows(rows),
        _range(cost.at_least, cost.all),
        _time(quota, quota.share_of_time(cost.all), at_least=least),
    )


def _rows(rows: Iterable[Row]) -> str:
    rows = list(rows)
    return _range(sum(row.records_at_least for row in rows), sum(row.records or 0 for row in rows))


def _range(least: int, most: int) -> str:
    return f"{least}-{most}" if least < most else f"{most}"


def _time(quota: Quota, seconds: float, *, at_least: float | None = None) -> str:
    if not quota.is_met:
        return "-"
    most = exact_duration(seconds)
    least = most if at_least is None else exact_duration(at_least)
    return most if least == most else f"{least} - {most}"


def _aligned(lines: list[Line], totals: list[Line]) -> list[str]:
    """Return the lines in columns, names cut so that the first four columns fit; a blank line precedes the totals."""
    every = [*lines, *totals]
    widths = [max(len(line[number]) for line in every) for number in range(1, 4)]
    name = max(SHORTEST_NAME, COLUMNS - sum(widths) - 3 * len(GAP))
    name = min(name, max(len(line[0]) for line in every))
    streams = max((len(line[4]) for line in lines if len(line) > len(widths) + 1), default=0)

    def text(line: Line) -> str:
        numbers = [f"{part:>{width}}" for part, width in zip(line[1:4], widths, strict=True)]
        more = [f"{line[4]:{streams}}", line[5]] if len(line) > len(widths) + 1 else []
        return GAP.join([padded(clipped(line[0], name), name), *numbers, *more]).rstrip()

    return [*map(text, lines), "", *map(text, totals)]
