"""Chaos: the real command line under faults, kills and a world that changes meanwhile; in the end every table is true.

`python -m tests.chaos --seeds 200` runs the long suite and prints what was done to the tap, seed by seed;
`python -m tests.chaos --seed 17` repeats one seed and prints the log of each of its runs. A seed fixes the world, what
happens in it, which call meets which fault and where the process is struck; only the operating system's own timing
differs from one repetition to the next.

Some seeds are calm: nothing goes wrong, and each call is held against what the world says must be asked. Every eighth
seed's messages also go through the real PostgreSQL target, whose tables must be the same; that target and its server
are installed beside, once. `--postgres 1` does so for every seed, `--postgres 0` for none.
"""

from __future__ import annotations
