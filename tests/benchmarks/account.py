"""A simulated account under a virtual clock, and the real tap in it: over a year's tests, hour by hour.

It answers at the level of HTTP, in the sandbox's shapes, and skips the sockets: weeks of hourly syncs take minutes.
"""
# ruff: noqa: S311 - reproducible delays, nothing secret is drawn here

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import UUID

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_usertesting.api.answer import Answer
from tap_usertesting.api.exchange import Exchange
from tap_usertesting.tap import TapUserTesting
from tap_usertesting.values.times import from_epoch
from tests.support.harness import catalog
from tests.support.simulated_time import SimulatedTime, SimulatedTurns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from singer_sdk.singerlib import Message

    from tap_usertesting.api.call import Call

HOUR = 3600.0
NEVER = float("inf")
PAGE, STUDIES = 500, 50
LIMIT, WINDOW = 10, 60.0
SIZES = (5, 8, 10, 15, 20, 30)  # sessions of a test
STREAMS = ("sessions", "session_details", "transcripts")
WORKSPACE = str(UUID(int=1))
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nas it was said\n"


@dataclass
class Session:
    """One session: when it finished, when its transcript was there and when it was rejected, in epoch seconds."""

    session_id: str
    at: float
    transcribed: float
    rejected: float = NEVER
    detailed_at: float | None = None  # when its details were fetched first
    text_at: float | None = None


@dataclass
class Test:
    """One test: when it was launched, and its sessions by time."""

    __test__ = False  # no test class, whatever its name looks like
    test_id: str
    launched: float
    sessions: list[Session] = field(default_factory=list)

    def finished(self, now: float) -> int:
        """Return how many of its sessions have finished."""
        return bisect_right(self.sessions, now, key=lambda session: session.at)


def account(*, days: int, began: float, seed: int = 1, a_day: int = 5) -> list[Test]:
    """Return the tests of so many days: five a workday, each with sessions in the hours after, one in fifty much later.

    A transcript is there within minutes to hours of its session.
    """
    rng, tests = Random(seed), []
    for day in (day for day in range(days) if day % 7 < 5):
        for _ in range(a_day):
            test = Test(str(UUID(int=rng.getrandbits(128))), began + (day * 24 + 9 + rng.random() * 8) * HOUR)
            for _ in range(rng.choice(SIZES)):
                hours = rng.random() * 60 * 24 if rng.random() < 0.02 else rng.expovariate(1 / 12)
                at = test.launched + hours * HOUR
                test.sessions.append(
                    Session(str(UUID(int=rng.getrandbits(128))), at, at + rng.lognormvariate(0, 1) * HOUR)
                )
            test.sessions.sort(key=lambda session: session.at)
            tests.append(test)
    return tests


