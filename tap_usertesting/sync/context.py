"""One sync: the clients, what was read once for all streams, what failed, and where it stands."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from tap_usertesting.api.auth import Auth, ClientCredentials, StaticToken
from tap_usertesting.api.call import Answer, Call, Hooks, Lane, Wait, origin_of
from tap_usertesting.api.clock import Clock
from tap_usertesting.api.errors import (
    ApiError,
    BadRequestError,
    BudgetSpentError,
    CredentialsRejectedError,
    FeedDownError,
    FeedRefusedError,
    MalformedError,
    NotFoundError,
)
from tap_usertesting.api.feed import ChangeFeed
from tap_usertesting.api.results import ResultsClient
from tap_usertesting.api.transport import Transport
from tap_usertesting.api.turns import Turns
from tap_usertesting.api.windows import Windows
from tap_usertesting.report.progress import Progress
from tap_usertesting.report.summary import NEWEST_DAYS, Ending, Summary
from tap_usertesting.report.words import some, windows
from tap_usertesting.sync.discovery import Directory
from tap_usertesting.values.times import earlier, from_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_usertesting.api.redaction import Secrets
    from tap_usertesting.api.turns import Rank
    from tap_usertesting.config.settings import Settings
    from tap_usertesting.report.standing import Activity
    from tap_usertesting.singer.base import UserTestingStream

logger = logging.getLogger("tap-usertesting")

LISTS = frozenset({"workspaces", "studies", "list"})
SESSIONS = frozenset({"details_v2", "details_v3", "transcript", "clips", "video"})
AGGREGATES = frozenset({"qx_scores", "reels"})  # one call a test
THROTTLED = "429"  # among the transport's counts
LOGGED_WAIT = 5.0  # seconds; a shorter wait is no news


class Run:
    """What the streams of one sync share. Built when the sync starts, never at discovery."""

    def __init__(
        self,
        settings: Settings,
        *,
        write_state: Callable[[], None],
        checkpoint: Callable[[], None],
        secrets: Secrets,
    ) -> None:
        """`write_state` and `checkpoint` are called around waits; see `Transport`. `secrets`: of the settings."""
        self.settings = settings
        self._write_state = write_state
        self._clock = Clock()
        self.place: Callable[[str], float] = lambda _test_id: 0.0  # of a test in the schedule
        self._began = self._clock.monotonic()
        self.now = from_epoch(self._clock.wall())
        self._failures: dict[str, None] = {}
        self.failing: set[str] = set()  # streams
        self._unreadable: set[str] = set()
        self._answering: set[str] = set()
        self._separate = False  # windows, as the log has said
        self._waiting_until = 0.0  # for quota, as the log has said
        self.details_version: str | None = None  # that has answered in this run
        self.turns = Turns(clock=self._clock)
        self._transport = Transport(
            user_agent=settings.user_agent,
            timeout=settings.request_timeout,
            max_retries=settings.max_retries,
            largest_body=settings.max_body_mb << 20,
            clock=self._clock,
            turns=self.turns,
            secrets=secrets,
        )
        auth = self._auth()
        self._lane = lane = Lane(
            name="Results API",
            setting="api_url",
            origin=origin_of(settings.api_url),
            windows=Windows(clock=self._clock.monotonic, lid=settings.calls_per_minute),
            auth=auth,
            refused=self._refused,
        )
        self.progress = Progress(windows=lane.windows, clock=self._clock)
        self._transport.hooks = Hooks(
            before_call=self._before_call,
            before_wait=self._before_wait,
            checkpoint=checkpoint,
            nap=self.progress.nap,
            scarce=lambda lane: lane is self._lane and settings.max_calls is not None,
            rank=self._rank,
        )
        self.results = ResultsClient(transport=self._transport, lane=lane, api_url=settings.api_url)
        self.feed = self._feed(auth)
        self.directory = Directory(client=self.results, settings=settings)

    @property
    def activity(self) -> Activity:
        """Where the sync stands."""
        return self.progress.activity

    def look_again(self) -> None:
        """Take this moment for the present."""
        self.now = from_epoch(self._clock.wall())

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return self._clock.monotonic()

    def wall(self) -> float:
        """Return the present as epoch seconds."""
        return self._clock.wall()

    @property
    def idle(self) -> bool:
        """Whether nothing is being written: the transport waits or is on the wire."""
        return self._transport.idle

    @property
    def failed(self) -> bool:
        """Whether the run has to end with a non-zero status."""
        tests = self.directory.__dict__.get("product_types", {})
        return bool(self._failures) or (bool(self._unreadable) and self._unreadable >= set(tests))

    def answers(self, test_id: str) -> bool:
        """Tell whether the Results API has answered anything of this test in this run."""
        return test_id in self._answering

    def answered(self, test_id: str) -> None:
        """Remember that the test answers: from now on a 404 concerns one session only."""
        self._answering.add(test_id)

    def fail(self, error: ApiError | str, *, test_id: str | None = None) -> None:
        """Write one error line, once, and have the run end with status 1.

        A discovered test that answers 404 is only a warning: it may have been deleted since.
        """
        self.failing.add(self.activity.stream)
        line = f"test {test_id}: {error}" if test_id and not isinstance(error, FeedDownError) else str(error)
        if isinstance(error, NotFoundError) and test_id is not None and self.directory.discovers:
            if test_id not in self._unreadable:
                logger.warning("%s; it is left out", line)
            self._unreadable.add(test_id)
            return
        if isinstance(error, NotFoundError) and test_id is not None:
            line = f"{line}; check test_ids, and that the credentials' user is a member of its workspace"
        if not any(line.endswith(known) for known in self._failures):  # nor once more for a test what concerns all
            self._failures[line] = None
            logger.error("%s", line)

    def be_quick(self) -> None:
        """Give up early from now on: someone watches."""
        self._transport.be_quick()

    def calls_of(self, label: str) -> int:
        """Return how many calls of an endpoint were made."""
        return self._transport.calls[label]

    @property
    def only_listed(self) -> bool:
        """Whether the run has asked for session lists, and for nothing that they name."""
        asked = {label for label, count in self._transport.calls.items() if count}
        return "list" in asked and not asked & SESSIONS

    @property
    def windows(self) -> Windows:
        """The quota of the Results API."""
        return self._lane.windows

    def summary(self, ended: Ending, streams: Iterable[UserTestingStream]) -> Summary:
        """Return what came of the run: what these streams wrote, and what is left open in them."""
        transport, streams = self._transport, list(streams)
        left_out = Counter(self.results.left_out) + (self.feed.left_out if self.feed is not None else Counter())
        for stream in streams:
            left_out.update(some({f"{stream.name} without an id": stream.left_out}))
        newest = earlier(self.now, days=NEWEST_DAYS)
        return Summary(
            ended=ended,
            seconds=self._clock.monotonic() - self._began,
            rows=some({stream.name: stream.emitted for stream in streams}),
            tombstones=some({stream.name: stream.tombstoned for stream in streams}),
            calls={label: count for label, count in transport.calls.items() if label != THROTTLED},
            not_found=dict(transport.not_found),
            retries=transport.retries,
            throttled=transport.calls[THROTTLED],
            seconds_waited=dict(transport.waited),
            left_out=dict(left_out),
            waiting=some({stream.name: stream.waiting for stream in streams}),
            unfinished=some({stream.name: stream.unfinished() for stream in streams}),
            unfinished_newest=some({stream.name: stream.unfinished(newest) for stream in streams}),
            windows=self.windows.number,
        )

    def _auth(self) -> Auth:
        settings = self.settings
        if settings.access_token is not None:
            return StaticToken(settings.access_token)
        lane = Lane(
            name="token endpoint",
            setting="auth_endpoint",
            origin=origin_of(settings.auth_endpoint),
            windows=Windows(clock=self._clock.monotonic, limit=None),
        )
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id or "",
            "client_secret": settings.client_secret or "",
            "scope": settings.oauth_scopes,
        }
        call = Call(lane, "POST", settings.auth_endpoint, "token", form=form)

        def fetch() -> tuple[str, float | None]:
            try:
                return self._transport.send(call, _token)
            except (BadRequestError, NotFoundError) as error:
                setting = "oauth_scopes" if "scope" in str(error) else "client_id and client_secret"
                setting = "auth_endpoint" if isinstance(error, NotFoundError) else setting
                message = f"the credentials are refused ({error}); check {setting}"
                raise CredentialsRejectedError(message) from error

        return ClientCredentials(fetch=fetch, clock=self._clock.monotonic, turns=self.turns)

    def _refused(self, said: str) -> ApiError:
        setting = "client_id and client_secret"
        if self.settings.access_token is not None:
            setting = "access_token, which ends an hour after it was issued"
        return CredentialsRejectedError(f"the Results API refuses the token ({said}); check {setting}")

    def _feed(self, auth: Auth) -> ChangeFeed | None:
        settings = self.settings
        if settings.feed_url is None:
            return None
        own = settings.feed_access_token

        def refused(said: str) -> ApiError:
            shared = "access_token" if settings.access_token is not None else "client_id and client_secret"
            what = "check feed_access_token" if own is not None else f"check {shared}, or set feed_access_token"
            return FeedRefusedError(f"the change feed refuses the token ({said}); {what}")

        lane = Lane(
            name="change feed",
            setting="feed_url",
            origin=origin_of(settings.feed_url),
            windows=Windows(clock=self._clock.monotonic, limit=None),
            auth=auth if own is None else StaticToken(own),
            refused=refused,
        )
        return ChangeFeed(transport=self._transport, lane=lane, url=settings.feed_url)

    def _before_call(self, lane: Lane) -> None:
        most = self.settings.max_calls
        if lane is self._lane and most is not None and lane.calls >= most:
            raise BudgetSpentError(f"max_calls of {most} reached")
        self._check_duration(0)
        if self._separate != self.windows.separate:
            self._separate = self.windows.separate
            gain = "streams wait for their own only" if self._separate else "streams wait for one another again"
            logger.info("Results API: %s: %s", windows(self.windows.number), gain)
        self.progress.tick()

    def _rank(self, call: Call) -> Rank:
        """Return how urgent a call is: news test by test, then history from the newest session down.

        Before all of them an endpoint that was not asked yet: its first answer may tell that it has its own window.
        """
        if not call.lane.windows.knows(call.endpoint):
            return (0.0,)
        kind = 0.0 if call.label in LISTS else 1.0 if call.label in AGGREGATES else 2.0
        here = self.activity
        if here.key is None:
            return (1.0, self.place(here.test_id), kind, here.at, here.turn)
        return (2.0, here.key, kind, here.turn)

    def _check_duration(self, wait: float) -> None:
        most = self.settings.max_duration
        if most is not None and self._clock.monotonic() - self._began + wait >= most:
            raise BudgetSpentError(f"max_duration of {most} s reached")

    def _before_wait(self, wait: Wait) -> None:
        self._check_duration(wait.seconds)
        if wait.seconds > 1:
            self._write_state()
        ends = self._clock.monotonic() + wait.seconds
        if wait.seconds <= LOGGED_WAIT or (wait.reason == "quota" and ends < self._waiting_until + 1):
            return  # no news, or another stream has just said so
        why, where = "before the next try", str(self.activity)
        if wait.reason == "quota":
            self._waiting_until = ends
            why, where = "no calls left in this window", str(self.progress.standing())
        logger.info("%s: %s, waiting %.0f s (%s)", wait.lane, why, wait.seconds, where)


def _token(answer: Answer) -> tuple[str, float | None]:
    """Read a token answer: RFC 6749, `access_token` and `expires_in` in seconds."""
    body = answer.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        message = "the body has no access_token"
        raise MalformedError(message)
    lifetime = body.get("expires_in")
    try:
        seconds = float(lifetime)
    except (TypeError, ValueError, OverflowError):
        return token, None
    return token, seconds if seconds > 0 else None
