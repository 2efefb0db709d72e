"""The answers of participants to each kind of task.

The vendor does not document the content of an ``answer``, so a reader of the API must pass it on unchanged. The form of
the content here is invented to check that: integers above 2**53, nested nulls, keys in several spellings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.study import Prompt

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


def answer(prompt: Prompt, rng: Random) -> Json:
    """Return the answer to a prompt: one key for each kind of task, null except for that of this kind."""
    given: Json = dict.fromkeys(ANSWER_KEYS.values())
    if prompt.type in ANSWER_KEYS:
        given[ANSWER_KEYS[prompt.type]] = _payload(prompt, rng)
    return given


def _payload(prompt: Prompt, rng: Random) -> Json:  # noqa: PLR0911 - data for each kind
    if prompt.type == "RATING_SCALE":
        low, high = prompt.options
        labels = {"low": low, "high": high, "middle": None}
        return {"value": _number(prompt, range(1, 6), rng), "scaleMinimum": 1, "scaleMaximum": 5, "labels": labels}
    if prompt.type == "MULTIPLE_CHOICE":
        return _chosen(prompt, rng)
    if prompt.type == "NPS":
        return {"value": _number(prompt, range(11), rng)}
    if prompt.type == "RANK_ORDER":
        ranked = [
            {"rank": rank, "text": text}
            for rank, text in enumerate(rng.sample(prompt.options, len(prompt.options)), start=1)
        ]
        return {"value": ranked[0]["text"], "ranking": ranked}
    if prompt.type == "MATRIX":
        rows = {text: rng.choice((1, 2, 3, 4, 5, None)) for text in prompt.options}
        return {"rows": rows, "columns": ["1", "2", "3", "4", "5"]}
    if prompt.type == "WRITTEN":
        return {"value": rng.choice(prompt.options)}
    if prompt.type == "URL":
        visited = rng.choice(prompt.options)
        return {"value": visited, "success": rng.random() < 0.7, "path": [visited, None]}  # noqa: PLR2004
    if prompt.type == "FIGMA":
        return {
            "prototypeUrl": "https://figma.example.com/proto/kX81",
            "figmaPrototypeTitle": prompt.options[0],
            "figmaPrototypeDisplaySetting": {"deviceFrame": True, "startingNode": "12:408", "hotspots": None},
        }
    if prompt.type == "IMAGE":
        return {"clicks": [{"x": round(rng.random(), 3), "y": round(rng.random(), 3), "ms": rng.randrange(9000)}]}
    return {}


def _number(prompt: Prompt, scale: range, rng: Random) -> int:
    """Draw a number of the scale: the typical one most often, the others less often the further they are from it."""
    weights = [2 ** (len(scale) - abs(number - prompt.typical)) for number in scale]
    [drawn] = rng.choices(scale, weights)
    return drawn


def _chosen(prompt: Prompt, rng: Random) -> Json:
    """Draw one option or, where several may be chosen, up to three; the first options more often than the last."""
    left = list(range(len(prompt.options)))
    chosen = []
    for _ in range(rng.randrange(1, 4) if prompt.several else 1):
        [drawn] = rng.choices(left, range(len(left), 0, -1))
        left.remove(drawn)
        chosen.append(drawn)
    chosen.sort()
    return {
        "value": ", ".join(prompt.options[number] for number in chosen),
        "selected": [{"optionId": 9007199254740993 + number, "label": prompt.options[number]} for number in chosen],
        "multiSelect": prompt.several,
        "randomizedOptions": False,
        "maxLimit": None,
    }
