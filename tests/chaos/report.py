"""What a seed ends with: what was done to the tap, what came of it, what it cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.ledger import NOTHING, Spent


@dataclass
class Report:
    """What was done to the tap in one seed, and what came of it."""

    seed: int
    kind: str
    weather: str
    windows: str = "shared"
    runs: int = 0
    blows: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    torn: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    happened: int = 0
    spent: Spent = NOTHING
    first: int = 0  # calls of a first sync without faults, and the least that it can make
    least: int = 0
    loads: int = 0  # into PostgreSQL
    rows: int = 0
    lost: int = 0
    extra: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def repeat(self) -> str:
        """The command that runs this seed again."""
        return f"python -m tests.chaos --seed {self.seed}" + (" --postgres 1" if self.loads else "")
