"""Every setting with every kind of value, through a variable and through JSON: the same, or one line that names it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from tap_usertesting.config.schema import SDK_SETTINGS
from tap_usertesting.config.settings import Settings
from tap_usertesting.config.validation import SettingsError
from tap_usertesting.singer.command_line import EX_CONFIG
from tap_usertesting.tap import TapUserTesting
from tests.settings.conftest import PREFIX
from tests.support.harness import SESSION_STREAMS, sync

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox

UUID = "645c4faa-7d2b-4c39-9c38-3e9d7a1b2c3d"
BASE = {
    "client_id": "me",
    "client_secret": "hush-hush-hush",
    "feed_url": "https://feed.example/graphql/",
    "feed_access_token": "feed-token",
    "personal_data_salt": "pepper-and-salt-4711",
}
# A right value of each setting, other than its default.
RIGHT: dict[str, Any] = {
    "client_id": "someone",
    "client_secret": "another",
    "access_token": "a.ready-token_1==",
    "test_ids": [UUID],
    "workspace_ids": [UUID, UUID.replace("6", "7")],
    "product_types": ["THINK_OUT_LOUD", "SURVEY"],
    "start_date": "2026-01-31T00:00:00Z",
    "feed_url": "https://other.example/graphql/?a=b",
    "feed_access_token": "another-feed-token",
    "feed_test_ids": ["ut_1"],
    "change_source": "listing",
    "session_details_version": "v2",
    "lookback_hours": 7,
    "transcript_wait_days": 0,
    "video_links": True,
    "parallel_streams": False,
    "exclude_personal_data": "omit",
    "personal_data_salt": "sixteen-and-more-characters",
    "max_calls": 12,
    "max_duration": 3600,
    "max_quiet_hours": 6,
    "calls_per_minute": 8,
    "api_url": "https://api.example/v2",
    "auth_endpoint": "https://auth.example/token",
    "oauth_scopes": "studies:read other:read",
    "request_timeout": 5,
    "max_retries": 1,
    "max_body_mb": 64,
    "user_agent": "me/1.0 (a company)",
    "stream_maps": {"sessions": {"status": None}},
    "stream_map_config": {"seed": "x"},
    "faker_config": {"locale": "en_US"},
    "flattening_enabled": True,
    "flattening_max_depth": 2,
    "flattening_max_key_length": 63,
    "flattening_separator": "__",
    "emit_activate_version_messages": True,
}
NONSENSE: list[Any] = [
    *([], {}),
    *("ture", "nonsense", "-1", "1e3", "0x10", "1_000", "٣", "7.5", "99999999999999999999", "null", "a, b", "é"),
    *("[", "{", "[]x", '["a"', "{'a': 1}", '"quoted"', "[1]", '["a", ""]', '[["a"]]', '{"a": 1}', "a\nb", "a\x00b"),
    *("true", "FALSE", "Yes", "off", "1", "0", "omit", "HASH", "auto", "V3", "\udce9"),
    *(True, False, 0, 1, -5, 1.5, 24.0, 10**15, ["a"], ["a", None], [UUID, 7], [""], {"a": 1}, {"sessions": 5}),
]
EMPTY: list[Any] = ["", "  ", "\r\n", "\t", None]


Understood: TypeAlias = "tuple[dict[str, Any], Settings] | str"


def understood(config: dict[str, Any], log: pytest.LogCaptureFixture, *, variables: bool = False) -> Understood:
    """Return a config and its settings as a sync has them, or the one line with which they are refused."""
    log.clear()
    code = None
    try:
        tap = TapUserTesting(config=config, parse_env_config=variables, setup_mapper=False)
        return dict(tap.config), Settings.parse(tap.config, selected=["sessions", "result_changes"])
    except SystemExit as end:
        code = end.code
    except SettingsError as error:
        return str(error)
    assert code == EX_CONFIG
    [line] = [record.getMessage() for record in log.records if record.levelno >= logging.ERROR]
    return line


@pytest.fixture
def both(name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:  # noqa: ANN401 - a function
    """Return a function that hands a value over both ways and returns what each makes of it."""
    rest = {key: value for key, value in BASE.items() if key != name}

    def go(value: Any) -> list[Any]:  # noqa: ANN401 - JSON is anything
        ways: list[Any] = [understood({**rest, name: value}, caplog)]
        text = value if isinstance(value, str) else json.dumps(value)
        if "\x00" not in text:  # which no variable can hold
            monkeypatch.setenv(f"{PREFIX}{name.upper()}", text)
            ways.append(understood(rest, caplog, variables=True))
            monkeypatch.delenv(f"{PREFIX}{name.upper()}")
        return ways

    return go


def test_the_table_has_every_setting() -> None:
    """A new setting is tried too."""
    TapUserTesting.append_builtin_config(TapUserTesting.config_jsonschema)
    names = {*TapUserTesting.config_jsonschema["properties"], *SDK_SETTINGS}
    assert set(RIGHT) == names


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_value_is_taken_whatever_stands_around_it(name: str, both: Any) -> None:  # noqa: ANN401 - a function
    """Blanks and the line breaks of Windows, Kubernetes and editors make no difference, nor does the way."""
    expected, _ = both(RIGHT[name])
    assert expected[0][name] == RIGHT[name]
    text = RIGHT[name] if isinstance(RIGHT[name], str) else json.dumps(RIGHT[name])
    for written in (text, f"  {text} ", f"{text}\r", f"{text}\r\n", f"\n{text}\n", f"\ufeff{text}"):
        assert both(written) == [expected, expected], repr(written)


@pytest.mark.parametrize("name", RIGHT)
def test_an_empty_value_is_an_unset_one(name: str, both: Any, caplog: pytest.LogCaptureFixture) -> None:  # noqa: ANN401
    """As templates, compose files and Meltano hand settings on that nobody has set."""
    unset = understood({key: value for key, value in BASE.items() if key != name}, caplog)
    for value in EMPTY:
        as_json, as_variable = both(value)
        assert as_json == unset, repr(value)
        if isinstance(value, str):
            assert as_variable == unset, repr(value)


@pytest.mark.parametrize("name", RIGHT)
def test_no_value_means_one_thing_here_and_another_there(name: str, both: Any) -> None:  # noqa: ANN401 - a function
    """A value is understood the same both ways, or refused with one line that names the setting."""
    for value in NONSENSE:
        found = both(value)
        for way in found:
            if isinstance(way, str):
                assert way.startswith(name), repr(value)
                assert "\n" not in way
            else:
                assert_meant(name, value, way[0].get(name))
        taken = [way for way in found if not isinstance(way, str)]
        assert len(taken) < 2 or taken[0] == taken[1], repr(value)


def assert_meant(name: str, given: Any, got: Any) -> None:  # noqa: ANN401 - JSON is anything
    """Assert that what was made of a value is what a reader would take it for."""
    text = given.strip() if isinstance(given, str) else json.dumps(given)
    right = RIGHT[name]
    if given in ([], {}) and not isinstance(right, str):  # in a variable this is a text like any other
        assert type(given) is type(right)
        assert got is None
        return
    if isinstance(right, bool):
        assert got is {"true": True, "yes": True, "1": True, "false": False, "off": False, "0": False}[text.lower()]
    elif isinstance(right, int):
        assert isinstance(got, int)
        assert got == float(text)
    elif isinstance(right, list):
        assert all(isinstance(part, str) and part for part in got)
        assert got == (json.loads(text) if text.startswith("[") else [part.strip() for part in text.split(",")])
    elif isinstance(right, dict):
        assert got == json.loads(text)
    elif name == "exclude_personal_data":
        assert got == {"omit": "omit", "HASH": "hash"}[text]
    else:
        assert got.lower() == text.lower()


@pytest.mark.parametrize("word", ["true", "false", "True", "1", "no", "ture", "omit,hash", "[]x", "redact"])
def test_no_word_but_omit_and_hash_passes_for_privacy(word: str, tmp_path: Path) -> None:
    """Nothing is read with a word that may have meant to leave something out."""
    variables = {f"{PREFIX}{key.upper()}": value for key, value in BASE.items()}
    variables[f"{PREFIX}EXCLUDE_PERSONAL_DATA"] = word
    done = sync({}, tmp_path, args=["--config=ENV"], env=variables)
    assert done.exit == EX_CONFIG
    [line] = done.errors
    assert "exclude_personal_data: must be omit or hash" in line
    assert done.stdout == b""


def test_variables_that_are_there_and_empty_leave_the_files_values(box: Sandbox, tmp_path: Path) -> None:
    """Every variable empty beside a config file: the sync is as without them, stream maps of the SDK included."""
    config = box.config(stream_maps={"sessions": {"shout": "status.upper()"}}, test_ids=list(box.world.tests)[:1])
    variables = {f"{PREFIX}{name.upper()}": " \n" if number % 2 else "" for number, name in enumerate(RIGHT)}
    done = sync(config, tmp_path, args=["--config=ENV"], env=variables, select=SESSION_STREAMS)
    assert done.exit == 0, done.log
    assert {row["test_id"] for row in done.records("sessions")} == set(config["test_ids"])
    assert all(row["shout"] == row["status"].upper() for row in done.records("sessions"))


def test_a_file_of_variables_from_windows_is_read_as_meant(box: Sandbox, tmp_path: Path) -> None:
    """A carriage return at the end of each value changes nothing, at the secrets and at `true` neither."""
    config = box.config(video_links=True)
    variables = {
        f"{PREFIX}{name.upper()}": f"{value if isinstance(value, str) else json.dumps(value)}\r"
        for name, value in config.items()
    }
    done = sync({}, tmp_path, args=["--config=ENV"], env=variables)
    assert done.exit == 0, done.log
    assert len(done.records("sessions")) == len(box.world.sessions)
    assert "session_videos" in {message["stream"] for message in done.messages if message["type"] == "SCHEMA"}


@pytest.mark.parametrize(
    "args", [(), ("--test",), ("--plan",), ("--discover",)], ids=["sync", "test", "plan", "discover"]
)
def test_a_misspelt_truth_is_refused_at_every_command(tmp_path: Path, args: tuple[str, ...]) -> None:
    """Also at discovery, where it would hide a stream."""
    done = sync({**BASE, "video_links": "ture"}, tmp_path, args=args)
    assert done.exit == EX_CONFIG
    [line] = done.errors
    assert 'video_links: must be true or false, not "ture"' in line
    assert done.stdout == b""


@pytest.mark.parametrize("args", [(), ("--test",), ("--plan",)], ids=["sync", "test", "plan"])
def test_what_is_missing_has_the_status_of_a_wrong_setting(tmp_path: Path, args: tuple[str, ...]) -> None:
    """A second try would end alike, and an orchestrator can tell."""
    done = sync({"client_id": "me"}, tmp_path, args=args)
    assert done.exit == EX_CONFIG
    [line] = done.errors
    assert "client_secret: missing" in line
