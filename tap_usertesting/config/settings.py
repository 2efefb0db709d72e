"""The settings as one checked, typed object. `schema.py` describes each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from tap_usertesting.api.call import origin_of
from tap_usertesting.api.feed_ids import test_of
from tap_usertesting.api.safe_ids import is_id
from tap_usertesting.config.schema import DEFAULTS
from tap_usertesting.config.validation import SettingsError
from tap_usertesting.ledger.change_log import FEED
from tap_usertesting.values.privacy import HASH
from tap_usertesting.values.times import utc

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

SHORTEST_SALT = 16  # characters
URLS = ("api_url", "auth_endpoint", "feed_url")
TOKENS = frozenset({"access_token", "feed_access_token"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TOKEN = re.compile(r"[!-~]+")
_LATIN = re.compile(r"[ -\xff]+")
_PRODUCT_TYPE = re.compile(r"\w[\w -]*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Settings:
    """The checked settings, named as in the schema."""

    client_id: str | None
    client_secret: str | None
    access_token: str | None
    test_ids: tuple[str, ...] | None
    workspace_ids: tuple[str, ...] | None
    product_types: frozenset[str] | None
    start_date: str | None
    feed_url: str | None
    feed_access_token: str | None
    feed_test_ids: tuple[str, ...] | None
    change_source: str
    session_details_version: str
    lookback_hours: int
    transcript_wait_days: int
    video_links: bool
    parallel_streams: bool
    exclude_personal_data: str | None
    personal_data_salt: str | None
    max_calls: int | None
    max_duration: int | None
    max_quiet_hours: int
    calls_per_minute: int | None
    api_url: str
    auth_endpoint: str
    oauth_scopes: str
    request_timeout: int
    max_retries: int
    max_body_mb: int
    user_agent: str

    @classmethod
    def parse(cls, config: Mapping[str, Any], *, selected: Collection[str]) -> Settings:
        """Check what a JSON schema cannot express, and return the settings. Raises SettingsError.

        `config`: as `tidy` returns it. `selected`: the streams of the sync, as some need fewer credentials.
        """
        values = {name: config.get(name, DEFAULTS.get(name)) for name in cls.__dataclass_fields__}
        for name, value in values.items():
            _check_texts(name, value)
        for name in ("test_ids", "workspace_ids"):
            values[name] = _uuids(name, values[name])
        values["feed_test_ids"] = _feed_ids(values["feed_test_ids"])
        values["product_types"] = _product_types(values["product_types"])
        if values["start_date"] is not None and (start := utc(_at_midnight(values["start_date"]))) is None:
            message = f"start_date: {values['start_date']!r} is not a date; write it like 2026-01-31T00:00:00Z"
            raise SettingsError(message)
        values["start_date"] = None if values["start_date"] is None else start
        for name in URLS:
            _check_url(name, values[name])
        settings = cls(**values)
        settings._check_access(selected)
        settings._check_privacy()
        return settings

    @property
    def feed_shares_origin(self) -> bool:
        """Whether the Results API's token may go to the feed: same scheme, host and port."""
        return self.feed_url is not None and origin_of(self.feed_url) == origin_of(self.api_url)

    def check_budget(self, whole: Sequence[str]) -> None:
        """Refuse a budget if a stream keeps no bookmarks: every sync would read the same tests and stop there.

        `whole`: the names of the selected streams that are read in full. Raises SettingsError.
        """
        budget = next((name for name in ("max_calls", "max_duration") if getattr(self, name) is not None), None)
        if budget is not None and whole:
            message = (
                f"{budget}: the catalog sets FULL_TABLE for {' and '.join(whole)}, which a sync that ends early never "
                f"completes; remove {budget}, or set INCREMENTAL and the replication key in the catalog"
            )
            raise SettingsError(message)

    def _check_privacy(self) -> None:
        if self.exclude_personal_data == HASH and len(self.personal_data_salt or "") < SHORTEST_SALT:
            message = (
                f"personal_data_salt: exclude_personal_data is hash, which needs a salt of at least {SHORTEST_SALT} "
                "characters; set a random salt and keep it, because a new salt changes the hashes"
            )
            raise SettingsError(message)

    def _check_access(self, selected: Collection[str]) -> None:
        if self.change_source == FEED and self.feed_url is None:
            message = "feed_url: missing, but change_source is feed; set feed_url, or set change_source to auto"
            raise SettingsError(message)
        if self.feed_url is not None and self.feed_access_token is None and not self.feed_shares_origin:
            message = (
                "feed_access_token: missing, and feed_url and api_url have different origins; set it, because the tap "
                "never sends the Results API's token to another origin"
            )
            raise SettingsError(message)
        if self.access_token is not None or (self.client_id is not None and self.client_secret is not None):
            return
        feed_alone = set(selected) == {"result_changes"} and self.feed_url is not None
        if feed_alone and self.feed_access_token is not None and (self.test_ids or self.feed_test_ids):
            return
        if self.client_id is not None or self.client_secret is not None:
            missing, other = ("client_secret", "client_id") if self.client_id else ("client_id", "client_secret")
            message = f"{missing}: missing; {other} alone gives no access, so set both, or access_token"
            raise SettingsError(message)
        message = "client_id, client_secret: no credentials are set; set both, or access_token"
        raise SettingsError(message)


