"""One HTTP exchange: send a call once, and read its whole answer within bounds of size and time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import requests
from requests.auth import AuthBase

from tap_usertesting.api.answer import Answer
from tap_usertesting.api.call import AUTHORIZATION
from tap_usertesting.api.call_errors import CLIENT_ERROR_FROM, cannot_be_sent
from tap_usertesting.api.errors import BadRequestError
from tap_usertesting.api.http_session import SLOWEST, ApiSession

if TYPE_CHECKING:
    from tap_usertesting.api.call import Call
    from tap_usertesting.api.clock import Clock

CHUNK = 1 << 16  # bytes
# Bytes, about thirty times as many in Python. A page of 500 sessions has 125 kB, the transcript of an hour 200 kB.
LARGEST_BODY = 8 << 20
LARGEST_ERROR = 1 << 20  # bytes of an answer with an error status


class _TokenHeader(AuthBase):
    """Sets the token of a call. Given as `auth`, it also keeps requests from taking a password out of ~/.netrc."""

    def __init__(self, call: Call, token: str) -> None:
        self._name = None if call.service.auth is None else call.token_header
        self._value = f"Bearer {token}" if self._name == AUTHORIZATION else token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._name is not None:
            request.headers[self._name] = self._value
        return request


class Exchange:
    """Sends calls over one session."""

    def __init__(
        self, *, user_agent: str, timeout: float, largest_body: int, clock: Clock, session: ApiSession | None
    ) -> None:
        """Open a session unless one is given. `timeout`: seconds, of a connection and of each read.

        `largest_body`: bytes of an answer, times the `bulk` of its call.
        """
        self.largest_body = largest_body
        self.connect_timeout = timeout
        self.session = session or ApiSession()
        self.session.headers["User-Agent"] = user_agent
        self._timeout = timeout
        self._clock = clock
        # urllib3 logs whole URLs and the headers that a server sent. Our own lines say what is needed.
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def send(self, call: Call, token: str) -> Answer:
        """Send a call once; returns its answer, whatever its status.

        Raises SetupError if the call cannot be sent, BadRequestError if the body is too large, and what requests and
        urllib3 raise for a fault. A body that takes SLOWEST times the timeout is a fault too (requests.Timeout).
        """
        deadline = self._clock.monotonic() + SLOWEST * self._timeout
        try:
            opened = self.session.request(
                call.method,
                call.url,
                params=call.params,
                data=call.form,
                json=call.payload,
                auth=_TokenHeader(call, token),
                timeout=(self.connect_timeout, self._timeout),
                allow_redirects=False,
                stream=True,
            )
        except ValueError as error:  # requests, urllib3 and http.client all raise it for what cannot be sent
            user_agent = str(self.session.headers["User-Agent"])
            raise cannot_be_sent(call, error, user_agent=user_agent) from None  # its own text may hold the token
        with opened as response:
            body = self._body(call, response, deadline)
            return Answer(response.status_code, response.headers, body)

    def _body(self, call: Call, response: requests.Response, deadline: float) -> bytearray:
        body = bytearray()
        failed = response.status_code >= CLIENT_ERROR_FROM
        largest = min(self.largest_body, LARGEST_ERROR) if failed else self.largest_body * call.bulk
        # `iter_content` waits for a full chunk, however slowly the body drips. `read1` returns what has arrived.
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            body += chunk
            if len(body) > largest:
                hint = "" if failed else "; if that is correct, increase max_body_mb"
                message = f"{call.where}: the response is larger than {largest >> 20} MB{hint}"
                raise BadRequestError(message)
            if self._clock.monotonic() > deadline:
                message = "the body arrives too slowly"
                raise requests.Timeout(message)
        return body
