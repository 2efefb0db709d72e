"""The one HTTP session: quota, token, retries, timeouts, errors by meaning. All waiting and all I/O is here.

It knows no Singer. Whoever builds it hangs hooks on it: `before_wait` (write STATE, say why it waits) and
`checkpoint` (stop here if a signal came). Where streams run side by side this is where others get their turn; where
there is one thread, `idle` is true while it waits or is on the wire: only then may a termination handler end the
process at once.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar

import backoff
import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError as Urllib3Error

from tap_usertesting.api import connection_faults
from tap_usertesting.api.answer import Answer
from tap_usertesting.api.call import AUTHORIZATION, Call, origin_of
from tap_usertesting.api.certificates_and_proxies import authorities_variable, proxy_variable
from tap_usertesting.api.clock import Clock
from tap_usertesting.api.error_messages import error_message
from tap_usertesting.api.errors import (
    ApiError,
    BadRequestError,
    BusyError,
    LongWaitError,
    MalformedError,
    NotFoundError,
    ServerFaultError,
    SetupError,
    ThrottledError,
    UnreachableError,
)
from tap_usertesting.api.hooks import Hooks, Reason, Wait
from tap_usertesting.api.quota_learned import LONGEST_WAIT
from tap_usertesting.api.rate_headers import RateHeaders
from tap_usertesting.api.redaction import SHORTEST, Secrets
from tap_usertesting.api.session import SLOWEST, ApiSession
from tap_usertesting.api.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.call import Kind

T = TypeVar("T")
logger = logging.getLogger("tap-usertesting.api")

ANNOUNCED = 0.01  # seconds by which a wait may turn out longer and still be the one that was announced
FIRST_RETRY = 0.5  # seconds, doubled with each further fault, with full jitter
LONGEST_RETRY = 30.0
CHUNK = 1 << 16
MOST_REFUSALS = 100  # 429s of one call in a row: over an hour and a half of full windows
# Bytes, some thirty times that in Python; a page of 500 sessions has 125 kB, an hour's transcript 200 kB.
LARGEST_BODY = 8 << 20
LARGEST_ERROR = 1 << 20  # bytes of an answer that says what went wrong
EXCERPT = 200  # characters of a server's message that an error line repeats
RETRIED = frozenset({408, 421, 425, 500, 502, 503, 504})
ASKED_LATER = frozenset({401, 403})  # retried if the server says when
OK_FROM, REDIRECT_FROM, CLIENT_ERROR_FROM = 200, 300, 400
UNAUTHORIZED, NOT_FOUND, TOO_MANY = 401, 404, 429
QUICK_TRIES, QUICK_CONNECT = 2, 5.0  # seconds


class _Header(AuthBase):
    """Sets the token. Given as `auth`, it also keeps requests from taking a password out of ~/.netrc."""

    def __init__(self, name: str | None, value: str) -> None:
        self._name, self._value = name, value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._name is not None:
            request.headers[self._name] = self._value
        return request


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
        """Open the session. `max_retries` tries per call.

        `timeout` in seconds, per connection and read; `largest_body` in bytes; `turns`: who else may run meanwhile.
        """
        self.largest_body = largest_body
        self.hooks = Hooks()
        self.idle = False
        self.calls: Counter[str] = Counter()  # by endpoint, as the next; and 429, however it was said
        self.kinds: Counter[Kind] = Counter()
        self.not_found: Counter[str] = Counter()
        self.retries = 0
        self.waited: defaultdict[str, float] = defaultdict(float)  # seconds, by reason
        self._counted = 0.0  # up to when `waited` counts: streams wait together
        self.clock = clock or Clock()
        self._turns = turns or Turns(clock=self.clock)
        self.secrets = secrets or Secrets()
        self._timeout = self._connect = timeout
        self._tries = max(1, max_retries)
        self._session = session or ApiSession()
        self._session.headers["User-Agent"] = user_agent
        # It writes whole URLs, and headers that a server sent; our own lines say what is needed.
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def be_quick(self) -> None:
        """From now on give up after two tries, and a connection after seconds: someone watches."""
        self._tries, self._connect = min(QUICK_TRIES, self._tries), min(QUICK_CONNECT, self._timeout)

    def redact(self, text: str) -> str:
        """Return the text on one line, without any secret, at most EXCERPT characters."""
        text = self.secrets.blank(text)
        text = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
        return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"

    def send(self, call: Call, read: Callable[[Answer], T]) -> T:
        """Send one call until it is answered and return `read(answer)`.

        Waiting for quota never counts as a try; a 401 renews the token once; a fault (5xx, reset, timeout,
        cut body, MalformedError from `read`) is retried, `max_retries` tries in all, after the wait that the server
        asks for, else with backoff and jitter. So are a 401 and a 403 with which the server asks to wait.

        Raises: RunEndsError, ServerFaultError, NotFoundError, BadRequestError, or what the service raises when
        its token is refused.
        """
        delays = backoff.expo(factor=FIRST_RETRY, max_value=LONGEST_RETRY)  # type: ignore[arg-type, unused-ignore]  # int in old stubs
        next(delays)
        failures = refusals = 0
        renewed = False
        while True:
            try:
                answer, token = self._once(call)
                rates = self._rates(answer)
                if answer.status == TOO_MANY:
                    refusals = self._throttled(call, rates, refusals)
                    continue
                unauthorized = answer.status == UNAUTHORIZED and call.service.auth is not None
                later = answer.status in ASKED_LATER and rates.retry_after is not None and failures + 1 < self._tries
                if unauthorized and not renewed and call.service.auth is not None and call.service.auth.renew(token):
                    renewed = True
                    if not later:
                        continue
                if later:
                    raise BusyError(self._said(answer), rates.retry_after)
                if unauthorized:
                    raise call.service.refused(self._said(answer))
                self._raise_for_status(call, answer)
                return read(answer)
            except ThrottledError as throttled:
                refusals = self._throttled(call, RateHeaders(retry_after=throttled.seconds), refusals)
            except (requests.RequestException, Urllib3Error, MalformedError) as fault:
                failures += 1
                if connection_faults.is_final(fault) or failures >= self._tries:
                    raise self._given_up(call, fault, failures) from fault
                self._wait_after(call, fault, failures, next(delays))

    def _wait_after(self, call: Call, fault: Exception, failures: int, most: float) -> None:
        """Wait before the next try, as long as the server asks for, else up to `most` seconds."""
        asked = fault.seconds if isinstance(fault, BusyError) else None
        words = ""
        if asked is None:
            seconds = self.clock.jitter(most)
        else:
            seconds = self._bearable(call, call.service.windows.believed(asked))
            words = f"; the server asks for {asked:.0f} s"
        logger.info(
            "%s, %s: %s%s; try %d of %d in %.1f s",
            call.service.name,
            call.label,
            self._why(fault),
            words,
            failures + 1,
            self._tries,
            seconds,
        )
        self.retries += 1
        self._pause(Wait(seconds, "retry", call.service.name))

    def _once(self, call: Call) -> tuple[Answer, str]:
        """Wait for quota, then send the call once; returns the answer and the token it was sent with."""
        service = call.service
        token = self._token_when_due(call)
        header = None if service.auth is None else call.token_header
        value = f"Bearer {token}" if header == AUTHORIZATION else token
        self.calls[call.label] += 1
        self.kinds[call.kind] += 1
        service.calls += 1
        ticket = service.windows.sent(call.endpoint)
        rates = RateHeaders()
        self.idle = True
        try:
            self.hooks.checkpoint()  # a signal that came before `idle` only left a flag
            with self._turns.released():
                answer = self._exchange(call, _Header(header, value))
            rates = self._rates(answer)
        finally:
            self.idle = False
            service.windows.answered(ticket, rates)
        logger.debug("%s, %s: %s %d bytes", service.name, call.label, answer.status, len(answer.body))
        return (self._without_secrets(answer) if service.auth is not None else answer), token

    def _token_when_due(self, call: Call) -> str:
        """Wait until the call may be sent; returns the token for it.

        Whatever lets others run, a wait or a new token, begins it all anew: they may have called meanwhile.
        """
        service, announced = call.service, 0.0
        while True:
            self.hooks.before_call(service)
            window = service.windows.of(call.endpoint)
            self._turns.want(window, self.hooks.rank(call))
            if (seconds := self._bearable(call, service.windows.wait(call.endpoint))) > 0:
                ends = self.clock.monotonic() + seconds
                if ends > announced + ANNOUNCED:
                    self.hooks.before_wait(Wait(seconds, "quota", service.name))
                    announced = ends
                self._nap(seconds, "quota")
            elif (seconds := self._turns.wait(window, scarce=self.hooks.scarce(service))) > 0:
                self._turns.sleep(seconds)
            elif service.auth is None:
                return ""
            else:
                if origin_of(call.url) != service.origin:
                    message = f"{service.name}: a token is never sent to another host than that of {service.setting}"
                    raise BadRequestError(message)
                calls = service.calls
                token = service.auth.token()  # after the wait, during which the old one may have ended
                self.secrets.keep(token)
                if service.calls == calls:
                    return token

    def _exchange(self, call: Call, auth: AuthBase) -> Answer:
        deadline = self.clock.monotonic() + SLOWEST * self._timeout
        try:
            opened = self._session.request(
                call.method,
                call.url,
                params=call.params,
                data=call.form,
                json=call.payload,
                auth=auth,
                timeout=(self._connect, self._timeout),
                allow_redirects=False,
                stream=True,
            )
        except ValueError as error:  # of requests, urllib3 and http.client alike: what it was given cannot be sent
            raise SetupError(self._unsendable(call, error)) from None  # its text may hold the token
        with opened as response:
            body = bytearray()
            failed = response.status_code >= CLIENT_ERROR_FROM
            largest = min(self.largest_body, LARGEST_ERROR) if failed else self.largest_body * call.bulk
            # What has arrived so far, unlike `iter_content`, which waits for a full chunk however slowly it drips.
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > largest:
                    hint = "" if failed else "; if it is right, set max_body_mb higher"
                    message = f"{call.service.name}, {call.label}: a body of over {largest >> 20} MB{hint}"
                    raise BadRequestError(message)
                if self.clock.monotonic() > deadline:
                    message = "the body drips too slowly"
                    raise requests.Timeout(message)
            return Answer(response.status_code, response.headers, body)

    def _without_secrets(self, answer: Answer) -> Answer:
        """Blank out what is secret: a server that echoes a token must not get it into records, state or the log."""
        body = answer.body
        for secret in self.secrets:
            if len(secret) >= SHORTEST and secret.encode() in body:
                body = body.replace(secret.encode(), b"***")
        return Answer(answer.status, answer.headers, body)

    def _rates(self, answer: Answer) -> RateHeaders:
        return RateHeaders.parse(answer.headers, wall=self.clock.wall())

    def _raise_for_status(self, call: Call, answer: Answer) -> None:
        status = answer.status
        if OK_FROM <= status < REDIRECT_FROM or status in call.readable:
            return
        where = f"{call.service.name}, {call.label}"
        if status == NOT_FOUND:
            self.not_found[call.label] += 1
            raise NotFoundError(f"{where}: {self._said(answer)}")
        if status in RETRIED or status >= max(RETRIED):
            message = self._said(answer)
            raise BusyError(message, self._rates(answer).retry_after)
        if REDIRECT_FROM <= status < CLIENT_ERROR_FROM:
            setting = call.service.setting
            message = f"{where}: {setting} answers with a redirect, which is never followed; set its final address"
            raise BadRequestError(message)
        raise BadRequestError(f"{where}: {self._said(answer)}")

    def _said(self, answer: Answer) -> str:
        """Return status and message of an error answer: JSON of any of the known shapes, else no text."""
        try:
            body = answer.json()
        except MalformedError:
            return f"HTTP {answer.status}"
        words = error_message(body)
        return f"HTTP {answer.status}" + (f": {self.redact(words)}" if words else "")

    def _why(self, fault: Exception) -> str:
        """Return a fault's cause in a few words; never its text, which may hold a URL with a secret."""
        return self.redact(str(fault)) if isinstance(fault, MalformedError) else connection_faults.cause(fault)

    def _unsendable(self, call: Call, error: ValueError) -> str:
        """Return which setting makes a request impossible."""
        name = call.service.name
        of_header = isinstance(error, (requests.exceptions.InvalidHeader, UnicodeEncodeError))
        if not of_header and isinstance(error, (requests.RequestException, Urllib3Error, UnicodeError)):
            return (
                f"{name}: {call.service.setting} is no address that can be asked ({type(error).__name__}); correct it"
            )
        agent = str(self._session.headers["User-Agent"])
        token = "feed_access_token" if call.service.setting == "feed_url" else "access_token"
        setting = token if agent.isascii() and agent.isprintable() else "user_agent"
        return f"{name}: {setting} has a character that cannot stand in a header; correct it"

    def _given_up(self, call: Call, fault: Exception, tries: int) -> ApiError:
        service, why = call.service, self._why(fault)
        tried = f"{tries} tries" if tries > 1 else "one try"
        if not connection_faults.never_connected(fault):
            return ServerFaultError(f"{service.name}, {call.label}: {why} ({tried})")
        proxy = proxy_variable(call.url) if isinstance(fault, requests.exceptions.ProxyError) else None
        if proxy is not None and connection_faults.is_final(fault):
            return SetupError(f"{service.name}: {why}; check user name and password in {proxy}")
        advice = connection_faults.advice(fault, setting=service.setting, authorities=authorities_variable())
        advice = f"check {proxy} and {service.setting}" if proxy is not None else advice
        return UnreachableError(
            f"{service.name}: {service.origin} can not be reached ({why}, {tried}); {advice}", setting=service.setting
        )

    def _throttled(self, call: Call, rates: RateHeaders, refusals: int) -> int:
        """Count one more refusal in a row, and hold all calls; returns how many there were."""
        self.calls["429"] += 1
        where = f"{call.service.name}, {call.label}"
        if refusals + 1 >= MOST_REFUSALS:
            raise ServerFaultError(f"{where}: over the quota {MOST_REFUSALS} times in a row")
        seconds = self._bearable(call, call.service.windows.refused(call.endpoint, rates))
        asks = "names no wait" if rates.asked is None else f"asks for {rates.asked:.0f} s"
        then = "" if rates.asked == seconds else f", and is asked again in {seconds:.0f} s"
        logger.info("%s: over the quota; the server %s%s", where, asks, then)
        return refusals + 1

    def _bearable(self, call: Call, seconds: float) -> float:
        """Return a wait, unless it is too long for a run; what is asked for once is not believed (see `Quota`)."""
        if seconds < LONGEST_WAIT:
            return seconds
        until = datetime.fromtimestamp(self.clock.wall() + seconds, tz=timezone.utc)
        message = f"{call.service.name}: the server asks to wait until {until:%Y-%m-%d %H:%M} UTC ({seconds:.0f} s)"
        raise LongWaitError(message, setting=call.service.setting)

    def _pause(self, wait: Wait) -> None:
        self.hooks.before_wait(wait)
        ends = self.clock.monotonic() + wait.seconds
        while (left := ends - self.clock.monotonic()) > 0:
            self._nap(left, wait.reason)

    def _nap(self, left: float, reason: Reason) -> None:
        """Wait a while, `left` seconds at most."""
        nap = self.hooks.nap(left)
        began = self.clock.monotonic()
        self.idle = True
        try:
            self.hooks.checkpoint()
            (self._turns.sleep if reason == "quota" else self._turns.sleep_through)(nap)
        finally:
            self.idle = False
        ended = self.clock.monotonic()
        self.waited[reason] += max(0.0, ended - max(began, self._counted))
        self._counted = max(ended, self._counted)
