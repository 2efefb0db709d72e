"""Exceptions by meaning. Each message is one line for a person, with no secret in it.

Only these are caught per test; whatever else is raised (a broken pipe, a bug) ends the run.
"""

from __future__ import annotations


class BudgetSpentError(Exception):
    """The calls or the time that the run may take are used up; no ApiError, since nothing failed."""


class ApiError(Exception):
    """Something an API, or the way to it, answered instead of data."""


class RunEndsError(ApiError):
    """Whatever else is asked would end alike: the run ends here, with one line."""

    def __init__(self, message: str, *, setting: str = "") -> None:
        """Keep the setting that holds the address of the one API that is concerned; "" where all of them are."""
        super().__init__(message)
        self.setting = setting


class CredentialsRejectedError(RunEndsError):
    """The Results API or its token endpoint refuses the credentials: no test can be read."""


class UnreachableError(RunEndsError):
    """No connection could be made in all tries: wrong address, no network, bad certificate."""


class LongWaitError(RunEndsError):
    """The server asks to wait for an hour or more, and has said so twice."""


class SetupError(RunEndsError):
    """A variable of the environment or a setting makes every call impossible; no other try, and exit status 78."""


class NotFoundError(ApiError):
    """404: missing, not permitted or not of this product type (the vendor answers all three alike)."""


class BadRequestError(ApiError):
    """A refusal that another try would not change: 400, 403, a redirect, a body of the wrong shape."""


class ServerFaultError(ApiError):
    """Every try of one call failed: 5xx, resets, timeouts, cut or malformed bodies."""


class FeedError(ApiError):
    """The change feed answered an error for one test, or is down for all."""


class FeedDownError(FeedError):
    """The feed fails whichever test is asked for: one error line for all of them."""


class FeedRefusedError(FeedDownError):
    """The feed refuses the token, or the token lacks a scope."""


class UnknownTestError(FeedError):
    """The feed does not know this test (yet)."""


class UnknownCursorError(FeedError):
    """The feed failed twice for a test from this cursor: expired, or the test itself; its whole log tells which."""


class MalformedError(Exception):
    """A body that is not what it should be; the transport tries again, then raises ServerFaultError."""


class BusyError(MalformedError):
    """A status that is tried again, perhaps with a wait in seconds that the server asks for (`Retry-After`)."""

    def __init__(self, message: str, seconds: float | None) -> None:
        """Keep the wait that the server named."""
        super().__init__(message)
        self.seconds = seconds


class ThrottledError(Exception):
    """The server asks to wait inside a body (GraphQL); the transport waits and repeats the call.

    `seconds` is the wait it named, None when it named none.
    """

    def __init__(self, seconds: float | None = None) -> None:
        """Keep the wait that the server named."""
        super().__init__(seconds)
        self.seconds = seconds
