"""How a call fails: the exception by meaning, and one line for a person.

No line repeats the text of a library's exception, or of a server without `Secrets.excerpt`: either may hold a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from tap_usertesting.api import connection_faults
from tap_usertesting.api.certificates_and_proxies import authorities_variable, proxy_variable
from tap_usertesting.api.error_messages import error_message
from tap_usertesting.api.errors import (
    ApiError,
    BadRequestError,
    BusyError,
    MalformedError,
    NotFoundError,
    ServerFaultError,
    SetupError,
    UnreachableError,
)

if TYPE_CHECKING:
    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Call
    from tap_usertesting.api.redaction import Secrets

OK_FROM, REDIRECT_FROM, CLIENT_ERROR_FROM = 200, 300, 400
NOT_FOUND = 404
RETRIED = frozenset({408, 421, 425, 500, 502, 503, 504})


def status_error(
    call: Call, answer: Answer, *, retry_after: float | None, secrets: Secrets
) -> ApiError | BusyError | None:
    """Return what the status of an answer means; None if the call's reader can read the answer.

    BusyError: the call must be tried again, after `retry_after` seconds if the server names them.
    """
    status = answer.status
    if OK_FROM <= status < REDIRECT_FROM or status in call.readable:
        return None
    if status == NOT_FOUND:
        return NotFoundError(f"{call.where}: {status_text(answer, secrets)}")
    if status in RETRIED or status >= max(RETRIED):
        return BusyError(status_text(answer, secrets), retry_after)
    if REDIRECT_FROM <= status < CLIENT_ERROR_FROM:
        setting = call.service.setting
        return BadRequestError(
            f"{call.where}: {setting} redirects, and the tap does not follow redirects; set it to the final address"
        )
    return BadRequestError(f"{call.where}: {status_text(answer, secrets)}")


def status_text(answer: Answer, secrets: Secrets) -> str:
    """Return the status of an error answer, and the server's message if the body is JSON of a known shape."""
    try:
        body = answer.json()
    except MalformedError:
        return f"HTTP {answer.status}"
    message = error_message(body)
    return f"HTTP {answer.status}" + (f": {secrets.excerpt(message)}" if message else "")


def cause(fault: Exception, secrets: Secrets) -> str:
    """Return why one try failed, in a few words."""
    return secrets.excerpt(str(fault)) if isinstance(fault, MalformedError) else connection_faults.cause(fault)


def last_fault(call: Call, fault: Exception, *, tries: int, secrets: Secrets) -> ApiError:
    """Return the error of a call whose last try ended with this fault."""
    service, why = call.service, cause(fault, secrets)
    tried = f"{tries} tries" if tries > 1 else "one try"
    if not connection_faults.never_connected(fault):
        return ServerFaultError(f"{call.where}: {why} ({tried})")
    proxy = proxy_variable(call.url) if isinstance(fault, requests.exceptions.ProxyError) else None
    if proxy is not None and connection_faults.is_final(fault):
        return SetupError(f"{service.name}: {why}; check the user name and password in {proxy}")
    advice = connection_faults.advice(fault, setting=service.setting, authorities=authorities_variable())
    advice = f"check {proxy} and {service.setting}" if proxy is not None else advice
    return UnreachableError(
        f"{service.name}: {service.origin} cannot be reached ({why}, {tried}); {advice}", setting=service.setting
    )


def cannot_be_sent(call: Call, error: ValueError, *, user_agent: str) -> SetupError:
    """Return the error of a call that requests, urllib3 or http.client refuses to send: which setting is wrong."""
    service = call.service
    of_header = isinstance(error, (requests.exceptions.InvalidHeader, UnicodeEncodeError))
    if not of_header and isinstance(error, (requests.RequestException, Urllib3Error, UnicodeError)):
        kind = type(error).__name__
        return SetupError(f"{service.name}: {service.setting} is not a usable URL ({kind}); correct it")
    token = "feed_access_token" if service.setting == "feed_url" else "access_token"
    setting = token if user_agent.isascii() and user_agent.isprintable() else "user_agent"
    return SetupError(f"{service.name}: {setting} has a character that is not allowed in a header; correct it")
