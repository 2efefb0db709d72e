"""Computes what a sync would cost, for `--plan`, from the same agenda that the sync would follow.

Of each session list only the first page is read. The sessions beyond it are counted from the total, as they are older
than those on it. The feed is asked for the changes themselves, a hundred tests in one request.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tap_usertesting.ledger.change_log import FEED
from tap_usertesting.report.plan import DISCOVERY, Cost, Plan, Quota, Row
from tap_usertesting.report.summary import NEWEST_DAYS
from tap_usertesting.sync.ledger_group import LedgerGroup, Member, to_fetch
from tap_usertesting.sync.stream_protocols import StreamOfSessions
from tap_usertesting.sync.sync_of_test import TestSync
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_usertesting.ledger.agenda_items import Item
    from tap_usertesting.sync.context import SyncContext
    from tap_usertesting.sync.resource import Resource


class ForecastStream(StreamOfSessions, Protocol):
    """A stream whose resource tells what a sync would fetch."""

    @property
    def resource(self) -> Resource:
        """The resource from whose answers the rows are made."""


def forecast(context: SyncContext, streams: Iterable[ForecastStream]) -> Plan:
    """Return what a sync would cost; write nothing. `streams`: those that follow a ledger. Raises as a sync does."""
    context.changes.start_forecast()
    context.facts.start_forecast()
    by_name, with_lead, rows = {stream.name: stream for stream in streams}, set[str](), list[Row]()
    for stream in context.streams.of_tests:
        tests = stream.test_ids()
        lead = by_name.get(stream.name)
        if lead is None:
            rows += [Row(stream.name, test_id, records=stream.forecast_records(test_id)) for test_id in tests]
        elif stream.name not in with_lead:
            followers = list(context.streams.followers(lead))
            with_lead |= {follower.name for follower in followers}
            context.schedule.start_first_round()
            for test_id in tests:
                rows += _of_test(lead.resource, [lead, *followers], test_id)
    discovery = sum(context.clients.transport.calls[label] for label in DISCOVERY)
    windows, titles = context.windows, {row.test_id: context.directory.title(row.test_id) for row in rows}
    return Plan(
        rows,
        discovery,
        Quota(windows.limit, windows.whole_window, windows.limit_source, windows.number, windows.paced_together),
        {test_id: title for test_id, title in titles.items() if title is not None},
    )


class _ToFetch(NamedTuple):
    """The sessions of a test that a sync would fetch.

    `beyond`: how many lie beyond the first page. `samples`: how many tell whether the test has such rows at all.
    """

    items: dict[str, tuple[Item, bool]]  # by session id: its item, and whether it is news
    beyond: int
    samples: int

    @property
    def all(self) -> int:
        return len(self.items) + self.beyond


def _of_test(resource: Resource, streams: list[StreamOfSessions], test_id: str) -> Iterator[Row]:
    context, lead = resource.context, streams[0]
    if not resource.applies(test_id):
        yield from (Row(stream.name, test_id) for stream in streams)
        return
    context.activity.begin(lead.name, test_id)
    test = TestSync(resource, [Member(stream, stream.partition(test_id)) for stream in streams], test_id)
    was_read = test.was_read
    pages, reels = context.lists.forecast_pages, context.facts.forecast_reels
    with context.guarded(test_id):
        test.read(context.schedule.round_number, not_due=test_id in context.schedule.order.not_due)
    sessions = _to_fetch(test.groups)
    yield from (Row(follower.name, test_id, records=None if sessions.all else 0) for follower in streams[1:])
    shared = Counter({"list": context.lists.forecast_pages - pages, "reels": context.facts.forecast_reels - reels})
    records = sessions.all + sum(item.act == "remove" for group in test.groups[:1] for item in group.queue)
    cost = _cost(resource, test_id, sessions, shared.total(), was_read=was_read)
    own = Counter() if resource.endpoint is None else Counter({resource.endpoint: cost.all - shared.total()})
    yield Row(lead.name, test_id, +(shared + own), records, cost)


def _to_fetch(groups: Sequence[LedgerGroup]) -> _ToFetch:
    samples = sum(item.is_sample for group in groups for item in group.queue)
    return _ToFetch(to_fetch(groups), max(map(_beyond, groups), default=0), samples)


def _beyond(group: LedgerGroup) -> int:
    """Return how many sessions a sync would fetch that are on none of the pages read so far."""
    log, ledger = group.log, group.ledger
    if log is None or log.sessions is None or log.sessions.complete or ledger.asleep or group.policy.per_test:
        return 0
    sessions, start = log.sessions, ledger.effective_start_date(group.policy.start_date)
    if start is not None and any(one.time < start for one in sessions.by_id.values()):
        return 0
    if log.source == FEED or ledger.reopened_until is not None:
        return sessions.total - len(sessions.by_id) if ledger.first else 0
    unknown = sum(item.line in {"down", "late", "news"} for item in group.queue)
    return max(0, sessions.greatest - (ledger.total_count or 0) - unknown)


def _cost(resource: Resource, test_id: str, sessions: _ToFetch, shared: int, *, was_read: bool) -> Cost:
    """Return the calls for a test. `shared`: the calls for what is not a session."""
    context = resource.context
    recent = earlier(context.now, days=NEWEST_DAYS)
    each = 0 if resource.endpoint is None else 1
    news = each * sum(is_news for _, is_news in sessions.items.values())
    newest = each * sum(is_news or item.time >= recent for item, is_news in sessions.items.values())
    is_recent = was_read or (context.priorities.newest_change(test_id) or recent) >= recent
    least = news + sessions.samples if sessions.samples else each * sessions.all
    most = least if resource.may_have_none(test_id) else each * sessions.all
    return Cost(
        news=news + (shared if was_read else 0),
        newest=min(most, newest) + (shared if is_recent else 0),
        all=most + shared,
        at_least=least + shared,
    )
