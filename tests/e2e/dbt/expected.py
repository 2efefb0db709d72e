"""The marts as they must be, computed in Python from what the sandbox serves: no SQL, nothing of the tap.

Every function takes `World.truth()` and returns rows by their key, in the shape that `found.py` reads them.
"""

from __future__ import annotations

import html
import re
import statistics
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Truth = dict[str, Any]
Rows = dict[Any, Any]

# The variable `usertesting_demographics` of the project.
CODES = ("GENDER", "AGE_GROUP", "COUNTRY", "INCOME", "INTERESTS", "SOCIAL_NETWORKS")
MILESTONES = ({"UPDATED"}, {"VIDEO_UPDATED"}, {"VIDEO_TRANSCRIPTION_UPDATED"}, {"REJECTED", "DELETED"})
TIMING = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)\.(\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)\.(\d{3})")
VOICE = re.compile(r"<v ([^>]+)>")


def ended(truth: Truth, session_id: str) -> datetime:
    """When a session finished, else started."""
    item = truth["sessions"][session_id]
    return datetime.fromisoformat((item["finishTime"] or item["startTime"]).replace("Z", "+00:00"))


def week(moment: datetime) -> str:
    """The Monday before, as a date."""
    return (moment.date() - timedelta(days=moment.weekday())).isoformat()


def participant_scores(truth: Truth) -> Rows:
    """(session, group): test, week, score."""
    return {
        (session_id, group["uuid"]): (
            truth["sessions"][session_id]["testId"],
            week(ended(truth, session_id)),
            group["response"]["score"],
        )
        for session_id, body in truth["details"].items()
        for group in body["taskGroups"]
        if group["type"] == "QX_SCORE" and group["response"]
    }


def scores_over_time(truth: Truth) -> Rows:
    """(test, group, week): participants, mean, participants to date, mean to date."""
    weeks: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (_, group), (test_id, monday, score) in participant_scores(truth).items():
        weeks[test_id, group][monday].append(score)
    rows: Rows = {}
    for key, by_week in weeks.items():
        so_far: list[float] = []
        for monday in sorted(by_week):
            scores = by_week[monday]
            so_far += scores
            means = statistics.mean(scores), statistics.mean(so_far)
            at = (*key, monday)
            rows[at] = (len(scores), means[0], len(so_far), means[1])
    return rows


def qx_scores(truth: Truth) -> Rows:
    """(test, group): label, QXscore, its two components, the four ratings, completes."""
    return {
        (test_id, item["taskGroupId"]): (
            item["label"],
            item["qxScore"],
            *(item["components"][name] for name in ("behavioral", "attitudinal")),
            *(item["values"][name] for name in ("usability", "trust", "appearance", "loyalty")),
            body["meta"]["completes"],
        )
        for test_id, body in truth["qx_scores"].items()
        for item in body["qxScores"]
    }


def navigation_success(truth: Truth) -> Rows:
    """(test, group, number from 1): score."""
    return {
        (test_id, item["taskGroupId"], number): score
        for test_id, body in truth["qx_scores"].items()
        for item in body["qxScores"]
        for number, score in enumerate(item["values"]["behavioral"] or [], start=1)
    }


def task_results(truth: Truth) -> Rows:
    """(session, number from 1): test, task, kind, outcome, success, seconds."""
    return {
        (session_id, number): (truth["sessions"][session_id]["testId"], task["uuid"], task["type"], *_outcome(task))
        for session_id, body in truth["details"].items()
        for number, task in enumerate(body["tasks"], start=1)
    }


def task_results_v2(truth: Truth) -> Rows:
    """The same from the v2 shape, which knows neither success nor times."""
    rows: Rows = {}
    for session_id, body in truth["details_v2"].items():
        for number, task in enumerate(body["sessionTaskResults"], start=1):
            kind = task["taskType"].removeprefix("TASK_TYPE_")
            outcome = "skipped" if kind == "SKIPPED" else "answered" if task["taskResponse"] else "none"
            test_id = truth["sessions"][session_id]["testId"]
            rows[session_id, number] = (test_id, task["taskId"], kind, outcome, None, None)
    return rows


def _outcome(task: dict[str, Any]) -> tuple[str, bool | None, float | None]:
    response = task["response"]
    if response is None:
        return "none", None, None
    if response["skipped"]:
        return "skipped", None, None
    success = (response["answer"]["url"] or {}).get("success")
    return "answered", success, (response["endTimeMs"] - response["startTimeMs"]) / 1000


