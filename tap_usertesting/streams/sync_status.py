"""`sync_status`: how complete each table is, test by test, so that a query can prove that nothing is missing."""

from __future__ import annotations

from tap_usertesting.singer.status_stream import StatusStream


class SyncStatusStream(StatusStream):
    """One row per test and stream, written whenever what it says has changed."""

    name = "sync_status"
    calls = "none"
    primary_keys = ("test_id", "stream")
    replication_key = "finished_at"
