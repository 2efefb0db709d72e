"""A test of the Results API and its feed in a few lines, and what a target should hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tap_usertesting.api.results import SessionPage
from tap_usertesting.ledger.change_log import Change, Listed
from tap_usertesting.ledger.change_types import TRANSCRIPTION_UPDATED, UPDATED, VIDEO_UPDATED
from tap_usertesting.values.times import from_epoch

if TYPE_CHECKING:
    from random import Random

DAY = 86_400
BEGIN = 1_767_225_600  # 2026-01-01, epoch seconds
PAGE = 4  # sessions
SLOW = 4  # one session of so many takes days
LONG = 5  # days that it takes


@lru_cache(maxsize=1024)
def day(number: float) -> str:
    """Return a day of the history in the fixed UTC form."""
    return from_epoch(BEGIN + number * DAY)


@dataclass
class Session:
    """One session as it is now. `text`, `clips`: None where there is none; `versions` count its edits."""

    session_id: str
    at: float
    visible: bool = True
    rejected: bool = False
    in_feed: bool = True
    version: int = 1
    text: int | None = None
    clips: int | None = None
    will_be_transcribed: bool = False
    broken: bool = False  # its details answer 500

    @property
    def live(self) -> bool:
        """Whether the Results API shows it."""
        return self.visible and not self.rejected


class World:
    """Sessions, the feed's events and the list, and whatever happens to them."""

    def __init__(self, rng: Random) -> None:
        """Nothing has happened."""
        self.rng = rng
        self.day = 1000.0
        self.sessions: dict[str, Session] = {}
        self.events: list[Change] = []
        self.era = 0  # of cursors; those of an earlier one are refused
        self.lost = False  # access
        self.hides: set[str] = set()  # sessions that the list keeps back for now
        self.uncertain = False  # the order of the feed's answers cannot be told
        self.shifts = False  # the list moves while it is paged
        self.by_start = False  # is the order of the list, and some sessions begin long before they end
        self.reels: dict[str, Listed] = {}

    @property
    def now(self) -> str:
        """The present."""
        return day(self.day)

    def tick(self) -> None:
        """Let time go by, or not: ties are common."""
        self.day += self.rng.choice([0, 0, 0.3, 1])

    def event(self, session: Session, kind: str) -> None:
        """Add an event to the feed."""
        cursor = f"c{self.era}-{len(self.events):05}"
        self.events.append(Change(cursor, session.session_id, kind, self.now))

    def finish(self, *, text: str = "ready", **how: bool) -> Session:
        """A session comes in. `text`: its transcript is `ready`, comes `later`, or `none`."""
        session = Session(f"s{self.rng.randrange(10**6):06}-{len(self.sessions)}", self.day, **how)
        session.text = 1 if text == "ready" else None
        session.will_be_transcribed = text == "later"
        self.sessions[session.session_id] = session
        if session.in_feed:
            self.event(session, UPDATED)
            if text == "ready":
                self.event(session, TRANSCRIPTION_UPDATED)
        return session

    def transcribe(self, session: Session) -> None:
        """A late transcript appears."""
        if session.will_be_transcribed and not session.rejected:
            session.will_be_transcribed, session.text = False, 1
            self.event(session, TRANSCRIPTION_UPDATED)

    def update(self, session: Session) -> None:
        """A session is edited."""
        session.version += 1
        self.event(session, UPDATED)

    def clip(self, session: Session) -> None:
        """A team cuts a clip, of which an event of the video tells."""
        session.clips = (session.clips or 0) + 1
        self.event(session, VIDEO_UPDATED)

    def reject(self, session: Session) -> None:
        """A session is taken away."""
        session.rejected = True
        self.event(session, "REJECTED")

    def accept(self, session: Session) -> None:
        """It comes back."""
        session.rejected = False
        self.event(session, UPDATED)

    def edit_reel(self) -> None:
        """A reel is made, or edited, which moves it to another place of its log."""
        self.day += 0.01  # no two edits have one time
        reel_id = f"r{self.rng.randrange(4)}"
        version = self.reels[reel_id].item["version"] + 1 if reel_id in self.reels else 1
        self.reels[reel_id] = Listed.at(self.now, reel_id, {"version": version})

    def remint(self) -> None:
        """All cursors expire; the log goes on under new ones."""
        self.era += 1
        self.events = [change._replace(cursor=f"c{self.era}-{n:05}") for n, change in enumerate(self.events)]

    def is_slow(self, session: Session) -> bool:
        """Tell whether the list has a session further below than its end says."""
        return self.by_start and int(session.session_id[1:7]) % SLOW == 0

    # What is read

    def knows(self, cursor: str) -> bool:
        """Tell whether the feed takes a cursor."""
        return any(change.cursor == cursor for change in self.events)

    def changes(self, since: str | None) -> list[Change]:
        """Return what followed a cursor."""
        if since is None:
            return list(self.events)
        place = next(n for n, change in enumerate(self.events) if change.cursor == since)
        return self.events[place + 1 :]

    def page(self, offset: int) -> SessionPage:
        """Return a page of the list, newest first."""

        def place(one: Session) -> tuple[float, str]:
            return one.at - LONG * self.is_slow(one), one.session_id

        live = [session for session in self.sessions.values() if session.live]
        shown = [one for one in live if one.session_id not in self.hides]
        shown.sort(key=place, reverse=True)
        page = [{"sessionId": one.session_id, "finishTime": day(one.at)} for one in shown[offset : offset + PAGE]]
        if self.shifts and self.rng.random() < 0.5:
            self._shift()
        return SessionPage(page, len(live), len(page))

    def _shift(self) -> None:
        """A session comes or leaves behind a page that was just read."""
        live = [session for session in self.sessions.values() if session.live]
        if live and self.rng.random() < 0.5:
            self.reject(self.rng.choice(live))
        else:
            self.finish()

    # What is true

    def truth(self, what: str, start: float | None) -> dict[str, int]:
        """Return what a table should hold: a value per key."""
        if what == "reels":
            return {reel_id: reel.item["version"] for reel_id, reel in self.reels.items()}
        if what == "scores":  # of what has come in, shown or not
            counted = [one.version for one in self.sessions.values() if not one.rejected]
            return {"": sum(counted)} if counted else {}
        live = [one for one in self.sessions.values() if one.live]
        shown = [one for one in live if start is None or one.at >= start]
        values = {one.session_id: self.value(what, one) for one in shown}
        return {key: value for key, value in values.items() if value is not None}

    @staticmethod
    def value(what: str, session: Session) -> int | None:
        """Return what the source answers of a live session, None for nothing."""
        if what == "transcripts":
            return session.text
        return session.clips if what == "clips" else session.version
