"""The charts of the demo's page, as Vega-Lite specifications: https://vega.github.io/vega-lite/docs/.

Each takes the width of its place. Every number stands in the chart as text too, parts are told apart by their names and
not by colour alone, and the colours keep their contrast on a light and on a dark page, whose text colour the charts
take.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
Spec = dict[str, Any]

TEXT = "currentColor"
STRONG = "#2f72c9"
DAY = 70  # pixels of the highest bar of all days
LABEL = 16  # pixels above it
NUMBER = 18  # pixels that a number of two digits takes
WEAK = "#7d8ca3"
CONFIG = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": TEXT,
        "titleColor": TEXT,
        "domainColor": TEXT,
        "tickColor": TEXT,
        "gridColor": TEXT,
        "gridOpacity": 0.15,
        "domainOpacity": 0.4,
        "tickOpacity": 0.4,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 200,
    },
    "text": {"color": TEXT, "fontSize": 12},
}


def windows(rows: Sequence[Row], *, limit: int, until: float) -> Spec:
    """The calls of each quota window of a sync along the time, and the waits for the next window."""
    starts = [*(row["first_call"] for row in rows[1:]), 2 * until]
    values = [
        {**row, "next": row["last_call"] + (row["wait"] or 0), "room": start - row["first_call"]}
        for row, start in zip(rows, starts, strict=True)
    ]
    calls = {
        "field": "calls",
        "type": "quantitative",
        "title": "calls",
        "scale": {"domain": [0, limit * 1.3]},
        "axis": {"values": [0, limit], "grid": False},
    }
    time = {
        "type": "quantitative",
        "scale": {"domain": [0, until]},
        "axis": {"tickCount": 6, "grid": False},
        "title": "seconds since the first call under the quota",
    }
    ground = {"datum": 0}
    tooltip = _tooltip("window", "calls", "first_call", "last_call", "wait")
    return _chart(
        values,
        height=110,
        layer=[
            {
                "mark": {"type": "rule", "color": TEXT, "strokeDash": [4, 3], "opacity": 0.6},
                "encoding": {"y": {"datum": limit, "type": "quantitative"}},
            },
            {
                "mark": {"type": "rect", "color": WEAK, "opacity": 0.35},
                "encoding": {
                    "x": {**time, "field": "last_call"},
                    "x2": {"field": "next"},
                    "y": calls,
                    "y2": ground,
                    "tooltip": tooltip,
                },
            },
            {
                # A window's calls may all go out within a millisecond: the outline keeps the bar to be seen.
                "mark": {"type": "rect", "color": STRONG, "stroke": STRONG, "strokeWidth": 1.5},
                "encoding": {
                    "x": {**time, "field": "first_call"},
                    "x2": {"field": "last_call"},
                    "y": calls,
                    "y2": ground,
                    "tooltip": tooltip,
                },
            },
            {
                # On a busy machine windows are not used up, so that there are many: some go without a number.
                "transform": [{"filter": f"datum.room / {until} * width > {NUMBER}"}],
                "mark": {"type": "text", "align": "left", "baseline": "bottom", "dy": -3},
                "encoding": {"x": {**time, "field": "first_call"}, "y": calls, "text": {"field": "calls"}},
            },
        ],
    )


def qx_scores(rows: Sequence[Row]) -> Spec:
    """Bars of the QXscore and its two parts, for the task groups of one test."""
    values: list[Row] = []
    for row in rows:
        # The name before the bar is a letter that keeps the rows apart, a bar, and what is shown.
        values.append({"row": f"{len(values):03d}|", "group": row["label"] or ""})
        for part, column in PARTS.items():
            score = row[column]
            shown = "none" if score is None else f"{score:.0f}"
            values.append({"row": f"{len(values):03d}|{part}", "part": part, "score": score, "shown": shown})
    score = {
        "type": "quantitative",
        "scale": {"domain": [0, 110]},
        "axis": {"values": [0, 25, 50, 75, 100]},
        "title": "score, 0 to 100",
    }
    name = {"labelExpr": "split(datum.label, '|')[1]", "ticks": False, "domain": False, "labelPadding": 6}
    strength = {"condition": {"test": "datum.part === 'QXscore'", "value": STRONG}, "value": WEAK}
    return _chart(
        values,
        height={"step": 20},
        encoding={"y": {"field": "row", "type": "nominal", "title": None, "axis": name}},
        layer=[
            {
                "transform": [{"filter": "isValid(datum.score)"}],
                "mark": {"type": "bar", "height": {"band": 0.8}},
                "encoding": {
                    "x": {**score, "field": "score"},
                    "color": strength,
                    "tooltip": _tooltip("part", "shown"),
                },
            },
            {
                "transform": [{"filter": "isValid(datum.shown)"}, {"calculate": "datum.score || 0", "as": "end"}],
                "mark": {"type": "text", "align": "left", "dx": 5},
                "encoding": {"x": {**score, "field": "end"}, "text": {"field": "shown"}},
            },
            {
                "transform": [{"filter": "isValid(datum.group)"}],
                "mark": {"type": "text", "align": "left", "x": -70, "fontWeight": "bold"},
                "encoding": {"text": {"field": "group"}},
            },
        ],
    )


PARTS = {"QXscore": "qx_score", "behavioral": "components_behavioral", "attitudinal": "components_attitudinal"}


def ratings(rows: Sequence[Row]) -> Spec:
    """How often each value of a rating scale was given, for one question."""
    return _chart(
        rows,
        height=80,
        encoding={
            "x": {
                "field": "value",
                "type": "ordinal",
                "scale": {"domain": [1, 2, 3, 4, 5]},
                "title": None,
                "axis": {"labelAngle": 0, "ticks": False},
            },
            "y": {**_count("answers", rows), "axis": None},
            "tooltip": _tooltip("value", "answers"),
        },
        layer=[
            {"mark": {"type": "bar", "color": STRONG, "width": {"band": 0.7}}},
            {"mark": {"type": "text", "baseline": "bottom", "dy": -3}, "encoding": {"text": {"field": "answers"}}},
        ],
    )


def choices(rows: Sequence[Row]) -> Spec:
    """How often each option of a multiple-choice question was taken."""
    return _chart(
        rows,
        height={"step": 24},
        encoding={
            "y": {
                "field": "option",
                "type": "nominal",
                "title": None,
                "sort": [row["option"] for row in rows],
                "axis": {"ticks": False, "labelPadding": 6},
            },
            "x": {**_count("answers", rows), "axis": None},
            "tooltip": _tooltip("option", "answers"),
        },
        layer=[
            {"mark": {"type": "bar", "color": STRONG, "height": {"band": 0.7}}},
            {"mark": {"type": "text", "align": "left", "dx": 5}, "encoding": {"text": {"field": "answers"}}},
        ],
    )


def events(rows: Sequence[Row], *, days: tuple[str, str], most: int) -> Spec:
    """Events of one type per day (UTC); `days`: the first and the last of all types, `most`: events on one day.

    An event is as high in one chart as in the other, and no chart is higher than its highest bar needs.
    """
    highest = max(row["events"] for row in rows)
    # A layer with an x of its own repeats all of it: without the time unit its labels pile up in the middle.
    day = {
        "field": "day",
        "type": "temporal",
        "timeUnit": "utcyearmonthdate",
        "scale": {"domain": [_utc(days[0]), _utc(days[1], plus=1)]},
        "title": None,
        "axis": {"format": "%b %-d", "labelAngle": 0, "grid": False, "tickCount": 6, "labelOverlap": True},
    }
    return _chart(
        rows,
        height=LABEL + round(DAY * highest / most),
        encoding={
            "x": day,
            "y": {
                "field": "events",
                "type": "quantitative",
                "scale": {"domain": [0, highest + most * LABEL / DAY]},
                "axis": None,
            },
            "tooltip": [{**day, "axis": None, "title": "day"}, *_tooltip("events")],
        },
        layer=[
            {"mark": {"type": "bar", "color": STRONG}},
            {
                "mark": {"type": "text", "baseline": "bottom", "dy": -2, "fontSize": 10},
                "encoding": {"text": {"field": "events"}, "x": {**day, "bandPosition": 0.5}},
            },
        ],
    )


def _chart(values: Sequence[Row], **parts: Any) -> Spec:  # noqa: ANN401 - parts of a specification
    """Return a chart that is as wide as its place."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": list(values)},
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        **parts,
        "config": CONFIG,
    }


def _count(field: str, rows: Sequence[Row]) -> Spec:
    """Return the encoding of a number with room for its label behind the longest bar."""
    most = max((row[field] for row in rows), default=1)
    return {"field": field, "type": "quantitative", "scale": {"domain": [0, most * 1.3]}}


def _utc(day: str, *, plus: int = 0) -> Spec:
    """Return the begin of a day (ISO) in UTC, or of the day so many days later."""
    moment = date.fromisoformat(day) + timedelta(days=plus)
    return {"year": moment.year, "month": moment.month, "date": moment.day, "utc": True}


def _tooltip(*fields: str) -> list[Spec]:
    return [{"field": field, "type": "nominal"} for field in fields]
