"""A stand-in for BigQuery's REST API, as far as target-bigquery and the reader of its tables use it.

    python -m tests.e2e.warehouses.bigquery_server READY_FILE

A program of the environment `bigquery`; it ends with its standard input. `READY_FILE` gets its address and the
credentials of a service account that exists nowhere: `{"host": ..., "credentials": {...}}`.

Rows of a load job have to fit its columns by the rules of BigQuery's documents, and the target's own SQL (the last row
of a key, MERGE) is run by DuckDB. What this can not show: what BigQuery does beside its documents, limits of size and
rate, privileges, locations, cost.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.e2e.warehouses.bigquery_tables import RefusedError, Table, Tables

_PROJECT = r"(?:/upload)?/bigquery/v2/projects/[^/]+"
_TABLES = _PROJECT + r"/datasets/(?P<dataset>[^/]+)/tables"


class Api(BaseHTTPRequestHandler):
    """One request; the routes are at the end of the class."""

    protocol_version = "HTTP/1.1"
    tables = Tables()
    datasets: ClassVar[dict[str, dict[str, Any]]] = {}
    jobs: ClassVar[dict[str, dict[str, Any]]] = {}
    uploads: ClassVar[dict[str, dict[str, Any]]] = {}

    def answer(self) -> None:
        """Find the route, run it under the lock of all tables, and send what it returns."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        try:
            with self.tables.lock:
                status, content, headers = self._routed(path, body)
        except KeyError as error:
            status, content, headers = 404, _error(404, "notFound", f"Not found: {error}"), {}
        except Exception as error:  # noqa: BLE001 - the client is to see it
            traceback.print_exc()
            status, content, headers = 400, _error(400, "invalid", str(error)), {}
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - names of the standard library

    def _routed(self, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        for method, pattern, handler in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                done = handler(self, body, **match.groupdict())
                return done if isinstance(done, tuple) else (200, done, {})
        raise KeyError(f"{self.command} {path}")

    def token(self, _: bytes) -> dict[str, Any]:
        """Trade a service account's signed claim for a token."""
        return {"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"}

    def dataset(self, _: bytes, dataset: str) -> dict[str, Any]:
        """Return a dataset."""
        return self.datasets[dataset]

    def new_dataset(self, body: bytes) -> dict[str, Any]:
        """Make a dataset."""
        made: dict[str, Any] = json.loads(body)
        self.datasets[made["datasetReference"]["datasetId"]] = made
        return made

    def table(self, _: bytes, dataset: str, table: str) -> dict[str, Any]:
        """Return a table's resource."""
        return self._table(dataset, table).resource

    def new_table(self, body: bytes, dataset: str) -> dict[str, Any]:
        """Make a table."""
        del dataset
        return self.tables.create(json.loads(body)).resource

    def patch_table(self, body: bytes, dataset: str, table: str) -> dict[str, Any]:
        """Add columns to a table."""
        found = self._table(dataset, table)
        self.tables.extend(found, json.loads(body)["schema"]["fields"])
        return found.resource

    def rows(self, _: bytes, dataset: str, table: str) -> dict[str, Any]:
        """Return all rows of a table on one page."""
        rows = self.tables.rows(self._table(dataset, table))
        return {"kind": "bigquery#tableDataList", "totalRows": str(len(rows)), "rows": rows}

    def begin_upload(self, body: bytes) -> tuple[int, Any, dict[str, str]]:
        """Take the settings of a load job and say where its rows are to be sent."""
        name = f"upload-{len(self.uploads)}"
        self.uploads[name] = json.loads(body)
        return 200, {}, {"Location": f"http://{self.headers['Host']}/sent/{name}"}

    def upload(self, body: bytes, name: str) -> tuple[int, Any, dict[str, str]] | dict[str, Any]:
        """Take rows; run the job when all are there."""
        job = self.uploads[name]
        job["data"] = job.get("data", b"") + body
        if self.headers["Content-Range"].endswith("/*"):
            return 308, {}, {"Range": f"bytes=0-{len(job['data']) - 1}"}
        return self._finish(job, lambda: self._load(job["configuration"]["load"], job.pop("data")))

    def new_job(self, body: bytes) -> dict[str, Any]:
        """Run a query."""
        job = json.loads(body)
        return self._finish(job, lambda: self.tables.query(job["configuration"]["query"]["query"]))

    def job(self, _: bytes, job: str) -> dict[str, Any]:
        """Return a job, which has ended long ago."""
        return self.jobs[job]

    def results(self, _: bytes, job: str) -> dict[str, Any]:
        """Return the results of a query: none, as scripts have."""
        reference = self.jobs[job]["jobReference"]
        return {"jobComplete": True, "jobReference": reference, "totalRows": "0", "schema": {"fields": []}}

    def _table(self, dataset: str, table: str) -> Table:
        return self.tables.by_name[f"{dataset}.{table}"]

    def _load(self, settings: dict[str, Any], data: bytes) -> None:
        reference = settings["destinationTable"]
        table = self._table(reference["datasetId"], reference["tableId"])
        if settings["sourceFormat"] != "NEWLINE_DELIMITED_JSON" or settings["writeDisposition"] != "WRITE_APPEND":
            raise RefusedError(f"a load job of a kind unknown here: {settings}")
        if "ALLOW_FIELD_ADDITION" in settings.get("schemaUpdateOptions", []):
            self.tables.extend(table, settings["schema"]["fields"])
        plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        self.tables.load(table, plain.splitlines(), ignore_unknown=settings.get("ignoreUnknownValues", False))

    def _finish(self, job: dict[str, Any], work: Any) -> dict[str, Any]:  # noqa: ANN401 - a function without arguments
        status: dict[str, Any] = {"state": "DONE"}
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a job that failed says so in its status
            traceback.print_exc()
            status["errorResult"] = {"reason": "invalid", "message": str(error)}
        self.jobs[job["jobReference"]["jobId"]] = job | {"status": status, "statistics": {}}
        return self.jobs[job["jobReference"]["jobId"]]

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


_ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/token", Api.token),
    ("POST", _PROJECT + "/datasets", Api.new_dataset),
    ("GET", _PROJECT + "/datasets/(?P<dataset>[^/]+)", Api.dataset),
    ("POST", _TABLES, Api.new_table),
    ("GET", _TABLES + "/(?P<table>[^/]+)", Api.table),
    ("PATCH", _TABLES + "/(?P<table>[^/]+)", Api.patch_table),
    ("GET", _TABLES + "/(?P<table>[^/]+)/data", Api.rows),
    ("POST", "/upload/bigquery/v2/projects/[^/]+/jobs", Api.begin_upload),
    ("PUT", "/sent/(?P<name>[^/]+)", Api.upload),
    ("POST", "/bigquery/v2/projects/[^/]+/jobs", Api.new_job),
    ("GET", _PROJECT + "/jobs/(?P<job>[^/]+)", Api.job),
    ("GET", _PROJECT + "/queries/(?P<job>[^/]+)", Api.results),
]


def _error(code: int, reason: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "errors": [{"reason": reason, "message": message}]}}


def _credentials(host: str) -> dict[str, str]:
    """Return a service account's file with a fresh key, whose tokens come from here."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": "stand-in",
        "private_key_id": "1",
        "private_key": key.private_bytes(*kinds).decode(),
        "client_email": "nobody@stand-in.example.com",
        "client_id": "1",
        "token_uri": f"{host}/token",
    }


def main() -> None:
    """Serve until standard input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    ready = Path(sys.argv[1])
    unfinished = ready.with_suffix(".part")
    unfinished.write_text(json.dumps({"host": host, "credentials": _credentials(host)}), encoding="utf-8")
    unfinished.replace(ready)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
