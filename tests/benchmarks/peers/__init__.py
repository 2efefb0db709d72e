"""The tap beside what a user would pick instead: `make bench-peers`, or `python -m tests.benchmarks.peers`.

Three general tools are set up for the Results API as well as they can be without code of their own in their engines:
`tap-rest-api-msdk` (`msdk.py`), the REST source of `dlt` (`dlt_rest.py`) and a low-code manifest on `airbyte-cdk`
(`airbyte.py`). Each runs in an environment of its own, with a fixed version; the first run installs them. A peer that
cannot be installed says so in its row. The project depends on none of them.

Every tool reads the same two tests from a sandbox of its own, under the same quota in compressed time (10 calls per 5 s
instead of 60 s), into a warehouse that upserts by key:

1. a first sync of everything;
2. a sync when nothing has happened;
3. a sync after ten changes: four new sessions, three transcripts that appear days late, two rejected sessions, and one
   session that started before the newest one known and finished after the first sync;
4. a first sync that gets `kill -9` in the middle, and the sync that goes on from there.

The warehouse is then compared, row by row, with what the sandbox holds. `scenario.py` makes the world, its changes and
the measurements, `peer.py` says what a peer is, `report.py` makes the table.
"""
