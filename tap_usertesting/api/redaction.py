"""What must not be read in any line of the log, whoever writes it: secret settings, tokens, keys in URLs.

Error lines of this package are blanked out where they are made. For all others (the SDK, requests, http.client, Python
itself, with their tracebacks) each log record is looked through when it is made, before any handler or formatter sees
it, so it does not matter how logging is set up, or when.
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
EXCERPT = 200  # characters of a server's message that an error line repeats
SHORTEST = 8  # characters; a shorter text could be any word, and in a URL's query a version or a flag
DEEPEST_CAUSE = 20  # exceptions that caused one another


class Secrets:
    """The secrets of one tap. They are forgotten with it."""

    def __init__(self) -> None:
        self._forms: dict[str, None] = {}  # longest first, as one may be a part of another
        _look_through_records(self)

    def __iter__(self) -> Iterator[str]:
        """Iterate over every form in which a secret may be written, longest first."""
        return iter(self._forms)

    def keep(self, text: str | None) -> None:
        """Have this text blanked out, also as JSON, forms, URLs and Python write it."""
        if not text or text in self._forms:  # asked before every call
            return
        escaped = json.dumps(text)[1:-1]
        safe = text.encode("utf-8", "replace").decode()
        forms = {text, quote(safe), quote(safe, safe=""), quote_plus(safe), escaped, escaped.replace("/", "\\/")}
        known = {*self._forms, *forms, repr(text)[1:-1]}
        self._forms = dict.fromkeys(sorted(known, key=len, reverse=True))

    def keep_url(self, url: object) -> None:
        """Keep the password and the keys of a URL, if it is one."""
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
            self.keep(parts.password)
        except ValueError:
            return
        for _, value in parse_qsl(parts.query):
            if len(value) >= SHORTEST:
                self.keep(value)

    def blank(self, text: str, *, shortest: int = 1) -> str:
        """Return the text without any secret of at least so many characters."""
        for secret in self._forms:
            if len(secret) >= shortest:
                text = text.replace(secret, BLANK)
        return text

    def blank_body(self, body: bytes | bytearray) -> bytes | bytearray:
        """Return the body of an answer without any secret that is long enough to be no word."""
        for secret in self._forms:
            if len(secret) >= SHORTEST and secret.encode() in body:
                body = body.replace(secret.encode(), BLANK.encode())
        return body

    def excerpt(self, text: str) -> str:
        """Return the text on one line, without any secret, at most EXCERPT characters."""
        text = self.blank(text)
        text = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
        return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def log_crashes(report: Callable[[type[BaseException], BaseException, TracebackType | None], None]) -> None:
    """Have warnings logged, and errors that nobody catches, in any thread, reported by a function that logs them."""

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, SystemExit):
            report(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)

    logging.captureWarnings(capture=True)
    sys.excepthook = report
    threading.excepthook = in_thread


class _RecordFactory:
    """Makes log records without secrets. One for all taps of a process, as the log is one."""

    def __init__(self, inner: Callable[..., logging.LogRecord]) -> None:
        self._inner = inner
        self.taps: tuple[weakref.ref[Secrets], ...] = ()  # replaced, never changed: other threads walk through it

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging gives them
        record = self._inner(*args, **kwargs)
        for secrets in [found for tap in self.taps if (found := tap()) is not None]:
            _censor(record, secrets)
        return record

    def forget(self, tap: weakref.ref[Secrets]) -> None:
        self.taps = tuple(known for known in self.taps if known is not tap)


def _look_through_records(secrets: Secrets) -> None:
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _RecordFactory):
        factory = _RecordFactory(factory)
        logging.setLogRecordFactory(factory)
    factory.taps = (*factory.taps, weakref.ref(secrets, factory.forget))


def _censor(record: logging.LogRecord, secrets: Secrets) -> None:
    """Blank out secrets in a record; one without any is not changed."""

    def blank(text: str) -> str:
        return secrets.blank(text, shortest=SHORTEST)

    try:
        said = record.getMessage()
    except Exception:  # noqa: BLE001 - logging would print what does not fit together
        said = f"{record.msg} {record.args}"
    if (clean := blank(said)) != said:
        record.msg, record.args = clean, None
    if record.stack_info:
        record.stack_info = blank(record.stack_info)
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        if blank(told) != told:
            stand_in = _stand_in(error, blank)
            record.exc_info = (type(stand_in), stand_in, error.__traceback__)


def _stand_in(error: BaseException, blank: Callable[[str], str], depth: int = 0) -> BaseException:
    """Return an exception that reads like this one and those that caused it, without secrets.

    Formatters take an exception's text from itself, so a traceback that is blanked out would not be enough.
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
