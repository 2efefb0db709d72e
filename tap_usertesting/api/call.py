"""What a call is made of: the API it goes to, the answer, and the hooks around waiting."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from tap_usertesting.api.errors import ApiError, BadRequestError, MalformedError
from tap_usertesting.values.charset import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_usertesting.api.auth import Auth
    from tap_usertesting.api.turns import Rank
    from tap_usertesting.api.windows import Windows


AUTHORIZATION, BARE = "Authorization", "token"  # the header of a token: as Bearer, or (v1, perhaps) bare
Reason: TypeAlias = Literal["quota", "retry"]
Kind: TypeAlias = Literal["list", "test", "session", "other"]  # what one answer is about
DEEPEST = 100  # levels of a JSON body; none that is documented has more than ten


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from running inside: for decoders, which go as deep as a body is nested.

    Up to Python 3.11 a decoder of C code may collect in its deepest call; whatever is collected there has no stack
    left to end on, and Python prints a traceback. A large body is also decoded faster so.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(frozen=True)
class Answer:
    """One whole HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray  # never copied: a feed answer may be huge

    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Decode the body; raises MalformedError when it is no JSON."""
        try:
            with uncollected():
                body = json.loads(self._json_text(), parse_constant=lambda _: None)
        except (ValueError, RecursionError) as error:
            message = "the body is not JSON"
            raise MalformedError(message) from error
        level = [body]
        for _ in range(DEEPEST):
            level = [inner for node in level for inner in _inside(node)]
            if not level:
                return body
        message = "the body is nested too deeply"
        raise MalformedError(message)

    def _json_text(self) -> str:
        """Return the body as text: JSON is Unicode of some kind, whatever is declared, unless it cannot be."""
        try:
            return self.body.decode(json.detect_encoding(self.body), "surrogatepass")
        except UnicodeDecodeError:
            text, replaced = decoded(self.body, self.headers.get("Content-Type"))
            if replaced:
                raise
            return text


def _inside(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


@dataclass
class Service:
    """One of the services that the tap calls: the Results API, the change feed or the token endpoint."""

    name: str
    setting: str  # the setting that holds its address, for error lines
    origin: str
    windows: Windows
    auth: Auth | None = None
    refused: Callable[[str], ApiError] = BadRequestError
    calls: int = 0  # sent so far


@dataclass(frozen=True)
class Wait:
    """Why and how long nothing is sent: `quota` (the window is used up) or `retry` (after a fault)."""

    seconds: float
    reason: Reason
    service: str
    detail: str = ""


@dataclass
class Hooks:
    """What happens around waiting; see the module's text."""

    before_call: Callable[[Service], None] = lambda _service: None
    before_wait: Callable[[Wait], None] = lambda _wait: None
    checkpoint: Callable[[], None] = lambda: None
    nap: Callable[[float], float] = lambda left: left  # of the seconds left of a wait, how many until it is asked again
    scarce: Callable[[Service], bool] = lambda _service: False  # whether calls are counted, whatever the quota
    rank: Callable[[Call], Rank] = lambda _call: ()  # how urgent a call is, where streams share a window


@dataclass
class Call:
    """One call as its client describes it; `label` names the endpoint in counts and log lines."""

    service: Service
    method: str
    url: str
    label: str
    params: Mapping[str, str | int] | None = None
    form: Mapping[str, str] | None = None
    payload: Mapping[str, Any] | None = None
    token_header: str = AUTHORIZATION
    readable: frozenset[int] = field(default_factory=frozenset)  # statuses beside 2xx that `read` handles
    bulk: int = 1  # how many times the usual bound its answer may be large
    kind: Kind = "other"
    api: str = ""  # of the service, an older one whose endpoints are taken to share a quota window

    @property
    def endpoint(self) -> str:
        """What may have a quota window of its own."""
        return self.api or self.label


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, the port always named: what a token may be sent to."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