class Server:
    """Answers calls for an account. `limit`: calls a window, None for any number."""

    def __init__(self, tests: list[Test], clock: SimulatedTime) -> None:
        """Serve these tests; whatever has not happened by the clock is not there."""
        self.tests = {test.test_id: test for test in tests}
        self.order = tests
        self.sessions = {session.session_id: session for test in tests for session in test.sessions}
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.listed: list[str] = []  # tests, in the order in which their lists were asked for
        self.limit: int | None = LIMIT
        self._window = (float("-inf"), 0)

    @property
    def now(self) -> float:
        """The present, in epoch seconds."""
        return self.clock.wall()

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        if call.payload is not None:
            return Answer(200, {}, self._feed(call.payload))
        self.calls[call.label] += 1
        status, body = self._results(call)
        return Answer(status, self._headers(), body)

    def _headers(self) -> dict[str, str]:
        if self.limit is None:
            return {"x-ratelimit-limit": "1000000", "x-ratelimit-remaining": "1000000", "x-ratelimit-reset": "60"}
        begin, used = self._window
        if self.clock.now >= begin + WINDOW:
            begin, used = self.clock.now, 0
        self._window = begin, used + 1
        left = {"remaining": self.limit - used - 1, "reset": max(1, round(begin + WINDOW - self.clock.now))}
        return {"x-ratelimit-limit": f"{self.limit}", **{f"x-ratelimit-{name}": f"{n}" for name, n in left.items()}}

    def _results(self, call: Call) -> tuple[int, bytes]:
        path, params = call.url.partition("://")[2].partition("/")[2], dict(call.params or {})
        name = path.rpartition("/")[2]
        if call.label == "workspaces":
            return 200, _json([{"uuid": WORKSPACE, "id": 1, "name": "Research"}] if "after" not in params else [])
        if call.label == "studies":
            return 200, _json(self._studies(int(params.get("after", 0))))
        if call.label == "list":
            self.listed.append(str(params["testId"]))
            return 200, _json(self._list(str(params["testId"]), int(params["offset"]), int(params["limit"])))
        session = self.sessions[path.split("/")[3]]
        there = session.transcribed if call.label == "transcript" else session.at
        if not there <= self.now < session.rejected:
            return 404, b'{"message": "Not found"}'
        if call.label == "transcript":
            session.text_at = session.text_at or self.now
            return 200, VTT
        session.detailed_at = session.detailed_at or self.now
        return 200, _json({"sessionId": name, "sessionParticipant": None, "tasks": []})

    def _studies(self, after: int) -> list[dict[str, Any]]:
        launched = [test for test in self.order if test.launched <= self.now]
        return [
            {
                "uuid": test.test_id,
                "type": "STUDYV2",
                "productType": "THINK_OUT_LOUD",
                "title": "A test",
                "orderedAt": from_epoch(test.launched),
                "cursor": str(place),
            }
            for place, test in enumerate(launched[after : after + STUDIES], start=after + 1)
        ]

    def _list(self, test_id: str, offset: int, limit: int) -> dict[str, Any]:
        test = self.tests[test_id]
        finished = test.sessions[: test.finished(self.now)][::-1]
        there = [session for session in finished if session.rejected > self.now]
        items = [
            {
                "sessionId": session.session_id,
                "testId": test_id,
                "status": "COMPLETE",
                "startTime": from_epoch(session.at - 900),
                "finishTime": from_epoch(session.at),
            }
            for session in there[offset : offset + limit]
        ]
        pagination = {"offset": offset, "limit": limit, "totalCount": len(there)}
        return {"testId": test_id, "sessions": items, "meta": {"pagination": pagination}}

    # The feed

    def _feed(self, payload: Any) -> bytes:  # noqa: ANN401 - JSON
        variables, counts = payload["variables"], "testResultChangesCount" in payload["query"]
        data = {}
        for n in range(sum(name.startswith("u") for name in variables)):
            events = self.events(self.tests[variables[f"u{n}"].removeprefix("ut_")])
            since = variables.get(f"c{n}")
            after = [event for event in events if since is None or event["cursor"] > since]
            if counts:
                data[f"t{n}"] = {"count": len(after), "latestCursor": events[-1]["cursor"] if events else None}
            else:
                data[f"t{n}"] = {"edges": [{"node": event} for event in after]}
        return _json({"data": data})

    def events(self, test: Test) -> list[dict[str, Any]]:
        """Return what the feed has of a test, oldest first."""
        events = [
            (at, kind, session)
            for session in test.sessions[: test.finished(self.now)]
            for at, kind in (
                (session.at, "UPDATED"),
                (session.transcribed, "VIDEO_TRANSCRIPTION_UPDATED"),
                (session.rejected, "REJECTED"),
            )
            if at <= min(self.now, session.rejected)
        ]
        events.sort(key=lambda event: event[:2])
        return [
            {
                "cursor": f"ut_{at:020.6f}-{session.session_id}-{kind}",
                "responseUuid": f"ut_response_{session.session_id}",
                "testResultId": 1,
                "changeType": kind,
                "changedAt": from_epoch(at),
            }
            for at, kind, session in events
        ]


