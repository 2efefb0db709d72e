"""The change feed: counts and changes for many tests in one GraphQL request each.

Source: the feed vendor's page "Checking for changes": `testResultChangesCount(testUUID, sinceCursor)` and
`testResultChanges(testUUID, sinceCursor)`; `sinceCursor` is exclusive, left out it means the whole history.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec

from tap_usertesting.api.call import Answer, Call, uncollected
from tap_usertesting.api.errors import (
    ApiError,
    FeedError,
    FeedRefusedError,
    MalformedError,
    RunEndsError,
    ThrottledError,
    UnknownCursorError,
    UnknownTestError,
)
from tap_usertesting.api.ids import is_cursor
from tap_usertesting.api.quota import MOST_NAMED, server_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.api.call import Lane
    from tap_usertesting.api.transport import Transport

logger = logging.getLogger("tap-usertesting.api")

TESTS_A_REQUEST = 100
READABLE = frozenset({400, 403})  # statuses whose body holds GraphQL errors
BULK = 32  # times the usual bound of an answer: the changes of 5,000 results and more
COUNT = "testResultChangesCount", "{ count latestCursor }"
CHANGES = "testResultChanges", "{ edges { node { cursor responseUuid testResultId changeType changedAt } } }"

_RATE = re.compile(r"rate.?limit|throttl|too many", re.IGNORECASE)
_SCOPE = re.compile(r"\bscopes?\b", re.IGNORECASE)
_CURSOR = re.compile(r"cursor", re.IGNORECASE)
_TOKEN = re.compile(r"\btoken\b|unauthenticated|unauthori[sz]ed|oauth", re.IGNORECASE)
_UNKNOWN = re.compile(r"not exist|not found|no such|unknown|not permitted", re.IGNORECASE)


class Ask(NamedTuple):
    """What is asked of the feed: the changes of one test after a cursor (None: all)."""

    test_uuid: str
    cursor: str | None


class Count(msgspec.Struct, frozen=True, rename="camel"):
    """Unique results changed since the cursor, and the cursor of the newest change."""

    count: int = 0
    latest_cursor: str | None = None


class FeedEvent(msgspec.Struct, gc=False, rename="camel"):
    """One event as the feed sends it. Without garbage collection: it holds no cycles, and there are many."""

    cursor: str | None = None
    response_uuid: str | None = None
    test_result_id: Any = None
    change_type: str | None = None
    changed_at: str | None = None


class _Edge(msgspec.Struct, gc=False):
    node: FeedEvent | None = None


class _Changes(msgspec.Struct):
    edges: list[_Edge | None] | None = None


T = TypeVar("T")


class _Envelope(msgspec.Struct, Generic[T]):
    data: dict[str, T | None] | None = None
    errors: list[dict[str, Any]] | None = None
    extensions: dict[str, Any] | None = None


class ChangeFeed:
    """Asks the feed for many tests at once; an error concerns one test wherever the server says so."""

    def __init__(self, *, transport: Transport, lane: Lane, url: str) -> None:
        """`url` is the GraphQL endpoint."""
        self._transport = transport
        self._lane = lane
        self._url = url
        self.left_out: Counter[str] = Counter()  # by what it is

    def counts(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        """How many results changed, per ask; an ApiError in its place where the feed refuses."""
        return self._all(COUNT, asks, _Envelope[Count])

    def changes(self, asks: Sequence[Ask]) -> dict[Ask, list[FeedEvent] | ApiError]:
        """The changes in the server's own order, per ask; an ApiError in its place where the feed refuses."""
        found = self._all(CHANGES, asks, _Envelope[_Changes])
        return {ask: got if isinstance(got, ApiError) else self._events(got) for ask, got in found.items()}

    def _events(self, changes: _Changes) -> list[FeedEvent]:
        """Return the events that have a cursor, each cursor once, in the server's order; empties its argument."""
        edges, changes.edges = changes.edges or [], None
        edges.reverse()
        seen: set[str] = set()
        events, odd = [], 0
        while edges:  # frees each edge as it goes
            edge = edges.pop()
            if edge is None or edge.node is None or not is_cursor(edge.node.cursor):
                odd += 1
            elif edge.node.cursor not in seen:
                seen.add(edge.node.cursor)
                events.append(edge.node)
        if odd:
            self.left_out["events without a cursor"] += odd
            logger.warning("the change feed sent %d events without a usable cursor, which are left out", odd)
        return events

    def _all(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Ask in one request; when it fails as a whole, find out whether it is the feed or one of the tests."""
        try:
            return self._once(field, asks, envelope) if asks else {}
        except FeedRefusedError as error:
            return dict.fromkeys(asks, error)
        except RunEndsError as error:
            if error.setting != self._lane.setting:
                raise  # of the Results API's token endpoint, or of the environment
            return dict.fromkeys(asks, FeedError(str(error)))
        except ApiError as error:
            if len(asks) == 1:
                return {asks[0]: FeedError(str(error)) if not isinstance(error, FeedError) else error}
        alone = {ask: self._all(field, [ask], envelope)[ask] for ask in (asks[0], asks[-1])}
        rest = [ask for ask in asks if ask not in alone]
        if all(isinstance(got, ApiError) for got in alone.values()):
            return alone | dict.fromkeys(rest, alone[asks[-1]])  # the feed is down: no further request
        middle = len(rest) // 2
        return alone | self._all(field, rest[:middle], envelope) | self._all(field, rest[middle:], envelope)

    def _once(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        query, variables = build_query(field, asks)
        call = Call(
            self._lane,
            "POST",
            self._url,
            "feed",
            payload={"query": query, "variables": variables},
            readable=READABLE,
            bulk=BULK if field is CHANGES else 1,
        )
        answer: _Envelope[Any] = self._transport.send(call, lambda got: self._read(got, envelope))
        refusals = {path: self._meaning(message) for path, message in _errors(answer)}
        for error in refusals.values():
            if isinstance(error, FeedRefusedError):
                raise error
        if answer.data is None:
            raise refusals.get(None) or next(iter(refusals.values()), FeedError("the change feed sent no data"))
        missing = refusals.get(None) or UnknownTestError("the change feed does not know this test")
        return {ask: refusals.get(f"t{n}") or answer.data.get(f"t{n}") or missing for n, ask in enumerate(asks)}

    def _read(self, answer: Answer, envelope: Any) -> _Envelope[Any]:  # noqa: ANN401 - a type
        try:
            with uncollected():
                body: _Envelope[Any] = msgspec.json.decode(answer.body, type=envelope)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # The strict decoder is fast; the lenient one takes lone surrogates and wrong scalar types.
            try:
                body = msgspec.convert(answer.json(), envelope, strict=False)
            except (msgspec.ValidationError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
                message = "the body is not a GraphQL answer"
                raise MalformedError(message) from error
        self._budget(body, server_time(answer.headers, wall=self._transport.clock.wall()))
        return body

    def _budget(self, body: _Envelope[Any], now: float) -> None:
        """Obey `extensions.ratelimit`: `remaining` of a cost budget, and when its window ends."""
        limits = (body.extensions or {}).get("ratelimit")
        limits = limits if isinstance(limits, dict) else {}
        left = _seconds_to(limits.get("window_reset"), now=now)
        if any(_RATE.search(message) for _, message in _errors(body)):
            raise ThrottledError(left)
        remaining, cost = limits.get("remaining"), limits.get("cost")
        if isinstance(remaining, (int, float)) and left is not None:
            spent = cost if isinstance(cost, (int, float)) else 0
            if remaining < max(spent, 1):
                self._lane.windows.hold(left)

    def _meaning(self, message: str) -> FeedError:
        said = self._transport.redact(message)
        if _SCOPE.search(message):
            return FeedRefusedError(f"the change feed refuses the token ({said}); give feed_access_token that scope")
        if _CURSOR.search(message):
            return UnknownCursorError(f"the change feed no longer knows the cursor ({said})")
        if _TOKEN.search(message):
            return FeedRefusedError(f"the change feed refuses the token ({said}); check feed_access_token")
        if _UNKNOWN.search(message):
            return UnknownTestError(f"the change feed does not know this test ({said})")
        return FeedError(f"the change feed answers: {said}")


def build_query(field: tuple[str, str], asks: Sequence[Ask]) -> tuple[str, dict[str, str]]:
    """Return a GraphQL query with one alias `tN` per ask, and its variables."""
    name, selection = field
    variables: dict[str, str] = {}
    declared, fields = [], []
    for n, ask in enumerate(asks):
        variables[f"u{n}"] = ask.test_uuid
        declared.append(f"$u{n}: String!")
        since = ""
        if ask.cursor is not None:
            variables[f"c{n}"] = ask.cursor
            declared.append(f"$c{n}: String")
            since = f", sinceCursor: $c{n}"
        fields.append(f"t{n}: {name}(testUUID: $u{n}{since}) {selection}")
    return f"query changes({', '.join(declared)}) {{ {' '.join(fields)} }}", variables


def _seconds_to(moment: object, *, now: float) -> float | None:
    """Return the seconds to a point in time; None for one that is past or makes no sense."""
    try:
        ends = datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() if isinstance(moment, str) else 0
    except (ValueError, OverflowError):
        return None
    return ends - now if 0 < ends - now <= MOST_NAMED else None


def _errors(body: _Envelope[Any]) -> list[tuple[str | None, str]]:
    """Return alias and message of every error; the alias is None for an error of the whole request."""
    found: list[tuple[str | None, str]] = []
    for error in body.errors or []:
        path = error.get("path")
        alias = path[0] if isinstance(path, list) and path and isinstance(path[0], str) else None
        message = error.get("message")
        found.append((alias, message if isinstance(message, str) and message else "an error without a message"))
    return found
