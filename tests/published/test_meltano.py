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

from tap_usertesting.config.schema import DEFAULTS, SCHEMA, SECRETS
from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.streams.session_videos import SessionVideosStream
from tap_usertesting.values.privacy import HASH, OMIT

ROOT = Path(__file__).parents[2]
OWN = list(SCHEMA["properties"])
# Settings that take words in any case, and truths; Meltano offers these.
WORDS = {"exclude_personal_data": [OMIT, HASH]}
PREFIX = "TAP_USERTESTING_"
WAREHOUSES = ("jsonl", "postgres", "snowflake", "bigquery", "duckdb")
UPSERTS: dict[str, dict[str, Any]] = {
    "postgres": {"add_record_metadata": True},
    "snowflake": {"add_record_metadata": True, "load_method": "upsert"},
    "bigquery": {"method": "batch_job", "denormalized": True, "upsert": True, "dedupe_before_upsert": True},
    "duckdb": {"add_metadata_columns": True, "flush_all_streams": True},
}


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
def loaders(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The targets in meltano.yml, by name."""
    return {target["name"]: target for target in project["plugins"]["loaders"]}


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    """All variables in .env.example with their values, commented out or not."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", text, flags=re.MULTILINE)
    assert len(found) == len(dict(found)), "a variable stands there twice"
    return dict(found)


@pytest.fixture(scope="module")
def variables(example: dict[str, str]) -> dict[str, str]:
    """The tap's variables in .env.example."""
    return {name: value for name, value in example.items() if name.startswith(PREFIX)}


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
    expected = {
        name: "options" if name in WORDS else _kind(node) for name, node in about["settings"]["properties"].items()
    }
    assert {name: setting["kind"] for name, setting in settings.items()} == expected


def test_options_are_the_allowed_values(settings: dict[str, dict[str, Any]], about: dict[str, Any]) -> None:
    """What can be chosen is what the tap accepts."""
    for name, node in about["settings"]["properties"].items():
        options = [option["value"] for option in settings[name].get("options", [])]
        assert options == WORDS.get(name, node.get("enum", [])), name


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
    """The selection is a list to shorten or lengthen: every stream that is selected by default and always there."""
    there = [stream for stream in STREAMS if stream.selected_by_default and stream is not SessionVideosStream]
    assert tap["select"] == [f"{stream.name}.*" for stream in there]


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


def test_every_target_of_the_docs_is_there(loaders: dict[str, dict[str, Any]]) -> None:
    """Files and four warehouses."""
    assert list(loaders) == [f"target-{name}" for name in WAREHOUSES]


def test_targets_are_bounded_above(loaders: dict[str, dict[str, Any]]) -> None:
    """A new major version of a target comes by decision, and each is on the index."""
    bounded = re.compile(r"[\w-]+>=[\d.]+,<[\d.]+( [\w-]+<\d+)?")
    for name, target in loaders.items():
        assert bounded.fullmatch(target["pip_url"]), name


def test_duckdb_is_the_release_that_is_tested(loaders: dict[str, dict[str, Any]]) -> None:
    """The index has a newer one, which loses the first row of each stream; `make e2e` shows both."""
    tested = (ROOT / "tests/e2e/requirements/duckdb.txt").read_text(encoding="utf-8").splitlines()
    assert loaders["target-duckdb"]["pip_url"].split() == [line for line in tested if not line.startswith("#")]


def test_bigquery_gets_the_setuptools_it_imports(loaders: dict[str, dict[str, Any]]) -> None:
    """It imports pkg_resources, which later ones do not have."""
    assert loaders["target-bigquery"]["pip_url"].endswith(" setuptools<81")


def test_settings_of_targets_are_described(loaders: dict[str, dict[str, Any]]) -> None:
    """Each has a kind and a label, no name stands twice, and what has no description has a label that says it."""
    for target in loaders.values():
        names = [setting["name"] for setting in target["settings"]]
        assert len(names) == len(set(names)), target["name"]
        for setting in target["settings"]:
            assert setting.keys() >= {"name", "kind", "label"}, (target["name"], setting["name"])
            assert (setting["kind"] == "options") == ("options" in setting), (target["name"], setting["name"])


def test_setting_groups_of_targets_name_settings(loaders: dict[str, dict[str, Any]]) -> None:
    """Every warehouse says what it can not do without, by names that are settings."""
    for name in WAREHOUSES[1:]:
        target = loaders[f"target-{name}"]
        names = {setting["name"] for setting in target["settings"]}
        assert target["settings_group_validation"], name
        assert {part for group in target["settings_group_validation"] for part in group} <= names, name


def test_secrets_of_targets_are_sensitive(loaders: dict[str, dict[str, Any]]) -> None:
    """Meltano redacts them; a path to a secret is none."""
    found = {
        f"{target['name']}.{setting['name']}"
        for target in loaders.values()
        for setting in target["settings"]
        if setting.get("sensitive")
    }
    assert found == {
        "target-postgres.password",
        "target-postgres.sqlalchemy_url",
        "target-snowflake.password",
        "target-snowflake.private_key",
        "target-snowflake.private_key_passphrase",
        "target-bigquery.credentials_json",
    }


