"""Composes what the vendor's service would know about a test or a session. Pure functions of an id.

All values are drawn from ``random.Random(<text>)``, which gives the same numbers on every platform and Python version.
They are drawn on demand: a world of ten thousand sessions costs nothing until their details are read.
"""
# ruff: noqa: S311 - reproducible test data, nothing secret is drawn here

from __future__ import annotations

import uuid
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeVar

from tap_usertesting.sandbox.payloads import ANSWER_KEYS, answer
from tap_usertesting.sandbox.texts import DEMOGRAPHICS, MULTIPLE, SENTENCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.study import Prompt, Study

PRODUCT_TYPES = ("SURVEY", "NON_THINK_OUT_LOUD", "THINK_OUT_LOUD", "LIVE_CONVERSATION")
WITH_VIDEO = frozenset({"NON_THINK_OUT_LOUD", "THINK_OUT_LOUD", "LIVE_CONVERSATION"})
WITH_TRANSCRIPT = frozenset({"THINK_OUT_LOUD", "LIVE_CONVERSATION"})
WITH_QX_SCORES = frozenset({"NON_THINK_OUT_LOUD"})

_Item = TypeVar("_Item")
_NULL_AUDIENCE = 0.15
_NULL_PARTICIPANT = 0.04


@dataclass(frozen=True)
class Task:
    """One task of a test, the same for all its sessions."""

    uuid: str
    prompt: Prompt


@dataclass(frozen=True)
class Group:
    """One task group. ``navigational``: how many tasks make its behavioral score; with 0 the scores are null."""

    uuid: str
    type: str
    label: str
    navigational: int


