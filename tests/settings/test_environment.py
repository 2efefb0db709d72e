"""`.env` and variables: the working folder's file, exported variables before it, and empty ones that say nothing."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.config.environment import Environment
from tap_usertesting.config.validation import SettingsError
from tap_usertesting.singer.command_line import EX_CONFIG
from tap_usertesting.tap import TapUserTesting
from tests.settings.conftest import PREFIX
from tests.support.harness import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINKS = f"{PREFIX}VIDEO_LINKS"


def discover(folder: Path, *, config: str = "ENV", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Discover in a process that works in this folder, however far that is from where the tap is installed."""
    command = [*COMMAND, f"--config={config}", "--discover"]
    return subprocess.run(command, cwd=folder, env={**os.environ, **variables}, capture_output=True, check=False)


def has_links(done: subprocess.CompletedProcess[bytes]) -> bool:
    """Tell whether `video_links` was on."""
    assert done.returncode == 0, done.stderr.decode()
    return "session_videos" in {stream["tap_stream_id"] for stream in json.loads(done.stdout)["streams"]}


@pytest.mark.parametrize(
    ("line", "exported", "on"),
    [
        pytest.param("true", None, True, id="the file alone"),
        pytest.param("true\r", None, True, id="from Windows"),
        pytest.param("true", "false", False, id="exported wins"),
        pytest.param("false", "true", True, id="exported wins the other way too"),
        pytest.param("", "true", True, id="an empty line of the file says nothing"),
        pytest.param("true", "", True, id="an empty variable says nothing"),
        pytest.param("true", " \n", True, id="nor does a blank one"),
    ],
)
def test_exported_variables_win_over_the_working_folders_file(
    tmp_path: Path, line: str, exported: str | None, *, on: bool
) -> None:
    """So each container of a set may have its own tests, and the lines that .env.example leaves empty do no harm."""
    (tmp_path / ".env").write_bytes(f"\ufeff{LINKS}={line}\n# Zürich\n".encode())
    assert has_links(discover(tmp_path, **({} if exported is None else {LINKS: exported}))) is on


def test_the_file_counts_with_env_alone(tmp_path: Path) -> None:
    """A config file says all where it is the only thing that is named."""
    (tmp_path / ".env").write_text(f"{LINKS}=true\n", encoding="utf-8")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert not has_links(discover(tmp_path, config="config.json"))


def test_a_file_in_a_folder_above_is_not_read(tmp_path: Path) -> None:
    """It may be another project's."""
    (tmp_path / ".env").write_text(f"{LINKS}=true\n", encoding="utf-8")
    (tmp_path / "inner").mkdir()
    assert not has_links(discover(tmp_path / "inner"))


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, command: Callable[..., int], critical: Any) -> None:  # noqa: ANN401 - a function
    """With its whole path, as a user may not know of it."""
    (tmp_path / ".env").write_bytes(f"{LINKS}=tr\xfce\n".encode("latin-1"))
    assert command("--config=ENV", "--discover") == EX_CONFIG
    [line] = critical()
    assert str(tmp_path / ".env") in line
    assert "UTF-8" in line


def test_reading_the_file_leaves_the_environment_alone(tmp_path: Path) -> None:
    """Two taps in one process have each their own."""
    (tmp_path / ".env").write_text(f"{PREFIX}CLIENT_SECRET=hush\nHTTPS_PROXY=http://proxy.example\n", encoding="utf-8")
    before = dict(os.environ)
    tap = TapUserTesting(parse_env_config=True, setup_mapper=False)
    assert tap.config["client_secret"] == "hush"
    assert dict(os.environ) == before