def _check_texts(name: str, value: object) -> None:
    """Refuse text that cannot be sent, or that could add a header of its own. The message never repeats a secret."""
    for place, text in enumerate(value if isinstance(value, list) else [value]):
        where = f"{name}[{place}]" if isinstance(value, list) else name
        if not isinstance(text, str):
            continue
        if _UNSENDABLE.search(text):
            raise SettingsError(f"{where}: contains a line break or another invisible character; remove it")
        if name in TOKENS and not _TOKEN.fullmatch(text):
            message = (
                f"{where}: contains a space or another character that no token has, such as a long dash; copy the "
                "token again, without the word Bearer"
            )
            raise SettingsError(message)
        if name == "user_agent" and not _LATIN.fullmatch(text):
            raise SettingsError(
                f"{where}: {text!r} contains a character that is not allowed in a header; use plain letters"
            )


def _uuids(name: str, values: list[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    uuids = [test_of(value) for value in values]
    fault = "is not a UUID; copy it from the test's address in the UserTesting app"
    _check_each(name, values, [_UUID.fullmatch(uuid) is not None for uuid in uuids], fault)
    return tuple(dict.fromkeys(uuids))


def _feed_ids(values: list[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    fault = "is not a test UUID of the feed, such as ut_645c4faa-..."
    _check_each("feed_test_ids", values, [is_id(value) for value in values], fault)
    return tuple(dict.fromkeys(values))


def _product_types(values: list[str] | None) -> frozenset[str] | None:
    if values is None:
        return None
    fault = "is not a product type, such as THINK_OUT_LOUD"
    _check_each("product_types", values, [_PRODUCT_TYPE.fullmatch(value) is not None for value in values], fault)
    return frozenset(value.upper() for value in values)


def _check_each(name: str, values: list[str], valid: list[bool], fault: str) -> None:
    """Refuse a list over its first invalid item."""
    for place, (value, is_valid) in enumerate(zip(values, valid, strict=True)):
        if not is_valid:
            raise SettingsError(f"{name}[{place}]: {value!r} {fault}")


def _at_midnight(text: str) -> str:
    """Return a date without a time as its midnight, UTC: Meltano writes dates like this."""
    return f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else text


def _check_url(name: str, url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname
        requests.Request("GET", url).prepare()  # refuses what urlsplit lets pass
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        message = f"{name}: not a URL; it must start with https:// and a host"
        raise SettingsError(message)
    if parts.username or parts.password:
        message = f"{name}: the URL must not contain a user name or password; use the settings for credentials"
        raise SettingsError(message)
    if parts.scheme == "http" and host not in LOOPBACK:
        message = f"{name}: http would send the token unencrypted; use https://{host}"
        raise SettingsError(message)
