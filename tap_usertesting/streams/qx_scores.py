"""`qx_scores`: the current QXscore of each task group of an interaction test.

Source: GET /api/v2/testResults/{testId}/qxScores, an aggregate over all sessions, which the server computes on
each call. The tap therefore requests it again only after a change in the test.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from typing_extensions import override

from tap_usertesting.ledger.stream_policy import Policy
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.discovery import INTERACTION
from tap_usertesting.sync.resource import Resource
from tap_usertesting.values.times import from_epoch

GROUPS = ("components", "values")  # objects whose fields become columns with this prefix


class QxScores(Resource):
    """The scores of a test; one call per changed test."""

    name = endpoint = "qx_scores"
    policy = Policy(per_test=True)
    product_types = frozenset({INTERACTION})
    often_none = True
    cost = "one call"

    @override
    def policy_of(self, test_id: str) -> Policy:
        """Return a policy without start_date, because scores cover the whole test; a 404 can be final."""
        final = self.product_type(test_id) != INTERACTION
        return replace(super().policy_of(test_id), start_date=None, miss_is_final=final)

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self.context.results.qx_scores(test_id)

    @override
    def sample(self, test_id: str) -> tuple[str, Any]:
        return "", self.fetch(test_id, "")

    @override
    def note_given_up(self, test_id: str, session_id: str) -> None:
        promised = self.product_type(test_id) == INTERACTION
        what = "is an interaction test but has no scores" if promised else "has no scores; later syncs skip it"
        self.logger.info("%s: test %s %s", self.stream, test_id, what)


class QxScoresStream(SessionStream):
    """One row per task group of an interaction test, with its current QXscore."""

    name = "qx_scores"
    calls = "one call per changed test"
    resource_class = QxScores
    primary_keys = ("test_id", "task_group_id")

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        meta = answer.get("meta") if isinstance(answer.get("meta"), dict) else {}
        fetched_at = from_epoch(self.sync_context.wall())
        rows = []
        for score in answer["qxScores"]:
            if not isinstance(score, dict) or not score.get("taskGroupId"):
                self.sync_context.leave_out(self.name, test_id, "a score without a taskGroupId")
                continue
            flat = {key: value for key, value in score.items() if key not in GROUPS}
            for group in GROUPS:
                inner = score.get(group)
                if isinstance(inner, dict):
                    flat |= {f"{group}_{name}": value for name, value in inner.items()}
            rows.append(self.columns({**(meta or {}), **flat, "raw": score}) | {"fetched_at": fetched_at})
        return rows
