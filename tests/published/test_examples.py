"""What can be checked offline of the examples in docs/: the definition for Meltano Hub, the image, the pages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK; its types are a package of their own

from tap_usertesting.config.schema import SECRETS
from tap_usertesting.values.privacy import HASH, OMIT
from tests.support.harness import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

# Settings that take words in any case, and truths; the Hub offers these.
WORDS = {"exclude_personal_data": [OMIT, HASH]}
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = ("sharding.md", "without-meltano.md", "container.md", "airflow.md", "dagster.md", "examples/hub/README.md")


@pytest.mark.parametrize("name", ["airflow/usertesting.py", "dagster/usertesting.py"])
def test_orchestrators_use_the_scripts(name: str) -> None:
    """They are tested with the real libraries (make e2e); here: each is Python, and names the files that are there."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    compile(text, name, "exec")
    named = set(re.findall(r'COMMANDS / "([\w.]+)"', text))
    assert named == {"sync.sh", "shards.py"}
    assert all(os.access(EXAMPLES / "singer" / script, os.X_OK) for script in named)


# Meltano Hub


@pytest.fixture(scope="module")
def hub() -> dict[str, Any]:
    """The definition for the Hub."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / "hub/tap-usertesting.yml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    """What the tap says of itself."""
    shown = subprocess.run([*COMMAND, "--about", "--format", "json"], check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(shown)
    return found


def flat(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings as the Hub names them: those inside an object with a dot."""
    for name, node in properties.items():
        if node.get("properties") and name != "stream_maps":
            yield from flat(node["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", node


def kind_of(node: dict[str, Any]) -> str:
    """Return the Hub's word for the type of a setting."""
    if "enum" in node:
        return "options"
    types = [part["type"] for part in (node, *node.get("oneOf", ())) if "type" in part]
    named = {kind for found in types for kind in ([found] if isinstance(found, str) else found)}
    kind = next(kind for kind in ("array", "object", "string", "integer", "boolean") if kind in named)
    return "date_iso8601" if node.get("format") == "date-time" else kind


def test_hub_has_every_setting(hub: dict[str, Any], about: dict[str, Any]) -> None:
    """The Hub's page is made of these: names, labels and words are those of `--about`."""
    expected = {name: (node["title"], node["description"]) for name, node in flat(about["settings"]["properties"])}
    found = {setting["name"]: (setting["label"], setting["description"]) for setting in hub["settings"]}
    assert found == expected
    assert list(found) == sorted(found)


def test_hub_has_the_kinds_options_and_secrets(hub: dict[str, Any], about: dict[str, Any]) -> None:
    """Meltano casts and hides by them."""
    nodes = dict(flat(about["settings"]["properties"]))
    for setting in hub["settings"]:
        name = setting["name"]
        assert setting["kind"] == ("options" if name in WORDS else kind_of(nodes[name])), name
        options = [option["value"] for option in setting.get("options", [])]
        assert options == WORDS.get(name, nodes[name].get("enum", [])), name
        assert setting.get("sensitive", False) == (name in SECRETS), name


def test_hub_agrees_with_the_project(hub: dict[str, Any], about: dict[str, Any]) -> None:
    """What meltano.yml says of the tap, the Hub says too."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = project["plugins"]["extractors"]
    same = ("name", "namespace", "label", "description", "repo", "capabilities", "log_parser", "select")
    assert {key: hub[key] for key in same} == {key: tap[key] for key in same}
    assert hub["settings_group_validation"] == tap["settings_group_validation"]
    own = {setting["name"]: setting for setting in tap["settings"]}
    for setting in hub["settings"]:
        if setting["name"] in own:
            for key in ("value", "placeholder", "options"):
                assert setting.get(key) == own[setting["name"]].get(key), (setting["name"], key)
    assert hub["supported_python_versions"] == about["supported_python_versions"]
    assert hub["capabilities"] == sorted(about["capabilities"])


def test_hub_definition_is_one(hub: dict[str, Any], tmp_path: Path) -> None:
    """It has what the Hub asks for, and the part that a project keeps is valid in a meltano.yml."""
    only_hub = {"domain_url", "keywords", "logo_url", "maintenance_status", "prereq", "quality", "settings_preamble"}
    only_hub |= {"supported_python_versions", "usage"}
    assert hub.keys() > only_hub
    assert {"api", "meltano_sdk"} <= set(hub["keywords"])
    assert hub["maintenance_status"] in {"active", "beta", "development", "inactive", "unknown"}
    assert hub["quality"] in {"gold", "silver", "bronze", "unknown"}
    kept = {key: value for key, value in hub.items() if key not in only_hub}
    project = tmp_path / "meltano.yml"
    project.write_text(yaml.safe_dump({"version": 1, "plugins": {"extractors": [kept]}}), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.meltano", str(project)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_hub_definition_is_ordered_as_the_hub_wants_it(hub: dict[str, Any]) -> None:
    """Its linter takes keys in the order of the alphabet only, in every object."""

    def unordered(node: object) -> list[str]:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        own = [str(list(node))] if isinstance(node, dict) and list(node) != sorted(node) else []
        return [*own, *(found for each in inner for found in unordered(each))]

    assert unordered(hub) == []


def test_hub_has_a_logo_of_its_own(hub: dict[str, Any]) -> None:
    """The file is beside the definition under the name that the Hub is told: a small square that loads nothing."""
    folder, _, name = hub["logo_url"].rpartition("/")
    assert folder == "/assets/logos/extractors"
    text = (EXAMPLES / "hub" / name).read_text(encoding="utf-8")
    root = ET.fromstring(text)  # noqa: S314 - a file of this repository
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, top, width) == (0, 0, height)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "path"}
    assert not [key for element in root.iter() for key in element.attrib if key.endswith("href")]
    assert "url(" not in text


# The container


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the image's recipe."""
    text = (EXAMPLES / "container/Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_everything_that_is_copied_is_there(dockerfile: list[tuple[str, str]]) -> None:
    """The context is the top of the repository."""
    copied = [rest.split()[:-1] for word, rest in dockerfile if word == "COPY" and not rest.startswith("--from=")]
    assert copied
    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []


def test_the_tap_gets_the_signals(dockerfile: list[tuple[str, str]]) -> None:
    """The entry point is a list, so no shell stands between the tap and `docker stop`."""
    (entry,) = (rest for word, rest in dockerfile if word == "ENTRYPOINT")
    assert json.loads(entry) == ["tap-usertesting"]
    assert [json.loads(rest) for word, rest in dockerfile if word == "CMD"] == [["--help"]]


def test_the_image_is_not_roots(dockerfile: list[tuple[str, str]]) -> None:
    """The last stage ends as a numbered user that is not 0; nothing is installed after that."""
    last = max(number for number, (word, _) in enumerate(dockerfile) if word == "FROM")
    words = [word for word, _ in dockerfile[last:]]
    (user,) = (rest for word, rest in dockerfile[last:] if word == "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert "RUN" not in words
    assert not [rest for word, rest in dockerfile if word in {"ARG", "ENV"} and re.search(r"SECRET|TOKEN|CLIENT", rest)]


def test_the_image_has_a_supported_python(dockerfile: list[tuple[str, str]], about: dict[str, Any]) -> None:
    """Both stages are the same slim image, or the environment that is copied would miss its interpreter."""
    images = {rest.partition(" AS ")[0] for word, rest in dockerfile if word == "FROM"}
    (image,) = images
    version = re.fullmatch(r"python:(3\.\d+)-slim", image)
    assert version is not None
    assert version[1] in about["supported_python_versions"]


# The pages


@pytest.mark.parametrize("name", PAGES)
def test_links_of_a_page_lead_somewhere(name: str) -> None:
    """Each relative link, and each path under docs/ that a command names, is a file of this repository."""
    page = DOCS / name
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
    named = re.findall(r"\bdocs/[\w./-]*\w", text)
    assert [path for path in named if not (ROOT / path).exists()] == []
