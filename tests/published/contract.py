"""What users rely on: settings, options, streams, columns, state keys, exit codes and capabilities of the code.

`python -m tests.published` writes docs/contract/<version>.json and docs/contract/tap-usertesting.odcs.yaml. It
takes in whatever is new, and refuses to drop or to narrow anything that CHANGELOG.md does not name under *Breaking*.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from tap_usertesting import __version__
from tap_usertesting.config.schema import SCHEMA, SDK_SETTINGS
from tap_usertesting.ledger.change_log import LISTING
from tap_usertesting.ledger.ledger import History, Ledger, Mark
from tap_usertesting.ledger.state_keys import KEYS
from tap_usertesting.ledger.tally import Tally
from tap_usertesting.singer.command_line import EX_CONFIG
from tap_usertesting.singer.status_stream import FAILED, WRITTEN
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.sync.partition import PartitionState
from tap_usertesting.sync.termination_signals import EXIT_BY_SIGNAL
from tap_usertesting.tap import TapUserTesting
from tap_usertesting.values.privacy import UNKNOWN
from tests.published.breaks import Verdict, judge
from tests.published.data_contract import as_yaml
from tests.support.environments import ROOT
from tests.support.harness import COMMAND, catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "docs" / "contract"
DATA_CONTRACT = "tap-usertesting.odcs.yaml"
CHANGELOG = ROOT / "CHANGELOG.md"
EXITS = {0: "all was read", 1: "not all was read", 2: "wrong option", EX_CONFIG: "wrong setting or file"}
NO_FACTS = {"title", "description", "writeOnly"}  # of a setting: free to be reworded; `writeOnly` says `secret` again


@cache
def about() -> dict[str, Any]:
    """What the tap says of itself."""
    shown = subprocess.run([*COMMAND, "--about", "--format=json"], check=True, capture_output=True, text=True).stdout
    return dict(json.loads(shown))


def settings() -> dict[str, Any]:
    """Every setting, with what is accepted. Of those that the SDK brings, what is inside is the SDK's."""
    schema = about()["settings"]
    required = schema.get("required", ())
    nodes = {**schema["properties"], **SDK_SETTINGS}
    return {name: _setting(name, node, required=name in required) for name, node in nodes.items()}


def _setting(name: str, node: dict[str, Any], *, required: bool) -> dict[str, Any]:
    rest = {word: value for word, value in node.items() if word not in NO_FACTS}
    facts: dict[str, Any] = {"types": types(rest.pop("type"))}
    if "items" in rest:
        facts["items"] = types(rest.pop("items")["type"])
    if "enum" in rest:
        facts["allowed"] = sorted(rest.pop("enum"))
    if "default" in rest:  # the user agent's ends with the version
        default = rest.pop("default")
        facts["default"] = default.replace(__version__, "<version>") if isinstance(default, str) else default
    facts |= {word: rest.pop(word) for word in ("format", "minimum", "maximum", "secret") if word in rest}
    if rest and name in SCHEMA["properties"]:
        raise ValueError(f"{name}: the contract cannot say {', '.join(sorted(rest))}; teach it")
    return facts | ({"required": True} if required else {})


def types(named: str | list[str]) -> list[str]:
    """The types of a schema node, in order."""
    return sorted([named] if isinstance(named, str) else named)


def options() -> dict[str, Any]:
    """Every option of the command line, with what may follow it."""
    command = TapUserTesting.get_singer_command()
    context = click.Context(command)
    return {
        name: _option(option)
        for option in command.get_params(context)
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }


def _option(option: click.Option) -> dict[str, Any]:
    if option.is_flag:
        return {"takes": "nothing"}
    alone = option.flag_value if isinstance(option.flag_value, str) else None
    facts: dict[str, Any] = {"takes": "a value" if alone is None else "a value or none"}
    if alone is not None:
        facts["alone"] = alone
    if isinstance(option.type, click.Choice):
        facts["allowed"] = sorted(option.type.choices)
    return facts | ({"repeats": True} if option.multiple else {})


def streams() -> dict[str, Any]:
    """Every stream, as a first `--discover` shows it, with all columns."""
    entries = {entry["stream"]: entry for entry in catalog(())["streams"]}
    found = {}
    for stream in STREAMS:
        entry = entries[stream.name]
        root = next(item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == [])
        columns = stream.schemas.get_schema(stream.name)["properties"]
        found[stream.name] = {
            "key": entry["key_properties"],
            "replication_method": entry["replication_method"],
            "replication_key": entry.get("replication_key"),
            "selected_by_default": root["selected-by-default"],
            "only_with": stream.setting,
            "columns": dict(_columns(columns, personal={*stream.personal, UNKNOWN})),
        }
    return found