def test_variables_win_over_config_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they do in the SDK."""
    monkeypatch.setenv(LINKS, "true")
    assert Environment(PREFIX).settings(["video_links", "api_url"]) == {"video_links": "true"}
    tap = TapUserTesting(config={"video_links": False}, parse_env_config=True, setup_mapper=False)
    assert tap.config["video_links"] is True


def test_a_misspelt_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, command: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    """With the one that it looks like; what orchestrators set beside the settings is not looked at."""
    monkeypatch.setenv(f"{PREFIX}EXCLUDE_PERSONAL_DATE", "omit")
    for other in ("SERVICE_HOST", "PORT", "PORT_80_TCP_ADDR", "_SELECT", "HOME"):
        monkeypatch.setenv(f"{PREFIX}{other}", "x")
    assert command("--config=ENV", "--discover") == 0
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"{PREFIX}EXCLUDE_PERSONAL_DATE" in line
    assert f"did you mean {PREFIX}EXCLUDE_PERSONAL_DATA?" in line


def test_a_variable_in_small_letters_is_named(
    monkeypatch: pytest.MonkeyPatch, command: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing reads it: what it was to leave out would leave without a word."""
    monkeypatch.setenv(f"{PREFIX}EXCLUDE_PERSONAL_DATA".lower(), "omit")
    assert command("--config=ENV", "--discover") == 0
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "tap_usertesting_exclude_personal_data is not a setting" in line
    assert f"did you mean {PREFIX}EXCLUDE_PERSONAL_DATA?" in line


@pytest.mark.parametrize(
    ("name", "meant"),
    [("client_idd", "client_id"), ("testids", "test_ids"), ("exclude_personal_date", "exclude_personal_data")],
)
def test_a_misspelt_setting_is_named_with_the_nearest(
    tmp_path: Path, command: Callable[..., int], caplog: pytest.LogCaptureFixture, name: str, meant: str
) -> None:
    """Once; it is no error, as a config may be shared with another program."""
    (tmp_path / "config.json").write_text(json.dumps({name: "x"}), encoding="utf-8")
    assert command("--config=config.json", "--discover") == 0
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warned == [f"{name} is not a setting and is ignored; did you mean {meant}?"]


def test_settings_of_the_sdk_and_extras_of_meltano_are_known(
    tmp_path: Path, command: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is said of what has an effect, or of what Meltano keeps beside the settings."""
    config = {
        "stream_maps": {"sessions": {"a": "status"}},
        "stream_map_config": {"b": 1},
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "emit_activate_version_messages": True,
        "_select": ["*.*"],
        "_load_schema": "x",
        "$schema": "y",
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert command("--config=config.json", "--discover") == 0
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize("level", ["verbose", "10", "info\r", " debug"])
def test_an_odd_log_level_costs_a_line(tmp_path: Path, level: str) -> None:
    """`LOGLEVEL` may be meant for another program."""
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    for variable in ("LOGLEVEL", f"{PREFIX}LOGLEVEL"):
        done = discover(tmp_path, config="config.json", **{variable: level})
        assert not has_links(done)
        warned = [line for line in done.stderr.decode().splitlines() if " | WARNING " in line]
        assert len(warned) == (level in {"verbose", "10"})
        assert all(f"{variable}: not a log level" in line for line in warned)


@pytest.mark.parametrize(
    "content", [None, "", "[1]", "version: 2", "handlers: {a: {class: nowhere.Handler}}", "a: [", "a: *b"]
)
def test_a_logging_config_that_is_none_costs_a_line(tmp_path: Path, content: str | None) -> None:
    """The log is then as without it."""
    if content is not None:
        (tmp_path / "log.yml").write_text(content, encoding="utf-8")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    done = discover(tmp_path, config="config.json", SINGER_SDK_LOG_CONFIG="log.yml")
    assert not has_links(done)
    log = done.stderr.decode()
    assert len([line for line in log.splitlines() if " | WARNING " in line]) == 1, log
    assert "Traceback" not in log


def test_an_unreadable_file_is_an_error_of_the_settings(tmp_path: Path) -> None:
    """For whoever builds the tap in Python."""
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        Environment(PREFIX)
