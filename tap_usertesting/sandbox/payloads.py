"""The answers of participants to each kind of task.

The vendor does not document the content of an ``answer``, so a reader of the API must pass it on unchanged. The content
here is invented to check that: integers above 2**53, nested nulls, keys in several spellings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.texts import CHOICES, SENTENCES, STATEMENTS

if TYPE_CHECKING:
    from random import Random

    from tap_usertesting.sandbox.requests_and_replies import Json

ANSWER_KEYS = {
    "BLANK": "blank",
    "RATING_SCALE": "ratingScale",
    "MULTIPLE_CHOICE": "multipleChoice",
    "IMAGE": "image",
    "NPS": "nps",
    "URL": "url",
    "RANK_ORDER": "rankOrder",
    "WRITTEN": "written",
    "FIGMA": "figma",
    "MATRIX": "matrix",
}


def answer(kind: str, rng: Random) -> Json:
    """Return the answer to a task: one key for each kind of task, null except for that of this kind."""
    given: Json = dict.fromkeys(ANSWER_KEYS.values())
    if kind in ANSWER_KEYS:
        given[ANSWER_KEYS[kind]] = _payload(kind, rng)
    return given


def _payload(kind: str, rng: Random) -> Json:  # noqa: PLR0911 - data for each kind
    if kind == "RATING_SCALE":
        labels = {"low": "Very difficult", "high": "Very easy", "middle": None}
        return {"value": rng.randrange(1, 6), "scaleMinimum": 1, "scaleMaximum": 5, "labels": labels}
    if kind == "MULTIPLE_CHOICE":
        chosen = sorted(rng.sample(range(len(CHOICES)), rng.randrange(1, 3)))
        options = [{"optionId": 9007199254740993 + number, "label": CHOICES[number]} for number in chosen]
        return {
            "value": ", ".join(CHOICES[number] for number in chosen),
            "selected": options,
            "multiSelect": True,
            "randomizedOptions": False,
            "maxLimit": None,
        }
    if kind == "NPS":
        return {"value": rng.randrange(11)}
    if kind == "RANK_ORDER":
        ranked = [{"rank": rank, "text": text} for rank, text in enumerate(rng.sample(CHOICES, 4), start=1)]
        return {"value": ranked[0]["text"], "ranking": ranked}
    if kind == "MATRIX":
        rows = {text: rng.choice((1, 2, 3, 4, 5, None)) for text in STATEMENTS}
        return {"rows": rows, "columns": ["1", "2", "3", "4", "5"]}
    if kind == "WRITTEN":
        return {"value": " ".join(rng.sample(SENTENCES, 2))}
    if kind == "URL":
        visited = f"https://shop.example.com/step/{rng.randrange(1, 9)}"
        return {"value": visited, "success": rng.random() < 0.7, "path": [visited, None]}  # noqa: PLR2004
    if kind == "FIGMA":
        return {
            "prototypeUrl": "https://figma.example.com/proto/kX81",
            "figmaPrototypeTitle": "Returns, version B",
            "figmaPrototypeDisplaySetting": {"deviceFrame": True, "startingNode": "12:408", "hotspots": None},
        }
    if kind == "IMAGE":
        return {"clicks": [{"x": round(rng.random(), 3), "y": round(rng.random(), 3), "ms": rng.randrange(9000)}]}
    return {}
