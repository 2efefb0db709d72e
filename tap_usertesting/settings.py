"""The settings: their schema for `--about` and Meltano, and one checked, typed object for the tap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_usertesting import __version__
from tap_usertesting.api.call import origin_of
from tap_usertesting.partition import FEED, LISTING
from tap_usertesting.times import utc

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

AUTO = "auto"
TEST_PREFIX = "ut_"
SECRETS = frozenset({"client_secret", "access_token", "feed_access_token"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FEED_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client id",
        description="OAuth client id, issued by UserTesting support.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="OAuth client secret, issued by UserTesting support.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description="A ready bearer token of the Results API, instead of client_id and client_secret.",
    ),
    th.Property(
        "test_ids",
        th.ArrayType(th.StringType),
        title="Test ids",
        description="UUIDs of the tests to read, with or without `ut_`. Default: every test the credentials can see.",
    ),
    th.Property(
        "workspace_ids",
        th.ArrayType(th.StringType),
        title="Workspace ids",
        description="UUIDs of the workspaces in which tests are discovered, when test_ids is not set. Default: all.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Sessions that finished before it, and older events, are not read. Moving it back takes effect "
        "only with a full refresh.",
    ),
    th.Property(
        "feed_url",
        th.StringType,
        title="Feed URL",
        description="GraphQL endpoint of the response change feed. Without it changes come from the session list.",
    ),
    th.Property(
        "feed_access_token",
        th.StringType,
        secret=True,
        title="Feed access token",
        description="Bearer token of the change feed; required when feed_url is on another origin than api_url.",
    ),
    th.Property(
        "feed_test_ids",
        th.ArrayType(th.StringType),
        title="Feed test ids",
        description="The feed's own test UUIDs for the stream result_changes. Without it: `ut_` and each test id.",
    ),
    th.Property(
        "change_source",
        th.StringType,
        default=AUTO,
        allowed_values=[AUTO, FEED, LISTING],
        title="Change source",
        description="Where changes come from: `auto` is the feed where proven to describe the test, else the list.",
    ),
    th.Property(
        "session_details_version",
        th.StringType,
        default=AUTO,
        allowed_values=[AUTO, "v2", "v3"],
        title="Session details version",
        description="Version of the details endpoint; `auto` asks v3, and v2 while no v3 answer has succeeded.",
    ),
    th.Property(
        "lookback_hours",
        th.IntegerType,
        default=24,
        minimum=0,
        title="Lookback hours",
        description="How many hours below the bookmark sessions that appear late in the list are still looked for.",
    ),
    th.Property(
        "transcript_wait_days",
        th.IntegerType,
        default=7,
        minimum=0,
        title="Transcript wait days",
        description="How many days after a session its missing transcript or details are asked for again.",
    ),
    th.Property(
        "video_links",
        th.BooleanType,
        default=False,
        title="Video links",
        description="Adds the stream session_videos: links to the videos, usable by whoever has them, for an hour.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.use2.usertesting.com",
        title="API URL",
        description="Base URL of the Results API.",
    ),
    th.Property(
        "auth_endpoint",
        th.StringType,
        default="https://auth.usertesting.com/oauth2/aus1p3vtd8vtm4Bxv0h8/v1/token",
        title="Auth endpoint",
        description="URL of the OAuth token endpoint.",
    ),
    th.Property(
        "oauth_scopes",
        th.StringType,
        default="studies:read",
        title="OAuth scopes",
        description="Scopes asked of the token endpoint.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType,
        default=60,
        minimum=1,
        title="Request timeout",
        description="Seconds to wait for a connection or for data.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType,
        default=8,
        minimum=1,
        title="Max retries",
        description="Tries of one call when faults occur.",
    ),
    th.Property(
        "max_body_mb",
        th.IntegerType,
        default=8,
        minimum=1,
        title="Max body size",
        description="Largest answer that is read, in MB; of the change feed 32 times as large.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        default=f"tap-usertesting/{__version__}",
        title="User agent",
        description="User-Agent header of every request.",
    ),
).to_dict()

DEFAULTS = {name: node["default"] for name, node in SCHEMA["properties"].items() if "default" in node}


class SettingsError(Exception):
    """A setting is wrong or missing; the message is one line that names it and says what to do."""


@dataclass(frozen=True)
class Settings:
    """The checked settings; names as in the schema."""

    client_id: str | None
    client_secret: str | None
    access_token: str | None
    test_ids: tuple[str, ...] | None
    workspace_ids: tuple[str, ...] | None
    start_date: str | None
    feed_url: str | None
    feed_access_token: str | None
    feed_test_ids: tuple[str, ...] | None
    change_source: str
    session_details_version: str
    lookback_hours: int
    transcript_wait_days: int
    api_url: str
    auth_endpoint: str
    oauth_scopes: str
    request_timeout: int
    max_retries: int
    max_body_mb: int
    user_agent: str

    @classmethod
    def parse(cls, config: Mapping[str, Any], *, selected: Collection[str]) -> Settings:
        """Check what a JSON schema can not, for a sync of these streams. Raises SettingsError."""
        values: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            value = config.get(name)
            # Meltano hands an unset setting on as an empty one.
            values[name] = DEFAULTS.get(name) if value is None or value in ("", []) else value
        for name in ("test_ids", "workspace_ids"):
            values[name] = _uuids(name, values[name])
        values["feed_test_ids"] = _feed_ids(values["feed_test_ids"])
        if values["start_date"] is not None and (start := utc(_full_time(values["start_date"]))) is None:
            message = f"start_date: {values['start_date']!r} is no date; write it like 2026-01-31T00:00:00Z"
            raise SettingsError(message)
        values["start_date"] = None if values["start_date"] is None else start
        for name in ("api_url", "auth_endpoint", "feed_url"):
            _check_url(name, values[name])
        settings = cls(**values)
        settings._check_access(selected)
        return settings

    @property
    def feed_shares_origin(self) -> bool:
        """Whether the Results API's token may go to the feed: same scheme, host and port."""
        return self.feed_url is not None and origin_of(self.feed_url) == origin_of(self.api_url)

    def _check_access(self, selected: Collection[str]) -> None:
        if self.change_source == FEED and self.feed_url is None:
            message = "feed_url: it is missing, and change_source is feed; set feed_url or leave change_source at auto"
            raise SettingsError(message)
        if self.feed_url is not None and self.feed_access_token is None and not self.feed_shares_origin:
            message = (
                "feed_access_token: it is missing, and feed_url is on another host than api_url, to which the Results "
                "API's token is never sent; set feed_access_token"
            )
            raise SettingsError(message)
        if self.access_token is not None or (self.client_id is not None and self.client_secret is not None):
            return
        feed_alone = set(selected) == {"result_changes"} and self.feed_url is not None
        if feed_alone and self.feed_access_token is not None and (self.test_ids or self.feed_test_ids):
            return
        if self.client_id is not None or self.client_secret is not None:
            missing, other = ("client_secret", "client_id") if self.client_id else ("client_id", "client_secret")
            message = f"{missing}: it is missing, and {other} alone is no access; set both (or access_token)"
            raise SettingsError(message)
        message = "client_id, client_secret: no credentials are set; set both (or access_token)"
        raise SettingsError(message)


