"""Exceptions by meaning. Each message is one line for a person, without secrets.

A sync goes on with the next test after an ApiError that is no RunEndsError. Any other exception ends the run.
"""

from __future__ import annotations


class BudgetSpentError(Exception):
    """The run has used up its calls or its time. Nothing has failed, so this is no ApiError."""


class ApiError(Exception):
    """An API, or the way to it, gave something else than data."""


class RunEndsError(ApiError):
    """Every other call would end in the same way, so the run ends, with one line."""

    def __init__(self, message: str, *, setting: str = "") -> None:
        """`setting`: holds the address of the one API that is concerned; "" if all are."""
        super().__init__(message)
        self.setting = setting


class CredentialsRejectedError(RunEndsError):
    """The Results API or its token endpoint refuses the credentials, so no test can be read."""


class UnreachableError(RunEndsError):
    """No try has reached the host: the address is wrong, there is no network, or the certificate is refused."""


class LongWaitError(RunEndsError):
    """The server has asked twice to wait for an hour or more."""


class SetupError(RunEndsError):
    """A setting or a variable of the environment makes every call impossible: no other try, and exit status 78."""


class NotFoundError(ApiError):
    """404: missing, not permitted, or not of this product type. The vendor answers the same to all three."""


class BadRequestError(ApiError):
    """A refusal that another try would not change: 400, 403, a redirect, a body that is too large."""


class ServerFaultError(ApiError):
    """Every try of one call failed: 5xx, resets, timeouts, cut or malformed bodies."""


class FeedError(ApiError):
    """The change feed has answered with an error for one test, or is down for all."""


class FeedDownError(FeedError):
    """The feed fails for every test: one error line says so for all of them."""


class FeedRefusedError(FeedDownError):
    """The feed refuses the token, or the token lacks a scope."""


class UnknownTestError(FeedError):
    """The feed does not know this test, or not yet."""


class UnknownCursorError(FeedError):
    """The feed has failed twice for a test from this cursor. Reading the whole log tells whether the test fails too."""


class MalformedError(Exception):
    """A body is not what it should be. The transport tries again, and at last raises ServerFaultError."""


class BusyError(MalformedError):
    """A status after which the transport tries again."""

    def __init__(self, message: str, seconds: float | None) -> None:
        """`seconds`: the wait that the server names in `Retry-After`; None if it names none."""
        super().__init__(message)
        self.seconds = seconds


class ThrottledError(Exception):
    """A GraphQL body says that the rate limit is reached. The transport waits and repeats the call."""

    def __init__(self, seconds: float | None = None) -> None:
        """`seconds`: the wait that the body names; None if it names none."""
        super().__init__(seconds)
        self.seconds = seconds
