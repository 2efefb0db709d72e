"""`qx_scores`: the current QXscore of each task group of an interaction test.

Source: GET /api/v2/testResults/{testId}/qxScores, an aggregate over all sessions that the server computes at each call,
so it is asked again only when the test has changed.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.discovery import INTERACTION
from tap_usertesting.ledger.log import UPDATED
from tap_usertesting.ledger.policy import Policy
from tap_usertesting.streams.ledger_stream import LedgerStream
from tap_usertesting.times import from_epoch

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Record

    from tap_usertesting.ledger.agenda import Item
    from tap_usertesting.partition import Partition
    from tap_usertesting.sync.walk import Group


class QxScoresStream(LedgerStream):
    """One row per task group; one call per changed test."""

    name = source = endpoint = "qx_scores"
    primary_keys = ("test_id", "task_group_id")
    policy = Policy(per_test=True)
    cost = "one call"

    @override
    def applies(self, test_id: str) -> bool:
        return self.run.directory.product_types.get(test_id) in {None, INTERACTION}

    @override
    def policy_of(self, test_id: str) -> Policy:
        """Return the policy: an aggregate knows no start_date, and a 404 is final where no type promises scores."""
        final = self.run.directory.product_types.get(test_id) != INTERACTION
        return replace(super().policy_of(test_id), start_date=None, miss_is_final=final)

    @override
    def fetch(self, test_id: str, items: Sequence[tuple[Group, Item]]) -> dict[str, Any]:
        return self.run.results.qx_scores(test_id)

    @override
    def gave_up(self, test_id: str, item: Item) -> None:
        promised = self.run.directory.product_types.get(test_id) == INTERACTION
        what = "is an interaction test, but has none" if promised else "has none; it is not asked again"
        self.logger.info("%s: test %s %s", self.name, test_id, what)

    @override
    def rows_of(self, test_id: str, partition: Partition, item: Item, answer: Any | None) -> list[Record]:
        return [] if answer is None else self._rows(test_id, answer, item)

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        try:
            body = self.run.results.qx_scores(test_id)
        except NotFoundError:
            self.logger.info("%s: test %s has no QXscores", self.name, test_id)
            return
        yield from self._rows(test_id, body, None)[:1]

    def _rows(self, test_id: str, body: dict[str, Any], item: Item | None) -> list[Record]:
        meta = body.get("meta") if isinstance(body.get("meta"), dict) else {}
        rows = []
        for score in body["qxScores"]:
            if not isinstance(score, dict) or not score.get("taskGroupId"):
                self.left_out += 1
                self.logger.warning(
                    "%s: test %s has a score without a taskGroupId, which was left out", self.name, test_id
                )
                continue
            flat = {key: value for key, value in score.items() if key not in {"components", "values"}}
            for group in ("components", "values"):
                inner = score.get(group)
                if isinstance(inner, dict):
                    flat |= {f"{group}_{name}": value for name, value in inner.items()}
            rows.append(
                self.columns({**(meta or {}), **flat, "raw": score})
                | {
                    "test_id": test_id,
                    "fetched_at": from_epoch(self.run.wall()),
                    "change_cursor": None if item is None else item.cursor,
                    "change_type": UPDATED if item is None else item.change_type,
                    "changed_at": None if item is None else item.at,
                }
            )
        return rows
