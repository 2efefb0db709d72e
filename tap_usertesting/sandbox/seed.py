"""Fills a world with data: realistic data in three sizes, or uniform data for load tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from tap_usertesting.sandbox.compose import PRODUCT_TYPES
from tap_usertesting.sandbox.studies import TITLES

if TYPE_CHECKING:
    from datetime import datetime

    from tap_usertesting.sandbox.model import Session, Test
    from tap_usertesting.sandbox.world_changes import ChangingWorld


Scale = Literal["small", "demo", "large"]


@dataclass(frozen=True)
class _Scale:
    """The number of tests per product type, and the range of sessions per test."""

    tests: int
    fewest: int
    most: int


@dataclass(frozen=True)
class _Forced:
    """What is certain about a session, whatever the odds."""

    announced: bool
    newest: bool
    rejected: bool
    nulls: bool


_SCALES = {
    "small": _Scale(tests=2, fewest=3, most=7),
    "demo": _Scale(tests=3, fewest=6, most=10),
    "large": _Scale(tests=6, fewest=120, most=260),
}
_HISTORY_DAYS = 28
# Odds. Some things are certain, so that even the smallest world has them: in every third test the second session is
# rejected, and in every sixth it is accepted again; the newest session of a spoken test waits for its transcript; in
# every fourth test the first session has no audience and no finish time.
_TRANSCRIPT_OUTSTANDING = 0.5
_TRANSCRIPT_LATE = 0.4
_NO_FINISH_TIME = 0.04
_REJECTED = 0.07
_ACCEPTED_AGAIN = 0.3
_UPDATED_AGAIN = 0.08


def fill(world: ChangingWorld, scale: Scale) -> None:
    """Put the realistic data of a scale into an empty world.

    There are two workspaces (three in ``large``), the same number of tests of each product type, a classic study in
    each workspace, which only v1 knows, one test without sessions, and one test that is older than the feed, so that
    its first sessions were never announced.
    """
    size = _SCALES[scale]
    workspaces = [world.add_workspace() for _ in range(3 if scale == "large" else 2)]
    history = timedelta(days=_HISTORY_DAYS)
    started = world.now - history
    older_than_feed = True
    for number in range(size.tests):
        for product_type in PRODUCT_TYPES:
            workspace = workspaces[(number + len(world.tests)) % len(workspaces)]
            title = TITLES[product_type][number % len(TITLES[product_type])]
            ordered_at = started - timedelta(hours=world.rng.randrange(2, 200))
            test = world.add_test(product_type, title, workspace=workspace, ordered_at=ordered_at)
            unannounced = 2 if product_type == "THINK_OUT_LOUD" and older_than_feed else 0
            older_than_feed = older_than_feed and not unannounced
            _complete_sessions(world, test, world.rng.randrange(size.fewest, size.most + 1), unannounced)
    for workspace in workspaces:
        ordered_at = started - timedelta(days=900)
        world.add_test("INSIGHT_CORE", type="WEB", workspace=workspace, in_feed=False, ordered_at=ordered_at)
    world.add_test("SURVEY", "Waiting for its first participant", workspace=workspaces[0], ordered_at=world.now)


def fill_evenly(
    world: ChangingWorld,
    *,
    tests: int,
    sessions: int,
    events_per_session: int,
    product_type: str,
    transcripts: bool,
) -> None:
    """Put uniform data into an empty world, all of it finished before ``world.now``.

    The events of a session come one second apart. The first is UPDATED; with ``transcripts`` VIDEO_UPDATED and
    VIDEO_TRANSCRIPTION_UPDATED follow; all others are UPDATED.
    """
    spacing = max(60, events_per_session)
    first = world.now - timedelta(seconds=spacing * (sessions + 1))
    types = ["UPDATED"] * events_per_session
    if transcripts:
        types[1:3] = ["VIDEO_UPDATED", "VIDEO_TRANSCRIPTION_UPDATED"][: max(events_per_session - 1, 0)]
    workspace = world.add_workspace("Load")
    for number in range(tests):
        test = world.add_test(
            product_type, f"Load test {number + 1}", workspace=workspace, qx_groups=1, ordered_at=first
        )
        for place in range(sessions):
            at = first + timedelta(seconds=spacing * place)
            session = world.add_session(
                test,
                finished_at=at,
                started_at=at - timedelta(minutes=9),
                transcript="ready" if transcripts else "none",
                in_feed=False,
            )
            for offset, kind in enumerate(types):
                moment = at + timedelta(seconds=offset)
                test.add_event(world.journal.make_event(session.response_uuid, kind, moment))


def _complete_sessions(world: ChangingWorld, test: Test, count: int, unannounced: int) -> None:
    """Complete ``count`` sessions, spread over the history up to the last hours, and change some of them."""
    rng = world.rng
    span = timedelta(days=_HISTORY_DAYS) - timedelta(hours=2)
    for number in range(count):
        ago = span * ((count - 1 - number) / count) + timedelta(minutes=rng.randrange(10, 110))
        finished = (world.now - ago).replace(microsecond=rng.randrange(1000) * 1000)
        forced = _Forced(
            announced=number >= unannounced,
            newest=number == count - 1,
            rejected=number == 1 and len(world.tests) % 3 == 1,
            nulls=number == 0 and len(world.tests) % 4 == 1,
        )
        _complete_session(world, test, finished, forced)


def _complete_session(world: ChangingWorld, test: Test, finished: datetime, forced: _Forced) -> None:
    rng = world.rng
    spoken = test.is_spoken
    recent = world.now - finished < timedelta(days=1)
    outstanding = spoken and (forced.newest or (recent and rng.random() < _TRANSCRIPT_OUTSTANDING))
    late = spoken and forced.announced and not outstanding and rng.random() < _TRANSCRIPT_LATE
    session = world.add_session(
        test,
        finished_at=finished,
        transcript="later" if outstanding or late else None,
        in_feed=forced.announced,
        finish_time=None if forced.nulls or rng.random() < _NO_FINISH_TIME else "auto",
    )
    if forced.nulls:
        session.audience_id = None
    if not forced.announced:
        return
    _announce_video(world, session)
    if late:
        world.transcribe(session, at=_later(world, finished, minutes=rng.randrange(5, 300)))
    if rng.random() < _UPDATED_AGAIN:
        world.update(session, at=_later(world, finished, minutes=rng.randrange(10, 600)))
    if forced.rejected or rng.random() < _REJECTED:
        world.reject(session, at=_later(world, finished, minutes=rng.randrange(600, 1200)))
        sure = forced.rejected and len(world.tests) % 2 == 0
        if sure or rng.random() < _ACCEPTED_AGAIN:
            world.accept(session, at=_later(world, finished, minutes=rng.randrange(1200, 2400)))


def _announce_video(world: ChangingWorld, session: Session) -> None:
    """Announce the video of a session, unless ``add_session`` has announced it with the transcript."""
    if session.test.is_filmed and not session.has_transcript:
        world.announce(session, "VIDEO_UPDATED", at=session.finished_at + timedelta(seconds=45))


def _later(world: ChangingWorld, moment: datetime, *, minutes: int) -> datetime:
    """Return the time so many minutes after ``moment``, but not in the world's future."""
    return min(moment + timedelta(minutes=minutes), world.now)