def _json(body: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(body).encode()


class LastState(MsgSpecWriter):
    """Keeps the last STATE, as an orchestrator does, and hands rows on."""

    state: Any = None
    row: Callable[[str, dict[str, Any]], None] | None = None

    def write_message(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, StateMessage):
            LastState.state = json.loads(self.format_message(message))["value"]
        elif isinstance(message, RecordMessage) and LastState.row is not None:
            LastState.row(message.stream, message.record)


class QuietTap(TapUserTesting):
    """The tap, without a target."""

    message_writer_class = LastState  # type: ignore[assignment]  # the SDK's own type allows any writer


class Hours:
    """The tap in an account, run by the hour."""

    def __init__(
        self,
        tests: list[Test],
        *,
        at: float,
        by_feed: bool,
        latency: float = 0.2,
        streams: Sequence[str] = STREAMS,
        row: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        """Begin at a time in epoch seconds, with no state. `row` takes the stream and the columns of each row."""
        self._row = row
        self.clock = SimulatedTime(latency=latency)
        self.clock.now = at - self.clock.wall() + self.clock.now
        self.server = Server(tests, self.clock)
        self.state: Any = {}
        self._catalog = catalog(streams)
        self.config: dict[str, object] = {"access_token": "token", "api_url": "http://localhost:1"}
        if by_feed:
            self.config["feed_url"] = "http://localhost:1/graphql"

    def run(self, **settings: object) -> None:
        """Run one sync, by the clock of the account."""
        LastState.state, LastState.row = self.state, self._row
        server, clock = self.server, self.clock

        def send(_self: Exchange, call: Call, _token: str) -> Answer:
            return server.answer(call)

        with (
            patch.object(Exchange, "send", send),
            patch.object(QuietTap, "clock", clock.clock()),
            patch.object(QuietTap, "make_turns", lambda **_: SimulatedTurns(clock)),
            patch("tap_usertesting.tap.outputs_are_one_pipe", bool),
        ):
            tap = QuietTap(config={**self.config, **settings}, state=self.state, catalog=self._catalog)
            try:
                tap.sync_all()
            except SystemExit as end:
                message = f"the sync ended with status {end.code}"
                raise RuntimeError(message) from end
            finally:
                self.state = json.loads(json.dumps(LastState.state))

    def catch_up(self) -> None:
        """Read everything that there is, without a quota."""
        latency, self.clock.latency, self.server.limit = self.clock.latency, 0.0, None
        self.run()
        self.clock.latency, self.server.limit = latency, LIMIT
        self.server.calls.clear()
        self.server.listed.clear()

    def hourly(self, hours: int) -> Iterator[int]:
        """Run at each full hour, for at most 55 minutes; yields the number of each run that is over."""
        for number in range(hours):
            begin = self.clock.now
            self.run(max_duration=55 * 60)
            self.clock.now = max(begin + HOUR, self.clock.now)
            yield number


# The same account under other ways to spend the calls, without a tap


def simulate(
    policy: str, tests: list[Test], *, at: float, hours: int, budget: int
) -> tuple[list[float], list[float], int]:
    """Return the hours from completion to row and from transcript to row, and the lists, of a policy of an account.

    All of it was read before `at`. `in order`: the tests as they come, the oldest first; `rotation`: the longest
    unasked first; `oracle`: only where there is news, the newest tests first.
    """
    read = {test.test_id: test.finished(at) for test in tests}
    asked = {test.test_id: at for test in tests}
    silent: deque[Session] = deque(s for t in tests for s in t.sessions[: read[t.test_id]] if s.transcribed > at)
    rows, texts, lists = list[float](), list[float](), 0
    for hour in range(hours):
        now = at + hour * HOUR
        live = [test for test in tests if test.launched <= now]
        if policy == "rotation":
            live.sort(key=lambda test: asked[test.test_id])
        elif policy == "oracle":
            live = [test for test in reversed(live) if test.finished(now) > read[test.test_id]]
        left = budget
        for _ in range(len(silent)):
            session = silent.popleft()
            if left and session.transcribed <= now:
                left -= 1
                texts.append((now - session.transcribed) / HOUR)
            else:
                silent.append(session)
        for test in live:
            if left < 3:
                break
            left, lists = left - 1, lists + 1
            asked[test.test_id] = now
            there = test.finished(now)
            while read[test.test_id] < there and left:
                session = test.sessions[read[test.test_id]]
                read[test.test_id] += 1
                done = now + (budget - left) / LIMIT * WINDOW
                left -= 1
                rows.append((done - session.at) / HOUR)
                if session.transcribed <= now and left:
                    left -= 1
                    texts.append((done - session.transcribed) / HOUR)
                else:
                    silent.append(session)
    return rows, texts, lists


def first_sync(policy: str, tests: list[Test], *, at: float, newest: set[str], calls: int) -> float:
    """Return which share of the newest sessions is whole after so many calls, in a first sync of all tests."""
    order = [(test, test.sessions[: test.finished(at)]) for test in tests if test.launched <= at]
    done: set[str] = set()
    if policy == "oracle":
        listed: set[str] = set()
        flat = sorted(((session, test) for test, there in order for session in there), key=lambda pair: -pair[0].at)
    else:
        listed, flat = set(), [(session, test) for test, there in order for session in there]
    for session, test in flat:
        calls -= (test.test_id not in listed) + 2
        listed.add(test.test_id)
        if calls < 0:
            break
        done.add(session.session_id)
    return len(done & newest) / len(newest)


def quantile(values: list[float], share: float) -> float:
    """Return a quantile, infinite where there is none."""
    values = sorted(values)
    return values[bisect_left(range(len(values)), share * (len(values) - 1))] if values else float("inf")
