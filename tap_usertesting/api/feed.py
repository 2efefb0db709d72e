"""The change feed: asks in one GraphQL request how many results of many tests have changed, or which.

Source: the feed vendor's page "Checking for changes": `testResultChangesCount(testUUID, sinceCursor)` and
`testResultChanges(testUUID, sinceCursor)`. `sinceCursor` is exclusive; without it the whole history is meant.
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
from tap_usertesting.api.graphql import OK, READABLE, Envelope, GraphqlError, decode, errors_of
from tap_usertesting.api.rate_headers import MOST_NAMED, server_time
from tap_usertesting.api.safe_ids import is_storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Service
    from tap_usertesting.api.transport import Transport

logger = logging.getLogger("tap-usertesting.api")

TESTS_A_REQUEST = 100
BULK = 32  # times the usual bound of an answer, which is enough for the changes of more than 5,000 results
COUNT = "testResultChangesCount", "{ count latestCursor }"
CHANGES = "testResultChanges", "{ edges { node { cursor responseUuid testResultId changeType changedAt } } }"


class Ask(NamedTuple):
    """What to ask the feed: the changes of one test after a cursor (None: all of them)."""

    test_uuid: str
    cursor: str | None


class Count(msgspec.Struct, frozen=True, rename="camel"):
    """How many results changed after the cursor (or how many changes they had), and the cursor of the newest change."""

    count: int = 0
    latest_cursor: str | None = None


class FeedEvent(msgspec.Struct, gc=False, rename="camel"):
    """One event as the feed sends it. Outside garbage collection, because there are many and none holds a cycle."""

    cursor: str | None = None
    response_uuid: str | None = None
    test_result_id: Any = None
    change_type: str | None = None
    changed_at: str | None = None


class Received(NamedTuple):
    """The events of one test in an answer, each once, in the server's order."""

    events: list[FeedEvent]
    arrived: int  # also those without a usable cursor


class _Edge(msgspec.Struct, gc=False):
    node: FeedEvent | None = None


class _Changes(msgspec.Struct):
    edges: list[_Edge | None] | None = None


