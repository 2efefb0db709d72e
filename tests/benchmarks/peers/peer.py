"""What a peer is: how it is installed, the commands of one sync, and what its warehouse holds afterwards.

Standard library only, and of the tests only what is so too: `dlt_rest.py` imports this in dlt's own environment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tests.support import environments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TABLES = ("sessions", "session_details", "transcripts", "qx_scores")
PAGE = 500  # greatest page of the session list


@dataclass(frozen=True)
class Job:
    """One warehouse and where it is filled from; `home` is its folder, `config` the settings of the tap.

    `spoken` and `scored` are the ids of the tests with transcripts and of those with QXscores: a peer is told what it
    need not ask. `limit` calls are allowed per `window` seconds.
    """

    home: Path
    config: dict[str, str]
    spoken: list[str]
    scored: list[str]
    limit: int
    window: float

    @property
    def test_ids(self) -> list[str]:
        """Every test."""
        return [*self.spoken, *self.scored]

    def write(self, name: str, content: object) -> str:
        """Write a JSON file into the folder; return its path."""
        path = self.home / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)


@dataclass
class Holdings:
    """What a warehouse holds, in the vendor's shapes, by the keys of `World.truth`, whose place it can take."""

    sessions: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    transcripts: dict[str, str] = field(default_factory=dict)
    qx_scores: dict[str, Any] = field(default_factory=dict)

    def truth(self) -> dict[str, Any]:
        """Return the tables as `World.truth` does, and nothing where a peer has none."""
        return {"workspaces": [], "tests": [], "events": {}, "clips": {}, "reels": {}, **vars(self)}


class Peer(Protocol):
    """One tool, configured. All files of a warehouse are in the folder of its job."""

    @property
    def name(self) -> str:
        """Its name, also that of its environment."""
        ...

    @property
    def requirements(self) -> tuple[str, ...]:
        """What pip installs into its environment; nothing: the running environment serves."""
        ...

    def sync(self, job: Job) -> Iterator[list[str]]:
        """Yield the commands of one sync; each has ended before the next is asked for.

        What a command prints is appended to `out.jsonl` in the folder.
        """
        ...

    def tables(self, job: Job) -> dict[str, dict[tuple[Any, ...], Any]]:
        """Return the warehouse in the shape of `tests.support.tables.truth`."""
        ...


def program(peer: Peer, name: str) -> str:
    """Return the path of a command in a peer's environment."""
    return str(environments.programs(peer.name) / name)


def printed(job: Job) -> Iterable[dict[str, Any]]:
    """Yield every whole JSON line that the commands have printed so far, over all syncs."""
    path = job.home / "out.jsonl"
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:  # a kill cut it short, or it is no message
            continue
        if isinstance(message, dict):
            yield message
