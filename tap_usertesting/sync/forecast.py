"""What a sync will cost, by the very agenda that it would follow, over the first page of each list.

Of the feed the changes themselves are asked for, a hundred tests in one request. What lies beyond the first page of a
list is counted: it is older than all on it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tap_usertesting.ledger.log import FEED
from tap_usertesting.report.plan import DISCOVERY, Cost, Plan, Row
from tap_usertesting.report.summary import NEWEST_DAYS
from tap_usertesting.singer.base import PerTestStream
from tap_usertesting.singer.ledger_stream import LedgerStream
from tap_usertesting.singer.writer import SilentWriter
from tap_usertesting.sync.walk import Group, Seat, Visit
from tap_usertesting.values.times import earlier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_usertesting.ledger.agenda import Item
    from tap_usertesting.tap import TapUserTesting


def forecast(tap: TapUserTesting) -> Plan:
    """Return what a sync of this tap would cost; nothing is written."""
    tap.planning = True
    tap.message_writer = SilentWriter()
    tap.changes.only_first_pages()
    tap.facts.only_count(lambda test_id: not _has_none(tap, test_id))
    run, led, rows = tap.run, set[str](), list[Row]()
    for stream in tap.chosen:
        if not isinstance(stream, PerTestStream):
            stream.found = any(True for _ in stream.get_records(None))
            continue
        tests = stream.test_ids()
        if not isinstance(stream, LedgerStream):
            rows += [Row(stream.name, test_id, records=stream.foresee(test_id)) for test_id in tests]
            continue
        riders = [other for other in tap.after(stream) if isinstance(other, LedgerStream)]
        riders = [other for other in riders if other.source == stream.source]
        if stream.name in led:
            continue
        tap.schedule.begin_once()
        for test_id in tests:
            rows += _of_test(stream, riders, test_id)
        led |= {other.name for other in riders}
    discovery = sum(run.calls_of(label) for label in DISCOVERY)
    windows = run.windows
    return Plan(rows, discovery, windows.limit, windows.window, windows.number, windows.paced_together)


def _has_none(tap: TapUserTesting, test_id: str) -> bool:
    """Tell whether the test had no clip last time, which no call of a plan asks for."""
    clips = tap.streams["session_clips"]
    return isinstance(clips, PerTestStream) and clips.partition(test_id).ledger.none


class _Asked(NamedTuple):
    """The sessions that one source is asked for in a test. `beyond`: those that lie beyond the first page."""

    items: dict[str, tuple[Item, bool]]  # by session, and whether it is news
    beyond: int
    sounding: int

    @property
    def all(self) -> int:
        return len(self.items) + self.beyond


def _of_test(lead: LedgerStream, riders: list[LedgerStream], test_id: str) -> Iterator[Row]:
    tap, run = lead.tap, lead.run
    yield from (Row(rider.name, test_id) for rider in riders)
    if not lead.applies(test_id):
        yield Row(lead.name, test_id)
        return
    run.activity.begin(lead.name, test_id)
    visit = Visit(lead, [Seat(stream, stream.partition(test_id)) for stream in (lead, *riders)], test_id)
    was_read = visit.was_read
    pages, reels = tap.changes.planned_pages, tap.facts.planned
    with tap.guarded(test_id):
        visit.read(tap.schedule.number, resting=test_id in tap.schedule.order.resting)
    asked = _asked(visit.groups)
    shared = Counter({"list": tap.changes.planned_pages - pages, "reels": tap.facts.planned - reels})
    records = asked.all + sum(item.act == "remove" for group in visit.groups[:1] for item in group.queue)
    cost = _cost(lead, test_id, asked, shared.total(), was_read=was_read)
    own = Counter() if lead.endpoint is None else Counter({lead.endpoint: cost.all - shared.total()})
    yield Row(lead.name, test_id, +(shared + own), records, cost)


def _asked(groups: Iterable[Group]) -> _Asked:
    items: dict[str, tuple[Item, bool]] = {}
    beyond = sounding = 0
    for group in groups:
        for item in group.queue:
            sounding += item.sounds
            if item.act == "fetch" and not (item.sounds and item.line == "probe"):  # those come again at their places
                news = group.was_read or item.line in {"waiting", "late", "news", "probe"}
                items.setdefault(item.session_id, (item, news))
        beyond = max(beyond, _beyond(group))
    return _Asked(items, beyond, sounding)


def _beyond(group: Group) -> int:
    """Return how many sessions will be asked for that no page has shown so far."""
    log, ledger = group.log, group.ledger
    if log is None or log.sessions is None or log.sessions.complete or ledger.asleep or group.policy.per_test:
        return 0
    sessions, start = log.sessions, ledger.starts_at(group.policy.start_date)
    if start is not None and any(one.time < start for one in sessions.by_id.values()):
        return 0
    if log.source == FEED or ledger.until is not None:
        return sessions.total - len(sessions.by_id) if ledger.first else 0
    unknown = sum(item.line in {"down", "late", "news"} for item in group.queue)
    return max(0, sessions.greatest - (ledger.total_count or 0) - unknown)


def _cost(lead: LedgerStream, test_id: str, asked: _Asked, shared: int, *, was_read: bool) -> Cost:
    """Return the calls, `shared` of them for what is not a session."""
    recent = earlier(lead.run.now, days=NEWEST_DAYS)
    each = 0 if lead.endpoint is None else 1
    news = each * sum(is_news for _, is_news in asked.items.values())
    newest = each * sum(is_news or item.time >= recent for item, is_news in asked.items.values())
    is_recent = was_read or (lead.tap.standings.newest_known(test_id) or recent) >= recent
    least = news + asked.sounding if asked.sounding else each * asked.all
    most = least if lead.has_none(test_id) else each * asked.all
    return Cost(
        news=news + (shared if was_read else 0),
        newest=min(most, newest) + (shared if is_recent else 0),
        all=most + shared,
        at_least=least + shared,
    )
