"""A GraphQL answer and what its errors mean: by HTTP status, code and path, never by a single word of a message.

The feed's vendor shows errors without a code. So a few messages count too, as whole phrases: the two that are
documented, those that say that a rate limit is used up, and those that say of a test that it is not there.
"""

from __future__ import annotations

import json
import re
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from tap_usertesting.api.answer import Answer, uncollected
from tap_usertesting.api.errors import MalformedError

# unauthenticated: the token is refused. forbidden: it may not see this. absent: no such object. query: what was sent
# is no valid request. other: anything else, bugs of the server included.
Meaning: TypeAlias = Literal["unauthenticated", "forbidden", "throttled", "absent", "query", "other"]

OK, FORBIDDEN = 200, 403
READABLE = frozenset({400, FORBIDDEN})  # error statuses whose body holds GraphQL errors

_CODES: dict[str, Meaning] = {
    **dict.fromkeys(
        ("UNAUTHENTICATED", "NOT_AUTHENTICATED", "AUTH_NOT_AUTHENTICATED", "INVALID_TOKEN", "TOKEN_EXPIRED", "401"),
        "unauthenticated",
    ),
    **dict.fromkeys(
        ("FORBIDDEN", "UNAUTHORIZED", "AUTH_NOT_AUTHORIZED", "ACCESS_DENIED", "PERMISSION_DENIED", "403"), "forbidden"
    ),
    **dict.fromkeys(
        ("RATE_LIMITED", "RATE_LIMIT", "RATE_LIMIT_EXCEEDED", "THROTTLED", "TOO_MANY_REQUESTS", "429"), "throttled"
    ),
    **dict.fromkeys(("NOT_FOUND", "DOES_NOT_EXIST", "404"), "absent"),
}
_QUERY = re.compile(r"GRAPHQL_\w+|PERSISTED_QUERY_\w+|OPERATION_\w+")
_NO_SUCH_TEST = re.compile(r"UNKNOWN_\w*TEST|\w*TEST_(NOT_FOUND|DOES_NOT_EXIST|UNKNOWN)")

_BAD_TOKEN = re.compile(r"OAuth2 token expired or invalid\.?", re.IGNORECASE)
_SCOPES = re.compile(r"Missing required scopes: \(", re.IGNORECASE)
_OVER_LIMIT = re.compile(
    r"\brate[ -]limit (was |has been )?(exceeded|reached)|\brate[ -]limited\b|\brequest was throttled\b"
    r"|\btoo many requests\b",
    re.IGNORECASE,
)
_A_TEST = r"\b(user ?)?test( (with \w+ )?['\"]?[\w-]*\d[\w-]*['\"]?)?"
_NO_TEST = re.compile(
    rf"{_A_TEST} (matching query )?((does not|doesn't|no longer) exists?|(was |is |could )?not (be )?found)\b"
    rf"|{_A_TEST} is unknown\b|\b(no such|unknown) {_A_TEST}$|\bno {_A_TEST} (matches|exists|found)\b",
    re.IGNORECASE,
)

T = TypeVar("T")


class Envelope(msgspec.Struct, Generic[T]):
    """The body of an answer; whatever says what went wrong may have any shape."""

    data: dict[str, T | None] | None = None
    errors: Any = None
    extensions: Any = None
    message: Any = None
    detail: Any = None
    error: Any = None

    @property
    def limits(self) -> dict[str, Any]:
        """What `extensions.ratelimit` tells: `remaining` and `cost` (numbers), `window_reset` (ISO 8601)."""
        limits = self.extensions.get("ratelimit") if isinstance(self.extensions, dict) else None
        return limits if isinstance(limits, dict) else {}


class Fault(NamedTuple):
    """One error of an answer. `alias`: the field it concerns, None for the whole request; `text` may hold secrets."""

    alias: str | None
    code: str
    text: str
    meaning: Meaning

    @property
    def of_a_test(self) -> bool:
        """Whether the code names a test, and nothing else, as what is not there."""
        return _NO_SUCH_TEST.fullmatch(self.code) is not None


def decode(answer: Answer, envelope: type[Envelope[T]], odd: Any) -> Envelope[T]:  # noqa: ANN401 - a function of JSON
    """Return the body of an answer. `odd` brings JSON of another shape to that of the envelope's `data`, in place.

    The strict decoder is fast; where it fails the lenient one takes lone surrogates, wrong scalar types and what
    `odd` mends. An error status needs no body. Raises MalformedError for what is no GraphQL answer.
    """
    try:
        with uncollected():
            return msgspec.json.decode(answer.body, type=envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            body = answer.json()
            odd(body)
            return msgspec.convert(body, envelope, strict=False)
        except (msgspec.ValidationError, ValueError, RecursionError, MalformedError) as error:
            # UnicodeEncodeError is a ValueError.
            if answer.status != OK:
                return envelope()
            message = "the body is not a GraphQL answer"
            raise MalformedError(message) from error


def faults(body: Envelope[Any], status: int) -> list[Fault]:
    """Return the errors of an answer, whatever their shape: objects, plain texts, or one alone."""
    errors = body.errors
    if not errors and (status != OK or not body.data):
        errors = body.message or body.detail or body.error
    if not errors:
        return [] if status == OK else [_fault({"message": f"HTTP {status}"}, status)]
    return [_fault(error, status) for error in (errors if isinstance(errors, list) else [errors])]


def _fault(error: object, status: int) -> Fault:
    said = error if isinstance(error, dict) else {"message": error}
    path, extensions = said.get("path"), said.get("extensions")
    alias = path[0] if isinstance(path, list) and path and isinstance(path[0], str) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    code = said.get("code") if code is None else code
    code = re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]+", "_", str(code)).upper() if isinstance(code, (str, int)) else ""
    text = next((said[key] for key in ("message", "detail", "error") if said.get(key)), None)
    if text is None:
        text = code or ("an error without a message" if "message" in said else json.dumps(error))
    text = text if isinstance(text, str) else json.dumps(text)
    return Fault(alias, code, text, _meaning(code, text, whole=alias is None, status=status))


def _meaning(code: str, text: str, *, whole: bool, status: int) -> Meaning:
    if code:
        if _QUERY.fullmatch(code):
            return "query"
        return "absent" if _NO_SUCH_TEST.fullmatch(code) else _CODES.get(code, "other")
    if _BAD_TOKEN.fullmatch(text) or _SCOPES.match(text):
        return "unauthenticated"
    if _OVER_LIMIT.search(text):
        return "throttled"
    if whole and status == FORBIDDEN:
        return "forbidden"
    return "absent" if _NO_TEST.search(text) else "other"
