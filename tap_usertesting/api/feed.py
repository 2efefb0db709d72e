"""The change feed: counts and changes for many tests in one GraphQL request each.

Source: the feed vendor's page "Checking for changes": `testResultChangesCount(testUUID, sinceCursor)` and
`testResultChanges(testUUID, sinceCursor)`; `sinceCursor` is exclusive, left out it means the whole history.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tap_usertesting.api.call import Call
from tap_usertesting.api.errors import (
    ApiError,
    FeedDownError,
    FeedError,
    RunEndsError,
    ThrottledError,
    UnknownCursorError,
    UnknownTestError,
)
from tap_usertesting.api.graphql import OK, READABLE, Envelope, Fault, decode, faults
from tap_usertesting.api.rate_headers import MOST_NAMED, server_time
from tap_usertesting.api.safe_ids import is_storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Service
    from tap_usertesting.api.transport import Transport

logger = logging.getLogger("tap-usertesting.api")

TESTS_A_REQUEST = 100
BULK = 32  # times the usual bound of an answer: the changes of 5,000 results and more
COUNT = "testResultChangesCount", "{ count latestCursor }"
CHANGES = "testResultChanges", "{ edges { node { cursor responseUuid testResultId changeType changedAt } } }"


class Ask(NamedTuple):
    """What is asked of the feed: the changes of one test after a cursor (None: all)."""

    test_uuid: str
    cursor: str | None


class Count(msgspec.Struct, frozen=True, rename="camel"):
    """How many results changed since the cursor (or how many changes they had), and the newest change's cursor."""

    count: int = 0
    latest_cursor: str | None = None


class FeedEvent(msgspec.Struct, gc=False, rename="camel"):
    """One event as the feed sends it. Without garbage collection: it holds no cycles, and there are many."""

    cursor: str | None = None
    response_uuid: str | None = None
    test_result_id: Any = None
    change_type: str | None = None
    changed_at: str | None = None


class Received(NamedTuple):
    """An answer's events, each once, in the server's order; `arrived`: how many came, those of no use included."""

    events: list[FeedEvent]
    arrived: int


class _Edge(msgspec.Struct, gc=False):
    node: FeedEvent | None = None


class _Changes(msgspec.Struct):
    edges: list[_Edge | None] | None = None


