"""The tap itself, by listing and by feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.benchmarks.peers.peer import TABLES, printed
from tests.support.harness import COMMAND, Warehouse, arguments
from tests.support.tables import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.peers.peer import Job


@dataclass(frozen=True)
class Own:
    """The tap with one of its two sources of changes; it needs no environment but the running one."""

    name: str
    feed: bool
    requirements: tuple[str, ...] = ()

    def sync(self, job: Job) -> Iterator[list[str]]:
        """One run of the command line, with the state of the last."""
        # No `test_ids`: discovery, which is outside the quota, also tells which tests have transcripts and scores.
        config = {name: value for name, value in job.config.items() if self.feed or name != "feed_url"}
        yield [*COMMAND, *arguments(config, job.home, state=_loaded(job).state, select=TABLES)]

    def tables(self, job: Job) -> dict[str, dict[tuple[Any, ...], Any]]:
        """Load what was printed as a target does."""
        return held(_loaded(job))


def _loaded(job: Job) -> Warehouse:
    warehouse = Warehouse()
    warehouse.load(printed(job))
    return warehouse