class ChangeFeed:
    """Asks for many tests at once. An error concerns one test if the server says so, or else all of the request."""

    def __init__(self, *, transport: Transport, service: Service, url: str) -> None:
        """`url` is the GraphQL endpoint."""
        self._transport = transport
        self._service = service
        self._url = url
        self.left_out: Counter[str] = Counter()  # what cannot be used, by what it is

    def counts(self, asks: Sequence[Ask]) -> dict[Ask, Count | ApiError]:
        """Return how many results changed, for each ask; an ApiError for those that the feed does not answer."""
        return self._ask(COUNT, asks, Envelope[Count])

    def changes(self, asks: Sequence[Ask]) -> dict[Ask, Received | ApiError]:
        """Return the changes for each ask, in the server's order; an ApiError for those that it does not answer."""
        found = self._ask(CHANGES, asks, Envelope[_Changes])
        return {ask: got if isinstance(got, ApiError) else self._events(got) for ask, got in found.items()}

    def _events(self, changes: _Changes) -> Received:
        """Return the events that have a usable cursor. Empties its argument, to free memory as it goes."""
        edges, changes.edges = changes.edges or [], None
        edges.reverse()
        seen: set[str] = set()
        events, odd = [], 0
        while edges:
            edge = edges.pop()
            if edge is None or edge.node is None or not is_storable(edge.node.cursor):
                odd += 1
            elif edge.node.cursor not in seen:
                seen.add(edge.node.cursor)
                events.append(edge.node)
        if odd:
            self.left_out["events without a cursor"] += odd
            logger.warning("the change feed sent %d events without a usable cursor; they are left out", odd)
        return Received(events, len(events) + odd)  # an event that came twice counts once: a part may be repeated

    def _ask(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Ask, and once more for the tests that fail from their cursor: the fault may have passed by itself."""
        found = self._ask_or_split(field, asks, envelope)
        failing = [ask for ask, got in found.items() if isinstance(got, UnknownCursorError)]
        return found | self._ask_or_split(field, failing, envelope) if failing else found

    def _ask_or_split(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Ask in one request. If it fails as a whole, find out whether all tests fail or only one of them."""
        try:
            found = self.request(field, asks, envelope) if asks else {}
        except FeedDownError as error:
            return dict.fromkeys(asks, error)
        except RunEndsError as error:
            if error.setting != self._service.setting:
                raise  # it comes from the token endpoint of the Results API, or from the environment
            return dict.fromkeys(asks, FeedDownError(str(error)))
        except ApiError as error:
            if len(asks) == 1:
                return {asks[0]: FeedError(str(error)) if not isinstance(error, FeedError) else error}
            return self._split(field, asks, envelope)
        left = [ask for ask in asks if ask not in found]
        return found | self._ask_or_split(field, left, envelope) if left else found

    def _split(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Ask for two tests alone. If neither is to blame, the feed is down; or else ask for the rest by halves."""
        alone = {ask: self._ask_or_split(field, [ask], envelope)[ask] for ask in (asks[0], asks[-1])}
        if all(map(_may_concern_all, alone.values())):
            return dict.fromkeys(asks, FeedDownError(str(alone[asks[-1]])))
        rest = [ask for ask in asks if ask not in alone]
        middle = len(rest) // 2
        first, second = rest[:middle], rest[middle:]
        return alone | self._ask_or_split(field, first, envelope) | self._ask_or_split(field, second, envelope)

    def request(self, field: tuple[str, str], asks: Sequence[Ask], envelope: Any) -> dict[Ask, Any]:  # noqa: ANN401 - a type
        """Send one request; returns the answer or a FeedError for each ask, but not always for all of them.

        Raises an ApiError if the request fails as a whole.
        """
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
        body, errors, status = self._transport.send(call, lambda answer: self._read(answer, envelope))
        by_alias = {f"t{n}": ask for n, ask in enumerate(asks)}
        of_tests = {by_alias[error.alias]: error for error in reversed(errors) if error.alias in by_alias}
        of_request = next((error for error in errors if error.alias not in by_alias), None)
        for error in errors:
            if error.meaning == "unauthenticated" or (error.meaning == "forbidden" and error.alias not in by_alias):
                raise self._service.refused(self._excerpt(error))
        if of_request is not None and (status != OK or not body.data):
            raise FeedError(self._line(of_request))
        if not body.data and not of_tests:
            message = "the change feed sent no data"
            raise FeedError(message)
        if not body.data:  # a server may drop all data because one field is null
            return {ask: self._test_error(ask, error) for ask, error in of_tests.items()}
        if of_request is not None and None not in body.data.values():
            logger.warning("the change feed returned data and an error: %s", self._excerpt(of_request))
        found: dict[Ask, Any] = {}
        for alias, ask in by_alias.items():
            got = body.data.get(alias)
            if ask in of_tests or (alias in body.data and got is None):
                found[ask] = self._test_error(ask, of_tests.get(ask, of_request))
            else:
                found[ask] = got if got is not None else FeedError("the change feed returned nothing for this test")
        if len(found) > 1 and all(map(_may_concern_all, found.values())) and len(set(map(str, found.values()))) == 1:
            raise FeedDownError(str(found[asks[0]]))
        return found

    def _test_error(self, ask: Ask, error: GraphqlError | None) -> FeedError:
        """Return what an error means that concerns one test. None: its field is null, and no error says why."""
        error = error or GraphqlError(None, "", "null", "absent")
        line = self._line(error)
        if error.meaning in {"forbidden", "query"}:
            return FeedError(line)
        if ask.cursor is not None and not error.of_a_test:
            return UnknownCursorError(line)  # or the test is unknown: its whole log will tell
        if error.meaning == "absent":
            return UnknownTestError(f"the change feed does not know this test ({self._excerpt(error)})")
        return FeedError(line)

    def _line(self, error: GraphqlError) -> str:
        return f"the change feed returned an error: {self._excerpt(error)}"

    def _excerpt(self, error: GraphqlError) -> str:
        return self._transport.secrets.excerpt(error.text)

    def _read(self, answer: Answer, envelope: Any) -> tuple[Envelope[Any], list[GraphqlError], int]:  # noqa: ANN401 - a type
        body: Envelope[Any] = decode(answer, envelope, _mend)
        errors = errors_of(body, answer.status)
        self._obey_budget(body, errors, server_time(answer.headers, wall=self._transport.clock.wall()))
        return body, errors, answer.status

    def _obey_budget(self, body: Envelope[Any], errors: Sequence[GraphqlError], now: float) -> None:
        """Send nothing until the window ends if `extensions.ratelimit` has too little left for another request.

        `now`: epoch seconds by the server's clock. Raises ThrottledError if an error says that the limit is reached.
        """
        limits = body.limits
        left = _seconds_until(limits.get("window_reset"), now=now)
        if any(error.meaning == "throttled" for error in errors):
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


def _seconds_until(moment: object, *, now: float) -> float | None:
    """Return the seconds until an ISO 8601 time; None if it is past, far in the future or no time at all."""
    try:
        ends = datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() if isinstance(moment, str) else 0
    except (ValueError, OverflowError):
        return None
    return ends - now if 0 < ends - now <= MOST_NAMED else None


def _may_concern_all(got: object) -> bool:
    """Tell whether this is an error that does not blame its own test."""
    return isinstance(got, FeedError) and not isinstance(got, (UnknownTestError, UnknownCursorError))


def _mend(body: object) -> None:
    """Bring values to their documented types, in place: a number where a cursor or an id belongs becomes text."""
    data = body.get("data") if isinstance(body, dict) else None
    timeless = 0
    for answer in data.values() if isinstance(data, dict) else ():
        if not isinstance(answer, dict):
            continue
        answer["latestCursor"] = _as_text(answer.get("latestCursor"))
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
                node[name] = _as_text(node.get(name))
    if timeless:
        logger.warning(
            "the change feed sent %d events whose changedAt is not text; they count as events without a time", timeless
        )


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if type(value) in {int, float} else None
