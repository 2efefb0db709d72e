"""What a team makes of its videos: `highlight_reels` of a test, `session_clips`, and links to `session_videos`.

Sources: GET /api/v2/testResults/{testId}/highlightreels, /api/v2/sessionResults/{sessionId}/clips and
/videoDownloadUrl. The generated files of clips and reels are not read: each takes several calls, and its link dies
after 15 minutes.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.ledger.ledger import Ledger, begin, take
from tap_usertesting.ledger.log import LISTING, TRANSCRIBED, Listed, Log, Sessions
from tap_usertesting.ledger.policy import Policy
from tap_usertesting.singer.ledger_stream import LedgerStream
from tap_usertesting.sync.discovery import FILMED
from tap_usertesting.values.times import from_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Record

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.ledger.agenda import Item
    from tap_usertesting.sync.partition import Partition
    from tap_usertesting.sync.walk import Group


class HighlightReelsStream(LedgerStream):
    """One row per highlight reel; one call per test that is looked at, as no change says that a reel was made.

    Its log is the list of reels by the time of their last edit.
    """

    name = source = "highlight_reels"
    endpoint = None
    primary_keys = ("test_id", "reel_id")
    replication_key = bookmark_key = "last_updated_at"
    policy = Policy(by_id=False)
    product_types = FILMED
    selected_by_default = False
    mapped = frozenset({"uuid", "lastUpdatedAtMs"})

    @override
    def policy_of(self, test_id: str) -> Policy:
        return self.policy

    @override
    def asks(self, test_id: str) -> Iterable[Ask]:
        return ()

    @override
    def list_need(self, test_id: str) -> None:
        return None

    @override
    def read_log(self, test_id: str, group: Group) -> Log:
        begun = begin(group.ledger, LISTING, group.policy, now=self.run.now)
        self._read[test_id] = Sessions.whole(self._reels(test_id))
        log = Log(LISTING, sessions=self._read[test_id], listed_at=self.run.now)
        group.move(take(begun, log, now=self.run.now))
        return log

    @cached_property
    def _read(self) -> dict[str, Sessions]:
        return {}

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self._read[test_id].by_id[session_id].item

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [answer]

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        for reel in sorted(self._reels(test_id))[:1]:
            yield reel.item

    def _reels(self, test_id: str) -> Iterator[Listed]:
        """Yield the test's reels. One without a time counts as edited now, so that it comes with each sync."""
        body = self._tap.facts.reels(test_id) or {"reels": []}
        for item in body["reels"]:
            if not isinstance(item, dict) or not item.get("uuid"):
                self.leave_out(test_id, "a reel without a uuid")
                continue
            stamp = item.get("lastUpdatedAtMs")
            at = from_epoch(stamp / 1000) if isinstance(stamp, (int, float)) and 0 <= stamp < LAST_MS else None
            row = self.columns({**item, "reelId": item["uuid"], "lastUpdatedAt": at, "testWithClips": body.get(FLAG)})
            time = min(at or self.run.now, self.run.now)
            yield Listed.at(time, row["reel_id"], row | {"test_id": test_id})


FLAG = "studyWithClips"
LAST_MS = 2**47  # some 4,000 years: what is beyond is no time


class VideoStream(LedgerStream):
    """A stream of sessions that have a video."""

    policy = Policy(ignores=frozenset({TRANSCRIBED}))
    product_types = FILMED
    often_none = True
    cost = "one call for each of its {sessions} sessions"


class SessionClipsStream(VideoStream):
    """One row per clip. A test says at one call whether it has any; its sessions are asked only if it does.

    No change says that a clip was made. A session without one is therefore asked again in later syncs, as one without
    a transcript is; what a team cuts after that, or beside a first clip, arrives with the session's next change.
    """

    name = source = "session_clips"
    endpoint = "clips"
    primary_keys = ("session_id", "clip_number")
    numbered = "clip_number"
    selected_by_default = False
    mapped = frozenset({"uuid", "videoUuid"})

    @override
    def skips(self, test_id: str, groups: Sequence[Group]) -> bool:
        """Skip a test that says that it has no clip, and has none in the target."""
        none = not self._has_clips(test_id) and not any(seat.partition.rows for group in groups for seat in group.seats)
        for group in groups:
            if none != group.ledger.none:
                group.move(Ledger(none=none))
        return none

    def _has_clips(self, test_id: str) -> bool:
        body = self._tap.facts.reels(test_id)
        return body is not None and body.get(FLAG) is not False

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        """Ask, unless the test says that it has no clip."""
        if not self._has_clips(test_id):
            raise NotFoundError("the test has no clip")
        return self.run.results.clips(session_id, test_id=test_id)

    @override
    def is_empty(self, answer: Any) -> bool:
        return not answer["clips"]

    @override
    def rows_of(self, test_id: str, partition: Partition, item: Item, answer: Any | None) -> list[Record]:
        """Return the rows; a session that still has no clip has had its tombstones when it began to wait."""
        if answer is not None and item.line == "waiting" and self.is_empty(answer):
            return []
        return super().rows_of(test_id, partition, item, answer)

    @override
    def rows(self, test_id: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        regions = answer.get("videoRegions")
        return [
            self.columns(
                {**clip, "clipId": clip.get("uuid"), "videoId": clip.get("videoUuid"), "videoRegions": regions}
            )
            for clip in answer["clips"]
            if isinstance(clip, dict)
        ]


class SessionVideosStream(VideoStream):
    """One row per video: a link that whoever has it may use, and when it ends. Exists only with `video_links`."""

    name = source = "session_videos"
    endpoint = "video"

    @override
    def fetch(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self.run.results.video_link(session_id)
