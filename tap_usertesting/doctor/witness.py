"""Keeps every answer that the clients get, and what may be said of it: status, header names, shape, quota."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.call import BARE
from tap_usertesting.api.error_messages import error_message
from tap_usertesting.api.errors import MalformedError
from tap_usertesting.api.rate_headers import PREFIXES, RateHeaders
from tap_usertesting.doctor.shapes import Shape, bucket
from tap_usertesting.doctor.vocabulary import Namer

if TYPE_CHECKING:
    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Call
    from tap_usertesting.api.clock import Clock

OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 200, 401, 403, 404, 429
ERROR_FROM = 400
LEGACY = frozenset({"workspaces", "studies"})
TOKEN, FEED = "token", "feed"
LARGEST_SHOWN = 4 << 20  # bytes of a body whose shape is taken


@dataclass
class Seen:
    """One answer. `body`: the JSON in it, None if there is none; it never leaves the doctor."""

    label: str
    status: int
    body: Any
    at: float  # monotonic seconds
    rates: RateHeaders
    bare: bool  # whether the token was sent in the header `token`
    explained: bool  # whether it is an error whose message can be read

    @property
    def is_results(self) -> bool:
        """Whether the call counts against the quota of the Results API, v2 and v3."""
        return self.label not in {TOKEN, FEED, *LEGACY}


@dataclass
class Endpoint:
    """What a report says of one endpoint."""

    statuses: Counter[int] = field(default_factory=Counter)
    headers: Counter[str] = field(default_factory=Counter)
    shapes: dict[str, Shape] = field(default_factory=dict)  # of JSON, by `ok` and `error`
    others: Counter[str] = field(default_factory=Counter)  # bodies that are no JSON


class Witness:
    """Is told of every answer, before a client reads it."""

    def __init__(self, *, clock: Clock) -> None:
        """See nothing yet."""
        self._clock = clock
        self._namer = Namer()
        self.seen: list[Seen] = []
        self.endpoints: dict[str, Endpoint] = {}
        self.limit_headers: set[str] = set()

    def note(self, call: Call, answer: Answer) -> None:
        """Take in one answer."""
        body, kind = _body(answer)
        failed = answer.status >= ERROR_FROM
        rates = RateHeaders.parse(answer.headers, wall=self._clock.wall())
        seen = Seen(
            label=call.label,
            status=answer.status,
            body=body,
            at=self._clock.monotonic(),
            rates=rates,
            bare=call.token_header == BARE,
            explained=failed and bool(error_message(body)),
        )
        self.seen.append(seen)
        endpoint = self.endpoints.setdefault(call.label, Endpoint())
        endpoint.statuses[answer.status] += 1
        names = {name.lower() for name in answer.headers}
        endpoint.headers.update({self._namer.header(name) for name in names})
        if seen.is_results:
            self.limit_headers |= {name for name in names if name.startswith(PREFIXES) or name == "retry-after"}
        if kind == "JSON":
            endpoint.shapes.setdefault("error" if failed else "ok", Shape()).add(body, self._namer)
        else:
            endpoint.others[kind] += 1

    def of(self, *labels: str) -> list[Seen]:
        """Return the answers of some endpoints, in their order."""
        return [one for one in self.seen if one.label in labels]

    @property
    def results(self) -> list[Seen]:
        """The answers of the Results API, v2 and v3, in their order."""
        return [one for one in self.seen if one.is_results]

    def names_of_limits(self) -> list[str]:
        """Return the names of the headers that tell the quota, as a report may show them."""
        return sorted({self._namer.header(name) for name in self.limit_headers})


def _body(answer: Answer) -> tuple[Any, str]:
    """Return the JSON of an answer and what its body is, in one word or a few."""
    if len(answer.body) > LARGEST_SHOWN:
        return None, "over 4 MB"
    start = bytes(answer.body[:64]).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return None, "empty"
    try:
        return answer.json(), "JSON"
    except MalformedError:
        if start.startswith(b"webvtt"):
            return None, f"WebVTT of {bucket(len(answer.body))} bytes"
        return None, f"{'HTML' if start.startswith(b'<') else 'text'} of {bucket(len(answer.body))} bytes"
