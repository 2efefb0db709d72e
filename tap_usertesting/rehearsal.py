"""Both APIs as `--plan` sees them: what says how much there is to fetch is asked, the rest is counted and made up.

A sync over these clients takes the very way of a real one, so that the plan is no second opinion. Of each test's list
only the first page is read; the sessions of the other pages are made up, older than all on it. Of the feed the changes
themselves are asked for, a hundred tests in one request, and counted here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from tap_usertesting.api.errors import ApiError, NotFoundError
from tap_usertesting.api.feed import Ask, ChangeFeed, Count, Received
from tap_usertesting.api.results import PAGE, ResultsClient, SessionPage
from tap_usertesting.charset import Decoded
from tap_usertesting.discovery import TRANSCRIBED
from tap_usertesting.plan import DISCOVERY, Plan, Row
from tap_usertesting.streams.base import PerTestStream
from tap_usertesting.times import earlier, utc
from tap_usertesting.writer import SilentWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_usertesting.run import Run
    from tap_usertesting.tap import TapUserTesting

A_TRANSCRIPT = Decoded("WEBVTT\n\n00:00.000 --> 00:01.000\nas planned\n", replaced=0)
Place = tuple[str, str]  # stream and test


def rehearse(tap: TapUserTesting) -> Plan:
    """Let a tap go through a sync over these clients, without a message, and return what it would cost."""
    tap.planning = True
    tap.message_writer = SilentWriter()
    run = tap.run

    def has_clips(test_id: str) -> bool:
        stream = tap.streams["session_clips"]
        return not (isinstance(stream, PerTestStream) and stream.partition(test_id).none)

    rehearsal = Rehearsal(run, has_clips=has_clips)
    rows = []
    for stream in tap.chosen:
        for context in stream.partitions if stream.partitions is not None else [{}]:
            records = 0
            for _ in stream.get_records(context):
                stream._increment_stream_state({}, context=context)  # noqa: SLF001 - as the SDK does
                records += 1
            place = (stream.name, str(context.get("test_id", "")))
            rows.append(Row(*place, rehearsal.calls.get(place, Counter()), records))
    discovery = sum(run.calls_of(label) for label in DISCOVERY)
    return Plan(rows, discovery, run.windows.limit, run.windows.window, run.windows.number)


class Rehearsal:
    """Takes the place of a run's clients, and keeps the calls that a sync would make, by place and endpoint."""

    def __init__(self, run: Run, *, has_clips: Callable[[str], bool]) -> None:
        """`has_clips`: what to believe of a test's clips, which no call of the plan tells: what was true last time."""
        self.calls: dict[Place, Counter[str]] = {}
        self.has_clips = has_clips
        self.run = run
        self._results = run.results
        run.results = _Results(self, run.results)
        if run.feed is not None:
            run.feed = _Feed(run.feed)

    def count(self, endpoint: str) -> None:
        """Count a call where the sync stands."""
        activity = self.run.activity
        self.calls.setdefault((activity.stream, activity.test_id), Counter())[endpoint] += 1

    @property
    def test_id(self) -> str:
        """The test that the sync is at."""
        return self.run.activity.test_id


class _Results(ResultsClient):
    """The Results API: the first page of each list is real."""

    def __init__(self, rehearsal: Rehearsal, real: ResultsClient) -> None:  # no transport of its own
        self._rehearsal = rehearsal
        self._real = real
        self.left_out = real.left_out
        self._pages: dict[str, SessionPage] = {}

    def session_page(self, test_id: str, *, offset: int, limit: int = PAGE) -> SessionPage:
        """Answer the first page; further ones are made up, or real too where the first does not name their number."""
        self._rehearsal.count("list")
        if test_id not in self._pages:
            self._pages[test_id] = self._real.session_page(test_id, offset=0, limit=limit)
        page = self._pages[test_id]
        if offset == 0:
            return page
        if page.total_count is None:
            return self._real.session_page(test_id, offset=offset, limit=limit)
        return _made_up(page, page.total_count, offset)

    def details(self, session_id: str, *, version: str) -> dict[str, Any]:
        self._rehearsal.count(f"details_{version}")
        return {"sessionId": session_id}

    def transcript(self, session_id: str) -> Decoded:
        self._rehearsal.count("transcript")
        kind = self._rehearsal.run.directory.product_types.get(self._rehearsal.test_id)
        if kind is not None and kind not in TRANSCRIBED:
            _missing(session_id)
        return A_TRANSCRIPT

    def qx_scores(self, test_id: str) -> dict[str, Any]:
        self._rehearsal.count("qx_scores")
        return {"testId": test_id, "qxScores": []}

    def clips(self, session_id: str, *, test_id: str) -> dict[str, Any]:  # noqa: ARG002 - as the real one
        self._rehearsal.count("clips")
        _missing(session_id)

    def video_link(self, session_id: str) -> dict[str, Any]:
        self._rehearsal.count("video")
        return {"sessionId": session_id}

    def highlight_reels(self, test_id: str) -> dict[str, Any]:
        self._rehearsal.count("reels")
        return {"reels": [], "studyWithClips": self._rehearsal.has_clips(test_id)}


class _Feed(ChangeFeed):
    """The change feed: one request for everything, where a sync asks for counts first."""

    def __init__(self, real: ChangeFeed) -> None:  # as above
        self._real = real
        self.left_out = real.left_out
        self._kept: dict[Ask, Received] = {}

    def counts(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        found: dict[Ask, Count | ApiError] = {}
        for ask, got in self._real.changes(asks).items():
            if isinstance(got, ApiError):
                found[ask] = got
                continue
            self._kept[ask] = got
            newest = max(got.events, key=lambda event: utc(event.changed_at) or "", default=None)
            results = {event.response_uuid for event in got.events}
            found[ask] = Count(len(results), newest.cursor if newest else None)
        return found

    def changes(self, asks: Sequence[Ask]) -> dict[Ask, Received | ApiError]:
        return {ask: self._kept.pop(ask, Received([], 0)) for ask in asks}


def _missing(session_id: str) -> NoReturn:
    raise NotFoundError(f"nothing is known of session {session_id} yet")


def _made_up(page: SessionPage, total: int, offset: int) -> SessionPage:
    """Return a later page, as long as the first: sessions that finished a second each before the oldest of that."""
    times = [utc(item.get("finishTime")) or utc(item.get("startTime")) for item in page.sessions]
    oldest = min((time for time in times if time is not None), default="2000-01-01T00:00:00.000000Z")
    numbers = range(offset, min(offset + page.received, total))
    ages = [(n + 1 - page.received) / 3600 for n in numbers]  # hours
    items = [
        {"sessionId": f"planned-{n}", "finishTime": earlier(oldest, hours=age)}
        for n, age in zip(numbers, ages, strict=True)
    ]
    return SessionPage(items, total, len(items))
