"""Sends calls to both APIs and tries them again: the one way to the network, with no Singer in it.

`waiting` knows when a call may be sent, `exchange` sends it once. A sync hangs its hooks on `waiting`: there a run is
told to write STATE, to say why it waits, and to stop if a signal came.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import backoff
import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from tap_usertesting.api import connection_faults
from tap_usertesting.api.answer import Answer
from tap_usertesting.api.call_errors import cause, last_fault, status_error, status_text
from tap_usertesting.api.clock import Clock
from tap_usertesting.api.errors import BusyError, MalformedError, NotFoundError, ServerFaultError, ThrottledError
from tap_usertesting.api.exchange import LARGEST_BODY, Exchange
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.api.redaction import Secrets
from tap_usertesting.api.turns import Turns
from tap_usertesting.api.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.call import Call, Kind
    from tap_usertesting.api.http_session import ApiSession

T = TypeVar("T")
logger = logging.getLogger("tap-usertesting.api")

FIRST_RETRY = 0.5  # seconds, doubled with each further fault, with full jitter
LONGEST_RETRY = 30.0  # seconds
MOST_REFUSALS = 100  # 429s of one call in a row: more than an hour and a half of full windows
ASKED_LATER = frozenset({401, 403})  # statuses that are retried if the server names a wait
UNAUTHORIZED, TOO_MANY = 401, 429
QUICK_TRIES, QUICK_CONNECT = 2, 5.0  # seconds


class _Exchanged(NamedTuple):
    """A call that was answered."""

    answer: Answer
    rates: RateHeaders
    token: str  # that it was sent with


class Transport:
    """Sends calls, one at a time for each thread, and returns what their readers make of the answers."""

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: float,
        max_retries: int,
        largest_body: int = LARGEST_BODY,
        clock: Clock | None = None,
        session: ApiSession | None = None,
        turns: Turns | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        """Open the session. Each call has `max_retries` tries.

        `timeout`: seconds, of a connection and of each read; `largest_body`: bytes; `turns`: the streams that run
        meanwhile.
        """
        self.clock = clock or Clock()
        self.secrets = secrets or Secrets()
        self.calls: Counter[str] = Counter()  # by label; and under "429" the refusals, in whatever form they came
        self.kinds: Counter[Kind] = Counter()  # calls
        self.not_found: Counter[str] = Counter()  # answers with 404, by label
        self.retries = 0
        self.exchange = Exchange(
            user_agent=user_agent, timeout=timeout, largest_body=largest_body, clock=self.clock, session=session
        )
        self.waiting = Waiting(clock=self.clock, turns=turns or Turns(clock=self.clock), secrets=self.secrets)
        self._tries = max(1, max_retries)

    def be_quick(self) -> None:
        """Give up after two tries from now on, and after a few seconds without a connection: a person watches."""
        self._tries = min(QUICK_TRIES, self._tries)
        self.exchange.connect_timeout = min(QUICK_CONNECT, self.exchange.connect_timeout)

    def send(self, call: Call, read: Callable[[Answer], T]) -> T:
        """Send one call until it is answered and return `read(answer)`.

        A wait for quota is no try. A 401 renews the token once. A fault (5xx, reset, timeout, cut body, MalformedError
        from `read`) is retried until there were `max_retries` tries, after the wait that the server asks for, or else
        after a random one that grows. A 401 or a 403 is retried in the same way if the server names a wait.

        Raises RunEndsError, ServerFaultError, NotFoundError, BadRequestError, and what `Service.refused` makes of a
        token that is refused.
        """
        delays = backoff.expo(factor=FIRST_RETRY, max_value=LONGEST_RETRY)  # type: ignore[arg-type, unused-ignore]  # int in old stubs
        next(delays)
        failures = refusals = 0
        renewed = False
        while True:
            try:
                answer, rates, token = self._send_once(call)
                if answer.status == TOO_MANY:
                    refusals = self._wait_after_refusal(call, rates, refusals)
                    continue
                auth = call.service.auth if answer.status == UNAUTHORIZED else None
                later = answer.status in ASKED_LATER and rates.retry_after is not None and failures + 1 < self._tries
                if auth is not None and not renewed and auth.renew(token):
                    renewed = True
                    if not later:
                        continue
                if later:
                    raise BusyError(status_text(answer, self.secrets), rates.retry_after)
                if auth is not None:
                    raise call.service.refused(status_text(answer, self.secrets))
                self._check_status(call, answer, rates)
                return read(answer)
            except ThrottledError as throttled:
                refusals = self._wait_after_refusal(call, RateHeaders(retry_after=throttled.seconds), refusals)
            except (requests.RequestException, Urllib3Error, MalformedError) as fault:
                failures += 1
                if connection_faults.is_final(fault) or failures >= self._tries:
                    raise last_fault(call, fault, tries=failures, secrets=self.secrets) from fault
                self._wait_after_fault(call, fault, failures, next(delays))

    def _send_once(self, call: Call) -> _Exchanged:
        """Wait until the call may be sent, send it once, and let its service's windows learn from the answer."""
        service = call.service
        token = self.waiting.until_due(call)
        self.calls[call.label] += 1
        self.kinds[call.kind] += 1
        service.calls += 1
        ticket = service.windows.sent(call.endpoint)
        rates = RateHeaders()
        try:
            with self.waiting.on_the_wire():
                answer = self.exchange.send(call, token)
            rates = RateHeaders.parse(answer.headers, wall=self.clock.wall())
        finally:
            service.windows.answered(ticket, rates)
        logger.debug("%s: %s %d bytes", call.where, answer.status, len(answer.body))
        if service.auth is not None:  # a server that echoes a token must not get it into records, STATE or the log
            answer = Answer(answer.status, answer.headers, self.secrets.blank_body(answer.body))
        self.waiting.hooks.after_answer(call, answer)
        return _Exchanged(answer, rates, token)

    def _check_status(self, call: Call, answer: Answer, rates: RateHeaders) -> None:
        error = status_error(call, answer, retry_after=rates.retry_after, secrets=self.secrets)
        if isinstance(error, NotFoundError):
            self.not_found[call.label] += 1
        if error is not None:
            raise error

    def _wait_after_fault(self, call: Call, fault: Exception, failures: int, most: float) -> None:
        """Wait before the next try, as long as the server asks for, or else up to `most` seconds."""
        asked = fault.seconds if isinstance(fault, BusyError) else None
        asks = ""
        if asked is None:
            seconds = self.clock.jitter(most)
        else:
            seconds = self.waiting.bearable(call, call.service.windows.believed(asked))
            asks = f"; the server asks to wait {asked:.0f} s"
        why, then = cause(fault, self.secrets), f"try {failures + 1} of {self._tries} in {seconds:.1f} s"
        logger.info("%s: %s%s; %s", call.where, why, asks, then)
        self.retries += 1
        self.waiting.before_retry(call, seconds)

    def _wait_after_refusal(self, call: Call, rates: RateHeaders, refusals: int) -> int:
        """Hold all calls of the window after a 429; returns how many refusals this call has had in a row.

        The wait itself comes before the next try, in `Waiting.until_due`.
        """
        self.calls["429"] += 1
        if refusals + 1 >= MOST_REFUSALS:
            raise ServerFaultError(f"{call.where}: over the quota {MOST_REFUSALS} times in a row")
        seconds = self.waiting.bearable(call, call.service.windows.refused(call.endpoint, rates))
        asks = "names no wait time" if rates.asked is None else f"asks to wait {rates.asked:.0f} s"
        then = "" if rates.asked == seconds else f"; next try in {seconds:.0f} s"
        logger.info("%s: over the quota; the server %s%s", call.where, asks, then)
        return refusals + 1
