"""The form in docs/contract/ is what the code has, and nothing that any form promised is broken unsaid.

`python -m tests.published` writes it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting import __version__
from tap_usertesting.config.schema import SCHEMA
from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.tap import TapUserTesting
from tests.published import contract
from tests.published.breaks import flatten
from tests.support.harness import sync, sync_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ALL = tuple(stream.name for stream in STREAMS)
RUN = "python -m tests.published"


def test_nothing_is_broken_that_the_changelog_does_not_name() -> None:
    """The present keeps what every form in docs/contract/ promises; each line says what it does not."""
    assert contract.verdict().problems == []


def test_form_of_this_version_is_the_code() -> None:
    """Whatever is new is in it; if not: python -m tests.published."""
    path = contract.FOLDER / f"{__version__}.json"
    assert path.is_file(), f"there is no form of {__version__} yet; run: {RUN}"
    assert path.read_text(encoding="utf-8") == contract.as_json(contract.verdict().form) + "\n", f"run: {RUN}"


def test_every_form_is_named_after_its_version() -> None:
    """None is overlooked, and none counts for another version."""
    assert {path.stem for path in contract.FOLDER.glob("*.json")} == contract.released().keys()


def test_what_is_named_in_the_changelog_is_one_thing() -> None:
    """No two things of the code have to be named by the same words."""
    form = contract.collect()
    columns = sum(len(stream["columns"]) for stream in form["streams"].values())
    rest = sum(len(form[part]) for part in form if part != "version")
    assert len(flatten(form)) == columns + rest > 300


# The writer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the form of this version, in which the writer writes."""
    monkeypatch.setattr(contract, "FOLDER", tmp_path)
    monkeypatch.setattr(contract, "CHANGELOG", tmp_path / "CHANGELOG.md")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")
    return tmp_path


def write_form(folder: Path, **settings: dict[str, Any] | None) -> str:
    """Write a form that has these settings too, or lacks them, and return its text."""
    form = contract.collect()
    form["settings"] = {name: facts for name, facts in {**form["settings"], **settings}.items() if facts is not None}
    text = contract.as_json(form) + "\n"
    (folder / f"{__version__}.json").write_text(text, encoding="utf-8")
    return text


def read_form(folder: Path) -> dict[str, Any]:
    """The form that is there."""
    return dict(json.loads((folder / f"{__version__}.json").read_text(encoding="utf-8")))


def test_writer_takes_in_what_is_new(folder: Path) -> None:
    """A setting without a form gets one, and both files are there."""
    write_form(folder, max_calls=None)
    assert contract.main() == 0
    assert read_form(folder) == contract.collect()
    assert (folder / contract.DATA_CONTRACT).is_file()


def test_writer_writes_the_first_form(folder: Path) -> None:
    """A new version starts with what the code has."""
    assert contract.main() == 0
    assert read_form(folder) == contract.collect()


def test_writer_refuses_to_drop_what_is_not_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes nothing and says what is missing from the changelog."""
    before = write_form(folder, max_rows={"types": ["integer", "null"]})
    assert contract.main() == 1
    assert f"`max_rows`: the setting is gone (in {__version__})\n" in capsys.readouterr().err
    assert (folder / f"{__version__}.json").read_text(encoding="utf-8") == before
    assert not (folder / contract.DATA_CONTRACT).exists()


def test_writer_drops_what_is_named(folder: Path) -> None:
    """It keeps what was there under `was`."""
    write_form(folder, max_rows={"types": ["integer", "null"]})
    entry = "## [Unreleased]\n\n### Breaking\n\n- `max_rows` is gone: use `max_calls`.\n"
    (folder / "CHANGELOG.md").write_text(entry, encoding="utf-8")
    assert contract.main() == 0
    was = {"`max_rows`": {"kind": "setting", "types": ["integer", "null"]}}
    assert read_form(folder) == {**contract.collect(), "was": was}


# What it says is so


def test_a_setting_is_not_told_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of a schema that the form has no word for stops the writer, rather than being left out."""
    node = {"type": ["string", "null"], "title": "User agent", "pattern": "^tap"}
    assert "user_agent" in SCHEMA["properties"]
    monkeypatch.setattr(contract, "about", lambda: {"settings": {"properties": {"user_agent": node}}})
    with pytest.raises(ValueError, match="user_agent: the contract cannot say pattern"):
        contract.settings()


