"""The command ``tap-usertesting-sandbox``: serves a seeded world until it is stopped."""
# ruff: noqa: T201 - the command prints

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.index import export_lines
from tap_usertesting.sandbox.like import ReportError, read_report, variant_of
from tap_usertesting.sandbox.quota import QuotaRule
from tap_usertesting.sandbox.set_up import set_up
from tap_usertesting.sandbox.variant import Variant
from tap_usertesting.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from tap_usertesting.sandbox.server import Sandbox

_NO_EXTRA = "tap-usertesting-sandbox: graphql-core is missing; run: pip install 'tap-usertesting[sandbox]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    try:
        from tap_usertesting.sandbox.server import Sandbox  # noqa: PLC0415 - fails without the extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "graphql":
            raise
        return _fail(_NO_EXTRA)
    variant = Variant(quota=QuotaRule(limit=options.limit, window=options.window, scope=options.scope))
    if options.like is not None:
        try:
            variant = variant_of(read_report(options.like))
        except ReportError as error:
            return _fail(f"tap-usertesting-sandbox: --like {options.like}: {error}")
    now = datetime.now(timezone.utc).replace(microsecond=0) if options.now_real else None
    world = set_up(World.seeded(options.seed, options.scale, now=now, real_time=options.now_real), variant)
    rule = None if options.no_quota else variant.quota
    try:
        box = Sandbox(world, quota=rule, token_lifetime=options.token_lifetime, port=options.port)
    except OSError as error:
        return _fail(f"tap-usertesting-sandbox: cannot listen on port {options.port}: {error.strerror}")
    with box, _stopping_on_signals(box.stop_requested):
        _announce(box)
        if options.port_file is not None:
            _write_port(options.port_file, box.port)
        # The timeout is there because some platforms cannot interrupt a wait without one.
        while not box.stop_requested.wait(1.0):
            pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tap-usertesting-sandbox",
        description="Serve a local stand-in for the UserTesting Results API, legacy API and change feed.",
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free port)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same data (default: %(default)s)")
    parser.add_argument(
        "--scale", choices=("small", "demo", "large"), default="small", help="amount of data (default: %(default)s)"
    )
    parser.add_argument(
        "--limit", type=int, default=10, help="Results API calls per quota window (default: %(default)s)"
    )
    parser.add_argument(
        "--window", type=float, default=60.0, help="length of a quota window in seconds (default: %(default)s)"
    )
    parser.add_argument(
        "--scope",
        choices=("shared", "endpoint", "version"),
        default="shared",
        help="one quota window for all endpoints, one per endpoint, or one per API version (default: %(default)s)",
    )
    parser.add_argument("--no-quota", action="store_true", help="do not limit calls")
    parser.add_argument(
        "--token-lifetime", type=float, default=3600, help="lifetime of a token in seconds (default: %(default)s)"
    )
    parser.add_argument("--port-file", type=Path, help="write the port to this file when the sandbox is ready")
    parser.add_argument(
        "--like", type=Path, metavar="REPORT", help="respond like the server in this report of tap-usertesting --doctor"
    )
    parser.add_argument("--now-real", action="store_true", help="date the data up to now instead of a fixed day")
    return parser


def _announce(box: Sandbox) -> None:
    """Print the URL of the sandbox and the environment variables that make the tap use it."""
    print(f"UserTesting sandbox at {box.url} (stop with Ctrl-C). Settings for tap-usertesting --config=ENV:\n")
    hidden = {"feed_url": None} if box.world.variant.feed == "unset" else {}
    print("\n".join(export_lines(box.config(**hidden))))
    print(f"\nEndpoints, data, and commands that trigger events and faults: {box.url}/_sandbox/", flush=True)


def _write_port(path: Path, port: int) -> None:
    """Write the port in one step: a reader sees the whole number or no file."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(f"{port}\n", encoding="utf-8")
    draft.replace(path)


@contextlib.contextmanager
def _stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Make SIGTERM and Ctrl-C set an event while the block runs, unless this thread may not install handlers."""

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
