"""`highlight_reels`: the reels that a team has made from the videos of a test.

Source: GET /api/v2/testResults/{testId}/highlightreels.

The tap does not read the video files of reels and clips: each file takes several calls, and its link expires after 15
minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.ledger.change_log import LISTING, Listed, Log, Sessions
from tap_usertesting.ledger.ledger import begin, take
from tap_usertesting.ledger.stream_policy import Policy
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.sync.discovery import FILMED
from tap_usertesting.sync.resource import Resource
from tap_usertesting.values.conform import conform
from tap_usertesting.values.times import from_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.context import SyncContext
    from tap_usertesting.sync.ledger_group import LedgerGroup

TEXT = {"type": "string"}
LAST_MS = 2**47  # about 4,000 years: a greater number is not a time


class Reels(Resource):
    """The reels of a test: one call per test and sync, because the change feed does not report reels.

    The list of reels, ordered by the time of their last edit, serves as the change log.
    """

    name = "highlight_reels"
    endpoint = None
    policy = Policy(by_id=False)
    product_types = FILMED
    reads_list, reads_reels = False, True

    def __init__(self, context: SyncContext, stream: str) -> None:
        super().__init__(context, stream)
        self._read: dict[str, Sessions] = {}

    @override
    def policy_of(self, test_id: str) -> Policy:
        return self.policy

    @override
    def asks(self, test_id: str, ledger: Ledger) -> Iterable[Ask]:
        return ()

    @override
    def list_need(self, test_id: str, ledger: Ledger) -> None:
        return None

    @override
    def read_log(self, test_id: str, group: LedgerGroup) -> Log:
        now = self.context.now
        begun = begin(group.ledger, LISTING, group.policy, now=now)
        self._read[test_id] = Sessions.whole(self._reels(test_id))
        log = Log(LISTING, sessions=self._read[test_id], listed_at=now)
        group.set_ledger(take(begun, log, now=now))
        return log

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self._read[test_id].by_id[session_id].item

    @override
    def sample(self, test_id: str) -> tuple[str, Any] | None:
        first = min(self._reels(test_id), key=lambda reel: reel.cursor, default=None)
        return None if first is None else (first.session_id, first.item)

    def _reels(self, test_id: str) -> Iterator[Listed]:
        """Yield the reels of a test. A reel without a time counts as edited now, so every sync writes it."""
        body = self.context.facts.reels(test_id) or {"reels": []}
        for reel in body["reels"]:
            if not isinstance(reel, dict) or not reel.get("uuid"):
                self.context.leave_out(self.stream, test_id, "a reel without a uuid")
                continue
            stamp = reel.get("lastUpdatedAtMs")
            at = from_epoch(stamp / 1000) if isinstance(stamp, (int, float)) and 0 <= stamp < LAST_MS else None
            item = {**reel, "reelId": reel["uuid"], "lastUpdatedAt": at, "testWithClips": body.get("studyWithClips")}
            yield Listed.at(
                min(at or self.context.now, self.context.now), conform(reel["uuid"], TEXT, lambda _: None), item
            )


class HighlightReelsStream(SessionStream):
    """One row per highlight reel."""

    name = "highlight_reels"
    calls = "one call per sync for each test with video"
    resource_class = Reels
    primary_keys = ("test_id", "reel_id")
    replication_key = bookmark_key = "last_updated_at"
    selected_by_default = False
    mapped = frozenset({"uuid", "lastUpdatedAtMs"})
    personal = ("name",)

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.columns(answer) | {"test_id": test_id}]
