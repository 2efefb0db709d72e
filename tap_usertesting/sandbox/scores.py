"""QXscores of a test, computed from its completed sessions at each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.sandbox.compose import measures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.sandbox.compose import Group, Measures
    from tap_usertesting.sandbox.model import Test
    from tap_usertesting.sandbox.requests_and_replies import Json


def qx_scores(test: Test) -> Json:
    """Return the body of ``GET /api/v2/testResults/{testId}/qxScores``. All scores are 0 to 100."""
    groups = [group for group in test.plan.groups if group.type == "QX_SCORE"]
    sessions = test.completed()
    items = []
    for group in groups:
        parts = [measures(session.session_id, session.revision, group) for session in sessions]
        items.append(_item(group, parts))
    return {
        "testId": test.test_id,
        "qxScores": items,
        "meta": {"totalQxTasks": len(groups), "completes": len(sessions)},
    }


def _item(group: Group, parts: list[Measures]) -> Json:
    attitude = {
        "usability": _mean([part.usability for part in parts]),
        "trust": _mean([part.trust for part in parts]),
        "appearance": _mean([part.appearance for part in parts]),
        "loyalty": _mean([part.loyalty for part in parts]),
    }
    attitudinal = round(sum(attitude.values()) / len(attitude), 2)
    navigation = [part.behavioral for part in parts if part.behavioral is not None]
    # By the vendor's specification only behavioral scores may be null. Attitudinal ones are numbers even without
    # sessions.
    steps = [_mean(step) for step in zip(*navigation, strict=True)] if navigation else None
    behavioral = None if steps is None else round(sum(steps) / len(steps), 2)
    return {
        "taskGroupId": group.uuid,
        "label": group.label,
        "qxScore": None if behavioral is None else round((behavioral + attitudinal) / 2),
        "components": {"behavioral": behavioral, "attitudinal": attitudinal},
        "values": {"behavioral": steps, **attitude},
    }


def _mean(numbers: Sequence[int]) -> float:
    return round(sum(numbers) / len(numbers), 2) if numbers else 0
