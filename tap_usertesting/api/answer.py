"""One whole HTTP answer, and its body as JSON."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_usertesting.api.errors import MalformedError
from tap_usertesting.values.charset import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DEEPEST = 100  # levels of a JSON body; no documented body has more than ten


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from running inside: for JSON decoders, which recurse as deep as a body is nested.

    Up to Python 3.11 a decoder written in C may collect in its deepest call. What is collected there has no stack left
    to end on, and Python prints a traceback. A large body is also decoded faster without collections.
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
    body: bytes | bytearray  # never copied: an answer of the feed may be huge

    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Decode the body. NaN and Infinity are None. Raises MalformedError if it is not JSON, or nested too deeply."""
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
        """Return the body as text: as Unicode, because JSON must be that, or else in the charset that is declared."""
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