def _columns(
    nodes: dict[str, Any], *, personal: set[str], path: str = "", within: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, node in nodes.items():
        full = f"{path}{name}"
        is_personal = within or full in personal
        facts: dict[str, Any] = {"types": types(node["type"])}
        if "format" in node:
            facts["format"] = node["format"]
        yield full, facts | ({"personal": True} if is_personal else {})
        if "properties" in node:
            yield from _columns(node["properties"], personal=personal, path=f"{full}.", within=is_personal)
        if "items" in node:
            yield from _columns({"[]": node["items"]}, personal=personal, path=full, within=is_personal)


def state() -> dict[str, Any]:
    """Every key of the state of one test in one stream, by the types of what is written there."""
    found: dict[str, set[str]] = {}
    for partition in _partitions():
        for path, kind in _keys(partition):
            found.setdefault(path, set()).add(kind)
    if lost := {*KEYS, *(f"tally.{one.name}" for one in fields(Tally) if one.name != "fates")} - found.keys():
        raise ValueError(f"{', '.join(sorted(lost))}: the contract has no example of it; add one")
    return {path: {"types": sorted(kinds)} for path, kinds in found.items()}


def _partitions() -> Iterator[dict[str, Any]]:
    """States with everything in them."""
    mark, text, ids = Mark("cursor", "time"), "text", ("id",)
    numbers: dict[str, Any] = {"live": 1, "given_up": 1, "left_out": 1, "removed": 1}
    fates: dict[bytes, Any] = {b"%06d" % place: fate for place, fate in enumerate(numbers)}
    held: dict[str, Any] = {
        "counted_at": text,
        "counted": 1,
        "without_id": 1,
        "pending": 1,
        "again": {b"again.": "live"},
    }
    for tally in (Tally(**held, fates=fates, **numbers), Tally(**held, fates=None, **numbers), Tally(is_lost=True)):
        partition: dict[str, Any] = {"context": {"test_id": text}}
        kept = PartitionState(partition, replication_key="change_cursor")
        kept.rows = 1
        kept.ledger = Ledger(
            source=LISTING, bookmark=mark, history=History(LISTING, *mark), floor=mark, tally=tally,
            waiting={text: text}, tombstoned=ids, recent=ids, recent_from=text, out_of_order=ids, total_count=1,
            asked_at=text, newest=text, misses=ids, found=True, asleep=True, start_date=text, reopened_until=text,
            reread=True, has_none=True, list_was_short=True, verdict=True,
        )  # fmt: skip
        kept.save()
        yield partition
    yield {WRITTEN: {text: text}, FAILED: [text]}


def _keys(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    kinds = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
    for name, value in node.items():
        full = f"{path}{name}"
        yield full, kinds[type(value)]
        # The others have ids in the place of keys.
        if full in {"context", "history", "floor", "tally"}:
            yield from _keys(value, f"{full}.")


def exit_codes() -> dict[str, Any]:
    """Every exit status, with what it means."""
    meanings = EXITS | {code: signal.name for signal, code in EXIT_BY_SIGNAL.items()}
    return {str(code): {"means": meaning} for code, meaning in meanings.items()}


def collect() -> dict[str, Any]:
    """What the code has now."""
    return {
        "version": __version__,
        "capabilities": sorted(about()["capabilities"]),
        "exit_codes": exit_codes(),
        "options": options(),
        "settings": settings(),
        "state": state(),
        "streams": streams(),
    }


def released() -> dict[str, dict[str, Any]]:
    """Every form in the folder, by its version."""
    forms = (json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json"))
    return {form["version"]: form for form in forms}


def verdict() -> Verdict:
    """What is to be done about the form of this version."""
    return judge(collect(), released(), CHANGELOG.read_text(encoding="utf-8"))


def as_json(node: dict[str, Any], indent: str = "") -> str:
    """A form as text, sorted, each thing on a line of its own."""
    if not any(isinstance(inner, dict) for inner in node.values()):
        return json.dumps(node, sort_keys=True)
    inner = indent + "  "
    lines = [
        f"{inner}{json.dumps(name)}: {as_json(value, inner) if isinstance(value, dict) else json.dumps(value)}"
        for name, value in sorted(node.items())
    ]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def main() -> int:
    """Write the files, unless something is broken that the changelog does not name."""
    problems, form = verdict()
    if problems:
        sys.stderr.write("\n".join([*problems, f"docs/contract/{__version__}.json is not written\n"]))
        return 1
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / DATA_CONTRACT).write_text(as_yaml(), encoding="utf-8")
    (FOLDER / f"{__version__}.json").write_text(as_json(form) + "\n", encoding="utf-8")
    return 0
