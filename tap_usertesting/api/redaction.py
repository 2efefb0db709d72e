"""Keep secrets out of the log: secret settings, tokens, and keys in URLs.

The error lines of this package blank them out themselves. The SDK, requests, http.client and Python itself do not, nor
do their tracebacks. So each log record is searched when it is made, before any handler or formatter sees it: then it
does not matter how logging is set up, or when.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

BLANK = "***"
WITHHELD, OF_SCOPE = "(server message withheld)", "(server message about a scope withheld)"
EXCERPT = 200  # characters of a server's message that an error line repeats at most
SHORTEST = 8  # characters; a shorter secret could be any word, or a version or a flag in the query of a URL
DEEPEST_CAUSE = 20  # exceptions, each the cause of the one before


class Secrets:
    """The secrets of one tap. Log records are searched for them as long as this object lives."""

    def __init__(self) -> None:
        self._forms: dict[str, None] = {}  # the longest first, because one may be a part of another
        self.withholds_words = False  # whether lines for a person repeat nothing that a server says
        _search_records(self)

    def __iter__(self) -> Iterator[str]:
        """Iterate over every form in which a secret may be written, the longest first."""
        return iter(self._forms)

    def keep(self, text: str | None) -> None:
        """Blank this text out from now on, also in the forms in which JSON, URLs and Python write it."""
        if not text or text in self._forms:  # a token is given before every call
            return
        escaped = json.dumps(text)[1:-1]
        safe = text.encode("utf-8", "replace").decode()
        forms = {text, quote(safe), quote(safe, safe=""), quote_plus(safe), escaped, escaped.replace("/", "\\/")}
        known = {*self._forms, *forms, repr(text)[1:-1]}
        self._forms = dict.fromkeys(sorted(known, key=len, reverse=True))

    def keep_url(self, url: object) -> None:
        """Blank out the password of a URL, and the longer values of its query. What is no URL is ignored."""
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
            self.keep(parts.password)
        except ValueError:
            return
        for _, value in parse_qsl(parts.query):
            if len(value) >= SHORTEST:
                self.keep(value)

    def blank(self, text: str, *, shortest: int = 1) -> str:
        """Return the text without the secrets that have at least so many characters."""
        for secret in self._forms:
            if len(secret) >= shortest:
                text = text.replace(secret, BLANK)
        return text

    def blank_body(self, body: bytes | bytearray) -> bytes | bytearray:
        """Return the body of an answer without the secrets that have at least SHORTEST characters."""
        for secret in self._forms:
            if len(secret) >= SHORTEST and secret.encode() in body:
                body = body.replace(secret.encode(), BLANK.encode())
        return body

    def excerpt(self, text: str) -> str:
        """Return a server's text on one line, without secrets and with at most EXCERPT characters."""
        if self.withholds_words:
            return OF_SCOPE if "scope" in text.lower() else WITHHELD
        text = self.blank(text)
        text = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
        return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def log_crashes(report: Callable[[type[BaseException], BaseException, TracebackType | None], None]) -> None:
    """Log warnings, and give uncaught exceptions of all threads to `report`, which must log them.

    Python would print both, past the log and its records.
    """

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, SystemExit):
            report(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)

    logging.captureWarnings(capture=True)
    sys.excepthook = report
    threading.excepthook = in_thread


class _RecordFactory:
    """Makes log records without secrets. There is one for all taps of a process, because they share one log."""

    def __init__(self, inner: Callable[..., logging.LogRecord]) -> None:
        self._inner = inner
        self.taps: tuple[weakref.ref[Secrets], ...] = ()  # replaced and never changed: other threads iterate over it

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging gives them
        record = self._inner(*args, **kwargs)
        for secrets in [found for tap in self.taps if (found := tap()) is not None]:
            _censor(record, secrets)
        return record

    def forget(self, tap: weakref.ref[Secrets]) -> None:
        self.taps = tuple(known for known in self.taps if known is not tap)


def _search_records(secrets: Secrets) -> None:
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _RecordFactory):
        factory = _RecordFactory(factory)
        logging.setLogRecordFactory(factory)
    factory.taps = (*factory.taps, weakref.ref(secrets, factory.forget))


def _censor(record: logging.LogRecord, secrets: Secrets) -> None:
    """Blank out secrets in a record. A record without any is not changed."""

    def blank(text: str) -> str:
        return secrets.blank(text, shortest=SHORTEST)

    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - message and arguments do not fit, and logging would print both
        message = f"{record.msg} {record.args}"
    if (clean := blank(message)) != message:
        record.msg, record.args = clean, None
    if record.stack_info:
        record.stack_info = blank(record.stack_info)
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        if blank(text) != text:
            stand_in = _stand_in(error, blank)
            record.exc_info = (type(stand_in), stand_in, error.__traceback__)


def _stand_in(error: BaseException, blank: Callable[[str], str], depth: int = 0) -> BaseException:
    """Return an exception that reads like this one, with its causes, but has no secrets.

    A formatter takes the text from the exception itself, so blanking out a formatted traceback would not be enough.
    """
    kind = type(error)
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    copy: BaseException = type(kind.__name__, (Exception,), names)(blank(str(error)))
    copy.__traceback__ = error.__traceback__
    for note in getattr(error, "__notes__", ()):
        copy.__notes__ = [*getattr(copy, "__notes__", ()), blank(str(note))]  # type: ignore[attr-defined, unused-ignore]
    if depth < DEEPEST_CAUSE:
        if error.__cause__ is not None:
            copy.__cause__ = _stand_in(error.__cause__, blank, depth + 1)
        elif error.__context__ is not None:
            copy.__context__ = _stand_in(error.__context__, blank, depth + 1)
    copy.__suppress_context__ = error.__suppress_context__
    return copy
