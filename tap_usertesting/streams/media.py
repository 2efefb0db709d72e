"""What a team makes of its videos: `highlight_reels` of a test, `session_clips`, and links to `session_videos`.

Sources: GET /api/v2/testResults/{testId}/highlightreels, /api/v2/sessionResults/{sessionId}/clips and
/videoDownloadUrl. The generated files of clips and reels are not read: each takes several calls, and its link dies
after 15 minutes.
"""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from tap_usertesting.api.errors import NotFoundError
from tap_usertesting.changes.change import concerns_video
from tap_usertesting.discovery import FILMED
from tap_usertesting.streams.base import PerTestStream
from tap_usertesting.streams.session_level import SessionStream
from tap_usertesting.times import from_epoch

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.changes.listing import SessionList
    from tap_usertesting.partition import Partition
    from tap_usertesting.streams.work import Task, Work


class HighlightReelsStream(PerTestStream):
    """One row per highlight reel; one call per test and sync, as no change says that a reel was made."""

    name = source = "highlight_reels"
    primary_keys = ("test_id", "reel_id")
    replication_key = bookmark_key = "last_updated_at"
    selected_by_default = False
    mapped = frozenset({"uuid", "lastUpdatedAtMs"})

    @override
    def applies(self, test_id: str) -> bool:
        return self.run.directory.product_types.get(test_id) in {None, *FILMED}

    @override
    def asks(self, test_id: str, partition: Partition) -> Iterable[Ask]:
        return ()

    @override
    def sync_test(self, test_id: str, partition: Partition) -> Iterator[Record]:
        if not self.applies(test_id):
            return
        self.changes.check(test_id)
        for row in self._rows(test_id):
            stamp, reel_id = row["last_updated_at"], row["reel_id"]
            bookmark = partition.bookmark
            if stamp is not None and bookmark is not None:
                if stamp < bookmark or (stamp == bookmark and reel_id in partition.recent):
                    continue
                at_bookmark = partition.recent if stamp == bookmark else []
            else:
                at_bookmark = []
            self._commit = _mover(partition, stamp, [*at_bookmark, reel_id])
            yield row

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        yield from self._rows(test_id)[:1]

    def _rows(self, test_id: str) -> list[dict[str, Any]]:
        """Return the test's reels, longest untouched first."""
        body = self._tap.beside.reels(test_id) or {"reels": []}
        rows = []
        for item in body["reels"]:
            if not isinstance(item, dict) or not item.get("uuid"):
                self.left_out += 1
                self.logger.warning("%s: test %s has a reel without a uuid, which was left out", self.name, test_id)
                continue
            stamp = item.get("lastUpdatedAtMs")
            at = from_epoch(stamp / 1000) if isinstance(stamp, (int, float)) and 0 <= stamp < LAST_MS else None
            row = self.columns({**item, "reelId": item["uuid"], "lastUpdatedAt": at, "testWithClips": body.get(FLAG)})
            rows.append(row | {"test_id": test_id})
        return sorted(rows, key=lambda row: (row["last_updated_at"] or "", row["reel_id"]))


FLAG = "studyWithClips"
LAST_MS = 2**47  # some 4,000 years: what is beyond is no time


def _mover(partition: Partition, stamp: str | None, ids: list[str]) -> Callable[[], None]:
    def move() -> None:
        if stamp is not None:
            partition.move(stamp, None)
            partition.set("recent", [*ids])

    return move


class VideoStream(SessionStream):
    """A stream of sessions that have a video."""

    concerns: ClassVar[Callable[..., bool]] = staticmethod(concerns_video)
    cost = "one call for each of its {sessions} sessions"

    @override
    def applies(self, test_id: str) -> bool:
        return self.run.directory.product_types.get(test_id) in {None, *FILMED}

    @override
    def gave_up(self, work: Work, task: object) -> None:
        """Pass over it in silence: a session without a clip or a video is nothing unusual."""

    @override
    def sample(self, test_id: str) -> Iterator[Record]:
        session_id = self.sample_session(test_id)
        if session_id is None:
            return
        try:
            answer = self.ask(test_id, session_id)
        except NotFoundError:
            self.logger.info("%s: the newest session of test %s has none", self.name, test_id)
            return
        yield from self.sample_rows(test_id, session_id, answer)

    @override
    def fetch(self, work: Work, session_id: str) -> dict[str, Any]:
        return self.ask(work.test_id, session_id)

    def ask(self, test_id: str, session_id: str) -> dict[str, Any]:
        """Make the call. Raises NotFoundError where there is nothing (yet)."""
        raise NotImplementedError


class SessionClipsStream(VideoStream):
    """One row per clip. A test says at one call whether it has any; its sessions are asked only if it does.

    No change says that a clip was made. A session without one is therefore asked again in later syncs, as one without
    a transcript is; what a team cuts after that, or beside a first clip, arrives with the session's next change.
    """

    name = source = "session_clips"
    primary_keys = ("session_id", "clip_number")
    numbered = "clip_number"
    selected_by_default = False
    mapped = frozenset({"uuid", "videoUuid"})

    @cached_property
    def _without(self) -> set[str]:
        """The sessions of this run that have no clip."""
        return set()

    @override
    def sync_test(self, test_id: str, partition: Partition) -> Iterator[Record]:
        if not self.applies(test_id):
            return
        self.changes.check(test_id)
        if not self._has_clips(test_id) and not partition.most_rows:
            partition.set("none", value=True)
            return
        if partition.none:
            partition.restart()
        yield from super().sync_test(test_id, partition)

    @override
    def asks(self, test_id: str, partition: Partition) -> Iterable[Ask]:
        return () if partition.none else super().asks(test_id, partition)

    @override
    def list_need(self, test_id: str, partition: Partition) -> Callable[[SessionList], bool] | None:
        return None if partition.none else super().list_need(test_id, partition)

    def _has_clips(self, test_id: str) -> bool:
        body = self._tap.beside.reels(test_id)
        return body is not None and body.get(FLAG) is not False

    @override
    def fetch(self, work: Work, session_id: str) -> dict[str, Any]:
        """Ask, unless the test says that it has no clip; a session that has none any more gets tombstones, once.

        One that is pending has had them when it was put there.
        """
        if not self._has_clips(work.test_id):
            raise NotFoundError("the test has no clip")
        body = self.ask(work.test_id, session_id)
        if not body["clips"]:
            self._without.add(session_id)
            if not work.partition.most_rows or session_id in work.partition.pending:
                raise NotFoundError("the session has no clip")
        return body

    @override
    def fetched(self, work: Work, task: Task) -> None:
        """Look again later at a session that has no clip, while it is young."""
        if task.session_id in self._without and task.changed_at >= self.look_until:
            work.partition.postpone(task.session_id, task.changed_at)

    @override
    def ask(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self.run.results.clips(session_id, test_id=test_id)

    @override
    def rows(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
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

    @override
    def ask(self, test_id: str, session_id: str) -> dict[str, Any]:
        return self.run.results.video_link(session_id)
