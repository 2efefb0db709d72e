"""Three syncs of one sandbox by the real command, kept as files that are piped into every target.

Between them happens what makes loading hard: a new session, a transcript that is late, an answer that is corrected, a
session that is rejected; then the rejected one is accepted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.sandbox.change_by_kind import make_change
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.streams.session_videos import SessionVideosStream
from tests.support.harness import Warehouse, parse, sync
from tests.support.tables import assert_true, truth

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SYNCS = ("first", "changes", "accepted")
# A sync is loaded, and once more in front of the next one: so its records come again, and those of one key together.
RUNS = (("first",), ("first", "changes"), ("changes", "accepted"))
RECORDED = [stream.name for stream in STREAMS if stream is not SessionVideosStream]  # a link is another each time
Truth = dict[str, dict[tuple[Any, ...], Any]]
Tables = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


@dataclass(frozen=True)
class Recording:
    """The syncs' output, and what the sandbox served after each."""

    folder: Path
    truths: dict[str, Truth]
    rejected: str

    def path(self, sync_name: str) -> Path:
        """Return the file of a sync's messages."""
        return self.folder / f"{sync_name}.jsonl"

    def output(self, *sync_names: str) -> bytes:
        """Return what the tap wrote in these syncs, one after the other."""
        return b"".join(self.path(name).read_bytes() for name in sync_names)

    def rows(self, *sync_names: str) -> Tables:
        """Return what a target that upserts must hold after these syncs, tombstones as rows."""
        return last_rows(parse(self.output(*sync_names)))


def record(folder: Path, world: World | None = None) -> Recording:
    """Run the three syncs, each from the state of the one before, and write their output into `folder`."""
    world = world or World.seeded(scale="small")
    truths: dict[str, Truth] = {}
    state: dict[str, Any] | None = None
    model = Warehouse()
    rejected = _rejectable(world)
    with Sandbox(world, quota=None) as box:
        for name in SYNCS:
            if name == "changes":
                for kind in ("session", "transcript", "update"):
                    make_change(world, kind)
                make_change(world, "reject", session_id=rejected)
            elif name == "accepted":
                make_change(world, "accept", session_id=rejected)
            done = sync(box.config(), folder, state=state, select=RECORDED)
            assert done.exit == 0, done.log
            (folder / f"{name}.jsonl").write_bytes(done.stdout)
            truths[name], state = truth(world), done.state
            model.load(done.messages)
            assert_true(model, world)
    return Recording(folder, truths, rejected)


def last_rows(messages: Iterable[dict[str, Any]]) -> Tables:
    """Return the last record of each key, by stream."""
    tables: Tables = {}
    keys: dict[str, list[str]] = {}
    for message in messages:
        if message["type"] == "SCHEMA":
            keys[message["stream"]] = message["key_properties"]
            tables.setdefault(message["stream"], {})
        elif message["type"] == "RECORD":
            row = message["record"]
            tables[message["stream"]][tuple(row[name] for name in keys[message["stream"]])] = row
    return tables


def live(tables: Tables) -> Tables:
    """Return tables without the rows that are marked as deleted."""
    return {
        stream: {key: row for key, row in rows.items() if row.get("deleted_at") is None}
        for stream, rows in tables.items()
    }


def _rejectable(world: World) -> str:
    """Return a session that has a row in every stream of sessions and is not the one that the other events pick."""
    return next(
        session.session_id
        for session in world.sessions.values()
        if session.served and session.has_transcript and session.test.in_feed
    )