def columns_of(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of all columns and fields of a schema."""
    for name, node in schema.get("properties", {}).items():
        yield f"{path}{name}"
        yield from columns_of(node, f"{path}{name}.")
        if "items" in node:
            yield f"{path}{name}[]"
            yield from columns_of(node["items"], f"{path}{name}[].")


def discovered(**settings: object) -> dict[str, dict[str, Any]]:
    """The catalog by streams, as a tap with these settings discovers it."""
    tap = TapUserTesting(config=settings, validate_config=False, setup_mapper=False)
    return {entry["stream"]: entry for entry in json.loads(tap.catalog_json_text)["streams"]}


def test_the_columns_are_those_that_are_discovered() -> None:
    """All of them, with the personal ones among them that are left out on demand."""
    whole = discovered(video_links=True)
    without = discovered(video_links=True, exclude_personal_data="omit")
    told = contract.streams()
    assert told.keys() == whole.keys()
    for stream, entry in whole.items():
        columns = told[stream]["columns"]
        assert {*columns_of(entry["schema"])} == columns.keys()
        kept = {path for path, facts in columns.items() if "personal" not in facts}
        assert {*columns_of(without[stream]["schema"])} == kept


def test_a_stream_that_needs_a_setting_says_which() -> None:
    """Without it, it is not discovered."""
    bare = discovered()
    needing = {stream: facts["only_with"] for stream, facts in contract.streams().items() if stream not in bare}
    assert needing == {"session_videos": "video_links"}
    assert all(contract.streams()[stream]["only_with"] is None for stream in bare)


KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


@pytest.mark.parametrize("source", ["feed", "listing"])
def test_a_real_state_has_no_other_keys(source: str) -> None:
    """What a sync of all streams writes is of the form, also where it ended early."""
    told = contract.state()
    seen: dict[str, set[type]] = {}
    with Sandbox(World.seeded(7, "small"), quota=None) as box:
        for settings in ({}, {"max_calls": 40}):
            state = sync_here(box.config(change_source=source, video_links=True, **settings), select=ALL).state
            assert state is not None
            for stream in state["bookmarks"].values():
                for partition in stream.get("partitions", ()):
                    for path, value in keys_of(partition):
                        seen.setdefault(path, set()).add(type(value))
    assert {path for path, kinds in seen.items() if not kinds <= {KINDS[kind] for kind in told[path]["types"]}} == set()
    assert seen.keys() >= {
        "context.test_id",
        "replication_key_value",
        "rows",
        "history.cursor",
        "tally.live",
        "written",
    }


def keys_of(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of a partition; those of which ids are the keys are not gone into."""
    for name, value in node.items():
        yield f"{path}{name}", value
        if isinstance(value, dict) and name not in {"waiting", "again", "written"}:
            yield from keys_of(value, f"{path}{name}.")


@pytest.mark.parametrize(
    ("meaning", "settings", "args"),
    [
        pytest.param("all was read", {}, (), id="read"),
        pytest.param("not all was read", {"max_retries": 1}, (), id="not read"),
        pytest.param("wrong option", {}, ("--nonsense",), id="option"),
        pytest.param("wrong setting or file", {"max_calls": 0}, (), id="setting"),
    ],
)
def test_an_exit_code_means_what_it_says(
    meaning: str, settings: dict[str, Any], args: tuple[str, ...], tmp_path: Path
) -> None:
    """A real run ends with the code of its end; those of signals are tried where signals are."""
    world = World(seed=7)
    session = world.add_session(world.add_test("SURVEY"))
    with Sandbox(world, quota=None) as box:
        if meaning == "not all was read":
            box.fail("details_v3", times=None, status=500, match=session.session_id)
        run = sync(box.config(**settings), tmp_path, select=["session_details"], args=args)
    assert contract.exit_codes()[str(run.exit)] == {"means": meaning}