def test_config_names_settings(project: dict[str, Any], loaders: dict[str, dict[str, Any]]) -> None:
    """What is configured, for all environments or for one, is a setting; and one with options holds one of them."""
    configured = [(target["name"], target.get("config", {})) for target in loaders.values()]
    for environment in project["environments"]:
        plugins = environment.get("config", {}).get("plugins", {})
        configured += [(plugin["name"], plugin["config"]) for plugin in plugins.get("loaders", ())]
    for name, config in configured:
        settings = {setting["name"]: setting for setting in loaders[name]["settings"]}
        assert config.keys() <= settings.keys(), name
        for key, value in config.items():
            options = [option["value"] for option in settings[key].get("options", ())]
            assert not options or value in options, (name, key)


def test_the_demo_uses_the_same_target(project: dict[str, Any]) -> None:
    """What `make demo` shows is what Meltano would run."""
    ranges = {target["name"]: target["pip_url"] for target in project["plugins"]["loaders"]}
    required = (ROOT / "tests/demo/requirements.txt").read_text(encoding="utf-8").splitlines()
    assert ranges["target-postgres"] in required


@pytest.mark.parametrize(("name", "needed"), UPSERTS.items())
def test_upserts_and_tombstones_are_true(name: str, needed: dict[str, Any], loaders: dict[str, dict[str, Any]]) -> None:
    """What keeps one row per key and marks the rejected ones stands in the config, and is the default as well."""
    target = loaders[f"target-{name}"]
    assert target["config"] == needed
    values = {setting["name"]: setting.get("value") for setting in target["settings"]}
    assert {key: values[key] for key in needed} == needed


def test_every_target_has_a_job(project: dict[str, Any]) -> None:
    """A job per target, each the tap and that target."""
    jobs = {job["name"]: job["tasks"] for job in project["jobs"]}
    assert jobs == {f"usertesting-to-{name}": [f"tap-usertesting target-{name}"] for name in WAREHOUSES}


def test_a_job_runs_every_hour(project: dict[str, Any]) -> None:
    """The schedule names a job."""
    (schedule,) = project["schedules"]
    assert schedule["interval"] == "@hourly"
    assert schedule["job"] in [job["name"] for job in project["jobs"]]


def test_environments_have_places_of_their_own(project: dict[str, Any], loaders: dict[str, dict[str, Any]]) -> None:
    """What is tried in one environment never reaches the tables of another."""
    names = {"snowflake": "default_target_schema", "postgres": "default_target_schema", "bigquery": "dataset"}
    names["duckdb"] = "default_target_schema"
    for name, key in names.items():
        (default,) = (s["value"] for s in loaders[f"target-{name}"]["settings"] if s["name"] == key)
        places = [default]
        for environment in project["environments"][:-1]:
            plugins = environment["config"]["plugins"]["loaders"]
            places += [plugin["config"][key] for plugin in plugins if plugin["name"] == f"target-{name}"]
        assert places == ["usertesting", "usertesting_sandbox", "usertesting_dev"], name
    assert project["environments"][-1] == {"name": "prod"}


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
    expected |= {"video_links": "false", "parallel_streams": "true"}
    assert shown == expected


def test_env_example_holds_no_secret(variables: dict[str, str], example: dict[str, str]) -> None:
    """Nobody commits a credential with the example; an address of a database there is of no real one."""
    for name in ("client_id", *SECRETS):
        assert not variables[f"{PREFIX}{name.upper()}"], name
    for name in ("PASSWORD", "PRIVATE_KEY", "PASSPHRASE", "CREDENTIALS_JSON", "TOKEN"):
        assert not [value for key, value in example.items() if key.endswith(name) and value], name
    assert "//user:password@localhost:" in example["TARGET_POSTGRES_SQLALCHEMY_URL"]


def test_env_example_names_settings_of_targets(example: dict[str, str], loaders: dict[str, dict[str, Any]]) -> None:
    """What it names is a setting of the target; and all that a target can not do without, or hides, is there."""
    for name, target in loaders.items():
        prefix = f"{name.upper().replace('-', '_')}_"
        settings = {f"{prefix}{setting['name'].upper()}": setting for setting in target["settings"]}
        named = {variable for variable in example if variable.startswith(prefix)}
        assert named <= settings.keys(), name
        groups = {part for group in target.get("settings_group_validation", ()) for part in group}
        needed = {
            variable
            for variable, setting in settings.items()
            if setting.get("sensitive") or setting["name"] in groups - UPSERTS.get(name[7:], {}).keys()
        }
        assert needed <= named, name


def test_env_example_shows_the_defaults_of_targets(example: dict[str, str], loaders: dict[str, dict[str, Any]]) -> None:
    """A line of a target's setting with a default shows it."""
    for name, target in loaders.items():
        for setting in target["settings"]:
            variable = f"{name.upper().replace('-', '_')}_{setting['name'].upper()}"
            if variable in example and "value" in setting:
                assert example[variable] == str(setting["value"]).replace("False", "false"), variable


def test_env_example_names_nothing_else(example: dict[str, str]) -> None:
    """The tap, the targets, and Meltano itself."""
    prefixes = (PREFIX, "MELTANO_", *(f"TARGET_{name.upper()}_" for name in WAREHOUSES))
    assert not [name for name in example if not name.startswith(prefixes)]
