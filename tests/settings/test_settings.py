"""The settings: what is taken, what is refused, and with which line."""

from __future__ import annotations

from typing import Any

import pytest

from tap_usertesting import __version__
from tap_usertesting.config.schema import DEFAULTS, SCHEMA
from tap_usertesting.config.settings import Settings
from tap_usertesting.config.validation import SettingsError, tidy, violations

UUID = "645c4faa-7d2b-4c39-9c38-3e9d7a1b2c3d"
OTHER = "00000000-0000-4000-8000-000000000001"
ACCESS = {"client_id": "me", "client_secret": "hush"}
FEED = {"feed_url": "https://feed.example/graphql/", "feed_access_token": "feed"}
ALL = ["sessions", "result_changes"]
SECRET_NAMES = {"client_secret", "access_token", "feed_access_token", "personal_data_salt"}


def parse(**config: Any) -> Settings:  # noqa: ANN401 - JSON is anything
    """Return the settings of a config that has access."""
    return settings({**ACCESS, **config})


def settings(config: dict[str, Any], selected: list[str] = ALL) -> Settings:
    """Return the settings of a config as it is handed over."""
    return Settings.parse(tidy(config, SCHEMA), selected=selected)


def test_the_documented_defaults_hold() -> None:
    """With credentials alone everything else has its documented value."""
    found = parse()
    assert (found.api_url, found.auth_endpoint, found.oauth_scopes) == (
        "https://api.use2.usertesting.com",
        "https://auth.usertesting.com/oauth2/aus1p3vtd8vtm4Bxv0h8/v1/token",
        "studies:read",
    )
    assert (found.change_source, found.session_details_version) == ("auto", "auto")
    assert (found.lookback_hours, found.transcript_wait_days) == (24, 7)
    assert (found.request_timeout, found.max_retries) == (60, 8)
    assert found.user_agent == f"tap-usertesting/{__version__}"
    assert (found.test_ids, found.workspace_ids, found.start_date, found.feed_url) == (None,) * 4


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("name", [name for name in SCHEMA["properties"] if name not in ACCESS])
def test_an_empty_setting_is_an_unset_one(name: str, empty: object) -> None:
    """Meltano hands an unset setting on as an empty one."""
    assert getattr(parse(**{name: empty}), name) == DEFAULTS.get(name)


def test_zero_is_not_empty() -> None:
    """No lookback and no waiting are settings of their own."""
    assert parse(lookback_hours=0, transcript_wait_days=0).lookback_hours == 0


@pytest.mark.parametrize(
    ("given", "used"),
    [
        pytest.param([UUID], (UUID,), id="plain"),
        pytest.param([f"ut_{UUID}"], (UUID,), id="as the feed writes it"),
        pytest.param([UUID.upper(), f"UT_{UUID}", f" {UUID}\n"], (UUID,), id="upper case, prefix, twice"),
        pytest.param([OTHER, UUID, OTHER], (OTHER, UUID), id="the order stays"),
    ],
)
@pytest.mark.parametrize("name", ["test_ids", "workspace_ids"])
def test_ids_are_used_in_lower_case_without_prefix_once_each(
    name: str, given: list[str], used: tuple[str, ...]
) -> None:
    """However an id is written, it is one partition with its old bookmark."""
    assert getattr(parse(**{name: given}), name) == used


@pytest.mark.parametrize(
    "given", ["4711", f"{UUID}0", UUID.replace("-", ""), f"ut_ut_{UUID}", "../../etc", "", f"{{{UUID}}}"]
)
@pytest.mark.parametrize("name", ["test_ids", "workspace_ids"])
def test_an_id_that_is_no_uuid_is_named_with_its_place(name: str, given: str) -> None:
    """The line says which entry is wrong."""
    with pytest.raises(SettingsError, match=rf"^{name}\[1\]: .* is not a UUID"):
        parse(**{name: [UUID, given]})


def test_the_feeds_own_ids_stay_as_they_are() -> None:
    """The feed's ids are opaque: trimmed and once each, nothing more."""
    assert parse(feed_test_ids=["ut_A", " ut_A ", "x-1"]).feed_test_ids == ("ut_A", "x-1")
    with pytest.raises(SettingsError, match=r"^feed_test_ids\[0\]: 'a b' is not a test UUID"):
        parse(feed_test_ids=["a b"])


@pytest.mark.parametrize(
    ("given", "used"),
    [
        pytest.param("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z", id="time"),
        pytest.param("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000000Z", id="another zone"),
        pytest.param("2026-01-31", "2026-01-31T00:00:00.000000Z", id="a bare date"),
    ],
)
def test_start_date_takes_the_fixed_form(given: str, used: str) -> None:
    """It is compared with times as text."""
    assert parse(start_date=given).start_date == used


@pytest.mark.parametrize("given", ["yesterday", "2026-02-30", "31.01.2026", "2026-01-31T25:00:00Z"])
def test_a_bad_date_is_named(given: str) -> None:
    """One line with the setting, the value and an example."""
    with pytest.raises(SettingsError, match=r"^start_date: .* is not a date; write it like"):
        parse(start_date=given)


