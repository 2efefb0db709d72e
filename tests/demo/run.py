"""The demo: sync a sandbox into a PostgreSQL of its own, let things happen, sync again, and check every row.

No credentials, no network but loopback; nothing is left behind but the environment that make keeps and one page with
pictures of what was loaded.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS
from tests.demo import evidence, pictures, queries, report, sections, warehouse
from tests.demo.changes import make_changes
from tests.demo.errors import DemoError
from tests.demo.pipeline import Pipeline
from tests.demo.postgres import postgres

if TYPE_CHECKING:
    from types import FrameType

    from tests.demo.pipeline import Sync
    from tests.demo.postgres import Database

# The live quota, 10 calls a minute, with time 300 times as fast.
QUOTA = QuotaRule(limit=10, window=0.2)
HOST = "127.0.0.1"
# A Unix socket's address has to fit into this many bytes, 103 on macOS, with its file name.
LONGEST_FOLDER = 70
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(BaseException):
    """A signal asked the demo to end; everything on the way up is cleaned away."""

    def __init__(self, number: int) -> None:
        """`number` is the signal's."""
        super().__init__(number)
        self.number = number


def main() -> int:
    """Run the demo; return its exit status."""
    for number in SIGNALS:
        signal.signal(number, _stop)
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="tap-demo-", dir=_temporary_root()) as folder:
            drawn = _demo(Path(folder))
    except DemoError as error:
        print(f"\nmake demo failed: {error}", file=sys.stderr)  # noqa: T201 - the one line
        return 1
    except StoppedError as stopped:
        print("\nmake demo stopped; nothing is left running.", file=sys.stderr)  # noqa: T201 - the one line
        return 128 + stopped.number
    except BrokenPipeError:
        # Who reads the output has gone, as `head` does: what is still buffered has no place to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    print(f"\nEverything above was checked. {time.monotonic() - began:.0f} s in all; nothing is left running.")  # noqa: T201 - the end
    print(f"Pictures of what PostgreSQL held, to open in a browser:\n{drawn}")  # noqa: T201 - the last line is the path
    return 0


def _demo(folder: Path) -> Path:
    """Return the page that was written last."""
    world = World.seeded(scale="demo")
    # The machine's own PostgreSQL settings and a proxy have no business between these processes.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    env |= {"NO_PROXY": HOST, "no_proxy": HOST}
    pipeline = Pipeline(folder=folder, env=env)
    with Sandbox(world, quota=QUOTA) as box, postgres(folder / "postgres", env) as database:
        report.heading("tap-usertesting, tried on a sandbox")
        report.line(f"Both APIs, with invented data, at {box.url}")
        report.line("tap-usertesting  ->  target-postgres  ->  a PostgreSQL server of this demo's own")
        report.line(f"Quota: {QUOTA.limit} calls in {QUOTA.window} s, the live API's with time 300 times as fast")
        pipeline.configure(tap=box.config(), target_url=database.url)

        evidence.prepare(database)

        def sync(number: int) -> Sync:
            box.clear_calls()
            done = pipeline.sync(lambda: box.calls)
            evidence.keep_calls(database, number, done, quota=QUOTA.limit)
            return done

        _first(database, world, sync(1))
        evidence.keep_rows(database)
        rejected = make_changes(world)
        _second(database, world, sync(2), rejected)
        changes = sections.changes(database)
        _third(database, world, sync(3))
        report.heading("5. The newest rows")
        report.query(queries.NEWEST)
        report.rows(database.rows(queries.NEWEST))
        return pictures.draw(database, changes=changes, rule=QUOTA)


def _first(database: Database, world: World, sync: Sync) -> None:
    report.heading("1. First sync: everything")
    report.tables(warehouse.row_counts(database), what="Rows in PostgreSQL")
    report.qx_scores(database.rows(queries.QX_SCORES))
    report.transcript(database.rows(queries.TRANSCRIPT)[0])
    report.cost(sync, QUOTA)
    _check(database, world, sync)


def _second(database: Database, world: World, sync: Sync, rejected: str) -> None:
    report.heading("3. Second sync, from the saved state: only what changed")
    report.tables(warehouse.row_counts(database, since=sync.began), what="Rows written")
    report.cost(sync, QUOTA)
    _check(database, world, sync)
    warehouse.check_deleted(database, rejected)
    report.line("Checked: the rejected session is marked as deleted in every table it had a row in.")


def _third(database: Database, world: World, sync: Sync) -> None:
    report.heading("4. Third sync: nothing happened")
    report.tables(warehouse.row_counts(database, since=sync.began), what="Rows written")
    report.cost(sync, QUOTA)
    _check(database, world, sync)
    asked = [call for call in sync.calls if call.kind == "feed"]
    if len(asked) != 1 or any(call.kind in RESULTS_KINDS for call in sync.calls):
        raise DemoError("an idle sync is to cost one feed request and no call under the quota")
    report.line("Checked: one request told the change feed's news of every test.")


def _check(database: Database, world: World, sync: Sync) -> None:
    """Compare warehouse and sandbox, and refuse a sync that ran into the quota."""
    warehouse.check(database, world)
    if any(call.status == 429 for call in sync.calls):
        raise DemoError("the tap ran into the quota: a call was answered with 429")
    report.line("Checked: every table equals what the APIs serve, row by row and column by column.")
    report.line("Checked: sync_status accounts for every session that the source names.")


def _stop(number: int, _frame: FrameType | None) -> None:
    """End the demo, once: an impatient second Ctrl-C is not to leave a server running."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise StoppedError(number)


def _temporary_root() -> str | None:
    """Return where the temporary folder is to be, None for the system's choice.

    A folder of root's own choice may be closed to the user as whom root's PostgreSQL runs.
    """
    closed, long = os.geteuid() == 0, len(tempfile.gettempdir()) > LONGEST_FOLDER
    return "/tmp" if closed or long else None  # noqa: S108 - a fresh folder is made in it


if __name__ == "__main__":
    sys.exit(main())