@dataclass(frozen=True)
class Plan:
    """The tasks and task groups of a test."""

    uuid: str
    tasks: tuple[Task, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Measures:
    """What one session contributes to the QXscore of one group. All numbers are 0 to 100."""

    score: int | None
    behavioral: tuple[int, ...] | None
    usability: int
    trust: int
    appearance: int
    loyalty: int


def new_uuid(rng: Random) -> str:
    """Draw a version 4 UUID, in lower case with dashes."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def compose_plan(test_id: str, product_type: str, study: Study, qx_groups: int | None = None) -> Plan:
    """Return the tasks and groups of a test.

    ``qx_groups``: the number of QX groups of an interaction test. By default it is 2, or 3 for one test in three; the
    third group has no navigational tasks, so its scores are null.
    """
    rng = Random(f"{test_id}/plan")
    tasks = tuple(Task(new_uuid(rng), prompt) for prompt in study.prompts)
    groups: list[Group] = []
    if product_type in WITH_QX_SCORES:
        count = rng.choice((2, 2, 3)) if qx_groups is None else qx_groups
        for number in range(count):
            navigational = (2, 3, 0)[number % 3]
            label = study.labels[number % len(study.labels)]
            groups.append(Group(new_uuid(rng), "QX_SCORE", f"{label} (QXscore {number + 1})", navigational))
        groups.append(Group(new_uuid(rng), "BALANCED_COMPARISON", "Versions A and B", 0))
    elif product_type == "THINK_OUT_LOUD":
        groups.append(Group(new_uuid(rng), "UNRECOGNIZED", "", 0))
    return Plan(new_uuid(rng), tasks, tuple(groups))


def audience(session_id: str) -> str | None:
    """Return the audience id of a session, rarely None."""
    rng = Random(f"{session_id}/audience")
    return None if rng.random() < _NULL_AUDIENCE else new_uuid(rng)


def measures(session_id: str, revision: int, group: Group) -> Measures:
    """Return the scores of a session in a QX group."""
    rng = Random(f"{session_id}/{revision}/{group.uuid}")
    attitude = [rng.randrange(20, 101, 5) for _ in range(4)]
    navigation = tuple(rng.choice((0, 50, 100, 100)) for _ in range(group.navigational)) or None
    score = None
    if navigation is not None:
        score = round((sum(navigation) / len(navigation) + sum(attitude) / 4) / 2)
    return Measures(score, navigation, *attitude)


def compose_details_v3(
    session_id: str, revision: int, audience_id: str | None, test_plan: Plan, seconds: float
) -> Json:
    """Return the body of ``GET /api/v3/sessionResults/{sessionId}``."""
    rng = Random(f"{session_id}/{revision}/details")
    return {
        "sessionId": session_id,
        "audienceId": audience_id,
        "testPlanId": test_plan.uuid,
        "sessionParticipant": _participant(session_id),
        "taskGroups": [_group_result(session_id, revision, group, rng) for group in test_plan.groups],
        "tasks": _task_results(test_plan, rng, seconds),
    }


def compose_details_v2(v3: Json) -> Json:
    """Return the same details in the shape of v2: without groups, and with a type of its own for skipped tasks."""
    results = []
    for task in v3["tasks"]:
        kind = task["type"]
        response = task["response"]
        key = ANSWER_KEYS.get(kind)
        body: Json | None = None
        if response is not None and response["skipped"]:
            kind = "SKIPPED"
        elif response is not None and key is not None:
            given = (response["answer"] or {}).get(key) or {}
            body = {
                f"{key}SpecificFields": {
                    "uuid": task["uuid"],
                    "text": task["text"],
                    "value": str(given.get("value", "")),
                }
            }
        results.append({"taskId": task["uuid"], "taskType": f"TASK_TYPE_{kind}", "taskResponse": body})
    common = {key: v3[key] for key in ("sessionId", "audienceId", "testPlanId", "sessionParticipant")}
    return {**common, "sessionTaskResults": results}


def compose_transcript(session_id: str, study: Study, seconds: float) -> str:
    """Return a WebVTT document: two voices for a live conversation, else one person who thinks out loud."""
    rng = Random(f"{session_id}/transcript")
    lines = ["WEBVTT", ""]
    if rng.random() < 0.25:  # noqa: PLR2004 - a quarter of the documents
        lines += ["NOTE machine generated, not reviewed", ""]
    at = rng.randrange(800, 4000)
    end = max(int(seconds * 1000), at + 5000)
    count = rng.randrange(8, 24)
    for speaker, words in _conversation(study, count, rng) if study.talk else _monologue(study, count, rng):
        spoken = words.replace("&", "&amp;")
        if speaker:
            spoken = f"<v {speaker}>{spoken}</v>"
        until = at + 60 * len(words)
        lines += [f"{_clock(at)} --> {_clock(until)}", spoken, ""]
        at = until + rng.randrange(100, 2500)
        if at >= end:
            break
    return "\n".join(lines)


def compose_clips(session_id: str, study: Study, seconds: float) -> list[Json]:
    """Return the clip items of a session; half of all sessions have none."""
    rng = Random(f"{session_id}/clips")
    return compose_clip_items(rng, study, seconds, rng.choice((0, 0, 1, 2)))


def compose_clip_items(rng: Random, study: Study, seconds: float, count: int) -> list[Json]:
    """Return ``count`` clip items of a video of so many seconds."""
    items = []
    for number in range(count):
        start = rng.randrange(0, max(int(seconds * 500), 1))
        items.append(
            {
                "uuid": new_uuid(rng),
                "name": f"Clip #{number + 1}",
                "description": rng.choice(study.remarks or ("",)),
                "timeStartMs": start,
                "timeEndMs": start + 30000,
                "videoUuid": new_uuid(rng),
                "hasAudio": True,
                "hasCamera": number == 1,
                "layout": {"mainStream": "SCREEN", "pipPosition": "BOTTOM_RIGHT", "pipState": "OPENED"},
            }
        )
    return items


def compose_reels(test_id: str, updated_ms: int) -> list[Json]:
    """Return the highlight reel items of a test."""
    rng = Random(f"{test_id}/reels")
    return [compose_reel(rng, f"Highlights {number + 1}", updated_ms) for number in range(rng.choice((0, 1, 2)))]


def compose_reel(rng: Random, name: str, updated_ms: int) -> Json:
    """Return a highlight reel item that was changed at ``updated_ms`` (epoch milliseconds)."""
    return {
        "uuid": new_uuid(rng),
        "name": name,
        "durationMs": rng.randrange(30000, 240000),
        "lastUpdatedAtMs": updated_ms,
        "numClips": rng.randrange(1, 6),
        "areAllClipsInReel": name.endswith(" 1"),
    }


def _monologue(study: Study, count: int, rng: Random) -> list[tuple[str, str]]:
    """Return pairs of no speaker and a sentence: some of the study, in its order, and asides among them."""
    said = _some_of(study.spoken, count - count // 4, rng)
    for aside in rng.sample(SENTENCES, min(count - len(said), len(SENTENCES))):
        said.insert(rng.randrange(min(1, len(said)), len(said) + 1), aside)
    return [("", words) for words in said]


def _conversation(study: Study, count: int, rng: Random) -> list[tuple[str, str]]:
    """Return pairs of a speaker and what it says: a question of the moderator, then two answers to it, and so on."""
    said: list[tuple[str, str]] = []
    for question, *answers in _some_of(study.talk, -(-count // 3), rng):
        said.append(("Moderator", question))
        said += [("Participant", words) for words in _some_of(answers, 2, rng)]
    return said[:count]


def _some_of(items: Sequence[_Item], count: int, rng: Random) -> list[_Item]:
    """Draw up to so many items, and keep their order."""
    drawn = rng.sample(range(len(items)), min(count, len(items)))
    return [items[place] for place in sorted(drawn)]


def _clock(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _participant(session_id: str) -> Json | None:
    rng = Random(f"{session_id}/participant")
    if rng.random() < _NULL_PARTICIPANT:
        return None
    info: list[Json] = []
    for code, label, kind, values in DEMOGRAPHICS[: rng.randrange(3, len(DEMOGRAPHICS) + 1)]:
        several = kind == MULTIPLE
        chosen = rng.sample(values, rng.randrange(1, 4)) if several else [rng.choice(values)]
        info.append({"id": new_uuid(rng), "code": code, "label": label, "value": ",".join(chosen), "type": kind})
    if rng.random() < 0.1:  # noqa: PLR2004 - one in ten has an answer with nothing but a code
        info.append({"id": None, "code": "LEGACY_SCREENER", "label": None, "value": None, "type": None})
    return {"participantId": new_uuid(rng), "demographicsInfo": info}


def _group_result(session_id: str, revision: int, group: Group, rng: Random) -> Json:
    response: Json | None = None
    if group.type == "BALANCED_COMPARISON":
        response = {"sequence": rng.choice(("AB", "BA"))}
    elif group.type == "QX_SCORE":
        score = measures(session_id, revision, group).score
        response = None if score is None else {"score": score}
    return {"uuid": group.uuid, "type": group.type, "response": response}


def _task_results(test_plan: Plan, rng: Random, seconds: float) -> list[Json]:
    results = []
    step = int(seconds * 1000) // max(len(test_plan.tasks), 1)
    for number, task in enumerate(test_plan.tasks):
        draw = rng.random()
        response: Json | None = {
            "startTimeMs": number * step,
            "endTimeMs": number * step + rng.randrange(step // 2, step + 1),
            "skipped": False,
            "answer": answer(task.prompt, rng),
        }
        if task.prompt.type == "UNRECOGNIZED" or draw < 0.04:  # noqa: PLR2004 - few tasks have no response
            response = None
        elif response is not None and draw < 0.12:  # noqa: PLR2004 - few were skipped
            response = {**response, "skipped": True, "answer": None}
        results.append({"uuid": task.uuid, "text": task.prompt.text, "type": task.prompt.type, "response": response})
    return results
