"""Runs the tap against the vendor's own OpenAPI documents, served by Stoplight Prism, a mock server nobody here wrote.

    python -m tests.support.vendor_mock RESULTS_V2_V3 [LEGACY_V1] [--random N] [--prism PRISM]

Both are files that the vendor offers for download; they are no part of this project. Prism answers with their examples,
or, N further times, with random data by their schemas. It checks what it is asked: an undocumented path or parameter,
a malformed id or a missing bearer token shows as a violation in its log, and fails the run. With the first document the
tap is given a test id; with the second it discovers tests, of which the example is one that only v1 can read. Prism is
installed with npm into a temporary folder, unless it is named.

Exit status 0: the tap ended well, each record fits its stream's schema, Prism found no violation and, with the vendor's
examples, every stream had records and the tap did not even warn. Random data may have no quota headers and no records.
Not collected by pytest: it needs npm and the documents.
"""
# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.harness import SESSION_STREAMS, Synced, Warehouse, sync

if TYPE_CHECKING:
    from collections.abc import Iterator

PRISM = "@stoplight/prism-cli@5"
TEST_ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
STARTS_WITHIN = 60  # seconds
ENDS_WITHIN = 300  # seconds; random data may have no quota headers, and then 10 calls a minute are assumed
RESULTS_PATHS = (
    "/api/v2/sessionResults",
    "/api/v3/sessionResults/{sessionId}",
    "/api/v2/sessionResults/{sessionId}/transcript",
    "/api/v2/testResults/{testId}/qxScores",
)
LEGACY_PATHS = ("/v1/workspaces", "/v1/workspaces/{workspaceUuid}")
LEGACY_BASE = "/usertesting/api"  # the path of the legacy document's server, which Prism leaves out


@dataclass(frozen=True)
class MockRun:
    """One sync: its document and settings, and the streams that must have records if the answers are examples."""

    title: str
    document: Path
    settings: dict[str, Any]
    streams: tuple[str, ...]
    examples: bool = True


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="OpenAPI document of the Results API, v2 and v3")
    parser.add_argument("legacy", type=Path, nargs="?", help="OpenAPI document of the legacy API, for discovery")
    parser.add_argument("--random", type=int, default=0, help="so many further runs with random data")
    parser.add_argument("--prism", type=Path, help="an installed prism (default: npm install into a temporary folder)")
    options = parser.parse_args()
    streams = (*SESSION_STREAMS, "qx_scores")
    one_test = {"test_ids": [TEST_ID]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prism = options.prism or install(folder)
        runs = [MockRun("examples, a test id is given", options.results, one_test, streams)]
        if options.legacy is not None:
            both = folder / "both.json"
            both.write_text(json.dumps(joined(options.results, options.legacy)), encoding="utf-8")
            runs.append(MockRun("examples, tests are discovered", both, {}, ("workspaces", "tests")))
        runs += [MockRun("random data", options.results, one_test, streams, examples=False)] * options.random
        wrong = [problem for mock_run in runs for problem in run(mock_run, prism, folder)]
    return 1 if wrong else 0


def install(folder: Path) -> Path:
    """Install Prism into a folder and return its command."""
    print(f"installing {PRISM}")
    command = ["npm", "install", "--no-fund", "--no-audit", "--silent", "--prefix", str(folder), PRISM]
    subprocess.run(command, check=True)
    return folder / "node_modules" / ".bin" / "prism"


def joined(results: Path, legacy: Path) -> dict[str, Any]:
    """Return one document with the paths that the tap calls: Prism serves one document, and the tap knows one host."""
    places = {path: (results, path) for path in RESULTS_PATHS}
    places |= {LEGACY_BASE + path: (legacy, path) for path in LEGACY_PATHS}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Results API and legacy API", "version": "1"},
        "paths": {path: {"$ref": _reference(*place)} for path, place in places.items()},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}],
    }


def _reference(document: Path, path: str) -> str:
    return f"{document.resolve()}#/paths/{path.replace('/', '~1')}"


def run(mock_run: MockRun, prism: Path, folder: Path) -> list[str]:
    """Sync from Prism, print the result, and return its problems."""
    print(f"\n{mock_run.document.name}, {mock_run.title}:")
    log = folder / "prism.log"
    with served(mock_run, prism, log) as url:
        config = {"access_token": "any", "api_url": url, "change_source": "listing", **mock_run.settings}
        began = time.monotonic()
        synced = sync(config, folder, timeout=ENDS_WITHIN)
        seconds = time.monotonic() - began
    told = _plain(log).partition("is listening")[2].splitlines()
    for asked in (re.search(r"\[HTTP SERVER\] (get|post) (\S+) .* Request received", line) for line in told):
        if asked:
            print(f"  {asked[1].upper()} {asked[2]}")
    wrong = problems(synced, mock_run)
    wrong += [line for line in told if "✖" in line or "violation" in line.lower()]
    if wrong:
        print(synced.log, end="")
    for problem in wrong:
        print(f"WRONG: {problem}")
    counts = ", ".join(f"{len(synced.records(stream))} {stream}" for stream in mock_run.streams)
    print(f"  exit {synced.exit} after {seconds:.1f} s; records: {counts}" + ("" if wrong else "; all is well"))
    return wrong


def problems(synced: Synced, mock_run: MockRun) -> list[str]:
    """Return the problems of a sync, one line each."""
    found = [] if synced.exit == 0 else [f"exit status {synced.exit}"]
    try:
        Warehouse().load(synced.messages)  # validates each record, formats included
    except Exception as error:  # noqa: BLE001 - a validator's error, a missing SCHEMA or a bad key: all are findings
        found.append(f"{type(error).__name__}: {str(error).splitlines()[0]}")
    found += synced.errors
    if mock_run.examples:
        found += [f"no record of {stream}" for stream in mock_run.streams if not synced.records(stream)]
        found += synced.lines(" | WARNING ")
    return found


@contextlib.contextmanager
def served(mock_run: MockRun, prism: Path, log: Path) -> Iterator[str]:
    """Serve a document with Prism on a free loopback port; yields the URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(prism), "mock", "--host", "127.0.0.1", "--port", str(port), "--multiprocess", "false"]
    command += [str(mock_run.document)] if mock_run.examples else ["--dynamic", str(mock_run.document)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            until = time.monotonic() + STARTS_WITHIN
            while "is listening" not in _plain(log):
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit(f"Prism does not start:\n{_plain(log)}")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _plain(log: Path) -> str:
    """Return Prism's log without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(encoding="utf-8", errors="replace"))


if __name__ == "__main__":
    sys.exit(main())