class ChangeFeed:
    """Asks the feed for many tests at once; an error concerns one test wherever the server says so."""

    def __init__(self, *, transport: Transport, service: Service, url: str) -> None:
        """`url` is the GraphQL endpoint."""
        self._transport = transport
        self._service = service
        self._url = url
        self.left_out: Counter[str] = Counter()  # by what it is

    def counts(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        """How many results changed, per ask; an ApiError in its place where the feed refuses."""
        return self._twice(COUNT, asks, Envelope[Count])

    def changes(self, asks: Sequence[Ask]) -> dict[Ask, Received | ApiError]:
        """The changes in the server's own order, per ask; an ApiError in its place where the feed refuses."""
        found = self._twice(CHANGES, asks, Envelope[_Changes])
        return {ask: got if isinstance(got, ApiError) else self._events(got) for ask, got in found.items()}

    def _events(self, changes: _Changes) -> Received:
        """Return the events that have a cursor; empties its argument."""
        edges, changes.edges = changes.edges or [], None
        edges.reverse()
        seen: set[str] = set()
        events, odd = [], 0
        while edges:  # frees each edge as it goes
            edge = edges.pop()
            if edge is None or edge.node is None or not is_storable(edge.node.cursor):
                odd += 1
            elif edge.node.cursor not in seen:
                seen.add(edge.node.cursor)
                events.append(edge.node)
        if odd:
            self.left_out["events without a cursor"] += odd
            logger.warning("the change feed sent %d events without a usable cursor, which are left out", odd)
        return Received(events, len(events) + odd)  # one that came twice is one: a part is not whole for being repeated

    def _twice(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Ask, and once more for the tests that fail from their cursor: what passes by itself is not the cursor's."""
        found = self._all(field, asks, envelope)
        failing = [ask for ask, got in found.items() if isinstance(got, UnknownCursorError)]
        return found | self._all(field, failing, envelope) if failing else found

    def _all(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Ask in one request; when it fails as a whole, find out whether it is the feed or one of the tests."""
        try:
            found = self._once(field, asks, envelope) if asks else {}
        except FeedDownError as error:
            return dict.fromkeys(asks, error)
        except RunEndsError as error:
            if error.setting != self._service.setting:
                raise  # of the Results API's token endpoint, or of the environment
            return dict.fromkeys(asks, FeedDownError(str(error)))
        except ApiError as error:
            if len(asks) == 1:
                return {asks[0]: FeedError(str(error)) if not isinstance(error, FeedError) else error}
            return self._apart(field, asks, envelope)
        left = [ask for ask in asks if ask not in found]
        return found | self._all(field, left, envelope) if left else found

    def _apart(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Ask in smaller requests, unless it turns out that the feed is down for all."""
        alone = {ask: self._all(field, [ask], envelope)[ask] for ask in (asks[0], asks[-1])}
        if all(map(_of_the_feed, alone.values())):
            return dict.fromkeys(asks, FeedDownError(str(alone[asks[-1]])))
        rest = [ask for ask in asks if ask not in alone]
        middle = len(rest) // 2
        return alone | self._all(field, rest[:middle], envelope) | self._all(field, rest[middle:], envelope)

    def _once(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Send one request; returns what it answers or refuses, maybe not of all. Raises when it fails as a whole."""
        query, variables = build_query(field, asks)
        call = Call(
            self._service,
            "POST",
            self._url,
            "feed",
            payload={"query": query, "variables": variables},
            readable=READABLE,
            bulk=BULK if field is CHANGES else 1,
        )
        body, errors, status = self._transport.send(call, lambda got: self._read(got, envelope))
        by_alias = {f"t{n}": ask for n, ask in enumerate(asks)}
        blamed = {by_alias[fault.alias]: fault for fault in reversed(errors) if fault.alias in by_alias}
        whole = next((fault for fault in errors if fault.alias not in by_alias), None)
        for fault in errors:
            if fault.meaning == "unauthenticated" or (fault.meaning == "forbidden" and fault.alias not in by_alias):
                raise self._service.refused(self._transport.secrets.excerpt(fault.text))
        if whole is not None and (status != OK or not body.data):
            raise FeedError(self._said(whole))
        if not body.data and not blamed:
            message = "the change feed sent no data"
            raise FeedError(message)
        if not body.data:  # one null may empty the whole answer
            return {ask: self._of_one(ask, fault) for ask, fault in blamed.items()}
        if whole is not None and None not in body.data.values():
            logger.warning(
                "the change feed answers with data and an error: %s", self._transport.secrets.excerpt(whole.text)
            )
        found: dict[Ask, Any] = {}
        for alias, ask in by_alias.items():
            got = body.data.get(alias)
            if ask in blamed or (alias in body.data and got is None):
                found[ask] = self._of_one(ask, blamed.get(ask, whole))
            else:
                found[ask] = got if got is not None else FeedError("the change feed sent no answer for this test")
        if len(found) > 1 and all(map(_of_the_feed, found.values())) and len(set(map(str, found.values()))) == 1:
            raise FeedDownError(str(found[asks[0]]))
        return found

    def _of_one(self, ask: Ask, fault: Fault | None) -> FeedError:
        """Return what an error means that concerns one test; None: a null without a word."""
        fault = fault or Fault(None, "", "null", "absent")
        said = self._said(fault)
        if fault.meaning in {"forbidden", "query"}:
            return FeedError(said)
        if ask.cursor is not None and not fault.of_a_test:
            return UnknownCursorError(said)  # what it is, the whole log will tell
        if fault.meaning == "absent":
            return UnknownTestError(
                f"the change feed does not know this test ({self._transport.secrets.excerpt(fault.text)})"
            )
        return FeedError(said)

    def _said(self, fault: Fault) -> str:
        return f"the change feed answers: {self._transport.secrets.excerpt(fault.text)}"

    def _read(self, answer: Answer, envelope: Any) -> tuple[Envelope[Any], list[Fault], int]:  # noqa: ANN401 - a type
        body: Envelope[Any] = decode(answer, envelope, _mend)
        found = faults(body, answer.status)
        self._budget(body, found, server_time(answer.headers, wall=self._transport.clock.wall()))
        return body, found, answer.status

    def _budget(self, body: Envelope[Any], found: Sequence[Fault], now: float) -> None:
        """Obey `extensions.ratelimit`: `remaining` of a cost budget, and when its window ends."""
        limits = body.limits
        left = _seconds_to(limits.get("window_reset"), now=now)
        if any(fault.meaning == "throttled" for fault in found):
            raise ThrottledError(left)
        remaining, cost = limits.get("remaining"), limits.get("cost")
        if isinstance(remaining, (int, float)) and left is not None:
            spent = cost if isinstance(cost, (int, float)) else 0
            if remaining < max(spent, 1):
                self._service.windows.hold(left)


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


def _of_the_feed(got: object) -> bool:
    """Tell an error that any test may get from one that says something of its own test."""
    return isinstance(got, FeedError) and not isinstance(got, (UnknownTestError, UnknownCursorError))


def _mend(body: object) -> None:
    """Bring what has another type than documented to it, in place: a number as a cursor or id is its text."""
    data = body.get("data") if isinstance(body, dict) else None
    timeless = 0
    for answer in data.values() if isinstance(data, dict) else ():
        if not isinstance(answer, dict):
            continue
        answer["latestCursor"] = _text(answer.get("latestCursor"))
        edges = answer.get("edges")
        if not isinstance(edges, list):
            continue
        for place, edge in enumerate(edges):
            node = edge.get("node") if isinstance(edge, dict) else None
            if not isinstance(node, dict):
                edges[place] = None
                continue
            if not isinstance(node.get("changedAt"), str):
                timeless += node.pop("changedAt", None) is not None
            for name in ("cursor", "responseUuid", "changeType"):
                node[name] = _text(node.get(name))
    if timeless:
        logger.warning("the change feed sent %d events whose changedAt is no text: they have no time", timeless)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if type(value) in {int, float} else None
