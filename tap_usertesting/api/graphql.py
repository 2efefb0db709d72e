"""A GraphQL answer and what its errors mean. Pure.

The HTTP status, the code and the path of an error tell its meaning, never a single word of its message. But the feed's
vendor shows errors without a code. So a few messages count too, as whole phrases: the two that are documented, those
that say that a rate limit is used up, and those that say that a test does not exist.
"""

from __future__ import annotations

import json
import re
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from tap_usertesting.api.answer import Answer, uncollected
from tap_usertesting.api.errors import MalformedError
from tap_usertesting.values.conform import as_text

# unauthenticated: the token is refused. forbidden: the token may not see this. absent: there is no such object. query:
# the request is not valid. other: anything else, also bugs of the server.
Meaning: TypeAlias = Literal["unauthenticated", "forbidden", "throttled", "absent", "query", "other"]

OK, FORBIDDEN = 200, 403
READABLE = frozenset({400, FORBIDDEN})  # error statuses whose bodies hold GraphQL errors

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
    """The body of an answer. What says what went wrong may have any shape, under any of these names."""

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


class GraphqlError(NamedTuple):
    """One error of an answer."""

    alias: str | None  # the field that it concerns; None: the whole request
    code: str
    text: str  # may hold secrets
    meaning: Meaning

    @property
    def of_a_test(self) -> bool:
        """Whether the code says that a test does not exist; "not found" alone may mean a cursor too."""
        return _NO_SUCH_TEST.fullmatch(self.code) is not None


def decode(answer: Answer, envelope: type[Envelope[T]], mend: Any) -> Envelope[T]:  # noqa: ANN401 - a function of JSON
    """Return the body of an answer; an empty envelope for an error status without a GraphQL body.

    The strict decoder is fast. Where it fails, the lenient one takes lone surrogates and wrong scalar types, after
    `mend` has brought JSON of another shape to that of the envelope's `data`, in place. Raises MalformedError if the
    status is 200 and the body is no GraphQL answer.
    """
    try:
        with uncollected():
            return msgspec.json.decode(answer.body, type=envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            body = answer.json()
            mend(body)
            return msgspec.convert(body, envelope, strict=False)
        except (msgspec.ValidationError, ValueError, RecursionError, MalformedError) as error:
            # UnicodeEncodeError is a ValueError.
            if answer.status != OK:
                return envelope()
            message = "the body is not a GraphQL response"
            raise MalformedError(message) from error


def errors_of(body: Envelope[Any], status: int) -> list[GraphqlError]:
    """Return the errors of an answer. They may be objects or plain texts, in a list or alone."""
    errors = body.errors
    if not errors and (status != OK or not body.data):
        errors = body.message or body.detail or body.error
    if not errors:
        return [] if status == OK else [_parse({"message": f"HTTP {status}"}, status)]
    return [_parse(error, status) for error in (errors if isinstance(errors, list) else [errors])]


def _parse(error: object, status: int) -> GraphqlError:
    fields = error if isinstance(error, dict) else {"message": error}
    path, extensions = fields.get("path"), fields.get("extensions")
    alias = path[0] if isinstance(path, list) and path and isinstance(path[0], str) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    code = fields.get("code") if code is None else code
    code = re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]+", "_", str(code)).upper() if isinstance(code, (str, int)) else ""
    text = next((fields[key] for key in ("message", "detail", "error") if fields.get(key)), None)
    if text is None:
        text = code or ("an error without a message" if "message" in fields else json.dumps(error))
    text = as_text(text)
    return GraphqlError(alias, code, text, _meaning(code, text, whole=alias is None, status=status))


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
