"""A call as its client describes it, and the service that it goes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from tap_usertesting.api.errors import ApiError, BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_usertesting.api.auth import Auth
    from tap_usertesting.api.quota_sharing import Windows


AUTHORIZATION, BARE = "Authorization", "token"  # the header of a token: as Bearer, or bare (perhaps in v1)
Kind: TypeAlias = Literal["list", "test", "session", "other"]  # what one answer is about


@dataclass
class Service:
    """One of the services that the tap calls: the Results API, the change feed or the token endpoint."""

    name: str
    setting: str  # the setting that holds its address, for error lines
    origin: str  # as `origin_of` returns it
    windows: Windows
    auth: Auth | None = None
    refused: Callable[[str], ApiError] = BadRequestError  # makes the error for a token that is refused
    calls: int = 0  # sent so far


@dataclass
class Call:
    """One call. `label` names the endpoint in counts and log lines."""

    service: Service
    method: str
    url: str
    label: str
    params: Mapping[str, str | int] | None = None
    form: Mapping[str, str] | None = None
    payload: Mapping[str, Any] | None = None
    token_header: str = AUTHORIZATION
    readable: frozenset[int] = field(default_factory=frozenset)  # statuses beside 2xx that its reader handles
    bulk: int = 1  # how many times as large as usual its answer may be
    kind: Kind = "other"
    api: str = ""  # an older API of the service, whose endpoints are assumed to share a quota window

    @property
    def endpoint(self) -> str:
        """What may have a quota window of its own."""
        return self.api or self.label

    @property
    def where(self) -> str:
        """How log and error lines begin that concern this call."""
        return f"{self.service.name}, {self.label}"


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, always with the port: a token is sent to no other origin."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