def task_performance(truth: Truth) -> Rows:
    """(test, task): sessions, how many of each outcome, success told and its rate; mean, median, p90 of seconds."""
    tasks: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for test_id, task_id, _, *rest in task_results(truth).values():
        tasks[test_id, task_id].append(tuple(rest))
    rows: Rows = {}
    for key, results in tasks.items():
        outcomes = [outcome for outcome, _, _ in results]
        told = [success for _, success, _ in results if success is not None]
        seconds = sorted(second for _, _, second in results if second is not None)
        rows[key] = (
            len(results),
            *(outcomes.count(outcome) for outcome in ("answered", "skipped", "none")),
            len(told),
            statistics.mean(told) if told else None,
            statistics.mean(seconds) if seconds else None,
            _percentile(seconds, 0.5),
            _percentile(seconds, 0.9),
        )
    return rows


def _percentile(ordered: list[float], fraction: float) -> float | None:
    """The value at a fraction of the way, between two values in proportion."""
    if not ordered:
        return None
    place = fraction * (len(ordered) - 1)
    below, part = int(place), place - int(place)
    above = ordered[min(below + 1, len(ordered) - 1)]
    return ordered[below] * (1 - part) + above * part


def cues(truth: Truth) -> Rows:
    """(session, number from 1): test, start and end in seconds, speaker, text, text in lower case."""
    return {
        (session_id, number): (truth["sessions"][session_id]["testId"], *cue, cue[-1].lower())
        for session_id, vtt in truth["transcripts"].items()
        for number, cue in enumerate(_cues_of(vtt), start=1)
    }


def _cues_of(vtt: str) -> Iterator[tuple[float, float, str | None, str]]:
    for block in vtt.split("\n\n"):
        timing, _, spoken = block.strip().partition("\n")
        found = TIMING.fullmatch(timing)
        if found:
            hours, minutes, seconds, ms, *end = (int(part or 0) for part in found.groups())
            start_s = hours * 3600 + minutes * 60 + seconds + ms / 1000
            end_s = end[0] * 3600 + end[1] * 60 + end[2] + end[3] / 1000
            voice = VOICE.search(spoken)
            yield start_s, end_s, voice[1] if voice else None, html.unescape(re.sub(r"<[^>]*>", "", spoken))


def demographics(truth: Truth) -> Rows:
    """(session,): test, participant, the answer to each of CODES."""
    rows: Rows = {}
    for session_id, body in truth["details"].items():
        participant = body["sessionParticipant"] or {"participantId": None, "demographicsInfo": []}
        answers = {info["code"]: info["value"] for info in participant["demographicsInfo"]}
        test_id = truth["sessions"][session_id]["testId"]
        rows[session_id,] = (test_id, participant["participantId"], *(answers.get(code) for code in CODES))
    return rows


def milestones(truth: Truth) -> Rows:
    """(test, session): changes, the first time of each milestone, seconds to the transcript, whether it is rejected."""
    events: dict[tuple[str, str], list[tuple[str, datetime]]] = defaultdict(list)
    for test_id, log in truth["events"].items():
        for event in log:
            session_id = event["responseUuid"].removeprefix("ut_response_")
            events[test_id, session_id].append((event["changeType"], datetime.fromisoformat(event["changedAt"])))
    rows: Rows = {}
    for (test_id, session_id), log in events.items():
        firsts = [min((at for kind, at in log if kind in kinds), default=None) for kinds in MILESTONES]
        completed, _, transcribed, _ = firsts
        seconds = (transcribed - completed).total_seconds() if completed and transcribed else None
        times = (at and at.replace(tzinfo=None).isoformat(timespec="microseconds") for at in firsts)
        rows[test_id, session_id] = (len(log), *times, seconds, session_id in truth["rejected"])
    return rows


def funnel(truth: Truth) -> Rows:
    """(test, change type): sessions, share, changes."""
    rows: Rows = {}
    for test_id, log in truth["events"].items():
        known = {event["responseUuid"] for event in log}
        for kind in {event["changeType"] for event in log}:
            of_kind = [event["responseUuid"] for event in log if event["changeType"] == kind]
            rows[test_id, kind] = (len(set(of_kind)), len(set(of_kind)) / len(known), len(of_kind))
    return rows
