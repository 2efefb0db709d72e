"""Builds the summary of a sync, and logs what it left open."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from tap_usertesting.report.summary import NEWEST_DAYS, Ending, Summary
from tap_usertesting.report.wording import nonzero
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from tap_usertesting.sync.context import SyncContext

logger = logging.getLogger("tap-usertesting")

THROTTLED = "429"  # the key of refused calls in the transport's counts


def summary_of(context: SyncContext, ended: Ending) -> Summary:
    """Return what the selected streams wrote, what it cost, and what they left open."""
    transport, streams = context.clients.transport, context.streams.all
    left_out = context.left_out + context.results.left_out
    newest = earlier(context.now, days=NEWEST_DAYS)
    return Summary(
        ended=ended,
        seconds=context.pace.seconds,
        rows=dict(sum((Counter(stream.rows_written) for stream in streams), Counter())),
        tombstones=dict(sum((Counter(stream.tombstones_written) for stream in streams), Counter())),
        calls={label: count for label, count in sorted(transport.calls.items()) if label != THROTTLED},
        not_found=dict(transport.not_found),
        retries=transport.retries,
        throttled=transport.calls[THROTTLED],
        seconds_waited=dict(transport.waiting.waited),
        left_out=dict(left_out + (context.feed.left_out if context.feed is not None else Counter())),
        waiting=nonzero({stream.name: stream.waiting for stream in streams}),
        unfinished=nonzero({stream.name: stream.unfinished() for stream in streams}),
        unfinished_newest=nonzero({stream.name: stream.unfinished(newest) for stream in streams}),
        complete_from={name: at for stream in streams for name, at in stream.complete_from.items()},
        windows=context.windows.number,
        aliases={stream.name: stream.aliases for stream in streams},
    )


def log_unfinished(context: SyncContext, next_sync: str) -> None:
    """Log which sessions were given up, and which budget was used up. `next_sync`: where the next sync goes on."""
    for (stream, test_id), sessions in context.given_up.items():
        logger.warning(
            "%s, test %s: gave up on %d sessions that were announced but never found, such as %s",
            stream,
            test_id,
            len(sessions),
            sessions[0],
        )
    if not context.spent:
        return
    transport = context.clients.transport
    if transport.calls["list"] and not transport.kinds["session"]:
        logger.warning(
            "%s by the session lists alone, before any session; the next sync continues with the tests that have "
            "waited longest, but a larger budget brings news sooner",
            context.spent,
        )
    logger.warning("incomplete: %s; %s", context.spent, next_sync)