def describe(path: Collection[str | int], message: str) -> str:
    """Return a schema violation as one line that names the setting, without the value of a secret."""
    name = "".join(f"[{part}]" if isinstance(part, int) else f"{'.' if n else ''}{part}" for n, part in enumerate(path))
    if SECRETS & set(path):
        message = "must be a string"
    return f"{name or 'config'}: {message}"


def _uuids(name: str, values: list[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    found: dict[str, None] = {}
    for place, value in enumerate(values):
        uuid = value.strip().lower().removeprefix(TEST_PREFIX)
        if not _UUID.fullmatch(uuid):
            message = f"{name}[{place}]: {value!r} is no UUID; copy it from the test's address in the UserTesting app"
            raise SettingsError(message)
        found[uuid] = None
    return tuple(found)


def _feed_ids(values: list[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    for place, value in enumerate(values):
        if not _FEED_ID.fullmatch(value.strip()):
            message = f"feed_test_ids[{place}]: {value!r} is no test UUID of the feed, such as ut_645c4faa-..."
            raise SettingsError(message)
    return tuple(dict.fromkeys(value.strip() for value in values))


def _full_time(text: str) -> str:
    """Return a bare date as the midnight, UTC, with which it begins; Meltano writes dates so."""
    return f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else text


def _check_url(name: str, url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        message = f"{name}: {url.partition('?')[0]!r} is no URL; it starts with https:// and a host"
        raise SettingsError(message)
    if parts.username or parts.password:
        message = f"{name}: a URL with a user name or password in it is not taken; use the settings for credentials"
        raise SettingsError(message)
    if parts.scheme == "http" and host not in LOOPBACK:
        message = f"{name}: plain http would show the token to anyone on the way; use https://{host}"
        raise SettingsError(message)
