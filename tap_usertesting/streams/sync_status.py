"""`sync_status`: how complete each table is in each test, so that a query can prove that no row is missing."""

from __future__ import annotations

from tap_usertesting.singer.status_stream import StatusStream


class SyncStatusStream(StatusStream):
    """One row per test and stream, written when the row has changed."""

    name = "sync_status"
    calls = "none"
    primary_keys = ("test_id", "stream")
    replication_key = "finished_at"
