"""Runs the tap as a user does, loads a model of an upserting target, and knows what the target should contain."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, FormatChecker

from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.tap import TapUserTesting
from tap_usertesting.values.privacy import UNKNOWN
from tests.support.forked import run_tap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


SESSION_STREAMS = ("sessions", "session_details", "transcripts")
ROW_STREAMS = ("task_responses", "participant_demographics", "transcript_cues")
CHANGE_COLUMNS = ("change_cursor", "change_type", "changed_at", "deleted_at", "_sdc_deleted_at")
COMMAND = [sys.executable, "-m", "tap_usertesting"]
LONG = 100.0  # seconds; even on a busy machine a process that takes longer hangs


@dataclass
class Warehouse:
    """A target that upserts by key, deletes rows with `_sdc_deleted_at`, and refuses what violates their schema."""

    tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    state: dict[str, Any] | None = None
    _schemas: dict[str, tuple[list[str], set[str], Draft7Validator]] = field(default_factory=dict)

    def load(self, messages: Iterable[dict[str, Any]]) -> None:
        """Load messages in their order."""
        for message in messages:
            kind = message["type"]
            if kind == "SCHEMA":
                columns = set(message["schema"]["properties"])
                checker = Draft7Validator(message["schema"], format_checker=FormatChecker())
                self._schemas[message["stream"]] = (message["key_properties"], columns, checker)
                self.tables.setdefault(message["stream"], {})
            elif kind == "RECORD":
                self._upsert(message["stream"], message["record"])
            elif kind == "STATE":
                self.state = message["value"]

    def _upsert(self, stream: str, record: dict[str, Any]) -> None:
        keys, columns, checker = self._schemas[stream]
        assert record.keys() == columns, f"{stream}: a record has other columns than its SCHEMA"
        checker.validate(record)
        key = tuple(record[name] for name in keys)
        assert all(part is not None for part in key), f"{stream}: a null in the key {keys}"
        if record.get("_sdc_deleted_at") is not None:
            assert record["deleted_at"] == record["_sdc_deleted_at"]
            self.tables[stream].pop(key, None)
        else:
            self.tables[stream][key] = record


@dataclass
class Synced:
    """The result of one run of the tap."""

    exit: int
    messages: list[dict[str, Any]]
    log: str
    stdout: bytes = b""

    @property
    def state(self) -> dict[str, Any] | None:
        """The last STATE."""
        return next((m["value"] for m in reversed(self.messages) if m["type"] == "STATE"), None)

    def records(self, stream: str | None = None) -> list[dict[str, Any]]:
        """Return the records of one stream, or of all."""
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and stream in {None, m["stream"]}]

    @property
    def errors(self) -> list[str]:
        """The log lines at ERROR and above."""
        return [line for line in self.log.splitlines() if " | ERROR " in line or " | CRITICAL " in line]

    def lines(self, text: str) -> list[str]:
        """Return the log lines that contain a text."""
        return [line for line in self.log.splitlines() if text in line]

    def partition(self, stream: str, test_id: str) -> dict[str, Any]:
        """Return the state of a test in a stream, {} if there is none."""
        partitions = (self.state or {}).get("bookmarks", {}).get(stream, {}).get("partitions", [])
        return next((state for state in partitions if state["context"] == {"test_id": test_id}), {})


def catalog(select: Sequence[str], **changes: object) -> dict[str, Any]:
    """Return a catalog that selects these streams. `changes`: keys to set in every entry."""
    entries = json.loads(_discovered())
    for entry in entries["streams"]:
        entry.update(changes)
        root = next(item for item in entry["metadata"] if item["breadcrumb"] == [])
        root["metadata"]["selected"] = entry["stream"] in select
    return dict(entries)


@cache
def _discovered() -> str:
    return TapUserTesting(config={"video_links": True}, validate_config=False, setup_mapper=False).catalog_json_text


def sync(
    config: dict[str, Any],
    folder: Path,
    *,
    state: dict[str, Any] | None = None,
    select: Sequence[str] | None = None,
    entries: dict[str, Any] | None = None,
    args: Sequence[str] = (),
    env: dict[str, str] | None = None,
    timeout: float = LONG,
) -> Synced:
    """Run the command in a process of its own. Its config, catalog and state are written to `folder`."""
    options = [*arguments(config, folder, state=state, select=select, entries=entries), *args]
    done = run_tap(options, env={**os.environ, **(env or {})}, timeout=timeout)
    singer = not any(option.startswith(("--plan", "--doctor")) for option in args)
    return Synced(done.returncode, parse(done.stdout) if singer else [], done.stderr.decode(), done.stdout)


def command_after(statements: str) -> list[str]:
    """Return the command of the tap, but with Python statements before it, for example to lower a constant."""
    return [sys.executable, "-c", f"{statements}\nfrom tap_usertesting.tap import TapUserTesting as Tap\nTap.cli()"]


def arguments(
    config: dict[str, Any],
    folder: Path,
    *,
    state: dict[str, Any] | None = None,
    select: Sequence[str] | None = None,
    entries: dict[str, Any] | None = None,
) -> list[str]:
    """Write config, catalog and state into `folder` and return the options that name them."""
    if select is not None:
        entries = catalog(select)
    files = {"config": config, "state": state, "catalog": entries}
    options: list[str] = []
    for name, content in files.items():
        if content is not None:
            path = folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            options += [f"--{name}", str(path)]
    return options


def parse(stdout: bytes) -> list[dict[str, Any]]:
    """Return the messages. Every line must be complete."""
    return [json.loads(line) for line in stdout.splitlines()]


def sync_here(
    config: dict[str, Any],
    *,
    state: dict[str, Any] | None = None,
    select: Sequence[str] | None = None,
    entries: dict[str, Any] | None = None,
    state_every: float = 0.0,
    test: bool = False,
) -> Synced:
    """Run the tap in this process, which is about a hundred times faster, by default with a STATE after every record.

    `test`: run the connection test, as `--test` does.
    """
    out = io.TextIOWrapper(io.BytesIO(), write_through=True)
    exit_code = 0
    impatient = type("TapUserTesting", (TapUserTesting,), {"state_every": state_every})
    try:
        with contextlib.redirect_stdout(out):
            chosen = entries if select is None else catalog(select)
            tap = impatient(config=dict(config), state=json.loads(json.dumps(state or {})), catalog=chosen)
            (tap.run_connection_test if test else tap.sync_all)()
    except SystemExit as end:
        exit_code = int(end.code or 0)
    out.flush()
    return Synced(exit_code, parse(out.buffer.getvalue()), "")


def personal_paths() -> dict[str, tuple[str, ...]]:
    """Return, for each stream with personal data, the paths that its declaration names."""
    found = {}
    for stream in STREAMS:
        holds_unknown = UNKNOWN in stream.schemas.get_schema(stream.name)["properties"]
        found[stream.name] = (*stream.personal, *((UNKNOWN,) if holds_unknown else ()))
    return {name: paths for name, paths in found.items() if paths}
