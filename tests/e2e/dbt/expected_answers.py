"""`answers` and `transcript_by_task` as they must be; see `expected.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.dbt.expected import cues

if TYPE_CHECKING:
    from tests.e2e.dbt.expected import Rows, Truth

# The content of an answer as the sandbox gives it: the item, the value and the raw value of each row.
Told = list[tuple[str | None, Any, Any]]


def answers(truth: Truth) -> Rows:
    """(session, task number, answer number): test, kind, item, value as text, as a number, raw, the whole answer."""
    rows: Rows = {}
    for session_id, body in truth["details"].items():
        test_id = truth["sessions"][session_id]["testId"]
        for number, task in enumerate(body["tasks"], start=1):
            answer = (task["response"] or {}).get("answer")
            for place, (item, value, raw) in enumerate(_told(task["type"], answer) if answer else (), start=1):
                rows[session_id, number, place] = (test_id, task["type"], item, *_both(value), raw, answer)
    return rows


def answers_v2(truth: Truth) -> Rows:
    """The same of the v2 shape: one row per answer, with the text that it has for a value."""
    rows: Rows = {}
    for session_id, body in truth["details_v2"].items():
        test_id = truth["sessions"][session_id]["testId"]
        for number, task in enumerate(body["sessionTaskResults"], start=1):
            answer = task["taskResponse"]
            if answer:
                (content,) = answer.values()
                text = content["value"] or None
                as_number = float(text) if text and text.isdigit() else None
                kind = task["taskType"].removeprefix("TASK_TYPE_")
                rows[session_id, number, 1] = (test_id, kind, None, text, as_number, content, answer)
    return rows


def _told(kind: str, answer: dict[str, Any]) -> Told:
    """One row per option chosen, option ranked or statement rated; one of anything else."""
    if kind == "MULTIPLE_CHOICE":
        return [(None, option["label"], option) for option in answer["multipleChoice"]["selected"]]
    if kind == "RANK_ORDER":
        return [(option["text"], option["rank"], option) for option in answer["rankOrder"]["ranking"]]
    if kind == "MATRIX":
        return [(statement, cell, cell) for statement, cell in sorted(answer["matrix"]["rows"].items())]
    content = next(content for content in answer.values() if content is not None)
    return [(None, content.get("value"), content)]


def _both(value: str | int | None) -> tuple[str | None, float | None]:
    """The value as text and, if it is one, as a number."""
    if isinstance(value, int):
        return str(value), float(value)
    return value, None


def by_task(truth: Truth) -> Rows:
    """(session, cue number): test, task number, task, kind, seconds into it, start and end, speaker, text."""
    rows: Rows = {}
    for (session_id, number), (test_id, start, end, speaker, text, _) in cues(truth).items():
        place, task = _at(truth["details"][session_id]["tasks"], round(start * 1000))
        begun = task["response"]["startTimeMs"] / 1000 if task else None
        into = start - begun if begun is not None else None
        named = (task["uuid"], task["type"]) if task else (None, None)
        rows[session_id, number] = (test_id, place, *named, into, start, end, speaker, text)
    return rows


def _at(tasks: list[dict[str, Any]], moment: int) -> tuple[int | None, dict[str, Any] | None]:
    """The task in whose time a moment lies, with its place from 1. Those of the sandbox do not overlap."""
    for place, task in enumerate(tasks, start=1):
        response = task["response"]
        if response and response["startTimeMs"] <= moment < response["endTimeMs"]:
            return place, task
    return None, None
