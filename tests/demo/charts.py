"""The charts of the demo's page, as Vega-Lite specifications: https://vega.github.io/vega-lite/docs/.

Every number stands in the chart as text too, parts are told apart by their names and not by colour alone, and the
colours keep their contrast on a light and on a dark page, whose text colour the charts take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
Spec = dict[str, Any]

WIDTH = 560  # pixels of the plot, without its labels
TEXT = "currentColor"
STRONG = "#2f72c9"
WEAK = "#7d8ca3"
HEADER = {
    "labelOrient": "top",
    "labelAnchor": "start",
    "labelAngle": 0,
    "labelFontSize": 13,
    "labelFontWeight": "bold",
    "labelLimit": 0,
    "labelPadding": 4,
}
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
        "labelLimit": 320,
    },
    "header": {"labelColor": TEXT, "titleColor": TEXT},
    "text": {"color": TEXT, "fontSize": 12},
}


def qx_scores(rows: Sequence[Row]) -> Spec:
    """Bars of the QXscore and its two parts, by test and task group, of rows as `warehouse.qx_scores` returns them."""
    parts = {"QXscore": "qx_score", "behavioral": "components_behavioral", "attitudinal": "components_attitudinal"}
    values = [
        {"test": row["title"], "group": row["label"] or "", "part": part, "score": row[column]}
        for row in rows
        for part, column in parts.items()
    ]
    score = {"field": "score", "type": "quantitative", "scale": {"domain": [0, 100]}, "title": "score, 0 to 100"}
    strength = {"condition": {"test": "datum.part === 'QXscore'", "value": STRONG}, "value": WEAK}
    name = "datum.score === null ? datum.part + ': none' : datum.part + ' ' + format(datum.score, '.0f')"
    return _by_part(
        values,
        by="test",
        plot={
            "width": WIDTH,
            "height": {"step": 19},
            "encoding": {
                "y": {"field": "group", "type": "nominal", "title": None, "scale": {"paddingInner": 0.25}},
                "yOffset": {"field": "part", "type": "nominal", "sort": list(parts)},
                "tooltip": _tooltip("group", "part", "score"),
            },
            "layer": [
                {
                    "transform": [{"filter": "datum.score !== null"}],
                    "mark": {"type": "bar", "height": {"band": 0.85}},
                    "encoding": {"x": score, "color": strength},
                },
                {
                    "transform": [{"calculate": name, "as": "name"}, {"calculate": "datum.score || 0", "as": "end"}],
                    "mark": {"type": "text", "align": "left", "dx": 5},
                    "encoding": {"x": {**score, "field": "end"}, "text": {"field": "name"}},
                },
            ],
        },
    )


def ratings(rows: Sequence[Row]) -> Spec:
    """Answers on rating scales: a square per test and value, with the number of answers in it."""
    answers = {"field": "answers", "type": "quantitative"}
    return _by_part(
        rows,
        by="question",
        plot={
            "width": WIDTH,
            "height": {"step": 30},
            "encoding": {
                "y": {"field": "test", "type": "nominal", "title": None},
                "x": {
                    "field": "value",
                    "type": "ordinal",
                    "title": "answer on the question's scale, low to high",
                    "axis": {"labelAngle": 0, "grid": False},
                },
                "tooltip": _tooltip("test", "value", "answers"),
            },
            "layer": [
                {
                    "mark": {"type": "rect", "color": STRONG, "cornerRadius": 3},
                    "encoding": {"opacity": {**answers, "scale": {"range": [0.15, 0.6], "zero": True}, "legend": None}},
                },
                {"mark": {"type": "text"}, "encoding": {"text": answers}},
            ],
        },
    )


def choices(rows: Sequence[Row]) -> Spec:
    """How often each option of the multiple-choice questions was taken, in all tests that ask the question."""
    answers = {"field": "answers", "type": "quantitative", "title": "answers", "axis": {"tickMinStep": 1}}
    return _by_part(
        rows,
        by="question",
        plot={
            "width": WIDTH,
            "height": {"step": 26},
            "encoding": {
                "y": {"field": "option", "type": "nominal", "title": None, "sort": "-x"},
                "x": answers,
                "tooltip": _tooltip("option", "answers"),
            },
            "layer": [
                {"mark": {"type": "bar", "color": STRONG, "height": {"band": 0.75}}},
                {
                    "mark": {"type": "text", "align": "left", "dx": 5},
                    "encoding": {"text": {"field": "answers", "type": "quantitative"}},
                },
            ],
        },
    )


def events(rows: Sequence[Row]) -> Spec:
    """Events of the change feed per day (UTC), one row of bars for each type."""
    return _by_part(
        rows,
        by="type",
        shared="y",
        plot={
            "width": WIDTH + 200,
            "height": 80,
            "encoding": {
                "x": {
                    "field": "day",
                    "type": "temporal",
                    "timeUnit": "utcyearmonthdate",
                    "title": "day (UTC)",
                    "axis": {"format": "%b %-d", "labelAngle": 0, "grid": False},
                },
                "y": {"field": "events", "type": "quantitative", "title": "events", "axis": {"tickCount": 3}},
                "tooltip": [
                    {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": "day"},
                    *_tooltip("events"),
                ],
            },
            "layer": [
                {"mark": {"type": "bar", "color": STRONG}},
                {
                    "mark": {"type": "text", "dy": -7, "fontSize": 11},
                    "encoding": {"text": {"field": "events", "type": "quantitative"}, "x": {"bandPosition": 0.5}},
                },
            ],
        },
    )


def _by_part(values: Sequence[Row], *, by: str, plot: Spec, shared: str | None = None) -> Spec:
    """Return one plot for each value of a column, below each other, that value above it."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": list(values)},
        "facet": {"row": {"field": by, "type": "nominal", "title": None, "header": HEADER}},
        "spec": plot,
        "resolve": {"scale": {"y": "shared" if shared == "y" else "independent"}},
        "config": CONFIG,
    }


def _tooltip(*fields: str) -> list[Spec]:
    return [{"field": field, "type": "nominal"} for field in fields]
