"""The parts of the demo's page, each from one query."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from tests.demo import charts, queries
from tests.demo.page import Chart, Figure, Section
from tests.demo.report import LIVE_CALLS_A_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_usertesting.sandbox import QuotaRule
    from tests.demo.charts import Row
    from tests.demo.postgres import Database

SYNCS = {1: "First sync: everything", 2: "Second sync: four things had happened", 3: "Third sync: nothing had happened"}


def figures(database: Database) -> Section:
    """The numbers that matter."""
    rows = database.rows(queries.FIGURES)
    [row] = rows
    minutes = math.ceil(row["first_sync"] / LIVE_CALLS_A_MINUTE) - 1
    return Section(
        name="figures",
        title="In short",
        about="Rows in PostgreSQL after three syncs, and the calls of the Results API that each sync took.",
        sql=queries.FIGURES,
        rows=rows,
        figures=[
            Figure(str(row["sessions"]), "sessions", f"of {row['tests']} tests; {row['removed']} more were rejected"),
            Figure(str(row["transcripts"]), "transcripts", f"with {row['cues']} cues, as text and verbatim"),
            Figure(
                str(row["first_sync"]),
                "calls in the first sync",
                f"at {LIVE_CALLS_A_MINUTE} calls a minute they take {minutes} minutes",
            ),
            Figure(str(row["second_sync"]), "calls in the second sync", "four things had happened"),
            Figure(
                str(row["third_sync"]),
                "calls in the third sync",
                f"{row['third_sync_feed']} request to the change feed, for all tests",
            ),
            Figure(str(row["refused"]), "429 responses", "too many requests: no call was refused"),
        ],
    )


def changes(database: Database) -> Section:
    """What the second sync changed, row by row."""
    rows = database.rows(queries.CHANGES)
    shown = [
        {"what": row["what"], "test": f"{row['test']}, session {row['session'][:8]}", "table": row["table"]}
        | {"before": row["before"] or "no row", "after": row["after"]}
        for row in rows
    ]
    return Section(
        name="changes",
        title="What the second sync changed",
        about=(
            "Between the first and the second sync a session was rejected, an answer was corrected, a session was "
            "completed, and a transcript appeared late. These rows changed and no others; columns that did not change "
            "are left out. The rows of the rejected session stay, marked as deleted and without their content."
        ),
        sql=queries.CHANGES,
        rows=rows,
        table=shown,
    )


def missing(database: Database) -> Section | None:
    """Whether every session that the source names has its rows; None where the tap does not say what it named."""
    if not database.rows(queries.HAS_STATUS):
        return None
    rows = database.rows(queries.MISSING)
    short = [row for row in rows if row["rows"] != row["expected"]]
    named, alive = (sum(row[column] for row in rows) for column in ("source_count", "rows"))
    return Section(
        name="missing",
        title="Is anything missing?",
        about=(
            "The sessions that the source names, less those that are known to have no row, must be the rows in "
            "PostgreSQL, for each test and stream. The counts are those of the stream sync_status."
        ),
        sql=queries.MISSING,
        rows=rows,
        table=short,
        figures=[
            Figure(str(len(short)), "do not add up", f"of {len(rows)} pairs of a test and a stream"),
            Figure(str(alive), "rows", f"of {named} that the source names"),
            *(
                Figure(str(sum(row[column] for row in rows)), name, note)
                for column, name, note in (
                    ("waiting", "waiting", "not available yet, requested again"),
                    ("unread", "unread", "read by the next sync"),
                    ("given_up", "given up", "never found"),
                    ("left_out", "left out", "not requested"),
                )
            ),
        ],
    )


def windows(database: Database, rule: QuotaRule) -> Section:
    """The quota windows of each sync along the time."""
    rows = database.rows(queries.WINDOWS)
    until = max((row["last_call"] + (row["wait"] or 0) for row in rows), default=1.0)
    live = f"{rule.window} s here stand for a minute of the live API"
    made = []
    for sync, name in SYNCS.items():
        own = [row for row in rows if row["sync"] == sync]
        if own:
            calls, waits = sum(row["calls"] for row in own), sum(row["wait"] or 0 for row in own)
            note = f"{calls} calls in {len(own)} {'windows' if len(own) > 1 else 'window'}, {waits:.1f} s of waiting."
            made.append(Chart(name, charts.windows(own, limit=rule.limit, until=until * 1.04), note))
    return Section(
        name="windows",
        title="How the quota is used",
        about=(
            f"{rule.limit} calls in {rule.window} s are allowed ({live}). Blue: calls are being sent; their number is "
            "above. Grey: the window is used up, and the tap waits for the next. Taken from the sandbox's log of calls."
        ),
        sql=queries.WINDOWS,
        rows=rows,
        charts=made,
        wide=True,
    )


def qx_scores(database: Database) -> Section:
    """The QXscores of each interaction test."""
    rows = database.rows(queries.QX_SCORES)
    return Section(
        name="qx",
        title="QXscore per test",
        about="The score of each task group, and the two parts that make it up. Source: the stream qx_scores.",
        sql=queries.QX_SCORES,
        rows=rows,
        charts=[Chart(title, charts.qx_scores(own)) for title, own in _by(rows, "title")],
    )


def ratings(database: Database) -> Section:
    """How the rating scales were answered."""
    rows = database.rows(queries.RATINGS)
    return Section(
        name="ratings",
        title="Answers on rating scales",
        about="How many participants gave which rating, from 1 to 5. Source: session_details, column tasks.",
        sql=queries.RATINGS,
        rows=rows,
        charts=[
            Chart(
                question,
                charts.ratings(own),
                f"{own[0]['test']}. 1: {own[0]['low'].lower()}, 5: {own[0]['high'].lower()}.",
            )
            for question, own in _by(rows, "question")
        ],
    )


def choices(database: Database) -> Section:
    """How the questions with options were answered."""
    rows = database.rows(queries.CHOICES)
    return Section(
        name="choices",
        title="Answers with options",
        about="How many participants took each option. Source: session_details, column tasks.",
        sql=queries.CHOICES,
        rows=rows,
        charts=[Chart(question, charts.choices(own), own[0]["test"]) for question, own in _by(rows, "question")],
    )


def events(database: Database) -> Section:
    """What the change feed reported, day by day."""
    rows = database.rows(queries.EVENTS)
    days = sorted(row["day"] for row in rows)
    most = max(row["events"] for row in rows)
    return Section(
        name="events",
        title="Change events per day",
        about="What the change feed reported, by type of event and day (UTC). Source: the stream result_changes.",
        sql=queries.EVENTS,
        rows=rows,
        charts=[
            Chart(kind, charts.events(own, days=(days[0], days[-1]), most=most), f"{_total(own)} events")
            for kind, own in _by(rows, "type")
        ],
        wide=True,
    )


def transcript(database: Database) -> Section:
    """The transcript with the most cues, as text."""
    rows = database.rows(queries.TRANSCRIPT)
    [row] = rows
    cues = [
        {"time": _clock(cue["start_ms"]), "speaker": cue["speaker"], "what was said": cue["text"]}
        for cue in row["cues"]
    ]
    if not any(cue["speaker"] for cue in cues):
        cues = [{name: value for name, value in cue.items() if name != "speaker"} for cue in cues]
    return Section(
        name="transcript",
        title="A transcript",
        about=f"Session {row['session_id']} of the test '{row['title']}': the transcript with the most cues.",
        sql=queries.TRANSCRIPT,
        rows=rows,
        table=cues,
    )


def _by(rows: Sequence[Row], column: str) -> Iterator[tuple[str, list[Row]]]:
    """Return rows by the value of a column, in whose order they are within a test."""
    ordered = sorted(rows, key=lambda row: (row.get("test") or "", row[column]))
    for value, own in itertools.groupby(ordered, key=lambda row: row[column]):
        yield value, list(own)


def _total(rows: Sequence[Row]) -> int:
    return sum(row["events"] for row in rows)


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:02d}:{seconds:02d}"
