"""meltano.yml and .env.example say the same as the tap itself, and Meltano needs no hub for them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.settings import DEFAULTS, SCHEMA, SECRETS
from tap_usertesting.tap import STREAMS

ROOT = Path(__file__).parents[1]
OWN = list(SCHEMA["properties"])
PREFIX = "TAP_USERTESTING_"


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    """What the tap says of itself, the settings that the SDK adds included."""
    command = [sys.executable, "-m", "tap_usertesting", "--about", "--format", "json"]
    shown = subprocess.run(command, check=True, capture_output=True).stdout
    found: dict[str, Any] = json.loads(shown)
    return found


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """meltano.yml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def tap(project: dict[str, Any]) -> dict[str, Any]:
    """The tap in meltano.yml."""
    found: dict[str, Any]
    (found,) = project["plugins"]["extractors"]
    return found


@pytest.fixture(scope="module")
def settings(tap: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tap's settings in meltano.yml, by name."""
    return {setting["name"]: setting for setting in tap["settings"]}


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """The tap's variables in .env.example with their values, commented out or not."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(rf"^(?:# )?({PREFIX}\w+)=(.*)$", text, flags=re.MULTILINE))


def _kind(node: dict[str, Any]) -> str:
    """Return Meltano's word for the type of a setting."""
    (kind,) = set(node["type"]) - {"null"}
    if "enum" in node:
        return "options"
    return "date_iso8601" if node.get("format") == "date-time" else str(kind)


def test_every_setting_is_there_in_order(tap: dict[str, Any], about: dict[str, Any]) -> None:
    """A setting that the tap gains or loses is gained or lost in meltano.yml too, the SDK's own included."""
    assert [setting["name"] for setting in tap["settings"]] == list(about["settings"]["properties"])


def test_kinds_are_those_of_the_schema(settings: dict[str, dict[str, Any]], about: dict[str, Any]) -> None:
    """Meltano casts by kind what it reads from the environment: the wrong one would be refused by the tap."""
    expected = {name: _kind(node) for name, node in about["settings"]["properties"].items()}
    assert {name: setting["kind"] for name, setting in settings.items()} == expected


def test_options_are_the_allowed_values(settings: dict[str, dict[str, Any]], about: dict[str, Any]) -> None:
    """What can be chosen is what the tap accepts."""
    for name, node in about["settings"]["properties"].items():
        options = [option["value"] for option in settings[name].get("options", [])]
        assert options == node.get("enum", []), name


def test_secrets_are_sensitive(settings: dict[str, dict[str, Any]]) -> None:
    """Meltano redacts every secret, and nothing else."""
    assert {name for name, setting in settings.items() if setting.get("sensitive")} == SECRETS


def test_defaults_are_the_taps(settings: dict[str, dict[str, Any]]) -> None:
    """A default has one value; the user agent, which names the version, is left to the tap."""
    stated = {name: setting["value"] for name, setting in settings.items() if "value" in setting}
    assert stated == {name: value for name, value in DEFAULTS.items() if name != "user_agent"}


@pytest.mark.parametrize("name", OWN)
def test_words_are_the_taps(name: str, settings: dict[str, dict[str, Any]], about: dict[str, Any]) -> None:
    """Label and description of a setting are those of `--about`."""
    node = about["settings"]["properties"][name]
    assert (settings[name]["label"], settings[name]["description"]) == (node["title"], node["description"])


def test_capabilities_are_the_taps(tap: dict[str, Any], about: dict[str, Any]) -> None:
    """Meltano is told what `--about` lists, no more and no less."""
    assert tap["capabilities"] == sorted(about["capabilities"])


def test_every_stream_is_selected_by_name(tap: dict[str, Any]) -> None:
    """The selection is a list to shorten, and holds every stream."""
    assert tap["select"] == [f"{stream.name}.*" for stream in STREAMS]


def test_setting_groups_name_settings(tap: dict[str, Any], settings: dict[str, dict[str, Any]]) -> None:
    """Either credentials, or a token, or the feed alone."""
    assert tap["settings_group_validation"] == [
        ["client_id", "client_secret"],
        ["access_token"],
        ["feed_url", "feed_access_token", "test_ids"],
    ]
    assert {name for group in tap["settings_group_validation"] for name in group} <= settings.keys()


def test_the_tap_is_the_one_of_this_folder(tap: dict[str, Any]) -> None:
    """Meltano runs the checkout, with what its sandbox needs."""
    assert tap["pip_url"] == "-e '.[sandbox]'"
    assert tap["executable"] == "tap-usertesting"
    assert tap["commands"]["sandbox"]["executable"] == "tap-usertesting-sandbox"


def test_no_plugin_needs_the_hub(project: dict[str, Any]) -> None:
    """A plugin with a namespace is described here in full; without one Meltano asks its hub and writes a lock file."""
    for plugins in project["plugins"].values():
        for plugin in plugins:
            assert plugin.keys() >= {"namespace", "pip_url", "executable", "settings"}, plugin["name"]
            assert not plugin.keys() & {"variant", "inherit_from"}, plugin["name"]
    assert not (ROOT / "plugins").exists()


def test_targets_are_bounded_above(project: dict[str, Any]) -> None:
    """A new major version of a target comes by decision."""
    for target in project["plugins"]["loaders"]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+", target["pip_url"]), target["name"]


def test_the_demo_uses_the_same_target(project: dict[str, Any]) -> None:
    """What `make demo` shows is what Meltano would run."""
    ranges = {target["name"]: target["pip_url"] for target in project["plugins"]["loaders"]}
    required = (ROOT / "tests/demo/requirements.txt").read_text(encoding="utf-8").splitlines()
    assert ranges["target-postgres"] in required


def test_tombstones_reach_postgres(project: dict[str, Any]) -> None:
    """Without the metadata columns target-postgres would drop `_sdc_deleted_at`."""
    (target,) = (item for item in project["plugins"]["loaders"] if item["name"] == "target-postgres")
    assert target["config"]["add_record_metadata"] is True


def test_jobs_name_plugins(project: dict[str, Any]) -> None:
    """Each job is the tap and a target of this file."""
    names = {plugin["name"] for plugins in project["plugins"].values() for plugin in plugins}
    for job in project["jobs"]:
        for task in job["tasks"]:
            assert set(task.split()) <= names, job["name"]


def test_environments_are_sandbox_dev_and_prod(project: dict[str, Any]) -> None:
    """The default is one of them and never prod."""
    assert [environment["name"] for environment in project["environments"]] == ["sandbox", "dev", "prod"]
    assert project["default_environment"] == "dev"


def test_the_sandbox_environment_points_at_the_sandbox(project: dict[str, Any], tap: dict[str, Any]) -> None:
    """Its URLs are those of a sandbox on the port that the command `sandbox` takes; credentials come from there."""
    (environment,) = (item for item in project["environments"] if item["name"] == "sandbox")
    (configured,) = environment["config"]["plugins"]["extractors"]
    port = re.search(r"--port (\d+)", tap["commands"]["sandbox"]["args"])
    assert port is not None
    with Sandbox(World(), quota=None) as box:
        urls = {name: value for name, value in box.config().items() if name not in {"client_id", "client_secret"}}
    expected = {name: urlsplit(url)._replace(netloc=f"127.0.0.1:{port[1]}").geturl() for name, url in urls.items()}
    assert configured["config"] == expected


def test_no_credential_stands_in_the_project(project: dict[str, Any]) -> None:
    """Secrets come from the environment or .env, in every environment."""
    text = json.dumps(project["environments"])
    assert not [name for name in (*SECRETS, "client_id", "password", "sqlalchemy_url") if f'"{name}"' in text]


def test_env_example_names_every_setting(variables: dict[str, str]) -> None:
    """Each setting of the tap has its variable there, and there is no other."""
    assert sorted(variables) == sorted(f"{PREFIX}{name.upper()}" for name in OWN)


def test_env_example_shows_the_defaults(variables: dict[str, str]) -> None:
    """A line of a setting with a default shows it; the user agent's holds the version and is left empty."""
    shown = {name: variables[f"{PREFIX}{name.upper()}"] for name in DEFAULTS}
    expected = {name: "" if name == "user_agent" else str(value) for name, value in DEFAULTS.items()}
    assert shown == expected


def test_env_example_holds_no_secret(variables: dict[str, str]) -> None:
    """Nobody commits a credential with the example."""
    for name in ("client_id", *SECRETS):
        assert not variables[f"{PREFIX}{name.upper()}"], name
