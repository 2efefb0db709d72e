"""Tells how complete each stream is in each test at the end of a sync: the rows of `sync_status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_usertesting.ledger.completeness import NOTHING_YET, Counts, completeness

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tap_usertesting.ledger.completeness import Completeness
    from tap_usertesting.ledger.ledger import Ledger
    from tap_usertesting.sync.context import SyncContext


class StreamInTest(NamedTuple):
    """One stream in one test.

    facts: what is true of its rows; they are written again only if it has changed.
    complete_from: the time from which on nothing is missing. Where nothing was read yet, that is the time of the newest
        session, or the start of the sync; that it has moved is no reason to write the row again.
    """

    test_id: str
    stream: str
    facts: dict[str, Any]
    complete_from: str | None
    counted_at: str | None


def streams_in_tests(context: SyncContext, was_failed: Mapping[str, Collection[str]]) -> Iterator[StreamInTest]:
    """Yield each selected stream in each test of this sync; none before the tests are known.

    `was_failed`: the streams, by test, that the last sync which tried could not read.
    """
    if not context.directory.is_read:
        return
    leads = {stream.job: stream.name for stream in reversed(context.streams.of_tests)}
    for stream in context.streams.of_tests:
        lead = leads[stream.job]
        for test_id in stream.test_ids():
            if not stream.applies(test_id):
                continue
            failed = context.tried.get((lead, test_id))
            is_failed = stream.name in was_failed.get(test_id, ()) if failed is None else failed
            ledger = stream.partition(test_id).ledger
            found = completeness(ledger, failed=is_failed)
            begins = found.complete_from
            if begins == NOTHING_YET:
                begins = newest_unread(context, test_id, ledger) or context.started_at
            facts = _facts(found) | {
                "title": context.directory.title(test_id),
                "source": ledger.source,
                "calls_left": _calls_left(context, stream.job, test_id) if stream.name == lead else 0,
            }
            yield StreamInTest(test_id, stream.name, facts, begins, found.counted_at)


def _calls_left(context: SyncContext, job: str, test_id: str) -> int | None:
    """Return the calls that the streams of a job share: as many as the one needs that lacks the most rows."""
    found = [stream.calls_left(test_id) for stream in context.streams.of_tests if stream.job == job]
    known = [calls for calls in found if calls is not None]
    return max(known) if len(known) == len(found) else None


def newest_unread(context: SyncContext, test_id: str, ledger: Ledger) -> str | None:
    """Return when the newest session or change happened of a test that was not read; None if this sync did not ask."""
    if ledger.bookmark is not None:
        return None
    if ledger.newest is not None:
        return ledger.newest if (ledger.asked_at or "") >= context.started_at else None
    is_current = context.schedule.round_number == 1  # a later round has not asked the feed for every test again
    return context.feed_logs.newest_known(test_id) if is_current else None


def _facts(found: Completeness) -> dict[str, Any]:
    counts = dict.fromkeys(Counts._fields) if found.counts is None else found.counts._asdict()
    return {
        "status": found.status,
        "complete_from": found.complete_from,
        "newest_change_at": found.newest_change_at,
        **counts,
    }


def as_columns(one: StreamInTest) -> dict[str, Any]:
    """Return the facts as columns."""
    times = {"complete_from": one.complete_from, "counted_at": one.counted_at}
    return {"test_id": one.test_id, "stream": one.stream, **one.facts, **times}
