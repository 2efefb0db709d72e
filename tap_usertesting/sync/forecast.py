"""What a sync will cost, by the very agenda that it would follow, over the first page of each list.

Of the feed the changes themselves are asked for, a hundred tests in one request. What lies beyond the first page of a
list is counted: it is older than all on it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tap_usertesting.ledger.log import FEED
from tap_usertesting.report.plan import DISCOVERY, Cost, Plan, Row
from tap_usertesting.report.summary import NEWEST_DAYS
from tap_usertesting.sync.group import Group, Seat
from tap_usertesting.sync.streams import StreamOfSessions
from tap_usertesting.sync.visit import Visit
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_usertesting.ledger.items import Item
    from tap_usertesting.sync.context import SyncContext
    from tap_usertesting.sync.resource import Resource


class Planned(StreamOfSessions, Protocol):
    """A stream whose resource can be asked what it would fetch."""

    @property
    def resource(self) -> Resource:
        """What it is made from."""


def forecast(context: SyncContext, planned: Iterable[Planned]) -> Plan:
    """Return what a sync would cost; nothing is written. `planned`: the streams that follow a ledger."""
    context.changes.start_forecast()
    context.facts.start_forecast()
    by_name, led, rows = {stream.name: stream for stream in planned}, set[str](), list[Row]()
    for stream in context.streams.of_tests:
        tests = stream.test_ids()
        lead = by_name.get(stream.name)
        if lead is None:
            rows += [Row(stream.name, test_id, records=stream.foresee(test_id)) for test_id in tests]
        elif stream.name not in led:
            riders = list(context.streams.riders(lead))
            led |= {rider.name for rider in riders}
            context.schedule.begin_once()
            for test_id in tests:
                rows += _of_test(lead.resource, [lead, *riders], test_id)
    discovery = sum(context.clients.transport.calls[label] for label in DISCOVERY)
    windows = context.windows
    return Plan(rows, discovery, windows.limit, windows.window, windows.number, windows.paced_together)


class _Asked(NamedTuple):
    """The sessions that one source is asked for in a test. `beyond`: those that lie beyond the first page."""

    items: dict[str, tuple[Item, bool]]  # by session, and whether it is news
    beyond: int
    sounding: int

    @property
    def all(self) -> int:
        return len(self.items) + self.beyond


def _of_test(resource: Resource, streams: list[StreamOfSessions], test_id: str) -> Iterator[Row]:
    context, lead = resource.context, streams[0]
    yield from (Row(rider.name, test_id) for rider in streams[1:])
    if not resource.applies(test_id):
        yield Row(lead.name, test_id)
        return
    context.activity.begin(lead.name, test_id)
    visit = Visit(resource, [Seat(stream, stream.partition(test_id)) for stream in streams], test_id)
    was_read = visit.was_read
    pages, reels = context.lists.forecast_pages, context.facts.forecast_reels
    with context.guarded(test_id):
        visit.read(context.schedule.number, resting=test_id in context.schedule.order.resting)
    asked = _asked(visit.groups)
    shared = Counter({"list": context.lists.forecast_pages - pages, "reels": context.facts.forecast_reels - reels})
    records = asked.all + sum(item.act == "remove" for group in visit.groups[:1] for item in group.queue)
    cost = _cost(resource, test_id, asked, shared.total(), was_read=was_read)
    own = Counter() if resource.endpoint is None else Counter({resource.endpoint: cost.all - shared.total()})
    yield Row(lead.name, test_id, +(shared + own), records, cost)


def _asked(groups: Iterable[Group]) -> _Asked:
    items: dict[str, tuple[Item, bool]] = {}
    beyond = sounding = 0
    for group in groups:
        for item in group.queue:
            sounding += item.is_sample
            if item.act == "fetch" and not (
                item.is_sample and item.line == "probe"
            ):  # those come again at their places
                news = group.was_read or item.line in {"waiting", "late", "news", "probe"}
                items.setdefault(item.session_id, (item, news))
        beyond = max(beyond, _beyond(group))
    return _Asked(items, beyond, sounding)


def _beyond(group: Group) -> int:
    """Return how many sessions will be asked for that no page has shown so far."""
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


def _cost(resource: Resource, test_id: str, asked: _Asked, shared: int, *, was_read: bool) -> Cost:
    """Return the calls, `shared` of them for what is not a session."""
    context = resource.context
    recent = earlier(context.now, days=NEWEST_DAYS)
    each = 0 if resource.endpoint is None else 1
    news = each * sum(is_news for _, is_news in asked.items.values())
    newest = each * sum(is_news or item.time >= recent for item, is_news in asked.items.values())
    is_recent = was_read or (context.standings.newest_known(test_id) or recent) >= recent
    least = news + asked.sounding if asked.sounding else each * asked.all
    most = least if resource.may_have_none(test_id) else each * asked.all
    return Cost(
        news=news + (shared if was_read else 0),
        newest=min(most, newest) + (shared if is_recent else 0),
        all=most + shared,
        at_least=least + shared,
    )