@pytest.mark.parametrize("name", ["api_url", "auth_endpoint", "feed_url"])
@pytest.mark.parametrize(
    ("url", "line"),
    [
        pytest.param("api.example", "not a URL", id="no scheme"),
        pytest.param("ftp://api.example", "not a URL", id="another scheme"),
        pytest.param("https://", "not a URL", id="no host"),
        pytest.param("https://api.example:port", "not a URL", id="a port that is none"),
        pytest.param("https://[::1", "not a URL", id="half an IPv6 address"),
        pytest.param("https://me:hush@api.example", "user name or password", id="password"),
        pytest.param("http://api.example", "use https://api.example", id="plain http"),
        pytest.param("http://localhost.example", "use https://localhost.example", id="only looks local"),
    ],
)
def test_a_bad_url_is_named_without_its_secrets(name: str, url: str, line: str) -> None:
    """A token goes only over https, or to this machine."""
    with pytest.raises(SettingsError) as caught:
        parse(**(FEED | {name: f"{url}/?key=hush"}))
    assert str(caught.value).startswith(f"{name}: ")
    assert line in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://api.example"])
def test_this_machine_needs_no_https(url: str) -> None:
    """The sandbox is reached in plain http."""
    assert parse(api_url=url).api_url == url


@pytest.mark.parametrize(
    ("feed_url", "shared"),
    [
        pytest.param("https://api.use2.usertesting.com/graphql/", True, id="same origin"),
        pytest.param("https://API.use2.usertesting.com:443/x", True, id="the same, written otherwise"),
        pytest.param("https://api.use2.usertesting.com:8443/", False, id="another port"),
        pytest.param("https://use2.usertesting.com/", False, id="another host"),
        pytest.param("https://api.use2.usertesting.com.evil.example/", False, id="a host that begins alike"),
    ],
)
def test_a_feed_on_another_origin_needs_its_own_token(feed_url: str, *, shared: bool) -> None:
    """The Results API's token is never sent elsewhere; the line names what is missing."""
    if shared:
        assert parse(feed_url=feed_url).feed_shares_origin
    else:
        with pytest.raises(SettingsError, match=r"^feed_access_token: missing"):
            parse(feed_url=feed_url)
    assert parse(feed_url=feed_url, feed_access_token="f").feed_shares_origin is shared


def test_the_feed_as_source_needs_its_address() -> None:
    """`change_source: feed` without `feed_url` can not work."""
    with pytest.raises(SettingsError, match=r"^feed_url: missing"):
        parse(change_source="feed")


@pytest.mark.parametrize(
    ("config", "line"),
    [
        pytest.param({}, "client_id, client_secret: no credentials", id="none"),
        pytest.param({"client_id": "me"}, "client_secret: missing", id="id alone"),
        pytest.param({"client_secret": "hush"}, "client_id: missing", id="secret alone"),
        pytest.param({"client_id": "me", "client_secret": ""}, "client_secret: missing", id="empty secret"),
        pytest.param(
            {**FEED, "test_ids": [UUID]}, "client_id, client_secret: no", id="a feed is not enough for sessions"
        ),
    ],
)
def test_missing_access_is_named(config: dict[str, Any], line: str) -> None:
    """The line names what is missing and never holds a secret."""
    with pytest.raises(SettingsError) as caught:
        settings(config)
    assert str(caught.value).startswith(line)
    assert "hush" not in str(caught.value)


def test_a_ready_token_is_access() -> None:
    """`access_token` stands for the two others."""
    assert settings({"access_token": "t"}).access_token == "t"


@pytest.mark.parametrize(
    ("config", "enough"),
    [
        pytest.param({**FEED, "test_ids": [UUID]}, True, id="test ids"),
        pytest.param({**FEED, "feed_test_ids": ["ut_1"]}, True, id="feed test ids"),
        pytest.param(FEED, False, id="no ids: tests would have to be discovered"),
        pytest.param({"test_ids": [UUID]}, False, id="no feed"),
    ],
)
def test_result_changes_alone_needs_no_results_api(config: dict[str, Any], *, enough: bool) -> None:
    """Feed, its token and ids are all that this stream asks for."""
    if enough:
        assert settings(config, ["result_changes"]).client_id is None
    else:
        with pytest.raises(SettingsError):
            settings(config, ["result_changes"])


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"max_retries": "x"}, 'max_retries: must be a whole number, not "x"'),
        ({"max_retries": 0}, "max_retries: must be 1 or more, not 0"),
        ({"request_timeout": 10**9}, "request_timeout: must be 86400 or less, not 1000000000"),
        ({"video_links": "ture"}, 'video_links: must be true or false, not "ture"'),
        ({"exclude_personal_data": True}, "exclude_personal_data: must be omit or hash, not true"),
        ({"change_source": "x" * 99}, f'change_source: must be auto or feed or listing, not "{"x" * 38}…'),
        ({"test_ids": [UUID, 4]}, "test_ids[1]: must be text"),
        ({"test_ids": "[4"}, "test_ids: must be a list"),
        ({"feed_url": ["https://feed.example/?key=hush"]}, "feed_url: must be text"),
        ({"client_secret": 4}, "client_secret: must be text"),
        ({"access_token": ["hush"]}, "access_token: must be text"),
        ({"personal_data_salt": {"a": "hush"}}, "personal_data_salt: must be text"),
    ],
)
def test_a_violation_is_one_line_that_names_the_setting(config: dict[str, Any], line: str) -> None:
    """The setting's name first, as a user writes it; no secret, and nothing that may hold one."""
    found = violations(tidy(config, SCHEMA), SCHEMA)
    assert found[0] == line
    assert "hush" not in "".join(found)


def test_every_setting_is_described_and_secrets_are_marked() -> None:
    """What `--about` and Meltano show; kinds that the environment can give."""
    assert set(SCHEMA["properties"]) == set(Settings.__dataclass_fields__)
    for name, node in SCHEMA["properties"].items():
        assert node["title"], name
        assert node["description"].endswith("."), name
        assert "number" not in node["type"], f"{name}: a number from the environment arrives as text"
        assert node.get("secret", False) is (
            name in {"client_secret", "access_token", "feed_access_token", "personal_data_salt"}
        )
